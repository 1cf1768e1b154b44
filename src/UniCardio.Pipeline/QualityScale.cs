namespace UniCardio.Pipeline;

/// <summary>How a signal enters the quality network: less its median, over half the distance of its 2nd and 98th percentiles, cut at 5; 0
/// where missing. Bursts set neither level nor scale, and a unit is not needed.</summary>
internal static class QualityScale
{
    private const float Cut = 5;

    /// <summary>Scales a window.</summary>
    /// <param name="signal">[n], NaN where missing.</param>
    /// <param name="scaled">[n].</param>
    public static void Apply(ReadOnlySpan<float> signal, Span<float> scaled)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(scaled.Length, signal.Length);
        float[] sorted = System.Buffers.ArrayPool<float>.Shared.Rent(signal.Length);
        int count = 0;
        foreach (float x in signal)
        {
            if (float.IsFinite(x))
                sorted[count++] = x;
        }

        sorted.AsSpan(0, count).Sort();
        float level = count == 0 ? 0 : sorted[count / 2],
            half = count == 0 ? 0 : (sorted[(int)(0.98 * (count - 1))] - sorted[(int)(0.02 * (count - 1))]) / 2;
        float factor = half > 1e-6f * MathF.Abs(level) && half > 1e-20f ? 1 / half : 0;
        System.Buffers.ArrayPool<float>.Shared.Return(sorted);
        for (int i = 0; i < signal.Length; i++)
            scaled[i] = float.IsFinite(signal[i]) ? Math.Clamp((signal[i] - level) * factor, -Cut, Cut) : 0;
    }
}
