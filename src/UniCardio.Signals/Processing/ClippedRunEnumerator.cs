namespace UniCardio.Signals.Processing;

/// <summary>Goes through the clipped stretches of a signal (<see cref="SignalQuality.ClippedRuns"/>).</summary>
internal ref struct ClippedRunEnumerator
{
    private readonly ReadOnlySpan<float> _samples;
    private readonly int _minRun, _longRun;
    private readonly float _minimum, _maximum;
    private readonly double _margin;
    private ClippingSide _side;
    private int _next;

    internal ClippedRunEnumerator(ReadOnlySpan<float> samples, int minRun, int longRun, double tolerance)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(minRun, 2);
        ArgumentOutOfRangeException.ThrowIfLessThan(longRun, minRun);
        if (tolerance is not (>= 0 and <= 0.1))
            throw new ArgumentOutOfRangeException(nameof(tolerance), tolerance, "The tolerance is 0 to 0.1 of the signal's range.");
        _samples = samples;
        (_minRun, _longRun) = (minRun, longRun);
        (_minimum, _maximum) = (float.PositiveInfinity, float.NegativeInfinity);
        foreach (float x in samples)
        {
            if (x < _minimum)
                _minimum = x;
            if (x > _maximum)
                _maximum = x;
        }
        _margin = tolerance * ((double)_maximum - _minimum);
        _side = ClippingSide.Low;
        _next = _maximum > _minimum ? Begin(ClippingSide.Low) : samples.Length;
        if (_next == samples.Length)
            TurnToHigh();
    }

    /// <summary>The stretch.</summary>
    public ClippedRun Current { get; private set; }

    /// <summary>Itself, for <c>foreach</c>.</summary>
    public readonly ClippedRunEnumerator GetEnumerator() => this;

    /// <summary>Goes to the next stretch.</summary>
    /// <returns>False if there is none.</returns>
    public bool MoveNext()
    {
        while (true)
        {
            SampleRange run = Plateau(_side, _next);
            if (run.Length > 0)
            {
                _next = run.End;
                Current = new ClippedRun(run, _side, Level(_side));
                return true;
            }
            if (_side == ClippingSide.High)
                return false;
            TurnToHigh();
        }
    }

    private void TurnToHigh()
    {
        _side = ClippingSide.High;
        _next = _maximum > _minimum ? Begin(ClippingSide.High) : _samples.Length;
    }

    // A single plateau that is not long counts for nothing: a crest has one of its own.
    private readonly int Begin(ClippingSide side)
    {
        SampleRange first = Plateau(side, 0);
        bool counts = first.Length >= _longRun || (first.Length > 0 && Plateau(side, first.End).Length > 0);
        return counts ? 0 : _samples.Length;
    }

    private readonly float Level(ClippingSide side) => side == ClippingSide.Low ? _minimum : _maximum;

    // The first plateau from a sample on; empty if there is none.
    private readonly SampleRange Plateau(ClippingSide side, int from)
    {
        float level = Level(side);
        for (int i = from; i < _samples.Length; i++)
        {
            int start = i;
            while (i < _samples.Length && Math.Abs((double)_samples[i] - level) <= _margin)
                i++;
            if (i - start >= _minRun)
                return SampleRange.Between(start, i);
        }
        return default;
    }
}
