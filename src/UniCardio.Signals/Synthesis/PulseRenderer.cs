namespace UniCardio.Signals.Synthesis;

/// <summary>Draws the pulse wave of a beat sequence: Windkessel, reflected wave, dicrotic notch and wave.</summary>
// Constants without a source beside them are chosen.
internal static class PulseRenderer
{
    /// <summary>Fills <paramref name="wave"/> so that a regular rhythm at the mean rate would swing over
    /// <paramref name="range"/>.</summary>
    /// <param name="wave">The wave.</param>
    /// <param name="p">Subject and rhythm.</param>
    /// <param name="rhythm">The beats.</param>
    /// <param name="shape">Shape of the pulse.</param>
    /// <param name="delay">Time from R peak to foot, seconds.</param>
    /// <param name="range">Foot and top of the pulse.</param>
    /// <param name="peripheral">Whether the pulse is that of the skin, whose vessels have a say in its height.</param>
    public static void Render(Span<float> wave, SynthesisParameters p, BeatSequence rhythm, in PulseShape shape, double delay,
        (double Low, double High) range, bool peripheral)
    {
        double mean = 60 / p.HeartRate;
        (double bottom, double top) = SteadyExtremes(shape, mean);
        double gain = (range.High - range.Low) / (top - bottom), offset = range.High - gain * top;
        wave.Clear();
        AddWaves(wave, p.SampleRate, rhythm, shape, delay, peripheral);
        AddRunoff(wave, p.SampleRate, rhythm, shape, delay, peripheral, shape.Decay / mean);
        for (int i = 0; i < wave.Length; i++)
            wave[i] = (float)(offset + gain * wave[i]);
    }

    private static void AddWaves(Span<float> wave, double rate, BeatSequence rhythm, in PulseShape shape, double delay, bool peripheral)
    {
        foreach (PlannedBeat beat in rhythm.Beats)
            AddWaves(wave, rate, beat.Foot(delay), shape.EjectionAfter(beat.Interval), beat.Height(peripheral), shape);
    }

    private static void AddWaves(Span<float> wave, double rate, double foot, double ejection, double stroke, in PulseShape shape)
    {
        double stretch = ejection / 0.3;
        if (shape.Reflection != 0)
            GaussianWave.Add(wave, rate, foot + shape.ReflectionDelay * ejection, stroke * shape.Reflection, 0.055 * stretch,
                0.07 * stretch);
        if (shape.Notch != 0)
            GaussianWave.Add(wave, rate, foot + 1.02 * ejection, -stroke * shape.Notch, 0.022 * stretch, 0.018 * stretch);
        if (shape.Dicrotic != 0)
            GaussianWave.Add(wave, rate, foot + 1.02 * ejection + shape.DicroticDelay * stretch, stroke * shape.Dicrotic,
                shape.DicroticWidths.Rise * stretch, shape.DicroticWidths.Fall * stretch);
    }

    private static void AddRunoff(
        Span<float> wave, double rate, BeatSequence rhythm, in PulseShape shape, double delay, bool peripheral, double pressure)
    {
        ReadOnlySpan<PlannedBeat> beats = rhythm.Beats;
        double step = 1 / rate;
        var runoff = new Runoff(shape, step, pressure);
        int lead = (int)Math.Ceiling(-beats[0].Time * rate);
        int current = 0;
        double foot = beats[0].Foot(delay), ejection = shape.EjectionAfter(beats[0].Interval), stroke = beats[0].Height(peripheral);
        for (int i = -lead; i < wave.Length; i++)
        {
            double t = i * step;
            while (current + 1 < beats.Length && beats[current + 1].Foot(delay) <= t)
            {
                current++;
                foot = beats[current].Foot(delay);
                ejection = shape.EjectionAfter(beats[current].Interval);
                stroke = beats[current].Height(peripheral);
            }
            double value = runoff.Next(stroke * shape.Flow((t - foot) / ejection) / ejection);
            if (i >= 0)
                wave[i] += (float)value;
        }
    }

    // Lowest and highest value of the wave in a regular rhythm with strokes of 1: the periodic state of a linear system over one beat.
    private static (double Low, double High) SteadyExtremes(in PulseShape shape, double interval)
    {
        const int MaxSamples = 512;
        Span<float> beat = stackalloc float[MaxSamples];
        // 250 Hz, where a beat of 2 s still fits.
        int n = (int)Math.Round(interval * 250);
        beat = beat[..n];
        beat.Clear();
        double rate = n / interval, ejection = shape.EjectionAfter(interval);
        for (int back = 0; back <= 3; back++)
            AddWaves(beat, rate, -back * interval, ejection, 1, shape);
        double step = 1 / rate;
        var runoff = new Runoff(shape, step, 0);
        for (int i = 0; i < n; i++)
            runoff.Next(shape.Flow(i * step / ejection) / ejection);
        runoff.BecomePeriodic(interval);
        double low = double.PositiveInfinity, high = double.NegativeInfinity;
        for (int i = 0; i < n; i++)
        {
            double value = beat[i] + runoff.Next(shape.Flow(i * step / ejection) / ejection);
            low = Math.Min(low, value);
            high = Math.Max(high, value);
        }
        return (low, high);
    }

    /// <summary>What is left of the ejections so far: a slow and a quick runoff, and the flow itself.</summary>
    private struct Runoff(in PulseShape shape, double step, double slow)
    {
        private readonly PulseShape _shape = shape;
        private readonly double _slowKeep = PortableMath.Exp(-step / shape.Decay), _quickKeep = PortableMath.Exp(-step / shape.QuickDecay);
        private readonly double _quickGain = shape.QuickGain;
        private double _slow = slow, _quick;

        public double Next(double flow)
        {
            _slow = _slow * _slowKeep + flow * step;
            if (_quickGain == 0)
                return _slow + _shape.Impedance * flow;
            // A step may be long beside the time constant: the flow is held during it.
            _quick = _quick * _quickKeep + flow * (1 - _quickKeep) * _shape.QuickDecay;
            return _shape.SlowShare * _slow + _quickGain * _quick + _shape.Impedance * flow;
        }

        // After one beat from nothing: what endless such beats leave is a geometric series.
        public void BecomePeriodic(double interval)
        {
            _slow /= 1 - PortableMath.Exp(-interval / _shape.Decay);
            _quick /= 1 - PortableMath.Exp(-interval / _shape.QuickDecay);
        }
    }
}
