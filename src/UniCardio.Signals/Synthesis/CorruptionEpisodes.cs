namespace UniCardio.Signals.Synthesis;

/// <summary>What spoils a stretch of a signal.</summary>
internal enum EpisodeKind
{
    /// <summary>White noise, -10 to 10 dB.</summary>
    White,

    /// <summary>Electrode or sensor motion: steps that fade and humps as long as beats.</summary>
    Motion,

    /// <summary>Muscle noise.</summary>
    Muscle,

    /// <summary>A baseline that wanders by more than the beats.</summary>
    Wander,

    /// <summary>Mains hum.</summary>
    Powerline,

    /// <summary>The sensor is off: a flat line with a little noise.</summary>
    Off,

    /// <summary>No samples.</summary>
    Missing,

    /// <summary>The amplifier saturates.</summary>
    Saturated,

    /// <summary>A pressure line that is damped to a tenth to a third of its pulse.</summary>
    Damped,

    /// <summary>A pressure line that is flushed.</summary>
    Flushed,
}

/// <summary>A spoiled stretch.</summary>
/// <param name="From">First sample.</param>
/// <param name="To">The sample after the last.</param>
/// <param name="Kind">What spoils it.</param>
internal readonly record struct Episode(int From, int To, EpisodeKind Kind);

/// <summary>Spoils stretches of a signal: good and bad alternate as a Markov chain, as on a moving patient.</summary>
// Constants without a source beside them are chosen.
internal static class CorruptionEpisodes
{
    private static readonly EpisodeKind[] s_any = [EpisodeKind.White, EpisodeKind.White, EpisodeKind.Motion, EpisodeKind.Motion,
        EpisodeKind.Motion, EpisodeKind.Muscle, EpisodeKind.Wander, EpisodeKind.Powerline, EpisodeKind.Off, EpisodeKind.Missing,
        EpisodeKind.Saturated];

    private static readonly EpisodeKind[] s_pressure = [EpisodeKind.White, EpisodeKind.Motion, EpisodeKind.Motion, EpisodeKind.Damped,
        EpisodeKind.Damped, EpisodeKind.Flushed, EpisodeKind.Off, EpisodeKind.Missing, EpisodeKind.Wander];

    /// <summary>Spoils a signal in place.</summary>
    /// <param name="signal">[n], NaN where missing.</param>
    /// <param name="kind">What it is: pressure lines fail in ways of their own.</param>
    /// <param name="sampleRate">Samples a second, finite and above 0.</param>
    /// <param name="duty">Share of time that is spoiled, 0 to 1.</param>
    /// <param name="meanSeconds">Mean length of a spoiled stretch, above 0.</param>
    /// <param name="seed">Equal seeds spoil alike.</param>
    /// <returns>What was done, in order of time.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A parameter is out of its range.</exception>
    public static IReadOnlyList<Episode> Apply(Span<float> signal, ChannelKind kind, double sampleRate, double duty, double meanSeconds,
        ulong seed)
    {
        if (!double.IsFinite(sampleRate) || sampleRate <= 0)
            throw new ArgumentOutOfRangeException(nameof(sampleRate), sampleRate, "A sample rate is finite and above 0 Hz.");
        ParameterRange.Require(nameof(duty), duty, 0, 1);
        ParameterRange.Require(nameof(meanSeconds), meanSeconds, 0.1, 3600);
        var episodes = new List<Episode>();
        if (duty == 0 || signal.IsEmpty)
            return episodes;
        Scale scale = Scale.Of(signal);
        EpisodeKind[] kinds = kind == ChannelKind.BloodPressure ? s_pressure : s_any;
        var chain = new EpisodeChain(duty, meanSeconds, 1 / sampleRate, new CounterRandom(seed, 0x71));
        while (chain.Next(signal.Length / sampleRate))
        {
            int from = (int)(chain.From * sampleRate), to = (int)Math.Min(signal.Length, Math.Ceiling(chain.To * sampleRate));
            var episode = new Episode(from, to, kinds[chain.Choose(kinds.Length)]);
            Spoil(signal[from..to], sampleRate, episode.Kind, scale, CounterRandom.Derive(seed, (ulong)episodes.Count + 1));
            episodes.Add(episode);
        }

        return episodes;
    }

    private static void Spoil(Span<float> x, double rate, EpisodeKind kind, Scale scale, ulong seed)
    {
        var random = new CounterRandom(seed, 0x72);
        double severity = random.NextDouble();
        switch (kind)
        {
            case EpisodeKind.White:
                AddWhite(x, scale.Deviation * PortableMath.Exp(2.302585092994046 * (severity - 0.5)), ref random);
                break;
            case EpisodeKind.Motion:
                AddMotion(x, rate, scale.Deviation * (0.5 + (4 * severity * severity)), ref random);
                break;
            case EpisodeKind.Muscle:
                SignalCorruption.Apply(x, rate, new NoiseParameters { MuscleNoise = 0.3 + (3 * severity) }, seed);
                break;
            case EpisodeKind.Wander:
                SignalCorruption.Apply(x, rate, new NoiseParameters { BaselineWander = 1 + (5 * severity) }, seed);
                break;
            case EpisodeKind.Powerline:
                SignalCorruption.Apply(x, rate, new NoiseParameters { Powerline = 0.5 + (4 * severity), PowerlineFrequency =
                    random.NextDouble() < 0.5 ? 50 : 60 }, seed);
                break;
            case EpisodeKind.Off:
                Hold(x, scale.Mean + ((severity - 0.5) * scale.Range), 0.002 * severity * scale.Deviation, ref random);
                break;
            case EpisodeKind.Missing:
                x.Fill(float.NaN);
                break;
            case EpisodeKind.Saturated:
                Saturate(x, scale, severity, random.NextDouble() < 0.5);
                break;
            case EpisodeKind.Damped:
                Damp(x, rate, 0.1 + (0.25 * severity));
                break;
            default:
                Hold(x, 290 + (20 * severity), 0.3, ref random);
                break;
        }
    }

    private static void AddWhite(Span<float> x, double deviation, ref CounterRandom random)
    {
        foreach (ref float value in x)
            value += (float)(deviation * random.NextGaussian());
    }

    // Humps of 0.15 to 1 s and steps that fade within 0.3 to 2 s, at one to three a second: the look of electrode motion, whose spectrum
    // overlaps that of beats (Moody, Muldrow and Mark, "A noise stress test for arrhythmia detectors", Computers in Cardiology 1984).
    private static void AddMotion(Span<float> x, double rate, double size, ref CounterRandom random)
    {
        double often = random.NextUniform(0.7, 3), time = -1, step = 0, fade = PortableMath.Exp(-1 / (random.NextUniform(0.3, 2) * rate)),
            rough = 0, keep = PortableMath.Exp(-2 * Math.PI * 3 / rate);
        Span<double> steps = x.Length <= 8192 ? stackalloc double[x.Length] : new double[x.Length];
        steps.Clear();
        while ((time += random.NextExponential() / often) * rate < x.Length)
        {
            double height = size * random.NextGaussian();
            if (random.NextDouble() < 0.4)
            {
                if (time >= 0)
                    steps[(int)(time * rate)] += height;
                continue;
            }

            double width = random.NextUniform(0.15, 1);
            for (int i = Math.Max(0, (int)(time * rate)); i < Math.Min(x.Length, (time + width) * rate); i++)
                x[i] += (float)(height * 0.5 * (1 - PortableMath.CosTurns(((i / rate) - time) / width)));
        }

        for (int i = 0; i < x.Length; i++)
        {
            step = (step * fade) + steps[i];
            rough = (keep * rough) + (Math.Sqrt(1 - (keep * keep)) * 0.3 * size * random.NextGaussian());
            x[i] += (float)(step + rough);
        }
    }

    private static void Hold(Span<float> x, double level, double noise, ref CounterRandom random)
    {
        foreach (ref float value in x)
            value = (float)(level + (noise * random.NextGaussian()));
    }

    private static void Saturate(Span<float> x, Scale scale, double severity, bool high)
    {
        // The level drifts towards one end, so that a growing part of each beat is cut.
        double cut = high ? scale.Mean + (0.5 * scale.Deviation * (1 - (2 * severity)))
            : scale.Mean - (0.5 * scale.Deviation * (1 - (2 * severity)));
        foreach (ref float value in x)
            value = float.IsNaN(value) ? value : high ? Math.Min(value, (float)cut) : Math.Max(value, (float)cut);
    }

    private static void Damp(Span<float> x, double rate, double share)
    {
        double slow = float.NaN, keep = PortableMath.Exp(-1 / (1.5 * rate)), smooth = float.NaN, fast = PortableMath.Exp(-1 / (0.12
            * rate));
        foreach (ref float value in x)
        {
            if (float.IsNaN(value))
                continue;
            slow = double.IsNaN(slow) ? value : (keep * slow) + ((1 - keep) * value);
            smooth = double.IsNaN(smooth) ? value : (fast * smooth) + ((1 - fast) * value);
            value = (float)(slow + (share * (smooth - slow)));
        }
    }

    private readonly record struct Scale(double Mean, double Deviation, double Range)
    {
        public static Scale Of(ReadOnlySpan<float> x)
        {
            double mean = 0, squares = 0, low = double.PositiveInfinity, high = double.NegativeInfinity;
            int count = 0;
            foreach (float value in x)
            {
                if (float.IsNaN(value))
                    continue;
                double d = value - mean;
                mean += d / ++count;
                squares += d * (value - mean);
                (low, high) = (Math.Min(low, value), Math.Max(high, value));
            }

            return count == 0 ? default : new Scale(mean, Math.Sqrt(squares / count), high - low);
        }
    }
}
