namespace UniCardio.Signals.Synthesis;

/// <summary>Draws the shapes of both pulse waves: one hidden pulse, which the skin and the monitors change.</summary>
// Constants without a source beside them are chosen.
internal static class PulseDraw
{
    public static SynthesisParameters Shapes(SynthesisParameters p, double stiffness, ref CounterRandom random)
    {
        double ejection = random.NextUniform(0.18, 0.42);
        double augmentation = Math.Clamp(0.45 * stiffness + 0.12 * random.NextGaussian(), -0.15, 0.7);
        double dicrotic = random.NextDouble() < 0.25 ? 0 : 0.4 * SubjectDraw.Square(random.NextDouble()) + 0.02;
        double dicroticDelay = random.NextUniform(0.06, 0.3);
        PulseMorphology pressure = Pressure(p, ejection, augmentation, stiffness, dicrotic, dicroticDelay, ref random);
        PulseMorphology ppg = Ppg(p, pressure, ref random);
        return p with
        {
            PressurePulse = pressure,
            PpgPulse = ppg,
            PpgRespiration = 0.4 * SubjectDraw.Calm(ref random) * SubjectDraw.Square(random.NextDouble()),
            PpgPulseRespiration = 0.35 * SubjectDraw.Calm(ref random) * SubjectDraw.Square(random.NextDouble()),
            PpgPulseLoss = random.NextDouble() < 0.08 ? random.NextUniform(-0.6, 0.7) : 0,
            PressureFilter = Line(p.SampleRate, ref random),
            PpgFilter = Oximeter(p.SampleRate, ref random),
        };
    }

    private static PulseMorphology Pressure(
        SynthesisParameters p, double ejection, double augmentation, double stiffness, double dicrotic, double dicroticDelay,
        ref CounterRandom random)
    {
        double quick = random.NextUniform(0, 0.9);
        // Diastole decays from where ejection leaves the slow part of the pressure towards that at which flow stops.
        double interval = 60 / p.HeartRate, diastole = Math.Max(interval - 0.6 * ejection * Math.Sqrt(Math.Clamp(interval, 0.3, 1.4)), 0.1);
        double floor = Math.Min(random.NextUniform(5, 40), 0.6 * p.DiastolicPressure);
        double fall = (1 - 0.8 * quick) * (p.SystolicPressure - p.DiastolicPressure) / (p.DiastolicPressure - floor);
        return new PulseMorphology
        {
            Ejection = ejection,
            Onset = Power(0.35, 0.8, 1, ref random),
            Offset = Power(0.3, 0.75, 1, ref random) + (random.NextDouble() < 0.3 ? 1 : 0),
            QuickShare = quick,
            QuickDecay = random.NextUniform(0.015, 0.14),
            SlowDecay = Math.Clamp(diastole / PortableMath.Log(1 + fall) * random.NextUniform(0.7, 1.3), 0.15, 6),
            Reflection = augmentation,
            ReflectionDelay = Math.Clamp(1.05 - 0.4 * stiffness + 0.1 * random.NextGaussian(), 0.5, 1.2),
            Notch = random.NextDouble() < 0.4 ? 0 : 0.35 * SubjectDraw.Square(random.NextDouble()),
            Dicrotic = dicrotic,
            DicroticDelay = dicroticDelay,
            DicroticWidth = random.NextUniform(0.02, 0.04 + 0.3 * dicroticDelay),
        };
    }

    // Skin vessels blunt what the artery brings: rounder, with broader and later waves; in one of four hardly anything is left in diastole.
    private static PulseMorphology Ppg(SynthesisParameters p, PulseMorphology artery, ref CounterRandom random)
    {
        bool bare = random.NextDouble() < 0.25;
        double dicrotic = artery.Dicrotic * random.NextUniform(0.3, 1.1), own = random.NextDouble() < 0.4 ? random.NextUniform(0, 0.25) : 0;
        double quick = random.NextUniform(0, 0.6), quickest = random.NextUniform(0.9, 1);
        return new PulseMorphology
        {
            Ejection = Math.Max(artery.Ejection * random.NextUniform(bare ? 0.7 : 0.9, bare ? 1 : 1.25), 0.15),
            Onset = Math.Min(3, artery.Onset + (random.NextDouble() < 0.5 ? 1 : 0)),
            Offset = Math.Min(4, artery.Offset + (random.NextDouble() < 0.4 ? 1 : 0)),
            QuickShare = bare ? quickest : Math.Clamp(0.5 * artery.QuickShare + quick, 0, 1),
            QuickDecay = Math.Clamp(artery.QuickDecay + random.NextUniform(0, bare ? 0.03 : 0.12), 0.03, 0.3),
            SlowDecay = random.NextUniform(0.12, 0.2 + 0.6 * 60 / p.HeartRate),
            Reflection = Math.Clamp(0.7 * artery.Reflection + 0.12 * random.NextGaussian(), -0.2, bare ? 0.15 : 0.7),
            ReflectionDelay = Math.Clamp(artery.ReflectionDelay + random.NextUniform(-0.05, 0.2), 0.5, 1.3),
            Notch = random.NextDouble() < 0.7 ? 0 : 0.5 * artery.Notch,
            Dicrotic = Math.Clamp((dicrotic + own) * (bare ? 0.3 : 1), 0, 0.6),
            DicroticDelay = Math.Clamp(artery.DicroticDelay + random.NextUniform(0, 0.08), 0.06, 0.4),
            DicroticWidth = Math.Clamp(artery.DicroticWidth + random.NextUniform(0.005, 0.05), 0.03, 0.16),
        };
    }

    private static int Power(double first, double second, int min, ref CounterRandom random)
    {
        double u = random.NextDouble();
        return min + (u < first ? 0 : u < second ? 1 : 2);
    }

    // Catheter, tube and transducer: good ones pass 15 Hz and more, long or air-filled ones ring or damp.
    private static MonitorFilter? Line(double rate, ref CounterRandom random)
    {
        double kind = random.NextDouble();
        double low = kind < 0.75 ? random.NextUniform(12, 30) : kind < 0.9 ? random.NextUniform(3, 9) : random.NextUniform(7, 16);
        double damping = kind < 0.75 ? random.NextUniform(0.3, 0.9) : kind < 0.9 ? random.NextUniform(0.7, 1.8)
            : random.NextUniform(0.12, 0.3);
        return kind < 0.4 ? null : new MonitorFilter { LowPass = Math.Min(low, 0.4 * rate), Damping = damping };
    }

    private static MonitorFilter? Oximeter(double rate, ref CounterRandom random)
    {
        bool low = random.NextDouble() < 0.75, high = random.NextDouble() < 0.65;
        double cut = random.NextUniform(3, 12), corner = 0.05 + 1.2 * SubjectDraw.Square(random.NextDouble());
        return low || high
            ? new MonitorFilter { LowPass = low ? Math.Min(cut, 0.4 * rate) : null, Damping = random.NextUniform(0.5, 1), HighPass = high
                ? corner : null }
            : null;
    }
}
