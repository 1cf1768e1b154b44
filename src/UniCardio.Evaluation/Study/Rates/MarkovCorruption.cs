using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Evaluation.Study.Rates;

/// <summary>Episodes of bad signal that come and go (<see cref="EpisodeChain"/>), 20 s of bad signal in the mean, read each second; each
/// episode of one kind, and of the kinds that the published rules name.</summary>
internal static class MarkovCorruption
{
    private const double MeanSeconds = 20;

    private enum Fault
    {
        Motion,
        Muscle,
        White,
        Missing,
        Clipped,
        Flush,
        Damped,
    }

    /// <summary>Which seconds are bad.</summary>
    /// <param name="seconds">Seconds n.</param>
    /// <param name="duty">Share of bad ones, above 0 and below 1.</param>
    /// <param name="seed">Draws them.</param>
    public static bool[] Episodes(int seconds, double duty, ulong seed)
    {
        var chain = new EpisodeChain(duty, MeanSeconds, 0, new CounterRandom(seed, 31));
        var bad = new bool[seconds];
        while (chain.Next(seconds))
        {
            for (int s = (int)Math.Ceiling(chain.From); s < Math.Min(seconds, chain.To); s++)
                bad[s] = true;
        }

        return bad;
    }

    /// <summary>Spoils a signal in its bad seconds.</summary>
    /// <param name="modality">What it is.</param>
    /// <param name="clean">[n] at 125 Hz.</param>
    /// <param name="bad">[seconds] which are.</param>
    /// <param name="seed">Draws kinds and noise.</param>
    public static float[] Apply(Modality modality, ReadOnlySpan<float> clean, bool[] bad, ulong seed)
    {
        float[] signal = clean.ToArray();
        var random = new CounterRandom(seed, 32);
        Fault[] faults = modality switch
        {
            Modality.Ecg => [Fault.Motion, Fault.Muscle, Fault.White, Fault.Missing, Fault.Clipped],
            Modality.Bp => [Fault.White, Fault.Missing, Fault.Flush, Fault.Damped, Fault.Motion],
            _ => [Fault.Motion, Fault.White, Fault.Missing, Fault.Clipped],
        };
        int rate = (int)NetworkSignal.Rate;
        double deviation = Signals.Patient.SignalMoments.Of(clean)?.Deviation ?? 1;
        for (int from = 0; from < bad.Length; from++)
        {
            if (!bad[from])
                continue;
            int to = from;
            while (to < bad.Length && bad[to])
                to++;
            Span<float> part = signal.AsSpan(from * rate, Math.Min(signal.Length, to * rate) - (from * rate));
            Spoil(faults[(int)(random.NextDouble() * faults.Length)], part, deviation, 20 * (random.NextDouble() - 0.5),
                CounterRandom.Derive(seed, 1000 + (ulong)from));
            from = to;
        }

        return signal;
    }

    // decibels: signal to noise, 10 to -10. Motion and muscle noise come in bursts, hence twice as strong where they are.
    private static void Spoil(Fault fault, Span<float> part, double deviation, double decibels, ulong seed)
    {
        var random = new CounterRandom(seed, 33);
        double noise = deviation * Math.Pow(10, -decibels / 20);
        switch (fault)
        {
            case Fault.Missing:
                part.Fill(float.NaN);
                break;
            case Fault.Flush:
                part.Fill(295);
                break;
            case Fault.Clipped:
                double middle = Signals.Patient.SignalMoments.Of(part)?.Mean ?? 0;
                foreach (ref float x in part)
                    x = (float)Math.Clamp(x, middle - (0.15 * deviation), middle + (0.15 * deviation));
                break;
            case Fault.Damped:
                // A one-pole low-pass of 2 s, over a drifting level: next to no pulse is left.
                double state = part.Length > 0 && float.IsFinite(part[0]) ? part[0] : 0;
                foreach (ref float x in part)
                {
                    state += float.IsNaN(x) ? 0 : (x - state) / (2 * NetworkSignal.Rate);
                    x = (float)(state + (0.02 * deviation * random.NextGaussian()));
                }

                break;
            case Fault.White:
                foreach (ref float x in part)
                    x += (float)(noise * random.NextGaussian());
                break;
            default:
                float[] other = part.ToArray();
                SignalCorruption.Apply(other, NetworkSignal.Rate, fault == Fault.Motion
                    ? new NoiseParameters { MotionBurstsPerMinute = 60, MotionAmplitude = Math.Min(50, 2 * noise) }
                    : new NoiseParameters { MuscleNoise = Math.Min(10, 2 * noise) }, seed);
                other.CopyTo(part);
                break;
        }
    }
}
