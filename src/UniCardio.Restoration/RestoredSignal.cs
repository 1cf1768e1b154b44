using UniCardio.Pipeline.Patient;
using UniCardio.Signals;

namespace UniCardio.Restoration;

/// <summary>What was made of a recording, at 125 Hz in the network's physical units.</summary>
/// <param name="Center">The signal, [n], complete where <paramref name="Weight"/> is above 0; empty if nothing was made.</param>
/// <param name="Low">Lower edge of the band, [n], or empty.</param>
/// <param name="High">Upper edge of the band, [n], or empty.</param>
/// <param name="Weight">Sum of the weights of what was made, [n], 0 to 1.</param>
internal sealed record RestoredSignal(float[] Center, float[] Low, float[] High, float[] Weight)
{
    /// <summary>Evaluations of the network.</summary>
    public long NetworkCalls { get; init; }

    /// <summary>Time in the network.</summary>
    public TimeSpan ComputeTime { get; init; }

    /// <summary>The gaps that the patient's own signals had a part in.</summary>
    public IReadOnlyList<GapFill> Fills { get; init; } = [];

    /// <summary>How a translation was calibrated, or null.</summary>
    public CalibrationReport? Calibration { get; init; }

    /// <summary>The unit of a translation.</summary>
    public string Unit { get; init; } = SignalUnit.Normalized;
}
