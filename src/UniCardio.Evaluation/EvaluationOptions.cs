using System.Globalization;
using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Sampling;
using UniCardio.Evaluation.Cases;
using UniCardio.Pipeline;
using UniCardio.Signals.Processing;

namespace UniCardio.Evaluation;

/// <summary>What is measured, and how. Equal options, weights and recordings give equal numbers, whatever the threads.</summary>
internal sealed record EvaluationOptions
{
    /// <summary>The tasks; each runs on the recordings that have its signals.</summary>
    public IReadOnlyList<CardioTask> Tasks { get; init; } = CardioTask.All;

    /// <summary>Most windows of a recording, 1 to 10,000.</summary>
    public int WindowsPerRecording { get; init; } = 10;

    /// <summary>Draws N a window, 1 to <see cref="InferencePlan.MaxBatch"/>.</summary>
    public int Draws { get; init; } = 8;

    /// <summary>The sampler.</summary>
    public SamplerOptions Sampler { get; init; } = SamplerOptions.Default;

    /// <summary>Key of corruption, of the network's noise and of the intervals.</summary>
    public ulong Seed { get; init; }

    /// <summary>Signal-to-noise ratios to denoise at, -20 to 80 dB.</summary>
    public IReadOnlyList<double> SnrDecibels { get; init; } = [5, 10, 15];

    /// <summary>Noise to denoise, each at every ratio.</summary>
    public IReadOnlyList<NoiseKind> NoiseKinds { get; init; } = [NoiseKind.White];

    /// <summary>Gaps to fill, in seconds; null for 30% of the window, as published.</summary>
    public IReadOnlyList<double>? GapSeconds { get; init; }

    /// <summary>Checks every setting against a network.</summary>
    /// <param name="configuration">The network.</param>
    /// <returns>These options, <see cref="GapSeconds"/> filled in.</returns>
    /// <exception cref="ConfigurationException">A setting is out of range; it is named.</exception>
    public EvaluationOptions Validate(ModelConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        double window = configuration.SlotSamples / NetworkSignal.Rate;
        IReadOnlyList<double> gaps = GapSeconds ?? [0.3 * window];
        if (Tasks.Count == 0 || Tasks.Any(t => !t.IsValid))
            throw new ConfigurationException("tasks", "no task given; use CardioTask.Parse or CardioTask.All");
        if (WindowsPerRecording is < 1 or > 10_000)
            throw new ConfigurationException("windows", $"{WindowsPerRecording} is not between 1 and 10000");
        if (Draws is < 1 or > InferencePlan.MaxBatch)
            throw new ConfigurationException("draws", $"{Draws} is not between 1 and {InferencePlan.MaxBatch}");
        if (SnrDecibels.Count == 0 && Tasks.Any(t => t.Kind == TaskKind.Denoise))
            throw new ConfigurationException("snr", "no signal-to-noise ratio to denoise at");
        if (NoiseKinds.Count == 0 && Tasks.Any(t => t.Kind == TaskKind.Denoise))
            throw new ConfigurationException("noise", "no kind of noise to denoise");
        foreach (NoiseKind kind in NoiseKinds)
        {
            if (!Enum.IsDefined(kind))
                throw new ConfigurationException("noise", $"{(int)kind} is no kind of noise");
        }

        if (gaps.Count == 0 && Tasks.Any(t => t.Kind == TaskKind.Impute))
            throw new ConfigurationException("gap", "no gap to fill");
        foreach (double snr in SnrDecibels)
        {
            if (snr is not (>= -20 and <= 80))
                throw new ConfigurationException("snr", FormattableString.Invariant($"{snr} dB is not between -20 and 80"));
        }

        foreach (double gap in gaps)
        {
            if (!(gap >= Corruption.MinGap && gap <= Corruption.MaxGap * window))
                throw new ConfigurationException(
                    "gap", string.Create(CultureInfo.InvariantCulture,
                        $"{gap} s is not between {Corruption.MinGap} s and {Corruption.MaxGap:0.##} of a window, "
                        + $"{Corruption.MaxGap * window:0.##} s"));
        }

        foreach (CardioTask task in Tasks)
            new WindowShape(task, Draws, Sampler).Validate(configuration);
        return this with { GapSeconds = gaps };
    }

    /// <summary>What each task is asked to undo.</summary>
    /// <param name="task">The task.</param>
    internal IEnumerable<Corruption> CorruptionsOf(CardioTask task) => task.Kind switch
    {
        TaskKind.Denoise => NoiseKinds.SelectMany(kind => SnrDecibels.Select(snr => Corruption.Noise(snr, kind))),
        TaskKind.Impute => GapSeconds!.Select(Corruption.Gap),
        _ => [Corruption.Absent],
    };
}
