using UniCardio.Signals.Processing;

namespace UniCardio.Signals.Scaling;

/// <summary>
/// Chooses the affine map of a PPG or ECG window from what is measured. Blood pressure always takes
/// <see cref="AffineScale.BloodPressure"/>, a translated PPG or ECG <see cref="AffineScale.Normalized"/>.
/// </summary>
public static class WindowScaling
{
    /// <summary>Lower quantile that maps to -1 in a window to be denoised; the upper one is its mirror image. Noise moves the extremes, not these much.</summary>
    public const double DenoisingQuantile = 0.005;

    /// <summary>A condition or an imputation target: minimum and maximum of the measured samples map to -1 and 1.</summary>
    /// <param name="signal">The whole signal, [n], NaN where missing.</param>
    /// <param name="window">The window in it.</param>
    /// <remarks>
    /// If fewer than a quarter of the window's samples are measured, the extremes are taken over as many measured samples as a window has,
    /// those nearest in time to the window (its own included; all there are if the signal has fewer).
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">The window is empty or not inside the signal.</exception>
    /// <exception cref="NoMeasuredSamplesException">The signal has no measured sample at all.</exception>
    public static AffineScale FromExtremes(ReadOnlySpan<float> signal, SampleRange window)
    {
        SampleRange extent = MeasuredExtent(signal, window);
        float minimum = float.PositiveInfinity, maximum = float.NegativeInfinity;
        foreach (float x in signal.Slice(extent.Start, extent.Length))
        {
            // A comparison with NaN is false, which skips what is missing.
            if (x < minimum)
                minimum = x;
            if (x > maximum)
                maximum = x;
        }
        return AffineScale.FromRange(minimum, maximum);
    }

    /// <summary>A denoising target: the 0.5% and 99.5% quantiles of the measured samples of the dirty window map to -1 and 1.</summary>
    /// <param name="signal">The whole dirty signal, [n], NaN where missing.</param>
    /// <param name="window">The window in it.</param>
    /// <remarks>
    /// The sparse-window rule is that of <see cref="FromExtremes"/>. Quantiles interpolate linearly between order statistics (Hyndman and
    /// Fan's definition 7, the default of NumPy and R).
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">The window is empty or not inside the signal.</exception>
    /// <exception cref="NoMeasuredSamplesException">The signal has no measured sample at all.</exception>
    public static AffineScale FromQuantiles(ReadOnlySpan<float> signal, SampleRange window)
    {
        SampleRange extent = MeasuredExtent(signal, window);
        float[] measured = System.Buffers.ArrayPool<float>.Shared.Rent(extent.Length);
        try
        {
            int count = 0;
            foreach (float x in signal.Slice(extent.Start, extent.Length))
            {
                if (!float.IsNaN(x))
                    measured[count++] = x;
            }
            Span<float> sorted = measured.AsSpan(0, count);
            sorted.Sort();
            return AffineScale.FromRange(Quantile(sorted, DenoisingQuantile), Quantile(sorted, 1 - DenoisingQuantile));
        }
        finally
        {
            System.Buffers.ArrayPool<float>.Shared.Return(measured);
        }
    }

    private static float Quantile(ReadOnlySpan<float> sorted, double q)
    {
        double position = (sorted.Length - 1) * q;
        int below = (int)position;
        int above = Math.Min(below + 1, sorted.Length - 1);
        return (float)(sorted[below] + (position - below) * ((double)sorted[above] - sorted[below]));
    }

    private static SampleRange MeasuredExtent(ReadOnlySpan<float> signal, SampleRange window)
    {
        if (window.Length <= 0 || window.Start < 0 || window.Start > signal.Length - window.Length)
            throw new ArgumentOutOfRangeException(nameof(window), window, $"The window must hold samples and lie inside the signal's {signal.Length}.");
        int measured = GapFinder.CountMeasured(signal.Slice(window.Start, window.Length));
        if (4L * measured >= window.Length)
            return window;

        int start = window.Start, end = window.End;
        while (measured < window.Length && (start > 0 || end < signal.Length))
        {
            if (start > 0 && !float.IsNaN(signal[--start]))
                measured++;
            if (measured < window.Length && end < signal.Length && !float.IsNaN(signal[end++]))
                measured++;
        }
        return measured > 0 ? SampleRange.Between(start, end) : throw new NoMeasuredSamplesException(signal.Length);
    }
}
