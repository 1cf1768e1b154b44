namespace UniCardio.Signals.Synthesis;

/// <summary>Draws the ECG of a beat sequence.</summary>
// Constants without a source beside them are chosen.
internal static class EcgRenderer
{
    public static void Render(Span<float> ecg, SynthesisParameters p, BeatSequence rhythm, ulong seed)
    {
        ecg.Clear();
        double rate = p.SampleRate, end = ecg.Length / rate;
        foreach (PlannedBeat beat in rhythm.Beats)
        {
            if (beat.Time < -1.5 || beat.Time > end + 1)
                continue;
            if (p.Ecg.Spike != 0)
                AddSpike(ecg, rate, beat, p.Ecg);
            if (beat.IsVentricular)
                AddVentricular(ecg, rate, beat, p.Ecg, beat.Size);
            else
                AddConducted(ecg, rate, beat, p.Ecg, beat.Size, !p.AtrialFibrillation);
        }
        if (p.AtrialFibrillation)
            AddFibrillation(ecg, p, seed);
    }

    // Offsets and widths in seconds at an RR interval of 1 s: angles of McSharry 2003, table I, over 2 pi, T skewed.
    private static void AddConducted(Span<float> ecg, double rate, in PlannedBeat beat, EcgMorphology m, double size, bool hasP)
    {
        double before = Math.Sqrt(Math.Clamp(beat.Interval, 0.25, 1.6)),
            after = Math.Sqrt(Math.Clamp(Math.Min(beat.Interval, beat.Next), 0.25, 1.6));
        // Conduction in the ventricles hardly knows of the rate.
        double qrs = (0.7 + 0.3 * before) * m.QrsWidth;
        if (hasP)
        {
            // An ectopic atrial focus sends its wave another way.
            double wave = beat.Kind == BeatKind.Atrial ? -0.7 * m.P : m.P;
            GaussianWave.Add(ecg, rate, beat.Time - 0.165 * before * m.PrInterval, size * wave, 0.026 * before * m.PWidth,
                0.024 * before * m.PWidth);
        }

        GaussianWave.Add(ecg, rate, beat.Time - 0.030 * qrs, size * m.Q, 0.0085 * qrs, 0.0085 * qrs);
        GaussianWave.Add(ecg, rate, beat.Time, size * m.R, 0.0105 * qrs, 0.0105 * qrs);
        GaussianWave.Add(ecg, rate, beat.Time + 0.030 * qrs, size * m.S, 0.0095 * qrs, 0.0095 * qrs);
        double t = 0.270 * after * m.QtInterval;
        GaussianWave.Add(ecg, rate, beat.Time + t, size * m.T, 0.058 * after * m.TWidth, 0.038 * after * m.TWidth);
        if (m.SecondR != 0)
            GaussianWave.Add(ecg, rate, beat.Time + 0.042 * qrs, size * m.SecondR, 0.0105 * qrs, 0.0115 * qrs);
        if (m.StEarly != 0)
            GaussianWave.Add(ecg, rate, beat.Time + 0.062 * qrs, size * m.StEarly, 0.010 * qrs, 0.075 * after);
        if (m.StLate != 0)
            GaussianWave.Add(ecg, rate, beat.Time + 0.6 * t, size * m.StLate, 0.045 * after, 0.04 * after);
        if (m.SecondT != 0)
            GaussianWave.Add(ecg, rate, beat.Time + t + 0.075 * after * m.TWidth, size * m.SecondT, 0.035 * after * m.TWidth,
                0.035 * after * m.TWidth);
        if (m.U != 0)
            GaussianWave.Add(ecg, rate, beat.Time + t + 0.17 * after, size * m.U, 0.03 * after, 0.035 * after);
    }

    private static void AddVentricular(Span<float> ecg, double rate, in PlannedBeat beat, EcgMorphology m, double size)
    {
        double main = Math.Max(Math.Abs(m.R), Math.Abs(m.S)) * size, sign = m.R < 0 ? -1 : 1, width = m.VentricularWidth;
        GaussianWave.Add(ecg, rate, beat.Time, sign * m.Ventricular * main, 0.030 * width, 0.034 * width);
        GaussianWave.Add(ecg, rate, beat.Time + 0.105 * width, -sign * (0.28 * m.Ventricular) * main, 0.028 * width, 0.035 * width);
        GaussianWave.Add(ecg, rate, beat.Time + 0.300 * width, sign * (m.Ventricular * m.VentricularT) * main, 0.070 * width,
            0.055 * width);
    }

    // Two milliseconds of pacing, as broad as a monitor of 125 Hz or so shows them.
    private static void AddSpike(Span<float> ecg, double rate, in PlannedBeat beat, EcgMorphology m) =>
        GaussianWave.Add(ecg, rate, beat.Time - 0.045 * m.QrsWidth, m.Spike, 0.004, 0.004);

    // A sawtooth-like sum of three harmonics whose frequency and size wander.
    private static void AddFibrillation(Span<float> ecg, SynthesisParameters p, ulong seed)
    {
        var random = new CounterRandom(seed, 2);
        double frequency = random.NextUniform(4.5, 7.5);
        double phase = random.NextDouble(), wander = random.NextDouble(), swell = random.NextDouble();
        for (int i = 0; i < ecg.Length; i++)
        {
            double t = i / p.SampleRate;
            double turns = phase + frequency * t + 0.6 * PortableMath.SinTurns(wander + 0.23 * t);
            double wave = PortableMath.SinTurns(turns) + 0.45 * PortableMath.SinTurns(2 * turns) + 0.2 * PortableMath.SinTurns(3 * turns);
            ecg[i] += (float)(0.7 * p.FibrillatoryWave * (1 + 0.4 * PortableMath.SinTurns(swell + 0.31 * t)) * wave);
        }
    }
}
