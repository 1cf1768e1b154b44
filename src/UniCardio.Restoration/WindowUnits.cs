using UniCardio.Engine.Model;
using UniCardio.Signals.Processing;
using UniCardio.Signals.Scaling;

namespace UniCardio.Restoration;

/// <summary>The affine maps of a task's window: the one rule by which <see cref="Restorer"/> scales what the network sees and unscales what it makes.</summary>
/// <remarks>
/// Maps are taken from the signals as they are given, that is after they were spoiled: minimum and maximum of the measured samples for a
/// condition or an imputation target, quantiles for a denoising target, (mmHg - 100) / 50 for blood pressure, and none for a translated PPG or
/// ECG, which has no amplitude.
/// </remarks>
public static class WindowUnits
{
    /// <summary>The map of a window's result: of the target's measured samples in restoration, of nothing in translation.</summary>
    /// <param name="task">The task.</param>
    /// <param name="target">The target's whole signal as given, [n], NaN where missing; not looked at in translation or for blood pressure.</param>
    /// <param name="window">The window in it.</param>
    /// <exception cref="NoMeasuredSamplesException">The target has no measured sample to be scaled by.</exception>
    public static AffineScale OfResult(CardioTask task, ReadOnlySpan<float> target, SampleRange window) => task switch
    {
        { Output: Modality.Bp } => AffineScale.BloodPressure,
        { Kind: TaskKind.Translate } => AffineScale.Normalized,
        { Kind: TaskKind.Denoise } => WindowScaling.FromQuantiles(target, window),
        _ => WindowScaling.FromExtremes(target, window),
    };

    /// <summary>Scales one condition of a window for the network.</summary>
    /// <param name="task">The task.</param>
    /// <param name="modality">The condition.</param>
    /// <param name="signal">Its whole signal as given, [n], NaN where missing; blood pressure in mmHg.</param>
    /// <param name="window">The window in it, S samples.</param>
    /// <param name="result">The map of the window's result (<see cref="OfResult"/>), which the restored signal's own slot shares.</param>
    /// <param name="scaled">Where to put it, [S]; missing samples become <see cref="AffineScale.Missing"/>.</param>
    public static void Scale(CardioTask task, Modality modality, ReadOnlySpan<float> signal, SampleRange window, AffineScale result, Span<float> scaled)
    {
        AffineScale scale = modality == task.Output && task.Kind != TaskKind.Translate ? result
            : modality == Modality.Bp ? AffineScale.BloodPressure
            : WindowScaling.FromExtremes(signal, window);
        scale.Forward(signal.Slice(window.Start, window.Length), scaled);
    }
}
