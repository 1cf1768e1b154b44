using UniCardio.Engine.Sessions;
using UniCardio.Signals.Processing;
using UniCardio.Signals.Scaling;

namespace UniCardio.Restoration;

/// <summary>Denoising of one window by <see cref="InferenceSession.Estimate"/>: the one rule by which its noise is measured and its gaps are bridged.</summary>
public static class WindowEstimate
{
    /// <summary>Estimates the clean window.</summary>
    /// <param name="session">A session of the denoising task for one window and one draw.</param>
    /// <param name="conditions">[conditions, S] scaled samples in the plan's order, the given signal's own among them.</param>
    /// <param name="given">[S] the signal as given, NaN where missing; straight lines stand there for the network.</param>
    /// <param name="scale">The map of the window's result (<see cref="WindowUnits.OfResult"/>).</param>
    /// <param name="clean">[S] receives the estimate in the signal's unit, complete; apart from <paramref name="given"/> in memory.</param>
    /// <param name="noiseLevel">Standard deviation of its white noise in its unit; null to measure it.</param>
    /// <param name="resamplingFactor">What the measured level is multiplied by (<see cref="WhiteNoise.ResamplingFactor"/>).</param>
    /// <param name="cancellation">Looked at before every network call.</param>
    /// <returns>Evaluations of the network, 0 to 2.</returns>
    /// <inheritdoc cref="InferenceSession.Estimate" path="/exception"/>
    public static int Run(
        InferenceSession session,
        ReadOnlySpan<float> conditions,
        ReadOnlySpan<float> given,
        AffineScale scale,
        Span<float> clean,
        double? noiseLevel = null,
        double resamplingFactor = 1,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(session);
        double level = noiseLevel ?? (resamplingFactor * WhiteNoise.Level(given));
        float[] measured = given.ToArray();
        GapBridge.FillAll(measured);
        scale.Forward(measured, measured);
        int calls = session.Estimate(conditions, measured, level / scale.HalfRange, clean, cancellation);
        scale.Inverse(clean, clean);
        return calls;
    }
}
