using UniCardio.Engine.Model;

namespace UniCardio.Engine.Sampling;

/// <summary>The range in scaled units that a clean signal can plausibly have; what thresholding clamps to.</summary>
/// <remarks>
/// At the first step 1/alpha amplifies an error of the predicted noise 170 times (official schedule), so the predicted clean
/// signal may leave any physiological range. Clamping it there is the static thresholding of Saharia et al. (arXiv 2205.11487).
/// The ranges are wide on purpose: they stop runaways and leave real extremes alone.
/// </remarks>
public static class PlausibleRange
{
    /// <summary>Range of a modality's clean signal, in the network's scaled units.</summary>
    /// <param name="modality">BP: [-2, 4], that is 0 to 300 mmHg. PPG and ECG: [-2, 2], twice the span of the window's measured samples.</param>
    /// <returns>Lower and upper bound.</returns>
    public static (double Low, double High) Of(Modality modality) => modality switch
    {
        Modality.Bp => (-2, 4),
        Modality.Ppg or Modality.Ecg => (-2, 2),
        _ => throw new ArgumentOutOfRangeException(nameof(modality), modality, "not a modality"),
    };
}
