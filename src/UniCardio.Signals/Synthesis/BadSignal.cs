namespace UniCardio.Signals.Synthesis;

/// <summary>What may stand where a good signal should.</summary>
internal enum BadSignalKind
{
    /// <summary>Noise alone, white or rolling, of the signal's level and spread: nothing of the heart is left.</summary>
    Noise,

    /// <summary>Another person's signal.</summary>
    Foreign,

    /// <summary>A straight line at a height within the signal's range: a sensor that hangs or is off.</summary>
    Flat,

    /// <summary>The signal under motion, muscle noise and white noise of 1.5 to 3 times its own spread, often clipped.</summary>
    Damaged,
}

/// <summary>Makes a signal useless the way a bad channel is: reproducibly, in place.</summary>
// Constants without a source beside them are chosen.
internal static class BadSignal
{
    private const int Sequence = 23;

    /// <summary>Spoils a signal.</summary>
    /// <param name="kind">How.</param>
    /// <param name="signal">[n] the signal; NaN where missing, which stays so unless it is replaced by noise or a line.</param>
    /// <param name="foreign">[n] another person's signal; read for <see cref="BadSignalKind.Foreign"/> only.</param>
    /// <param name="sampleRate">Samples a second.</param>
    /// <param name="seed">Equal seeds spoil alike.</param>
    /// <exception cref="ArgumentException">Another person's signal is of another length.</exception>
    public static void Apply(BadSignalKind kind, Span<float> signal, ReadOnlySpan<float> foreign, double sampleRate, ulong seed)
    {
        var random = new CounterRandom(seed, Sequence);
        switch (kind)
        {
            case BadSignalKind.Foreign:
                if (foreign.Length != signal.Length)
                    throw new ArgumentException($"{foreign.Length} samples of another person for {signal.Length}", nameof(foreign));
                foreign.CopyTo(signal);
                break;
            case BadSignalKind.Noise:
                (double level, double spread, _, _) = Figures(signal);
                // White, or each sample a mean of the last ones and news: correlated over up to a second.
                double memory = random.NextDouble() < 0.5 ? 0 : 1 - (1 / (sampleRate * random.NextUniform(0.03, 1)));
                double news = Math.Sqrt(1 - (memory * memory)), at = random.NextGaussian();
                foreach (ref float x in signal)
                {
                    at = (memory * at) + (news * random.NextGaussian());
                    x = (float)(level + (spread * at));
                }

                break;
            case BadSignalKind.Flat:
                (_, _, double low, double high) = Figures(signal);
                signal.Fill((float)random.NextUniform(low, high));
                break;
            default:
                SignalCorruption.Apply(signal, sampleRate, new NoiseParameters
                {
                    SignalToNoiseDecibels = random.NextUniform(-10, -4),
                    MotionBurstsPerMinute = 60,
                    MotionAmplitude = random.NextUniform(1.5, 3),
                    MuscleNoise = random.NextUniform(0, 1.5),
                    ClippingRange = random.NextDouble() < 0.5 ? random.NextUniform(0.4, 0.9) : null,
                }, CounterRandom.Derive(seed, Sequence));
                break;
        }
    }

    // Of the measured samples; of nothing (0, 1, -1, 1).
    private static (double Level, double Spread, double Low, double High) Figures(ReadOnlySpan<float> signal)
    {
        (float low, float high) = SignalCorruption.Range(signal);
        if (low > high)
            return (0, 1, -1, 1);
        (double mean, double deviation) = SignalCorruption.Moments(signal);
        return (mean, deviation, low, high);
    }
}
