namespace UniCardio.Evaluation.Baselines;

/// <summary>Mean of the samples about each sample; at the ends of the window of as many as lie on both sides.</summary>
/// <param name="width">Samples, odd.</param>
public sealed class MovingAverage(int width) : INoiseFilter
{
    /// <summary>Widths of 3 to 25 samples (24 to 200 ms).</summary>
    public static NoiseFilterFamily Family { get; } = new("moving average", [.. Enumerable.Range(1, 12).Select(half => new MovingAverage((2 * half) + 1))]);

    /// <inheritdoc/>
    public string Settings => $"{width} samples";

    /// <inheritdoc/>
    public void Run(ReadOnlySpan<float> noisy, Span<float> smooth)
    {
        for (int i = 0; i < noisy.Length; i++)
        {
            int half = Math.Min(width / 2, Math.Min(i, noisy.Length - 1 - i));
            double sum = 0;
            for (int j = i - half; j <= i + half; j++)
                sum += noisy[j];
            smooth[i] = (float)(sum / ((2 * half) + 1));
        }
    }
}
