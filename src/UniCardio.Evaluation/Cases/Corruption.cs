using System.Globalization;
using MathNet.Numerics.Statistics;
using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Signals.Processing;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Evaluation.Cases;

/// <summary>
/// What is done to a task's target before it is restored: noise at a ratio, one gap of a length, or (in translation) all of it missing.
/// </summary>
/// <param name="SnrDecibels">The window's variance over that of the noise, or null.</param>
/// <param name="GapSeconds">Length of the gap, at a random place in the window, or null.</param>
/// <param name="NoiseKind">Which noise, where there is a ratio.</param>
internal readonly record struct Corruption(double? SnrDecibels, double? GapSeconds, NoiseKind NoiseKind = NoiseKind.White)
{
    // A window without a burst of motion is rare (4 s: one in 55): some of these seeds give one.
    private const int Attempts = 32;

    /// <summary>Shortest gap (s).</summary>
    public const double MinGap = 0.1;

    /// <summary>Longest gap as a share of the window: beyond it there is no scale to restore to.</summary>
    public const double MaxGap = 0.75;

    /// <summary>The whole target is missing.</summary>
    public static Corruption Absent => default;

    /// <summary>Noise.</summary>
    /// <param name="decibels">Signal-to-noise ratio.</param>
    /// <param name="kind">Which noise.</param>
    public static Corruption Noise(double decibels, NoiseKind kind = NoiseKind.White) => new(decibels, null, kind);

    /// <summary>One gap.</summary>
    /// <param name="seconds">Its length.</param>
    public static Corruption Gap(double seconds) => new(null, seconds);

    /// <summary>E.g. "10 dB", "10 dB wander" or "gap 1.2 s"; "-" in translation.</summary>
    public override string ToString() => this switch
    {
        { SnrDecibels: { } snr } => string.Create(CultureInfo.InvariantCulture,
            $"{snr:0.##} dB{(NoiseKind == NoiseKind.White ? "" : " " + NoiseKind.ToString().ToLowerInvariant())}"),
        { GapSeconds: { } gap } => string.Create(CultureInfo.InvariantCulture, $"gap {gap:0.##} s"),
        _ => "-",
    };

    /// <summary>Whether a task is asked to undo this.</summary>
    /// <param name="kind">What the task does.</param>
    public bool Fits(TaskKind kind) => kind switch
    {
        TaskKind.Denoise => SnrDecibels is not null,
        TaskKind.Impute => GapSeconds is not null,
        _ => this == Absent,
    };

    /// <summary>Spoils a window in place.</summary>
    /// <param name="window">The clean window, [S] at 125 Hz.</param>
    /// <param name="seed">Equal seeds spoil alike.</param>
    /// <returns>The samples that have to be restored.</returns>
    public SampleRange Apply(Span<float> window, ulong seed)
    {
        if (SnrDecibels is { } snr)
        {
            if (NoiseKind == NoiseKind.White)
                SignalCorruption.Apply(window, NetworkSignal.Rate, new NoiseParameters { SignalToNoiseDecibels = snr }, seed);
            else
                AddShaped(window, NoiseKind, snr, seed);
        }
        else if (GapSeconds is { } gap)
        {
            double seconds = window.Length / NetworkSignal.Rate;
            SignalCorruption.Apply(window, NetworkSignal.Rate,
                new NoiseParameters { MissingFraction = gap / seconds, GapSeconds = gap }, seed);
            return GapFinder.Find(window)[0];
        }
        else
        {
            window.Fill(float.NaN);
        }

        return new SampleRange(0, window.Length);
    }

    // Noise whose power is not that of a formula is measured and scaled: without its mean, which is no noise to one who filters. A flat
    // window has none.
    private static void AddShaped(Span<float> window, NoiseKind kind, double snr, ulong seed)
    {
        NoiseParameters unit = kind switch
        {
            NoiseKind.Wander => new NoiseParameters { BaselineWander = 1 },
            NoiseKind.Electrode => new NoiseParameters { ElectrodeMotion = 1 },
            NoiseKind.Motion => new NoiseParameters { MotionBurstsPerMinute = 60, MotionAmplitude = 1 },
            _ => new NoiseParameters { MuscleNoise = 1 },
        };
        float[] clean = window.ToArray(), noise = new float[window.Length];
        for (uint attempt = 0; attempt < Attempts; attempt++)
        {
            clean.CopyTo(noise, 0);
            SignalCorruption.Apply(noise, NetworkSignal.Rate, unit, attempt == 0 ? seed : CounterRandom.Derive(seed, attempt));
            for (int i = 0; i < noise.Length; i++)
                noise[i] -= clean[i];
            (double mean, double power) = ArrayStatistics.MeanVariance(noise);
            if (!(power > 0))
                continue;
            double factor = Math.Sqrt(ArrayStatistics.Variance(clean) / power * Math.Pow(10, -snr / 10));
            for (int i = 0; i < noise.Length; i++)
                window[i] += (float)(factor * (noise[i] - mean));
            return;
        }
    }
}
