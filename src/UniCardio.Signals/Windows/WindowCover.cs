using UniCardio.Signals.Processing;

namespace UniCardio.Signals.Windows;

/// <summary>
/// Windows of equal length that cover a recording, and the weights by which their results are crossfaded into one signal without a step.
/// </summary>
/// <remarks>
/// Windows start every S - overlap samples; the last is shifted back to end with the recording, so it may overlap its predecessors by more.
/// Where window k overlaps the one before it, it fades in by a raised cosine that is still 0 just before the overlap and 1 just after it.
/// Where more than two overlap, a later window fades over the blend of all earlier ones, which keeps every weight free of steps.
/// Weights are whole multiples of 2^-24: the weights of a sample sum to one exactly in float32, in whatever order they are added.
/// </remarks>
internal sealed class WindowCover
{
    private const int Unit = 1 << 24;
    private readonly int _hop;

    /// <summary>Covers a recording.</summary>
    /// <param name="length">Samples of the recording, n.</param>
    /// <param name="windowLength">Samples of a window, S; 1 to 2^24.</param>
    /// <param name="overlap">Samples that neighbours share, 0 to S - 1 (0: no crossfade, the results are joined hard).</param>
    /// <exception cref="RecordingTooShortException">The recording is shorter than a window.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="windowLength"/> or <paramref name="overlap"/> is out of
    /// range.</exception>
    public WindowCover(int length, int windowLength, int overlap)
    {
        if (windowLength is < 1 or > Unit)
            throw new ArgumentOutOfRangeException(nameof(windowLength), windowLength, $"A window has 1 to {Unit} samples.");
        if (overlap < 0 || overlap >= windowLength)
            throw new ArgumentOutOfRangeException(nameof(overlap), overlap,
                $"Windows of {windowLength} samples overlap by 0 to {windowLength - 1}.");
        if (length < windowLength)
            throw new RecordingTooShortException(length, windowLength);
        Length = length;
        WindowLength = windowLength;
        Overlap = overlap;
        _hop = windowLength - overlap;
        Count = 1 + (int)(((long)length - windowLength + _hop - 1) / _hop);
    }

    /// <summary>Samples of the recording, n.</summary>
    public int Length { get; }

    /// <summary>Samples of a window, S.</summary>
    public int WindowLength { get; }

    /// <summary>Samples that neighbours share at least.</summary>
    public int Overlap { get; }

    /// <summary>Number of windows.</summary>
    public int Count { get; }

    /// <summary>The samples of window <paramref name="index"/>.</summary>
    /// <param name="index">Window, 0 to <see cref="Count"/> - 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such window.</exception>
    public SampleRange this[int index]
    {
        get
        {
            RequireWindow(index);
            return new SampleRange(StartOf(index), WindowLength);
        }
    }

    /// <summary>The windows that hold a sample: a run of consecutive ones, as (first, count) of window indices.</summary>
    /// <param name="sample">Sample, 0 to <see cref="Length"/> - 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such sample.</exception>
    public (int First, int Count) WindowsAt(int sample)
    {
        if (sample < 0 || sample >= Length)
            throw new ArgumentOutOfRangeException(nameof(sample), sample, $"The recording has {Length} samples.");
        int first = FirstAt(sample);
        return (first, LastAt(sample) - first + 1);
    }

    /// <summary>The weights of a window's samples.</summary>
    /// <param name="index">Window, 0 to <see cref="Count"/> - 1.</param>
    /// <param name="weights">Where to put them, [S].</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such window.</exception>
    /// <exception cref="ArgumentException"><paramref name="weights"/> has another length.</exception>
    public void Weights(int index, Span<float> weights)
    {
        RequireWindow(index);
        RequireLength(weights.Length, WindowLength, nameof(weights));
        int start = StartOf(index);
        for (int i = 0; i < weights.Length; i++)
            weights[i] = WeightUnits(index, start + i) * (1f / Unit);
    }

    /// <summary>
    /// Adds a window's result, times its weights, to the signal. Once every window has been added to a signal of zeros, the signal is
    /// complete. A sample needs only those windows that hold it, so windows without a sample of interest may be left out.
    /// </summary>
    /// <param name="index">Window, 0 to <see cref="Count"/> - 1.</param>
    /// <param name="result">The window's result, [S].</param>
    /// <param name="signal">The signal, [n].</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such window.</exception>
    /// <exception cref="ArgumentException">A span has another length.</exception>
    public void Accumulate(int index, ReadOnlySpan<float> result, Span<float> signal)
    {
        RequireWindow(index);
        RequireLength(result.Length, WindowLength, nameof(result));
        RequireLength(signal.Length, Length, nameof(signal));
        int start = StartOf(index);
        for (int i = 0; i < result.Length; i++)
        {
            int units = WeightUnits(index, start + i);
            // A window that has no say in a sample must not spoil it with a NaN either.
            if (units > 0)
                signal[start + i] += units * (1f / Unit) * result[i];
        }
    }

    private int StartOf(int index) => index == Count - 1 ? Length - WindowLength : index * _hop;

    private int FirstAt(int sample)
    {
        // Regular windows k with k * hop + S > sample; the shifted last one never comes before them.
        int first = sample < WindowLength ? 0 : (sample - WindowLength) / _hop + 1;
        return Math.Min(first, Count - 1);
    }

    private int LastAt(int sample) => sample >= Length - WindowLength ? Count - 1 : Math.Min(sample / _hop, Count - 1);

    // A sample's weights are dealt out from the last window that holds it to the first, which takes what is left: the sum is the unit
    // exactly.
    private int WeightUnits(int index, int sample)
    {
        int first = FirstAt(sample);
        int left = Unit;
        for (int k = LastAt(sample); k > first; k--)
        {
            int share = (int)Math.Round(left * FadeIn(k, sample));
            if (k == index)
                return share;
            left -= share;
        }
        return left;
    }

    private double FadeIn(int index, int sample)
    {
        int start = StartOf(index);
        int shared = StartOf(index - 1) + WindowLength - start;
        int into = sample - start;
        return into >= shared ? 1 : 0.5 - 0.5 * Math.Cos(Math.PI * (into + 1) / (shared + 1));
    }

    private void RequireWindow(int index)
    {
        if (index < 0 || index >= Count)
            throw new ArgumentOutOfRangeException(nameof(index), index, $"The cover has {Count} windows.");
    }

    private static void RequireLength(int actual, int expected, string parameter)
    {
        if (actual != expected)
            throw new ArgumentException($"The span has {actual} samples; expected {expected}.", parameter);
    }
}
