using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;

namespace UniCardio.Pipeline;

/// <summary>The one rule by which a proposal for a gap is given to a network that corrects it
/// (<see cref="PredictionKind.Correction"/>).</summary>
internal static class Proposal
{
    /// <summary>Whether a gap of the target's slot holds no proposal: <see cref="AffineScale.Missing"/> throughout, the sign that
    /// every network has learned for what is missing. The answer is then the correction alone.</summary>
    public static bool IsMissing(ReadOnlySpan<float> gap) => !gap.ContainsAnyExcept(AffineScale.Missing);

    /// <summary>Scales a proposal by the window's own map and clamps it to what the signal can be, so that a wild one leaves the network's
    /// range nowhere.</summary>
    /// <param name="proposal">[gap] in the signal's unit.</param>
    /// <param name="scale">The map of the window's result.</param>
    /// <param name="modality">The signal.</param>
    /// <param name="scaled">[gap] receives it.</param>
    public static void Scale(ReadOnlySpan<double> proposal, AffineScale scale, Modality modality, Span<float> scaled)
    {
        (double low, double high) = PlausibleRange.Of(modality);
        for (int i = 0; i < scaled.Length; i++)
            scaled[i] = Math.Clamp(scale.Forward((float)proposal[i]), (float)low, (float)high);
    }
}
