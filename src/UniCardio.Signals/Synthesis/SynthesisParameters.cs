namespace UniCardio.Signals.Synthesis;

/// <summary>A subject and a rhythm for <see cref="CardiovascularSynthesizer"/>. Every value has a range; <see cref="Validate"/> names what
/// is out of it.</summary>
/// <remarks>
/// Rhythm: RR intervals vary with respiration (respiratory sinus arrhythmia), with slow (0.1 Hz) waves and at random; in atrial
/// fibrillation they are independent with a coefficient of variation of 22% (by default), the P wave is absent and fibrillatory waves of 4
/// to 8 Hz take its place. Premature ventricular beats come early, wide and without P wave, eject little, and are followed by a fully
/// compensatory pause; they may come in runs. Premature atrial beats are narrow and reset the sinus node.
/// <para>
/// ECG: each wave is a Gaussian about the R peak, as in the angular model of McSharry, Clifford, Tarassenko and Smith, "A dynamical model
/// for generating synthetic electrocardiogram signals", IEEE Trans. Biomed. Eng. 50(3), 2003; here directly in time, positions and widths
/// scaled with the square root of the RR interval (QRS less).
/// </para>
/// <para>
/// Pulse: a three-element Windkessel (Westerhof, Lankhaar and Westerhof, Med. Biol. Eng. Comput. 47, 2009) fed with an ejection after each
/// R peak, whose stroke grows with the filling time before it, plus a reflected wave, dicrotic notch and dicrotic wave. Diastole therefore
/// decays for as long as the pause lasts, as after a premature beat. <see cref="PressurePulse"/> and <see cref="PpgPulse"/> replace the
/// shapes that follow from <see cref="DicroticNotch"/> and <see cref="Augmentation"/> by any other; monitors filter what they show.
/// </para>
/// </remarks>
// Constants without a source beside them are chosen.
public sealed record SynthesisParameters
{
    /// <summary>Samples a second, 50 to 4000 Hz.</summary>
    public double SampleRate { get; init; } = 125;

    /// <summary>Mean heart rate, 30 to 220 beats a minute.</summary>
    public double HeartRate { get; init; } = 70;

    /// <summary>Respiratory rate, 4 to 60 breaths a minute.</summary>
    public double RespiratoryRate { get; init; } = 14;

    /// <summary>Amplitude of respiratory sinus arrhythmia as a fraction of the RR interval, 0 to 0.3.</summary>
    public double RespiratorySinusArrhythmia { get; init; } = 0.04;

    /// <summary>Amplitude of the slow (0.1 Hz) variation of the RR interval as a fraction of it, 0 to 0.2.</summary>
    public double SlowVariability { get; init; } = 0.02;

    /// <summary>Standard deviation of the random variation of the RR interval as a fraction of it, 0 to 0.1.</summary>
    public double RandomVariability { get; init; } = 0.01;

    /// <summary>Whether the atria fibrillate.</summary>
    public bool AtrialFibrillation { get; init; }

    /// <summary>Size of the fibrillatory waves during atrial fibrillation, 0 to 0.5 mV.</summary>
    public double FibrillatoryWave { get; init; } = 0.05;

    /// <summary>Coefficient of variation of the intervals in atrial fibrillation, 0 (flutter with steady conduction) to 0.4.</summary>
    public double FibrillatoryIrregularity { get; init; } = 0.22;

    /// <summary>Share of beats that are premature ventricular ones, or begin a run of them, 0 to 0.4.</summary>
    public double VentricularEctopy { get; init; }

    /// <summary>Probability that a ventricular beat is followed by another, 0 (single ones) to 0.99 (tachycardia).</summary>
    public double VentricularRun { get; init; }

    /// <summary>Rate within a run of ventricular beats, 60 to 250 beats a minute.</summary>
    public double VentricularRate { get; init; } = 150;

    /// <summary>Share of beats that are premature atrial ones, 0 to 0.4.</summary>
    public double AtrialEctopy { get; init; }

    /// <summary>Mean systolic pressure, 50 to 260 mmHg.</summary>
    public double SystolicPressure { get; init; } = 122;

    /// <summary>Mean diastolic pressure, 25 to 160 mmHg, at least 10 below <see cref="SystolicPressure"/>.</summary>
    public double DiastolicPressure { get; init; } = 76;

    /// <summary>Amplitude of the pressure's variation with respiration, 0 to 20 mmHg.</summary>
    public double RespiratoryPressure { get; init; } = 2.5;

    /// <summary>Amplitude of the pressure's slow (0.1 Hz, Mayer) waves, 0 to 20 mmHg.</summary>
    public double SlowPressure { get; init; } = 2;

    /// <summary>Amplitude of the stroke's variation with respiration as a fraction of it, 0 to 0.3.</summary>
    public double RespiratoryStroke { get; init; } = 0.03;

    /// <summary>Standard deviation of the stroke's random variation as a fraction of it, 0 to 0.2.</summary>
    public double StrokeVariability { get; init; }

    /// <summary>Time from R peak to the foot of the pressure pulse, -0.3 to 1.2 s (monitors add delays of their own, to the ECG as
    /// well).</summary>
    public double PressureDelay { get; init; } = 0.17;

    /// <summary>Time from R peak to the foot of the PPG pulse, -0.3 to 1.2 s.</summary>
    public double PpgDelay { get; init; } = 0.24;

    /// <summary>Depth of the dicrotic notch and height of the wave after it, relative to a pronounced one, 0 to 1.</summary>
    public double DicroticNotch { get; init; } = 0.6;

    /// <summary>Late systolic augmentation by the reflected wave, 0 (young) to 1 (stiff arteries).</summary>
    public double Augmentation { get; init; } = 0.4;

    /// <summary>Amplitude of the PPG's baseline variation with respiration, relative to its pulse, 0 to 1.</summary>
    public double PpgRespiration { get; init; } = 0.08;

    /// <summary>Amplitude of the PPG pulse's variation with respiration beyond the stroke's, as a fraction of the pulse, 0 to
    /// 0.6.</summary>
    public double PpgPulseRespiration { get; init; }

    /// <summary>Share of its height that the PPG's pulse loses within a few beats, at a random time; 0 to 0.8, or -0.8 to 0 for a
    /// gain.</summary>
    public double PpgPulseLoss { get; init; }

    /// <summary>Shape of the pressure pulse, or null: that of <see cref="DicroticNotch"/> and <see cref="Augmentation"/>.</summary>
    public PulseMorphology? PressurePulse { get; init; }

    /// <summary>Shape of the PPG pulse, or null: that of <see cref="DicroticNotch"/> and <see cref="Augmentation"/>.</summary>
    public PulseMorphology? PpgPulse { get; init; }

    /// <summary>Sizes of the waves of the ECG lead.</summary>
    public EcgMorphology Ecg { get; init; } = new();

    /// <summary>Amplitude of the ECG's variation with respiration as a fraction of it, 0 to 0.4.</summary>
    public double EcgRespiration { get; init; } = 0.04;

    /// <summary>What line and transducer do to the pressure, or null for nothing.</summary>
    public MonitorFilter? PressureFilter { get; init; }

    /// <summary>What the monitor does to the PPG, or null for nothing.</summary>
    public MonitorFilter? PpgFilter { get; init; }

    /// <summary>What the monitor does to the ECG, or null for nothing.</summary>
    public MonitorFilter? EcgFilter { get; init; }

    /// <summary>A plausible subject and rhythm drawn at random: the wide mixture that a network is trained on.</summary>
    /// <param name="seed">Equal seeds draw equal subjects, on every machine.</param>
    /// <param name="sampleRate">Samples a second.</param>
    /// <param name="limits">What the mixture leaves out; the heart stays the same.</param>
    public static SynthesisParameters Draw(ulong seed, double sampleRate = 125, SubjectLimits limits = SubjectLimits.None) =>
        SubjectDraw.Draw(seed, sampleRate, limits);

    /// <summary>Checks every value.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range; the exception names it, what it is and what it may
    /// be.</exception>
    public void Validate()
    {
        ParameterRange.Require(nameof(SampleRate), SampleRate, 50, 4000);
        ParameterRange.Require(nameof(HeartRate), HeartRate, 30, 220);
        ParameterRange.Require(nameof(RespiratoryRate), RespiratoryRate, 4, 60);
        ParameterRange.Require(nameof(RespiratorySinusArrhythmia), RespiratorySinusArrhythmia, 0, 0.3);
        ParameterRange.Require(nameof(SlowVariability), SlowVariability, 0, 0.2);
        ParameterRange.Require(nameof(RandomVariability), RandomVariability, 0, 0.1);
        ParameterRange.Require(nameof(FibrillatoryWave), FibrillatoryWave, 0, 0.5);
        ParameterRange.Require(nameof(FibrillatoryIrregularity), FibrillatoryIrregularity, 0, 0.4);
        ParameterRange.Require(nameof(VentricularEctopy), VentricularEctopy, 0, 0.4);
        ParameterRange.Require(nameof(VentricularRun), VentricularRun, 0, 0.99);
        ParameterRange.Require(nameof(VentricularRate), VentricularRate, 60, 250);
        ParameterRange.Require(nameof(AtrialEctopy), AtrialEctopy, 0, 0.4);
        ParameterRange.Require(nameof(SystolicPressure), SystolicPressure, 50, 260);
        ParameterRange.Require(nameof(DiastolicPressure), DiastolicPressure, 25, Math.Min(160, SystolicPressure - 10));
        ParameterRange.Require(nameof(RespiratoryStroke), RespiratoryStroke, 0, 0.3);
        ParameterRange.Require(nameof(StrokeVariability), StrokeVariability, 0, 0.2);
        ParameterRange.Require(nameof(RespiratoryPressure), RespiratoryPressure, 0, 20);
        ParameterRange.Require(nameof(SlowPressure), SlowPressure, 0, 20);
        ParameterRange.Require(nameof(PressureDelay), PressureDelay, -0.3, 1.2);
        ParameterRange.Require(nameof(PpgDelay), PpgDelay, -0.3, 1.2);
        ParameterRange.Require(nameof(DicroticNotch), DicroticNotch, 0, 1);
        ParameterRange.Require(nameof(Augmentation), Augmentation, 0, 1);
        ParameterRange.Require(nameof(PpgRespiration), PpgRespiration, 0, 1);
        ParameterRange.Require(nameof(PpgPulseRespiration), PpgPulseRespiration, 0, 0.6);
        ParameterRange.Require(nameof(PpgPulseLoss), PpgPulseLoss, -0.8, 0.8);
        ParameterRange.Require(nameof(EcgRespiration), EcgRespiration, 0, 0.4);
        ArgumentNullException.ThrowIfNull(Ecg);
        Ecg.Validate();
        PressurePulse?.Validate();
        PpgPulse?.Validate();
        PressureFilter?.Validate(SampleRate);
        PpgFilter?.Validate(SampleRate);
        EcgFilter?.Validate(SampleRate);
    }
}
