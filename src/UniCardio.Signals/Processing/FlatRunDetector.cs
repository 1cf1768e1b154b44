namespace UniCardio.Signals.Processing;

/// <summary>Finds flat stretches of a signal sample by sample (<see cref="SignalQuality.FindFlatRuns"/> runs it over a whole
/// one).</summary>
/// <remarks>A mutable value: pass it by reference. The default value is not usable.</remarks>
internal struct FlatRunDetector
{
    private readonly int _minRun;
    private readonly float _tolerance;
    private float _low, _high;

    /// <summary>Starts at sample 0.</summary>
    /// <param name="minRun">Samples that a stretch has at least; 2 or more.</param>
    /// <param name="tolerance">Largest difference within a stretch, in the signal's unit; 0 or more, finite.</param>
    /// <exception cref="ArgumentOutOfRangeException">A parameter is out of range.</exception>
    public FlatRunDetector(int minRun, float tolerance = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(minRun, 2);
        if (!float.IsFinite(tolerance) || tolerance < 0)
            throw new ArgumentOutOfRangeException(nameof(tolerance), tolerance, "The tolerance is finite and not negative.");
        (_minRun, _tolerance) = (minRun, tolerance);
        (_low, _high) = (float.NaN, float.NaN);
    }

    /// <summary>Samples of the stretch that the newest sample belongs to, itself included; 0 before the first.</summary>
    public long Length { get; private set; }

    /// <summary>Whether that stretch is long enough to be flat.</summary>
    public readonly bool IsFlat => Length >= _minRun;

    /// <summary>Whether the newest sample is the one that made its stretch flat, all of it.</summary>
    public readonly bool HasBecomeFlat => Length == _minRun;

    /// <summary>Lowest value of the stretch; NaN if the newest sample is missing.</summary>
    public readonly float Low => _low;

    /// <summary>Highest value of the stretch; NaN if the newest sample is missing.</summary>
    public readonly float High => _high;

    /// <summary>Takes a sample.</summary>
    /// <param name="sample">The next sample, NaN where missing.</param>
    /// <returns>Whether it begins a new stretch.</returns>
    public bool Push(float sample)
    {
        // A NaN on either side makes the comparison false and so ends the stretch.
        float low = Math.Min(_low, sample), high = Math.Max(_high, sample);
        if (high - low <= _tolerance)
        {
            (_low, _high) = (low, high);
            Length++;
            return false;
        }
        (_low, _high, Length) = (sample, sample, 1);
        return true;
    }

    /// <summary>Takes up a stretch where another detector left it.</summary>
    /// <param name="length">Its <see cref="Length"/>.</param>
    /// <param name="low">Its <see cref="Low"/>.</param>
    /// <param name="high">Its <see cref="High"/>.</param>
    public void Resume(long length, float low, float high) => (Length, _low, _high) = (length, low, high);
}
