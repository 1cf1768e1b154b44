namespace UniCardio.Signals.Processing;

/// <summary>A run of consecutive samples.</summary>
/// <param name="Start">First sample, counted from 0.</param>
/// <param name="Length">Number of samples.</param>
public readonly record struct SampleRange(int Start, int Length)
{
    /// <summary>The sample after the last one.</summary>
    public int End => Start + Length;

    /// <summary>Whether the range holds the sample.</summary>
    /// <param name="sample">The sample.</param>
    public bool Contains(int sample) => sample >= Start && sample < End;

    /// <summary>Whether the two ranges share a sample.</summary>
    /// <param name="other">The other range.</param>
    public bool Overlaps(SampleRange other) => Start < other.End && other.Start < End;

    /// <summary>The range between two samples.</summary>
    /// <param name="start">First sample.</param>
    /// <param name="end">The sample after the last one, not below <paramref name="start"/>.</param>
    public static SampleRange Between(int start, int end) => new(start, end - start);
}
