using UniCardio.Engine.Sessions;
using UniCardio.Restoration;
using UniCardio.Signals.Scaling;

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

    /// <summary>Sums up the first <paramref name="count"/> of a window's draws, [N, S] in the network's units; first summed up, then scaled back, as restoration does.</summary>
    public static DrawSummaries Of(ReadOnlySpan<float> draws, int count, int samples, AffineScale scale)
    {
        float[] Back(ReadOnlySpan<float> scaled)
        {
            var result = new float[scaled.Length];
            scale.Inverse(scaled, result);
            return result;
        }

        ReadOnlySpan<float> used = draws[..(count * samples)];
        float[] first = Back(used[..samples]);
        if (count == 1)
            return new DrawSummaries(first, first, first, [], []);
        float[] mean = new float[samples], quantiles = new float[3 * samples];
        DrawStatistics.Mean(used, count, samples, mean);
        DrawStatistics.Quantiles(used, count, samples, [LowQuantile, 0.5, HighQuantile], quantiles);
        quantiles = Back(quantiles);
        return new DrawSummaries(first, Back(mean), quantiles[samples..(2 * samples)], quantiles[..samples], quantiles[(2 * samples)..]);
    }

    /// <summary>The mean with what the residual gives back, the band moved by it; as restoration does with <see cref="ResidualRule.Wiener"/>.</summary>
    public DrawSummaries Corrected(ResidualFilter filter, ReadOnlySpan<float> measured)
    {
        var correction = new float[Mean.Length];
        filter.Correction(measured, Mean, correction);
        float[] Moved(float[] x) => [.. x.Select((v, i) => v + correction[i])];
        return this with { Mean = Moved(Mean), Low = Moved(Low), High = Moved(High) };
    }
}
