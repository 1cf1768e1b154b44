namespace UniCardio.Signals.Synthesis;

/// <summary>
/// Sizes of the waves of one lead, in mV, each between -5 and 5 (negative: pointing down). Times and widths follow from the heart rate
/// (<see cref="SynthesisParameters"/>).
/// </summary>
/// <param name="P">P wave (none during atrial fibrillation).</param>
/// <param name="Q">Q wave.</param>
/// <param name="R">R wave.</param>
/// <param name="S">S wave.</param>
/// <param name="T">T wave.</param>
public sealed record EcgMorphology(double P = 0.12, double Q = -0.09, double R = 1.0, double S = -0.22, double T = 0.28)
{
    internal void Validate()
    {
        ParameterRange.Require(nameof(P), P, -5, 5);
        ParameterRange.Require(nameof(Q), Q, -5, 5);
        ParameterRange.Require(nameof(R), R, -5, 5);
        ParameterRange.Require(nameof(S), S, -5, 5);
        ParameterRange.Require(nameof(T), T, -5, 5);
    }
}
