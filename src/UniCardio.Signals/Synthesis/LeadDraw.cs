namespace UniCardio.Signals.Synthesis;

/// <summary>Draws what an ECG lead shows of a heart, and what the monitor makes of it.</summary>
// Constants without a source beside them are chosen.
internal static class LeadDraw
{
    public static SynthesisParameters Ecg(SynthesisParameters p, ref CounterRandom random)
    {
        double kind = random.NextDouble();
        EcgMorphology ecg = kind switch
        {
            < 0.42 => Upright(ref random),
            < 0.56 => DeepS(ref random),
            < 0.71 => Biphasic(ref random),
            < 0.83 => Inverted(ref random),
            _ => Wide(ref random),
        };
        return p with
        {
            Ecg = Waves(ecg, ref random),
            EcgRespiration = 0.25 * SubjectDraw.Calm(ref random) * SubjectDraw.Square(random.NextDouble()),
            EcgFilter = Monitor(p.SampleRate, ref random),
        };
    }

    /// <summary>The same heart in a lead whose QRS complex is narrow and points up; respiration and monitor stay.</summary>
    public static SynthesisParameters Raise(SynthesisParameters p, ref CounterRandom random)
    {
        bool biphasic = random.NextDouble() < 0.15;
        return p with { Ecg = Waves(biphasic ? Biphasic(ref random) : Upright(ref random), ref random) };
    }

    // All but the QRS complex, and the size.
    private static EcgMorphology Waves(EcgMorphology ecg, ref CounterRandom random)
    {
        ecg = Times(Repolarisation(Atria(ecg, ref random), ref random), ref random);
        ecg = ecg with
        {
            Ventricular = (random.NextDouble() < 0.3 ? -1 : 1) * random.NextUniform(0.5, 2),
            VentricularWidth = random.NextUniform(0.75, 1.4),
            VentricularT = random.NextDouble() < 0.15 ? random.NextUniform(0, 0.4) : -random.NextUniform(0.05, 0.6),
        };
        return Scale(ecg, random.NextUniform(0.3, 1.7));
    }

    private static EcgMorphology Upright(ref CounterRandom random) => new(
        Q: -0.25 * SubjectDraw.Square(random.NextDouble()), R: random.NextUniform(0.7, 1.3),
        S: -0.6 * SubjectDraw.Square(random.NextDouble()));

    private static EcgMorphology DeepS(ref CounterRandom random) => new(
        Q: 0, R: random.NextUniform(0.08, 0.5), S: -random.NextUniform(0.6, 1.4));

    private static EcgMorphology Biphasic(ref CounterRandom random) => new(
        Q: -random.NextUniform(0, 0.3), R: random.NextUniform(0.5, 1), S: -random.NextUniform(0.4, 1.1));

    private static EcgMorphology Inverted(ref CounterRandom random) => new(
        Q: random.NextUniform(0, 0.25), R: -random.NextUniform(0.6, 1.3), S: random.NextUniform(0, 0.4));

    // Bundle branch block, or paced: broad, notched or slurred, and T waves that point the other way.
    private static EcgMorphology Wide(ref CounterRandom random)
    {
        double sign = random.NextDouble() < 0.5 ? -1 : 1;
        bool paced = random.NextDouble() < 0.3;
        double spike = random.NextUniform(-0.8, 1.2);
        return new EcgMorphology(
            Q: sign * random.NextUniform(-0.3, 0.1), R: sign * random.NextUniform(0.6, 1.2), S: sign * random.NextUniform(-0.6, 0.4))
        {
            SecondR = sign * random.NextUniform(-0.4, 0.75),
            QrsWidth = random.NextUniform(1.4, 2.2),
            Spike = paced ? spike : 0,
        };
    }

    private static EcgMorphology Atria(EcgMorphology m, ref CounterRandom random)
    {
        double kind = random.NextDouble(), usual = random.NextUniform(0.03, 0.2);
        double sign = m.R < 0 && m.QrsWidth == 1 ? -1 : 1;
        double p = kind < 0.1 ? 0 : kind < 0.18 ? -usual : kind < 0.28 ? random.NextUniform(0.2, 0.35) : usual;
        return m with { P = sign * p, PWidth = random.NextUniform(0.7, 1.5), PrInterval = random.NextUniform(0.8, 1.7) };
    }

    private static EcgMorphology Repolarisation(EcgMorphology m, ref CounterRandom random)
    {
        double main = Math.Abs(m.R) > Math.Abs(m.S) ? m.R : m.S, sign = main < 0 ? -1 : 1;
        bool wide = m.QrsWidth > 1.3;
        double kind = random.NextDouble(), usual = random.NextUniform(0.06, 0.5);
        double t = kind < 0.55 ? usual : kind < 0.72 ? -random.NextUniform(0.05, 0.4) : kind < 0.86 ? random.NextUniform(0.45, 1.1)
            : random.NextUniform(-0.06, 0.06);
        // After a narrow deep S wave T is usually upright; after a wide complex it opposes it.
        double toward = wide ? -sign : m.R < 0 ? -1 : 1;
        bool shifted = random.NextDouble() < (wide ? 0.6 : 0.35);
        double early = random.NextUniform(-0.25, 0.4), late = early * random.NextUniform(0.2, 1.6);
        bool biphasic = random.NextDouble() < 0.12, u = random.NextDouble() < 0.1;
        double second = -Math.Sign(t) * random.NextUniform(0.05, 0.3), uWave = random.NextUniform(-0.04, 0.1);
        return m with
        {
            T = toward * t,
            StEarly = shifted ? toward * early : 0,
            StLate = shifted ? toward * late : 0,
            SecondT = biphasic ? toward * second : 0,
            U = u ? uWave : 0,
        };
    }

    private static EcgMorphology Times(EcgMorphology m, ref CounterRandom random) => m with
    {
        QrsWidth = m.QrsWidth == 1 ? random.NextUniform(0.6, 1.35) : m.QrsWidth,
        QtInterval = random.NextUniform(0.8, 1.3) + (m.QrsWidth > 1.3 ? 0.15 : 0),
        TWidth = random.NextUniform(0.65, 1.6),
    };

    private static EcgMorphology Scale(EcgMorphology m, double size) => m with
    {
        P = size * m.P, Q = size * m.Q, R = size * m.R, S = size * m.S, T = size * m.T, SecondR = size * m.SecondR,
        StEarly = size * m.StEarly, StLate = size * m.StLate, SecondT = size * m.SecondT, U = size * m.U, Spike = size * m.Spike,
    };

    // Diagnostic, monitoring and narrow bands as monitors offer them.
    private static MonitorFilter? Monitor(double rate, ref CounterRandom random)
    {
        double low = random.NextDouble(), high = random.NextDouble();
        double cut = low < 0.7 ? random.NextUniform(25, 45) : random.NextUniform(12, 25);
        double corner = high < 0.45 ? random.NextUniform(0.05, 0.2) : high < 0.8 ? random.NextUniform(0.3, 0.7)
            : random.NextUniform(0.7, 2);
        bool cuts = random.NextDouble() < 0.55, blocks = random.NextDouble() < 0.7;
        return cuts || blocks
            ? new MonitorFilter { LowPass = cuts ? Math.Min(cut, 0.4 * rate) : null, Damping = random.NextUniform(0.6, 0.9),
                HighPass = blocks ? corner : null }
            : null;
    }
}
