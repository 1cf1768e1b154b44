namespace UniCardio.Signals.Synthesis;

/// <summary>Draws the ECG of a beat sequence.</summary>
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
            // Breathing turns the heart's axis a little.
            double size = 1 + 0.04 * rhythm.Respiration(p, beat.Time);
            if (beat.IsVentricular)
                AddVentricular(ecg, rate, beat, p.Ecg, size);
            else
                AddSinus(ecg, rate, beat, p.Ecg, size, !p.AtrialFibrillation);
        }
        if (p.AtrialFibrillation)
            AddFibrillation(ecg, p, seed);
    }

    // Offsets and widths in seconds at an RR interval of 1 s: angles of McSharry 2003, table I, over 2 pi, T skewed.
    private static void AddSinus(Span<float> ecg, double rate, in PlannedBeat beat, EcgMorphology m, double size, bool hasP)
    {
        double before = Math.Sqrt(Math.Clamp(beat.Interval, 0.25, 1.6)), after = Math.Sqrt(Math.Clamp(Math.Min(beat.Interval, beat.Next), 0.25, 1.6));
        // Conduction in the ventricles hardly knows of the rate.
        double qrs = 0.7 + 0.3 * before;
        if (hasP)
            GaussianWave.Add(ecg, rate, beat.Time - 0.165 * before, size * m.P, 0.026 * before, 0.024 * before);
        GaussianWave.Add(ecg, rate, beat.Time - 0.030 * qrs, size * m.Q, 0.0085 * qrs, 0.0085 * qrs);
        GaussianWave.Add(ecg, rate, beat.Time, size * m.R, 0.0105 * qrs, 0.0105 * qrs);
        GaussianWave.Add(ecg, rate, beat.Time + 0.030 * qrs, size * m.S, 0.0095 * qrs, 0.0095 * qrs);
        GaussianWave.Add(ecg, rate, beat.Time + 0.270 * after, size * m.T, 0.058 * after, 0.038 * after);
    }

    private static void AddVentricular(Span<float> ecg, double rate, in PlannedBeat beat, EcgMorphology m, double size)
    {
        double main = Math.Max(Math.Abs(m.R), Math.Abs(m.S)) * size, sign = m.R < 0 ? -1 : 1;
        GaussianWave.Add(ecg, rate, beat.Time, sign * 1.25 * main, 0.030, 0.034);
        GaussianWave.Add(ecg, rate, beat.Time + 0.105, -sign * 0.35 * main, 0.028, 0.035);
        GaussianWave.Add(ecg, rate, beat.Time + 0.300, -sign * 0.40 * main, 0.070, 0.055);
    }

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
