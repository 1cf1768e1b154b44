using UniCardio.Engine.Sessions;

namespace UniCardio.Pipeline;

/// <summary>How the draws of a window become one signal.</summary>
public enum DrawSummary
{
    /// <summary>Median of the draws, sample by sample.</summary>
    Median,

    /// <summary>Mean of the draws, sample by sample.</summary>
    Mean,
}

/// <summary>
/// What the network made of one window: its draws, or the one estimate, as it made them, and the map back to the result's unit.
/// </summary>
/// <remarks>The one rule of a result: draws are first summed up in scaled units and unscaled after.</remarks>
internal readonly ref struct WindowDraws
{
    /// <summary>Edges of the band where nothing else is asked for, as quantiles of the draws: 90% lie between them.</summary>
    public const double LowQuantile = 0.05, HighQuantile = 0.95;

    /// <summary>Draws of a window.</summary>
    /// <param name="scaled">[N, S] in scaled units, finite.</param>
    /// <param name="samples">S.</param>
    /// <param name="scale">The map of the window's result.</param>
    public WindowDraws(ReadOnlySpan<float> scaled, int samples, AffineScale scale)
    {
        Scaled = scaled;
        (Samples, Scale, Count) = (samples, scale, scaled.Length / samples);
    }

    /// <summary>[N, S] in scaled units.</summary>
    public ReadOnlySpan<float> Scaled { get; }

    /// <summary>N; 1 for an estimate.</summary>
    public int Count { get; }

    /// <summary>S.</summary>
    public int Samples { get; }

    /// <summary>The map of the window's result.</summary>
    public AffineScale Scale { get; }

    /// <summary>The first draws alone.</summary>
    /// <param name="count">How many, 1 to N.</param>
    public WindowDraws First(int count) => new(Scaled[..(count * Samples)], Samples, Scale);

    /// <summary>All draws in the result's unit.</summary>
    /// <param name="unscaled">[N, S].</param>
    public void Unscale(Span<float> unscaled) => Scale.Inverse(Scaled, unscaled);

    /// <summary>The draws as one signal.</summary>
    /// <param name="summary">How; the one draw, or the estimate, where there is one.</param>
    /// <param name="center">[S] in the result's unit.</param>
    public void Summarize(DrawSummary summary, Span<float> center)
    {
        if (Count == 1)
            Scaled.CopyTo(center);
        else if (summary == DrawSummary.Mean)
            DrawStatistics.Mean(Scaled, Count, Samples, center);
        else
            DrawStatistics.Median(Scaled, Count, Samples, center);
        Scale.Inverse(center, center);
    }

    /// <summary>A quantile over the draws.</summary>
    /// <param name="probability">From 0 (smallest) to 1 (largest).</param>
    /// <param name="quantile">[S] in the result's unit.</param>
    public void Quantile(double probability, Span<float> quantile)
    {
        DrawStatistics.Quantiles(Scaled, Count, Samples, [probability], quantile);
        Scale.Inverse(quantile, quantile);
    }
}
