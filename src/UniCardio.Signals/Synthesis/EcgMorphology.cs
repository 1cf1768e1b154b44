namespace UniCardio.Signals.Synthesis;

/// <summary>
/// Sizes of the waves of one lead, in mV, each between -5 and 5 (negative: pointing down). Times and widths follow from the heart rate
/// (<see cref="SynthesisParameters"/>) and may be stretched.
/// </summary>
/// <param name="P">P wave (none during atrial fibrillation).</param>
/// <param name="Q">Q wave.</param>
/// <param name="R">R wave.</param>
/// <param name="S">S wave.</param>
/// <param name="T">T wave.</param>
// Constants without a source beside them are chosen.
public sealed record EcgMorphology(double P = 0.12, double Q = -0.09, double R = 1.0, double S = -0.22, double T = 0.28)
{
    /// <summary>A second R wave (R'), which notches a wide QRS complex.</summary>
    public double SecondR { get; init; }

    /// <summary>ST segment just after the QRS complex, from the J point on.</summary>
    public double StEarly { get; init; }

    /// <summary>ST segment before the T wave.</summary>
    public double StLate { get; init; }

    /// <summary>Second half of a biphasic T wave.</summary>
    public double SecondT { get; init; }

    /// <summary>U wave.</summary>
    public double U { get; init; }

    /// <summary>Pacing spike before each QRS complex.</summary>
    public double Spike { get; init; }

    /// <summary>Factor of the P wave's width, 0.5 to 2.</summary>
    public double PWidth { get; init; } = 1;

    /// <summary>Factor of the time from P to R, 0.7 to 2.</summary>
    public double PrInterval { get; init; } = 1;

    /// <summary>Factor of all times within the QRS complex, 0.6 to 3.</summary>
    public double QrsWidth { get; init; } = 1;

    /// <summary>Factor of the time from R to T, 0.7 to 1.6.</summary>
    public double QtInterval { get; init; } = 1;

    /// <summary>Factor of the T wave's width, 0.5 to 2.</summary>
    public double TWidth { get; init; } = 1;

    /// <summary>Main wave of a ventricular beat over the larger of R and S, -3 to 3.</summary>
    public double Ventricular { get; init; } = 1.25;

    /// <summary>Factor of all times within a ventricular beat, 0.6 to 1.6.</summary>
    public double VentricularWidth { get; init; } = 1;

    /// <summary>Height of a ventricular beat's T wave over its main wave, -1 to 1.</summary>
    public double VentricularT { get; init; } = -0.32;

    internal void Validate()
    {
        ReadOnlySpan<(string Name, double Value)> waves =
            [(nameof(P), P), (nameof(Q), Q), (nameof(R), R), (nameof(S), S), (nameof(T), T), (nameof(SecondR), SecondR),
                (nameof(StEarly), StEarly),
            (nameof(StLate), StLate), (nameof(SecondT), SecondT), (nameof(U), U), (nameof(Spike), Spike)];
        foreach ((string name, double value) in waves)
            ParameterRange.Require(name, value, -5, 5);
        ParameterRange.Require(nameof(PWidth), PWidth, 0.5, 2);
        ParameterRange.Require(nameof(PrInterval), PrInterval, 0.7, 2);
        ParameterRange.Require(nameof(QrsWidth), QrsWidth, 0.6, 3);
        ParameterRange.Require(nameof(QtInterval), QtInterval, 0.7, 1.6);
        ParameterRange.Require(nameof(TWidth), TWidth, 0.5, 2);
        ParameterRange.Require(nameof(Ventricular), Ventricular, -3, 3);
        ParameterRange.Require(nameof(VentricularWidth), VentricularWidth, 0.6, 1.6);
        ParameterRange.Require(nameof(VentricularT), VentricularT, -1, 1);
    }
}
