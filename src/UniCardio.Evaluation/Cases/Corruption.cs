using System.Globalization;
using UniCardio.Engine.Model;
using UniCardio.Signals.Processing;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Evaluation.Cases;

/// <summary>What is done to a task's target before it is restored: white noise at a ratio, one gap of a length, or (in translation) all of it missing.</summary>
/// <param name="SnrDecibels">Signal-to-noise ratio of white Gaussian noise against the window's variance, or null.</param>
/// <param name="GapSeconds">Length of the gap, at a random place in the window, or null.</param>
public readonly record struct Corruption(double? SnrDecibels, double? GapSeconds)
{
    /// <summary>Shortest gap (s).</summary>
    public const double ShortestGap = 0.1;

    /// <summary>Longest gap as a share of the window: beyond it there is no scale to restore to.</summary>
    public const double LongestGap = 0.75;

    /// <summary>The whole target is missing.</summary>
    public static Corruption Absent => default;

    /// <summary>White noise.</summary>
    /// <param name="decibels">Signal-to-noise ratio.</param>
    public static Corruption Noise(double decibels) => new(decibels, null);

    /// <summary>One gap.</summary>
    /// <param name="seconds">Its length.</param>
    public static Corruption Gap(double seconds) => new(null, seconds);

    /// <summary>E.g. "10 dB" or "gap 1.2 s"; "-" in translation.</summary>
    public override string ToString() => this switch
    {
        { SnrDecibels: { } snr } => string.Create(CultureInfo.InvariantCulture, $"{snr:0.##} dB"),
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
            SignalCorruption.Apply(window, RecordingPreparation.NetworkRate, new NoiseParameters { SignalToNoiseDecibels = snr }, seed);
        }
        else if (GapSeconds is { } gap)
        {
            double seconds = window.Length / RecordingPreparation.NetworkRate;
            SignalCorruption.Apply(window, RecordingPreparation.NetworkRate, new NoiseParameters { MissingFraction = gap / seconds, GapSeconds = gap }, seed);
            return GapFinder.Find(window)[0];
        }
        else
        {
            window.Fill(float.NaN);
        }

        return new SampleRange(0, window.Length);
    }
}
