using UniCardio.Pipeline;

namespace UniCardio.Evaluation.Model;

/// <summary>What becomes of a window's draws, each [S] in the window's result unit.</summary>
/// <param name="First">The first draw alone.</param>
/// <param name="Mean">Mean of the draws.</param>
/// <param name="Median">Median of the draws.</param>
/// <param name="Low">5% quantile, or empty for a single draw.</param>
/// <param name="High">95% quantile, or empty for a single draw.</param>
internal sealed record DrawSummaries(float[] First, float[] Mean, float[] Median, float[] Low, float[] High)
{
    /// <summary>Sums up a window's draws.</summary>
    public static DrawSummaries Of(WindowDraws draws)
    {
        int samples = draws.Samples;
        float[] first = new float[samples], mean = new float[samples], median = new float[samples], low = new float[samples],
            high = new float[samples];
        draws.First(1).Unscale(first);
        if (draws.Count == 1)
            return new DrawSummaries(first, first, first, [], []);
        draws.Summarize(DrawSummary.Mean, mean);
        draws.Summarize(DrawSummary.Median, median);
        draws.Quantile(WindowDraws.LowQuantile, low);
        draws.Quantile(WindowDraws.HighQuantile, high);
        return new DrawSummaries(first, mean, median, low, high);
    }

    /// <summary>
    /// The mean with what the residual gives back, the band moved by it; as restoration does with <see cref="ResidualRule.Wiener"/>.
    /// </summary>
    public DrawSummaries Corrected(ResidualFilter filter, ReadOnlySpan<float> measured)
    {
        var correction = new float[Mean.Length];
        filter.Correction(measured, Mean, correction);
        float[] Moved(float[] x) => [.. x.Select((v, i) => v + correction[i])];
        return this with { Mean = Moved(Mean), Low = Moved(Low), High = Moved(High) };
    }
}
