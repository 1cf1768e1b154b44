using UniCardio.Engine.Sessions;

namespace UniCardio.Evaluation.Model;

/// <summary>What becomes of a window's draws, each [S] in the window's result unit.</summary>
/// <param name="First">The first draw alone.</param>
/// <param name="Mean">Mean of the draws.</param>
/// <param name="Median">Median of the draws.</param>
/// <param name="Low">5% quantile, or empty for a single draw.</param>
/// <param name="High">95% quantile, or empty for a single draw.</param>
internal sealed record DrawSummaries(float[] First, float[] Mean, float[] Median, float[] Low, float[] High)
{
    public const double LowQuantile = 0.05, HighQuantile = 0.95;

    /// <summary>Sums up the first <paramref name="count"/> of a window's draws, [N, S].</summary>
    public static DrawSummaries Of(ReadOnlySpan<float> draws, int count, int samples)
    {
        ReadOnlySpan<float> used = draws[..(count * samples)];
        float[] first = used[..samples].ToArray();
        if (count == 1)
            return new DrawSummaries(first, first, first, [], []);
        float[] mean = new float[samples], quantiles = new float[3 * samples];
        DrawStatistics.Mean(used, count, samples, mean);
        DrawStatistics.Quantiles(used, count, samples, [LowQuantile, 0.5, HighQuantile], quantiles);
        return new DrawSummaries(first, mean, quantiles[samples..(2 * samples)], quantiles[..samples], quantiles[(2 * samples)..]);
    }
}
