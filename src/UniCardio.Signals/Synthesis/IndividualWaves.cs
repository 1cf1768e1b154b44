namespace UniCardio.Signals.Synthesis;

/// <summary>Waves that one subject's beats have and nobody else's, so that only the subject's own beats tell their shape.</summary>
/// <remarks>
/// Up to three waves within the QRS complex, two in ST segment and T wave, and three in each pulse, all Gaussian, of sizes, times and
/// widths drawn once a subject; ventricular beats have a set of their own. Monitors do not filter them.
/// </remarks>
// Constants without a source beside them are chosen.
internal static class IndividualWaves
{
    // Of a beat it is Height (1 + Change) high.
    private readonly record struct Wave(double Time, double Width, double Height, double Change = 0);

    /// <summary>Adds a subject's own waves to its signals, in place. What <see cref="SyntheticRecording.Beats"/> says of pressures holds no
    /// longer.</summary>
    /// <param name="recording">The subject.</param>
    /// <param name="seed">Draws the waves.</param>
    /// <param name="variation">How far each wave's size changes from beat to beat, as a share of it (standard deviation; neighbours
    /// correlate by 0.8), 0 to 1.</param>
    public static void Add(SyntheticRecording recording, ulong seed, double variation = 0)
    {
        ArgumentNullException.ThrowIfNull(recording);
        ParameterRange.Require(nameof(variation), variation, 0, 1);
        var random = new CounterRandom(seed, 11);
        SynthesisParameters p = recording.Parameters;
        double r = Math.Max(Math.Abs(p.Ecg.R), Math.Max(Math.Abs(p.Ecg.S), 0.2)), pulse = p.SystolicPressure - p.DiastolicPressure;
        Wave[] conducted = Ecg(r, ref random), ventricular = Ecg(r, ref random);
        Wave[] pressure = Pulse(0.22 * pulse, 0.02, ref random), ppg = Pulse(0.22, 0.035, ref random);
        double before = 60 / p.HeartRate;
        var change = new CounterRandom(seed, 12);
        for (int k = 0; k < recording.Beats.Count; k++)
        {
            SyntheticBeat beat = recording.Beats[k];
            double next = k + 1 < recording.Beats.Count ? recording.Beats[k + 1].TimeSeconds - beat.TimeSeconds : before;

            // Repolarisation and the pulse's waves shorten with the root of the interval, as the synthesizer's do.
            double stretch = Math.Sqrt(Math.Clamp(Math.Min(before, next), 0.25, 1.6));
            if (variation > 0)
            {
                foreach (Wave[] waves in (Wave[][])[conducted, ventricular, pressure, ppg])
                    Vary(waves, variation, ref change);
            }

            foreach (Wave w in beat.Kind == BeatKind.Ventricular ? ventricular : conducted)
                Put(recording.Ecg, p.SampleRate, beat.TimeSeconds, w, w.Time > 0.07 ? stretch : 1);
            foreach (Wave w in pressure)
                Put(recording.BloodPressure, p.SampleRate, beat.TimeSeconds + p.PressureDelay, w, stretch);
            foreach (Wave w in ppg)
                Put(recording.Ppg, p.SampleRate, beat.TimeSeconds + p.PpgDelay, w, stretch);
            before = next;
        }
    }

    private static Wave[] Ecg(double r, ref CounterRandom random)
    {
        int qrs = (int)(4 * random.NextDouble()), late = (int)(3 * random.NextDouble());
        var waves = new Wave[qrs + late];
        for (int i = 0; i < qrs; i++)
            waves[i] = new Wave(random.NextUniform(-0.05, 0.06), random.NextUniform(0.006, 0.018), 0.35 * r * random.NextUniform(-1, 1));
        for (int i = qrs; i < waves.Length; i++)
            waves[i] = new Wave(random.NextUniform(0.09, 0.38), random.NextUniform(0.015, 0.05), 0.2 * r * random.NextUniform(-1, 1));
        return waves;
    }

    private static Wave[] Pulse(double size, double narrowest, ref CounterRandom random)
    {
        var waves = new Wave[(int)(4 * random.NextDouble())];
        for (int i = 0; i < waves.Length; i++)
            waves[i] = new Wave(random.NextUniform(0.08, 0.6), random.NextUniform(narrowest, 0.09), size * random.NextUniform(-1, 1));
        return waves;
    }

    // A first-order random walk back to 0: correlation 0.8 from beat to beat, standard deviation as given.
    private static void Vary(Wave[] waves, double variation, ref CounterRandom change)
    {
        for (int i = 0; i < waves.Length; i++)
            waves[i] = waves[i] with { Change = (0.8 * waves[i].Change) + (0.6 * variation * change.NextGaussian()) };
    }

    private static void Put(float[] signal, double rate, double origin, Wave w, double stretch) =>
        GaussianWave.Add(signal, rate, origin + (w.Time * stretch), w.Height * (1 + w.Change), w.Width * stretch, w.Width * stretch);
}
