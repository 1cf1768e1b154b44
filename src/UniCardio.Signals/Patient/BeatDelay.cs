namespace UniCardio.Signals.Patient;

/// <summary>How long after a beat of one signal the same heart beat comes in another, followed over a recording.</summary>
/// <remarks>
/// Which beat belongs to which is not told by nearness: monitors delay a PPG by more than half a second. Of the shifts by up to two beats
/// the one is taken under which the delay varies least; where the rhythm is too even to tell, the one whose delay is physiologic, 0 to 0.5
/// s after an R peak.
/// </remarks>
internal sealed class BeatDelay
{
    private const int MaxShift = 2, Neighbours = 8, MinPairs = 4;
    private readonly double[] _at, _delay;

    private BeatDelay(double[] at, double[] delay, double median, double spread)
    {
        _at = at;
        _delay = delay;
        Median = median;
        Spread = spread;
    }

    /// <summary>Median delay in samples; below 0 where the other signal comes first.</summary>
    public double Median { get; }

    /// <summary>How a beat's delay differs from its neighbours', in samples: 1.48 times the median absolute difference.</summary>
    public double Spread { get; }

    /// <summary>Beats that were paired.</summary>
    public int Pairs => _at.Length;

    /// <summary>Delay about an instant: the median of the sixteen pairs nearest to it, in samples.</summary>
    /// <param name="instant">In samples of the source.</param>
    public double At(double instant)
    {
        int at = Array.BinarySearch(_at, instant);
        at = at >= 0 ? at : ~at;
        int from = Math.Max(0, at - Neighbours), to = Math.Min(_at.Length, at + Neighbours);
        Span<double> near = stackalloc double[2 * Neighbours];
        near = near[..(to - from)];
        _delay.AsSpan(from, to - from).CopyTo(near);
        near.Sort();
        return 0.5 * (near[(near.Length - 1) / 2] + near[near.Length / 2]);
    }

    /// <summary>The pairs: instants of the source's beats and their delays, in samples.</summary>
    public IEnumerable<(double At, double Delay)> All => _at.Zip(_delay);

    /// <summary>Measures it; null where fewer than four beats pair.</summary>
    /// <param name="source">Beats of one signal.</param>
    /// <param name="target">Beats of the other.</param>
    /// <param name="usual">Delay to be expected if the rhythm does not tell, from and to in samples.</param>
    public static BeatDelay? Between(BeatTrain source, BeatTrain target, (double From, double To) usual)
    {
        if (source.Count < MinPairs || target.Count < MinPairs || !(source.Interval >= 1))
            return null;
        BeatDelay? best = null;
        double min = double.PositiveInfinity;
        for (int shift = -MaxShift; shift <= MaxShift; shift++)
        {
            if (Shifted(source, target, shift) is not { } tried)
                continue;
            // A tenth of a spread, and 8 ms at 125 Hz, is no reason to believe in an unusual delay.
            bool plausible = tried.Median >= usual.From && tried.Median <= usual.To;
            double cost = (tried.Spread + 1) * (plausible ? 1 : 1.3) + (0.01 * Math.Abs(tried.Median));
            if (cost < min)
                (min, best) = (cost, tried);
        }

        return best;
    }

    /// <summary>What is physiologic, in samples: a pulse comes up to half a second after its R peak, two pulses within 0.3 s of each
    /// other.</summary>
    /// <param name="source">One signal.</param>
    /// <param name="target">The other.</param>
    /// <param name="rate">Samples a second.</param>
    public static (double From, double To) Usual(ChannelKind source, ChannelKind target, double rate)
    {
        if (source == ChannelKind.Ecg)
            return (0.0, 0.5 * rate);
        if (target == ChannelKind.Ecg)
            return (-0.5 * rate, 0);
        return (-0.3 * rate, 0.3 * rate);
    }

    private static BeatDelay? Shifted(BeatTrain source, BeatTrain target, int shift)
    {
        var at = new List<double>();
        var delays = new List<double>();
        double reach = 3 * source.Interval;
        for (int k = 0; k < target.Count; k++)
        {
            int before = source.FirstFrom(target[k]) - 1 + shift;
            if (before < 0 || before >= source.Count || Math.Abs(target[k] - source[before]) > reach)
                continue;
            // Two targets of one source: an extra beat of either; the first is kept.
            if (at.Count > 0 && source[before] <= at[^1])
                continue;
            at.Add(source[before]);
            delays.Add(target[k] - source[before]);
        }

        if (at.Count < MinPairs)
            return null;
        double[] delay = [.. delays], sorted = [.. delays.Order()];
        double median = 0.5 * (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]);
        var whole = new BeatDelay([.. at], delay, median, 0);
        double[] from = [.. at.Select((t, k) => Math.Abs(delay[k] - whole.At(t))).Order()];
        double spread = 1.48 * from[from.Length / 2];
        // What lies far off is a missed or an extra beat.
        double wide = Math.Max(4 * spread, 0.15 * source.Interval);
        int[] kept = [.. Enumerable.Range(0, delay.Length).Where(k => Math.Abs(delay[k] - whole.At(at[k])) <= wide)];
        return kept.Length < MinPairs ? null
            : new BeatDelay([.. kept.Select(k => at[k])], [.. kept.Select(k => delay[k])], median, spread);
    }
}
