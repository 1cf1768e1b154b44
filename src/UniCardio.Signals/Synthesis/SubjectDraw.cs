namespace UniCardio.Signals.Synthesis;

/// <summary>
/// Draws subjects: the prior that a network is trained on. Ranges are those of the literature and of what monitors show, made wide enough
/// that a real recording is no stranger among them; none is fitted to a recording.
/// </summary>
// Constants without a source beside them are chosen.
internal static class SubjectDraw
{
    public static SynthesisParameters Draw(ulong seed, double sampleRate, SubjectLimits limits)
    {
        var random = new CounterRandom(seed, 0x5B);
        // Stiff arteries reflect early and raise the pulse pressure; both waves share it.
        double stiffness = random.NextDouble();
        SynthesisParameters p = Rhythm(new SynthesisParameters { SampleRate = sampleRate }, ref random);
        var vessels = new CounterRandom(seed, 0x5C);
        p = Pressures(p, stiffness, ref vessels);
        p = Delays(p, limits, ref vessels);
        var shape = new CounterRandom(seed, 0x5D);
        p = PulseDraw.Shapes(p, stiffness, ref shape);
        var lead = new CounterRandom(seed, 0x5E);
        p = LeadDraw.Ecg(p, ref lead);
        if (!limits.HasFlag(SubjectLimits.UprightLead))
            return p;
        var upright = new CounterRandom(seed, 0x5F);
        return LeadDraw.Raise(p, ref upright);
    }

    private static SynthesisParameters Rhythm(SynthesisParameters p, ref CounterRandom random)
    {
        double kind = random.NextDouble(), speed = random.NextDouble();
        double rate = speed < 0.55 ? random.NextUniform(50, 100) : speed < 0.75 ? random.NextUniform(35, 60) : random.NextUniform(90, 180);
        // Fast hearts vary less; under anaesthesia, on a ventilator or simply at rest hardly anything does.
        double calm = (rate < 110 ? 1 : 0.4) * Calm(ref random);
        p = p with
        {
            HeartRate = rate,
            RespiratoryRate = random.NextUniform(6, 32),
            RespiratorySinusArrhythmia = 0.15 * calm * Square(random.NextDouble()),
            SlowVariability = 0.06 * calm * random.NextDouble(),
            RandomVariability = 0.03 * calm * Square(random.NextDouble()),
            StrokeVariability = 0.06 * calm * Square(random.NextDouble()),
            RespiratoryStroke = 0.15 * Calm(ref random) * Square(random.NextDouble()),
            FibrillatoryWave = random.NextUniform(0, 0.12),
        };
        bool flutter = random.NextDouble() < 0.25, runs = random.NextDouble() < 0.25;
        double irregularity = random.NextUniform(0.1, 0.32), often = Square(random.NextDouble());
        return kind switch
        {
            < 0.12 when flutter => p with
            {
                AtrialFibrillation = true, HeartRate = random.NextUniform(65, 160), FibrillatoryIrregularity = 0.1 * irregularity,
                FibrillatoryWave = random.NextUniform(0.05, 0.25),
            },
            < 0.12 => p with { AtrialFibrillation = true, HeartRate = random.NextUniform(50, 165), FibrillatoryIrregularity =
                irregularity },
            < 0.23 => p with
            {
                HeartRate = Math.Min(rate, 140), VentricularEctopy = 0.03 + 0.36 * often,
                VentricularRun = runs ? random.NextUniform(0.2, 0.7) : 0, VentricularRate = random.NextUniform(110, 200),
            },
            < 0.29 => p with { HeartRate = Math.Min(rate, 140), AtrialEctopy = 0.04 + 0.3 * often },
            < 0.34 => p with { VentricularEctopy = 0.4, VentricularRun = random.NextUniform(0.9, 0.99), VentricularRate =
                random.NextUniform(100, 220) },
            _ => p,
        };
    }

    private static SynthesisParameters Pressures(SynthesisParameters p, double stiffness, ref CounterRandom random)
    {
        double kind = random.NextDouble();
        double systolic = kind < 0.68 ? random.NextUniform(85, 165) : kind < 0.9 ? random.NextUniform(58, 110)
            : random.NextUniform(140, 240);
        systolic = Math.Clamp(systolic + 30 * (stiffness - 0.5), 55, 255);
        double share = random.NextUniform(0.2, 0.58) + 0.12 * (stiffness - 0.5);
        double diastolic = Math.Clamp(systolic * (1 - share), 26, Math.Min(150, systolic - 12));
        return p with
        {
            SystolicPressure = systolic,
            DiastolicPressure = diastolic,
            RespiratoryPressure = 8 * Calm(ref random) * Square(random.NextDouble()),
            SlowPressure = 5 * Calm(ref random) * Square(random.NextDouble()),
        };
    }

    // Pulses arrive sooner at high pressure; monitors delay each channel in their own way, the ECG too.
    private static SynthesisParameters Delays(SynthesisParameters p, SubjectLimits limits, ref CounterRandom random)
    {
        double spread = limits.HasFlag(SubjectLimits.UsualTransit) ? 0.3 : 1;
        double artery = 0.19 - 0.0006 * (p.SystolicPressure - 120) + spread * 0.035 * Math.Clamp(random.NextGaussian(), -2.5, 2.5);
        double finger = Math.Max(artery, 0.09) + random.NextUniform(0.07 - spread * 0.07, 0.07 + spread * 0.07);
        double monitor = random.NextDouble();
        double line = monitor < 0.2 ? random.NextUniform(-0.15, 0.4) : 0;
        double oximeter = random.NextDouble() < 0.3 ? random.NextUniform(0, 0.6) : 0;
        double electrodes = random.NextDouble() < 0.1 ? random.NextUniform(0, 0.25) : 0;
        if (limits.HasFlag(SubjectLimits.NoMonitorDelay))
            line = oximeter = electrodes = 0;
        return p with
        {
            PressureDelay = Math.Clamp(Math.Max(artery, 0.09) + line - electrodes, -0.2, 0.75),
            PpgDelay = Math.Clamp(finger + oximeter - electrodes, -0.2, 0.85),
        };
    }

    /// <summary>Factor of a variation: none of it to speak of in two of five subjects.</summary>
    internal static double Calm(ref CounterRandom random)
    {
        bool still = random.NextDouble() < 0.4;
        double little = random.NextUniform(0, 0.2);
        return still ? little : 1;
    }

    internal static double Square(double x) => x * x;
}
