namespace UniCardio.Signals.Synthesis;

/// <summary>Spoils a clean signal the way real recordings are spoiled: reproducibly, in place, without allocating.</summary>
// Constants without a source beside them are chosen.
internal static class SignalCorruption
{
    private const int White = 16, Wander = 17, Line = 18, Motion = 19, Gaps = 20, Muscle = 21, Electrode = 22;

    // Share of the power of real electrode motion in octaves from 0.1 Hz on, so that they add up to 1: Noise Stress Test Database, 118e00
    // less 118e12 (Moody, Muldrow and Mark, Computers in Cardiology 11, 1984), its first 40 s; 80 to 120 s are kept for the test.
    private static readonly double[] s_electrodeOctaves = [0.062, 0.020, 0.015, 0.456, 0.311, 0.085, 0.037, 0.014];

    /// <summary>Applies noise, clipping, quantisation and gaps to a signal.</summary>
    /// <param name="signal">The clean signal, [n]; samples that are missing (NaN) stay so and count for nothing.</param>
    /// <param name="sampleRate">Samples a second, finite and above 0.</param>
    /// <param name="noise">What to do.</param>
    /// <param name="seed">Equal seeds spoil alike; give every signal of a recording its own (<see cref="CounterRandom.Derive"/>).</param>
    /// <exception cref="ArgumentOutOfRangeException">A parameter is out of its range.</exception>
    public static void Apply(Span<float> signal, double sampleRate, NoiseParameters noise, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(noise);
        noise.Validate();
        if (!double.IsFinite(sampleRate) || sampleRate <= 0)
            throw new ArgumentOutOfRangeException(nameof(sampleRate), sampleRate, "A sample rate is finite and above 0 Hz.");
        double deviation = Moments(signal).Deviation;
        if (noise.BaselineWander > 0)
            AddWander(signal, sampleRate, deviation * noise.BaselineWander, seed);
        if (noise.Powerline > 0)
            AddPowerline(signal, sampleRate, deviation * noise.Powerline, noise.PowerlineFrequency, seed);
        if (noise.MotionBurstsPerMinute > 0 && noise.MotionAmplitude > 0)
            AddMotion(signal, sampleRate, deviation * noise.MotionAmplitude, noise.MotionBurstsPerMinute, seed);
        if (noise.ElectrodeMotion > 0)
            AddElectrodeMotion(signal, sampleRate, deviation * noise.ElectrodeMotion, seed);
        if (noise.MuscleNoise > 0)
            AddMuscle(signal, sampleRate, deviation * noise.MuscleNoise, seed);
        if (noise.SignalToNoiseDecibels is { } snr)
            AddWhite(signal, deviation * PortableMath.Exp(-snr / 20 * 2.302585092994046), seed);
        if (noise.ClippingRange is { } range)
            Clip(signal, range);
        if (noise.QuantizationBits is { } bits)
            Quantize(signal, bits);
        if (noise.MissingFraction > 0)
            CutGaps(signal, sampleRate, noise.MissingFraction, noise.GapSeconds, seed);
    }

    /// <summary>Mean and standard deviation of the measured samples; 0 and 0 of none (Welford, Technometrics 4(3), 1962).</summary>
    internal static (double Mean, double Deviation) Moments(ReadOnlySpan<float> signal)
    {
        double mean = 0, squares = 0;
        int count = 0;
        foreach (float x in signal)
        {
            if (float.IsNaN(x))
                continue;
            double d = x - mean;
            mean += d / ++count;
            squares += d * (x - mean);
        }
        return (mean, count > 0 ? Math.Sqrt(squares / count) : 0);
    }

    private static void AddWhite(Span<float> signal, double deviation, ulong seed)
    {
        var random = new CounterRandom(seed, White);
        for (int i = 0; i < signal.Length; i++)
            signal[i] += (float)(deviation * random.NextGaussian());
    }

    private static void AddWander(Span<float> signal, double rate, double deviation, ulong seed)
    {
        const int Sines = 4;
        var random = new CounterRandom(seed, Wander);
        // The variance of a sine of amplitude a is a^2 / 2.
        double amplitude = deviation * Math.Sqrt(2.0 / Sines);
        for (int s = 0; s < Sines; s++)
        {
            double step = random.NextUniform(0.05, 0.4) / rate, phase = random.NextDouble();
            SineWave.Add(signal, amplitude, phase, step);
        }
    }

    private static void AddPowerline(Span<float> signal, double rate, double amplitude, double frequency, ulong seed)
    {
        var random = new CounterRandom(seed, Line);
        double phase = random.NextDouble(), step = frequency * (1 + random.NextUniform(-0.001, 0.001)) / rate;
        SineWave.Add(signal, amplitude, phase, step);
    }

    // A burst: two sines of 0.5 to 8 Hz and smoothed noise under a raised-cosine envelope.
    private static void AddMotion(Span<float> signal, double rate, double amplitude, double perMinute, ulong seed)
    {
        var random = new CounterRandom(seed, Motion);
        double time = 0, end = signal.Length / rate;
        while ((time += random.NextExponential() * 60 / perMinute) < end)
        {
            double duration = random.NextUniform(0.4, 3), size = amplitude * random.NextUniform(0.5, 1.5);
            double slow = random.NextUniform(0.5, 3), fast = random.NextUniform(3, 8), phase = random.NextDouble(), rough = 0;
            int from = (int)(time * rate), to = (int)Math.Min(signal.Length, (time + duration) * rate);
            double keep = PortableMath.Exp(-2 * Math.PI * 6 / rate), spread = Math.Sqrt(1 - keep * keep);
            for (int i = from; i < to; i++)
            {
                double t = (i - from) / rate;
                rough = keep * rough + spread * random.NextGaussian();
                double wave = 0.8 * PortableMath.SinTurns(phase + slow * t) + 0.4 * PortableMath.SinTurns(fast * t) + 0.4 * rough;
                signal[i] += (float)(size * 0.5 * (1 - PortableMath.CosTurns(t / duration)) * wave);
            }
        }
    }

    // Sines at random in each octave, as many as make their sum swell within seconds; what the rate cannot hold is left out.
    private static void AddElectrodeMotion(Span<float> signal, double rate, double deviation, ulong seed)
    {
        const int Sines = 8;
        var random = new CounterRandom(seed, Electrode);
        for (int octave = 0; octave < s_electrodeOctaves.Length; octave++)
        {
            // The variance of a sine of amplitude a is a^2 / 2.
            double low = 0.1 * (1 << octave), amplitude = deviation * Math.Sqrt(2 * s_electrodeOctaves[octave] / Sines);
            for (int s = 0; s < Sines; s++)
            {
                double frequency = random.NextUniform(low, 2 * low), phase = random.NextDouble();
                if (frequency < 0.45 * rate)
                    SineWave.Add(signal, amplitude, phase, frequency / rate);
            }
        }
    }

    // Differences of white noise, which favour high frequencies, under an envelope that opens once in 2 to 15 s.
    private static void AddMuscle(Span<float> signal, double rate, double deviation, ulong seed)
    {
        const double Before = 0.6;
        var random = new CounterRandom(seed, Muscle);
        double frequency = random.NextUniform(0.07, 0.5) / rate, phase = random.NextDouble(), min = random.NextUniform(0, 0.3);
        double scale = deviation / Math.Sqrt(1 + Before * Before), last = random.NextGaussian();
        for (int i = 0; i < signal.Length; i++)
        {
            double white = random.NextGaussian(), open = 0.5 + 0.5 * PortableMath.SinTurns(phase + i * frequency);
            signal[i] += (float)(scale * (min + (1 - min) * open * open) * (white - Before * last));
            last = white;
        }
    }

    /// <summary>Extremes of the measured samples; infinities the wrong way round of none.</summary>
    internal static (float Low, float High) Range(ReadOnlySpan<float> signal)
    {
        float low = float.PositiveInfinity, high = float.NegativeInfinity;
        foreach (float x in signal)
        {
            if (x < low)
                low = x;
            if (x > high)
                high = x;
        }
        return (low, high);
    }

    private static void Clip(Span<float> signal, double share)
    {
        (float low, float high) = Range(signal);
        float cut = (float)((high - (double)low) * (1 - share) / 2);
        for (int i = 0; i < signal.Length && high > low; i++)
            signal[i] = float.IsNaN(signal[i]) ? signal[i] : Math.Clamp(signal[i], low + cut, high - cut);
    }

    private static void Quantize(Span<float> signal, int bits)
    {
        (float low, float high) = Range(signal);
        double step = (high - (double)low) / ((1 << bits) - 1);
        for (int i = 0; i < signal.Length && high > low; i++)
            signal[i] = (float)(low + step * Math.Round((signal[i] - (double)low) / step));
    }

    // Gaps and the measured runs about them both share out their samples by exponential lengths, which a second pass over the same random
    // numbers draws again instead of storing them.
    private static void CutGaps(Span<float> signal, double rate, double fraction, double seconds, ulong seed)
    {
        int missing = (int)Math.Round(fraction * signal.Length);
        int gaps = (int)Math.Clamp(Math.Round(missing / (seconds * rate)), 1, Math.Max(1, Math.Min(missing, signal.Length - missing)));
        double gapTotal = 0, runTotal = 0;
        var first = new CounterRandom(seed, Gaps);
        for (int g = 0; g <= gaps; g++)
        {
            runTotal += first.NextExponential();
            gapTotal += g < gaps ? first.NextExponential() : 0;
        }
        var second = new CounterRandom(seed, Gaps);
        double runs = 0, cut = 0;
        for (int g = 0; g < gaps; g++)
        {
            runs += second.NextExponential();
            int measuredBefore = (int)(runs / runTotal * (signal.Length - missing));
            int from = measuredBefore + (int)Math.Round(cut / gapTotal * missing);
            cut += second.NextExponential();
            int to = measuredBefore + (int)Math.Round(cut / gapTotal * missing);
            signal[from..to].Fill(float.NaN);
        }
    }
}
