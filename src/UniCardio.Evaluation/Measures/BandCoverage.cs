using UniCardio.Signals.Processing;

namespace UniCardio.Evaluation.Measures;

/// <summary>How many true samples lie in the band between two quantiles of the draws.</summary>
/// <param name="Samples">True samples.</param>
/// <param name="Inside">Those in the band, its edges included.</param>
internal readonly record struct BandCoverage(int Samples, int Inside)
{
    /// <summary>Inside / Samples; null without a sample.</summary>
    public double? Share => Samples == 0 ? null : Inside / (double)Samples;

    /// <summary>Sum of two counts.</summary>
    public static BandCoverage operator +(BandCoverage a, BandCoverage b) => new(a.Samples + b.Samples, a.Inside + b.Inside);

    /// <summary>Sum of two counts.</summary>
    public static BandCoverage Add(BandCoverage left, BandCoverage right) => left + right;

    /// <summary>Counts a window.</summary>
    /// <param name="low">Lower edge, [S].</param>
    /// <param name="high">Upper edge, [S].</param>
    /// <param name="truth">The truth, [S].</param>
    /// <param name="scope">The samples that count.</param>
    public static BandCoverage Of(ReadOnlySpan<float> low, ReadOnlySpan<float> high, ReadOnlySpan<float> truth, SampleRange scope)
    {
        int inside = 0;
        for (int i = scope.Start; i < scope.End; i++)
            inside += truth[i] >= low[i] && truth[i] <= high[i] ? 1 : 0;
        return new BandCoverage(scope.Length, inside);
    }

    /// <summary>
    /// The share that draws would cover on average were the truth one more draw of the same distribution: (high - low)(N - 1)/(N + 1) for
    /// quantiles linear between order statistics (exact for a uniform distribution). It stays below high - low since few draws leave their
    /// tails unseen.
    /// </summary>
    /// <param name="draws">N.</param>
    /// <param name="lowQuantile">Quantile of the lower edge.</param>
    /// <param name="highQuantile">Quantile of the upper edge.</param>
    public static double Expected(int draws, double lowQuantile, double highQuantile) =>
        (highQuantile - lowQuantile) * (draws - 1) / (draws + 1);
}
