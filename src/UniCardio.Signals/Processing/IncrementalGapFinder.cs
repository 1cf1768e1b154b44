namespace UniCardio.Signals.Processing;

/// <summary>A run of consecutive samples of a live signal, which may be longer than an array.</summary>
/// <param name="Start">First sample, counted from 0.</param>
/// <param name="Length">Number of samples.</param>
internal readonly record struct LiveRange(long Start, long Length)
{
    /// <summary>The sample after the last one.</summary>
    public long End => Start + Length;
}

/// <summary>State of an <see cref="IncrementalGapFinder"/>.</summary>
/// <param name="Received">Samples taken.</param>
/// <param name="Count">Gaps found, the open one included.</param>
/// <param name="Missing">Missing samples.</param>
/// <param name="GapStart">First sample of the open gap, or -1.</param>
/// <param name="GapEnd">The sample after the last missing one.</param>
/// <param name="PreviousEnd">End of the last gap that is closed.</param>
internal readonly record struct GapFinderState(long Received, long Count, long Missing, long GapStart, long GapEnd, long PreviousEnd);

/// <summary><see cref="GapFinder"/> for a signal that arrives piece by piece: the same gaps, each as soon as it is certain where it
/// ends.</summary>
/// <remarks>Not for use by several threads at once.</remarks>
internal sealed class IncrementalGapFinder
{
    private readonly int _minMeasuredRun;
    private long _gapStart = -1;
    private long _gapEnd;
    private long _previousEnd;

    /// <summary>Starts at sample 0.</summary>
    /// <param name="minMeasuredRun">As in <see cref="GapFinder.Find"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="minMeasuredRun"/> is negative.</exception>
    public IncrementalGapFinder(int minMeasuredRun = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(minMeasuredRun);
        _minMeasuredRun = minMeasuredRun;
    }

    /// <summary>Samples taken.</summary>
    public long Received { get; private set; }

    /// <summary>Gaps found so far, the open one included.</summary>
    public long Count { get; private set; }

    /// <summary>Missing samples so far, whether in a gap or not.</summary>
    public long Missing { get; private set; }

    /// <summary>The gap that is not certain to have ended, up to the last missing sample; null if there is none.</summary>
    public LiveRange? Open => _gapStart >= 0 ? new LiveRange(_gapStart, _gapEnd - _gapStart) : null;

    /// <summary>Its state; set, it continues from the state of another one.</summary>
    public GapFinderState State
    {
        get => new(Received, Count, Missing, _gapStart, _gapEnd, _previousEnd);
        set => (Received, Count, Missing, _gapStart, _gapEnd, _previousEnd) =
            (value.Received, value.Count, value.Missing, value.GapStart, value.GapEnd, value.PreviousEnd);
    }

    /// <summary>Takes samples.</summary>
    /// <param name="samples">The next samples, NaN where missing.</param>
    /// <param name="closed">Takes the gaps that are certain to have ended, in order of time; null to only count them.</param>
    public void Push(ReadOnlySpan<float> samples, ICollection<LiveRange>? closed = null)
    {
        foreach (float sample in samples)
        {
            if (float.IsNaN(sample))
                AddMissing();
            else if (_gapStart >= 0 && Received - _gapEnd + 1 >= _minMeasuredRun)
                Close(_gapEnd, closed);
            Received++;
        }
    }

    /// <summary>Ends the signal and with it the open gap.</summary>
    /// <param name="closed">Takes the open gap, if there is one.</param>
    public void Complete(ICollection<LiveRange>? closed = null)
    {
        if (_gapStart >= 0)
            Close(Received - _gapEnd < _minMeasuredRun ? Received : _gapEnd, closed);
    }

    private void AddMissing()
    {
        Missing++;
        if (_gapStart < 0)
        {
            // A measured run that is too short counts as part of the gap; between two gaps it never lets the first one close.
            _gapStart = Received - _previousEnd < _minMeasuredRun ? _previousEnd : Received;
            Count++;
        }
        _gapEnd = Received + 1;
    }

    private void Close(long end, ICollection<LiveRange>? closed)
    {
        closed?.Add(new LiveRange(_gapStart, end - _gapStart));
        _previousEnd = end;
        _gapStart = -1;
    }
}
