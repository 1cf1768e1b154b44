namespace UniCardio.Signals.Synthesis;

/// <summary>Good and bad signal that alternate, as on a moving patient: a Markov chain in time, lengths exponential.</summary>
internal sealed class EpisodeChain
{
    private readonly double _duty, _meanSeconds, _apart;
    private CounterRandom _random;
    private bool _begun;

    /// <summary>Begins at time 0, bad with the probability that is the share of bad time.</summary>
    /// <param name="duty">Share of bad time, above 0, to 1.</param>
    /// <param name="meanSeconds">Mean length of a bad episode.</param>
    /// <param name="apart">Least seconds between two.</param>
    /// <param name="random">Draws them.</param>
    public EpisodeChain(double duty, double meanSeconds, double apart, CounterRandom random)
    {
        (_duty, _meanSeconds, _apart, _random) = (duty, meanSeconds, apart, random);
        From = _random.NextDouble() < duty ? 0 : Good();
    }

    /// <summary>Where the bad episode begins, in seconds.</summary>
    public double From { get; private set; }

    /// <summary>Where it ends.</summary>
    public double To { get; private set; }

    /// <summary>The next bad episode.</summary>
    /// <param name="end">Where the signal ends.</param>
    /// <returns>Whether it begins before the end.</returns>
    public bool Next(double end)
    {
        if (_begun)
            From = To + (_duty >= 1 ? 0 : Good()) + _apart;
        _begun = true;
        if (From >= end)
            return false;
        To = From + (_random.NextExponential() * _meanSeconds);
        return true;
    }

    /// <summary>One of a number of kinds.</summary>
    public int Choose(int kinds) => (int)(_random.NextDouble() * kinds);

    private double Good() => _random.NextExponential() * (_meanSeconds * (1 - _duty) / _duty);
}
