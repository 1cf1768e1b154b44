using UniCardio.Engine.Model;
using UniCardio.Signals;
using UniCardio.Signals.Processing;

namespace UniCardio.Pipeline;

/// <summary>A signal has no measured sample, so there is nothing to scale it by.</summary>
public sealed class NoMeasuredSamplesException : SignalException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="samples">Number of samples of the signal.</param>
    public NoMeasuredSamplesException(int samples)
        : base($"None of the signal's {samples} samples is measured; expected at least one to scale it by.") => Samples = samples;

    /// <summary>Number of samples of the signal.</summary>
    public int Samples { get; }
}

/// <summary>The one rule by which a window is scaled for the network and its result is unscaled.</summary>
/// <remarks>
/// Maps are taken from the signals as they are given, that is after they were spoiled: (mmHg - 100) / 50 for blood pressure, minimum and
/// maximum of the measured samples for a PPG or ECG that is a condition or is filled in, quantiles for one that is denoised, and none for
/// what is translated: no other signal tells its amplitude, nor the level of a pressure (r of .01 to .30 with the true systolic pressure).
/// The restored signal's own slot has the map of its result.
/// </remarks>
internal static class WindowScale
{
    /// <summary>Lower quantile that maps to -1 in a window to be denoised; the upper one is its mirror image. Noise moves the extremes, not
    /// these much.</summary>
    internal const double DenoisingQuantile = 0.005;

    /// <summary>The map of a window's result: of the target's measured samples in restoration, of nothing in translation.</summary>
    /// <param name="task">The task.</param>
    /// <param name="observation">What is observed; its target is not looked at in translation or for blood pressure.</param>
    /// <exception cref="NoMeasuredSamplesException">The target has no measured sample to be scaled by.</exception>
    public static AffineScale OfResult(CardioTask task, in WindowObservation observation) =>
        task.Kind != TaskKind.Translate
            ? Of(task.Output, observation.Signal(task.Output), observation.Window, task.Kind == TaskKind.Denoise)
        : AffineScale.Normalized;

    /// <summary>The map of a signal's window.</summary>
    /// <param name="modality">The signal.</param>
    /// <param name="signal">The whole signal, [n], NaN where missing; blood pressure in mmHg.</param>
    /// <param name="window">The window in it.</param>
    /// <param name="isNoisy">Whether its noise is to be taken off: then quantiles are scaled by, else extremes.</param>
    /// <exception cref="NoMeasuredSamplesException">A PPG or ECG has no measured sample at all.</exception>
    public static AffineScale Of(Modality modality, ReadOnlySpan<float> signal, SampleRange window, bool isNoisy = false) =>
        modality == Modality.Bp
        ? AffineScale.BloodPressure
        : isNoisy ? FromQuantiles(signal, window) : FromExtremes(signal, window);

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
    internal static AffineScale FromQuantiles(ReadOnlySpan<float> signal, SampleRange window)
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
            throw new ArgumentOutOfRangeException(nameof(window), window,
                $"The window must hold samples and lie inside the signal's {signal.Length}.");
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
