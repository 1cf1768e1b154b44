namespace UniCardio.Signals.Synthesis;

/// <summary>Shape of a pulse wave. Sizes relative to the rise that one mean stroke gives the Windkessel, times in seconds.</summary>
/// <param name="Decay">Time constant of diastole.</param>
/// <param name="Impedance">Share of flow that adds to the pressure directly, in seconds (pressure rise times time over flow).</param>
/// <param name="Ejection">Duration of ejection at an RR interval of 1 s.</param>
/// <param name="Reflection">Size of the reflected wave.</param>
/// <param name="ReflectionDelay">When it peaks, in ejection durations after the foot.</param>
/// <param name="Notch">Depth of the dicrotic notch.</param>
/// <param name="Dicrotic">Height of the dicrotic wave.</param>
internal readonly record struct PulseShape(
    double Decay, double Impedance, double Ejection, double Reflection, double ReflectionDelay, double Notch, double Dicrotic)
{
    /// <summary>Ejection lasts with the root of the interval before it.</summary>
    public double EjectionAfter(double interval) => Ejection * Math.Sqrt(Math.Clamp(interval, 0.3, 1.4));
}

/// <summary>Draws the pulse wave of a beat sequence: Windkessel, reflected wave, dicrotic notch and wave.</summary>
internal static class PulseRenderer
{
    /// <summary>Fills <paramref name="wave"/> so that a regular rhythm at the mean rate would swing between <paramref name="low"/> and <paramref name="high"/>.</summary>
    public static void Render(Span<float> wave, SynthesisParameters p, BeatSequence rhythm, in PulseShape shape, double delay, double low, double high)
    {
        double mean = 60 / p.HeartRate;
        (double bottom, double top) = SteadyExtremes(shape, mean);
        double gain = (high - low) / (top - bottom), offset = high - gain * top;
        wave.Clear();
        AddWaves(wave, p.SampleRate, rhythm, shape, delay);
        AddWindkessel(wave, p.SampleRate, rhythm, shape, delay, shape.Decay / mean);
        for (int i = 0; i < wave.Length; i++)
            wave[i] = (float)(offset + gain * wave[i]);
    }

    private static void AddWaves(Span<float> wave, double rate, BeatSequence rhythm, in PulseShape shape, double delay)
    {
        foreach (PlannedBeat beat in rhythm.Beats)
            AddWaves(wave, rate, beat.Foot(delay), shape.EjectionAfter(beat.Interval), beat.Stroke, shape);
    }

    private static void AddWaves(Span<float> wave, double rate, double foot, double ejection, double stroke, in PulseShape shape)
    {
        double stretch = ejection / 0.3;
        if (shape.Reflection != 0)
            GaussianWave.Add(wave, rate, foot + shape.ReflectionDelay * ejection, stroke * shape.Reflection, 0.055 * stretch, 0.07 * stretch);
        if (shape.Notch != 0)
            GaussianWave.Add(wave, rate, foot + 1.02 * ejection, -stroke * shape.Notch, 0.022 * stretch, 0.018 * stretch);
        if (shape.Dicrotic != 0)
            GaussianWave.Add(wave, rate, foot + 1.02 * ejection + 0.085 * stretch, stroke * shape.Dicrotic, 0.032 * stretch, 0.055 * stretch);
    }

    private static void AddWindkessel(Span<float> wave, double rate, BeatSequence rhythm, in PulseShape shape, double delay, double pressure)
    {
        ReadOnlySpan<PlannedBeat> beats = rhythm.Beats;
        double step = 1 / rate, decay = PortableMath.Exp(-step / shape.Decay);
        int lead = (int)Math.Ceiling(-beats[0].Time * rate);
        int current = 0;
        double foot = beats[0].Foot(delay), ejection = shape.EjectionAfter(beats[0].Interval), stroke = beats[0].Stroke;
        for (int i = -lead; i < wave.Length; i++)
        {
            double t = i * step;
            while (current + 1 < beats.Length && beats[current + 1].Foot(delay) <= t)
            {
                current++;
                foot = beats[current].Foot(delay);
                ejection = shape.EjectionAfter(beats[current].Interval);
                stroke = beats[current].Stroke;
            }
            double flow = stroke * Flow((t - foot) / ejection) / ejection;
            pressure = pressure * decay + flow * step;
            if (i >= 0)
                wave[i] += (float)(pressure + shape.Impedance * flow);
        }
    }

    // Ejection: quick rise, slower fall, none outside 0 to 1; its integral is 1 and its peak, 16 / 9, at a third.
    private static double Flow(double u) => u is > 0 and < 1 ? 12 * u * (1 - u) * (1 - u) : 0;

    // Lowest and highest value of the wave in a regular rhythm with strokes of 1: the periodic state of a linear system over one beat.
    private static (double Low, double High) SteadyExtremes(in PulseShape shape, double interval)
    {
        const int MostSamples = 512;
        Span<float> beat = stackalloc float[MostSamples];
        // 250 Hz, where a beat of 2 s still fits.
        int n = (int)Math.Round(interval * 250);
        beat = beat[..n];
        beat.Clear();
        double rate = n / interval, ejection = shape.EjectionAfter(interval);
        for (int back = 0; back <= 3; back++)
            AddWaves(beat, rate, -back * interval, ejection, 1, shape);
        double step = 1 / rate, decay = PortableMath.Exp(-step / shape.Decay), pressure = 0;
        for (int i = 0; i < n; i++)
            pressure = pressure * decay + Flow(i * step / ejection) / ejection * step;
        pressure /= 1 - PortableMath.Exp(-interval / shape.Decay);
        double low = double.PositiveInfinity, high = double.NegativeInfinity;
        for (int i = 0; i < n; i++)
        {
            double flow = Flow(i * step / ejection) / ejection;
            pressure = pressure * decay + flow * step;
            double value = beat[i] + pressure + shape.Impedance * flow;
            low = Math.Min(low, value);
            high = Math.Max(high, value);
        }
        return (low, high);
    }
}
