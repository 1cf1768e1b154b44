namespace UniCardio.Signals.Synthesis;

/// <summary>A subject and a rhythm for <see cref="CardiovascularSynthesizer"/>. Every value has a range; <see cref="Validate"/> names what is out of it.</summary>
/// <remarks>
/// Rhythm: RR intervals vary with respiration (respiratory sinus arrhythmia), with slow (0.1 Hz) waves and at random; in atrial fibrillation
/// they are independent with a coefficient of variation of 22%, the P wave is absent and fibrillatory waves of 4 to 8 Hz take its place.
/// Premature ventricular beats come early, wide and without P wave, eject little, and are followed by a fully compensatory pause.
/// <para>
/// ECG: each wave is a Gaussian about the R peak, as in the angular model of McSharry, Clifford, Tarassenko and Smith, "A dynamical model for
/// generating synthetic electrocardiogram signals", IEEE Trans. Biomed. Eng. 50(3), 2003; here directly in time, positions and widths scaled
/// with the square root of the RR interval (QRS less).
/// </para>
/// <para>
/// Pulse: a three-element Windkessel (Westerhof, Lankhaar and Westerhof, Med. Biol. Eng. Comput. 47, 2009) fed with an ejection after each R
/// peak, whose stroke grows with the filling time before it, plus a reflected wave, dicrotic notch and dicrotic wave. Diastole therefore
/// decays for as long as the pause lasts, as after a premature beat.
/// </para>
/// </remarks>
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

    /// <summary>Share of beats that are premature ventricular ones, 0 to 0.4.</summary>
    public double VentricularEctopy { get; init; }

    /// <summary>Mean systolic pressure, 50 to 260 mmHg.</summary>
    public double SystolicPressure { get; init; } = 122;

    /// <summary>Mean diastolic pressure, 25 to 160 mmHg, at least 10 below <see cref="SystolicPressure"/>.</summary>
    public double DiastolicPressure { get; init; } = 76;

    /// <summary>Amplitude of the pressure's variation with respiration, 0 to 20 mmHg.</summary>
    public double RespiratoryPressure { get; init; } = 2.5;

    /// <summary>Amplitude of the pressure's slow (0.1 Hz, Mayer) waves, 0 to 20 mmHg.</summary>
    public double SlowPressure { get; init; } = 2;

    /// <summary>Time from R peak to the foot of the pressure pulse, 0.05 to 0.6 s.</summary>
    public double PressureDelay { get; init; } = 0.17;

    /// <summary>Time from R peak to the foot of the PPG pulse, 0.05 to 1.2 s (monitors add their own processing delay).</summary>
    public double PpgDelay { get; init; } = 0.24;

    /// <summary>Depth of the dicrotic notch and height of the wave behind it, relative to a pronounced one, 0 to 1.</summary>
    public double DicroticNotch { get; init; } = 0.6;

    /// <summary>Late systolic augmentation by the reflected wave, 0 (young) to 1 (stiff arteries).</summary>
    public double Augmentation { get; init; } = 0.4;

    /// <summary>Amplitude of the PPG's baseline variation with respiration, relative to its pulse, 0 to 1.</summary>
    public double PpgRespiration { get; init; } = 0.08;

    /// <summary>Sizes of the waves of the ECG lead.</summary>
    public EcgMorphology Ecg { get; init; } = new();

    /// <summary>A plausible subject and rhythm drawn at random: the wide mixture that a network is trained on.</summary>
    /// <param name="seed">Equal seeds draw equal subjects, on every machine.</param>
    /// <param name="sampleRate">Samples a second.</param>
    public static SynthesisParameters Draw(ulong seed, double sampleRate = 125)
    {
        var random = new CounterRandom(seed, 0x5B);
        bool fibrillation = random.NextDouble() < 0.12;
        double systolic = random.NextUniform(85, 185);
        double pulsePressure = Math.Clamp(random.NextUniform(0.25, 0.55) * systolic, 18, systolic - 30);
        double pressureDelay = random.NextUniform(0.1, 0.26);
        double size = random.NextUniform(0.4, 1.8);
        return new SynthesisParameters
        {
            SampleRate = sampleRate,
            HeartRate = fibrillation ? random.NextUniform(60, 150) : random.NextDouble() < 0.1 ? random.NextUniform(110, 170) : random.NextUniform(45, 110),
            RespiratoryRate = random.NextUniform(8, 28),
            RespiratorySinusArrhythmia = 0.12 * Square(random.NextDouble()),
            SlowVariability = 0.05 * random.NextDouble(),
            RandomVariability = 0.02 * random.NextDouble(),
            AtrialFibrillation = fibrillation,
            FibrillatoryWave = random.NextUniform(0, 0.12),
            VentricularEctopy = random.NextDouble() < 0.2 ? random.NextUniform(0.02, 0.3) : 0,
            SystolicPressure = systolic,
            DiastolicPressure = systolic - pulsePressure,
            RespiratoryPressure = random.NextUniform(0, 6),
            SlowPressure = random.NextUniform(0, 4),
            PressureDelay = pressureDelay,
            PpgDelay = pressureDelay + (random.NextDouble() < 0.15 ? random.NextUniform(0.3, 0.6) : random.NextUniform(0, 0.15)),
            DicroticNotch = random.NextDouble(),
            Augmentation = random.NextDouble(),
            PpgRespiration = 0.3 * Square(random.NextDouble()),
            Ecg = new EcgMorphology(
                P: size * random.NextUniform(0.02, 0.22),
                Q: -size * random.NextUniform(0, 0.2),
                R: size * random.NextUniform(0.6, 1.3),
                S: -size * random.NextUniform(0, 0.6),
                T: size * (random.NextDouble() < 0.12 ? -random.NextUniform(0.05, 0.3) : random.NextUniform(0.06, 0.5))),
        };
    }

    /// <summary>Checks every value.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range; the exception names it, what it is and what it may be.</exception>
    public void Validate()
    {
        ParameterRange.Require(nameof(SampleRate), SampleRate, 50, 4000);
        ParameterRange.Require(nameof(HeartRate), HeartRate, 30, 220);
        ParameterRange.Require(nameof(RespiratoryRate), RespiratoryRate, 4, 60);
        ParameterRange.Require(nameof(RespiratorySinusArrhythmia), RespiratorySinusArrhythmia, 0, 0.3);
        ParameterRange.Require(nameof(SlowVariability), SlowVariability, 0, 0.2);
        ParameterRange.Require(nameof(RandomVariability), RandomVariability, 0, 0.1);
        ParameterRange.Require(nameof(FibrillatoryWave), FibrillatoryWave, 0, 0.5);
        ParameterRange.Require(nameof(VentricularEctopy), VentricularEctopy, 0, 0.4);
        ParameterRange.Require(nameof(SystolicPressure), SystolicPressure, 50, 260);
        ParameterRange.Require(nameof(DiastolicPressure), DiastolicPressure, 25, Math.Min(160, SystolicPressure - 10));
        ParameterRange.Require(nameof(RespiratoryPressure), RespiratoryPressure, 0, 20);
        ParameterRange.Require(nameof(SlowPressure), SlowPressure, 0, 20);
        ParameterRange.Require(nameof(PressureDelay), PressureDelay, 0.05, 0.6);
        ParameterRange.Require(nameof(PpgDelay), PpgDelay, 0.05, 1.2);
        ParameterRange.Require(nameof(DicroticNotch), DicroticNotch, 0, 1);
        ParameterRange.Require(nameof(Augmentation), Augmentation, 0, 1);
        ParameterRange.Require(nameof(PpgRespiration), PpgRespiration, 0, 1);
        ArgumentNullException.ThrowIfNull(Ecg);
        Ecg.Validate();
    }

    private static double Square(double x) => x * x;
}
