using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Sampling;
using UniCardio.Evaluation.Cases;

namespace UniCardio.Evaluation.Study.Gaps;

/// <summary>Which gaps are filled, how long, how many, and with what network runs.</summary>
internal sealed record GapStudyOptions
{
    /// <summary>The tasks, all of them imputation; every signal alone and from each set of others if left out.</summary>
    public IReadOnlyList<CardioTask> Tasks { get; init; } = [.. CardioTask.All.Where(t => t.Kind == TaskKind.Impute)];

    /// <summary>Lengths of gaps, seconds, 0.1 to 120.</summary>
    public IReadOnlyList<double> GapSeconds { get; init; } = [0.4, 1.2, 2, 5, 10, 30];

    /// <summary>Most gaps of one length in a recording, 1 to 1000; together they take at most a third of it.</summary>
    public int GapsPerRecording { get; init; } = 10;

    /// <summary>Draws of the network, 1 to <see cref="InferencePlan.MaxBatch"/>.</summary>
    public int Draws { get; init; } = 4;

    /// <summary>Its sampler.</summary>
    public SamplerOptions Sampler { get; init; } = SamplerOptions.Default;

    /// <summary>Key of the noise and of the intervals.</summary>
    public ulong Seed { get; init; }

    /// <summary>Checks every setting.</summary>
    /// <exception cref="ConfigurationException">A setting is out of range; it is named.</exception>
    public GapStudyOptions Validate()
    {
        if (Tasks.Count == 0 || Tasks.Any(t => t.Kind != TaskKind.Impute))
            throw new ConfigurationException("tasks", "a study of gaps fills them: expected tasks such as 'impute bp | ecg'");
        if (GapSeconds.Count == 0 || GapSeconds.Any(s => s is not (>= 0.1 and <= 120)))
            throw new ConfigurationException("gap", "a study of gaps takes lengths between 0.1 and 120 s");
        if (GapsPerRecording is < 1 or > 1000)
            throw new ConfigurationException("windows", $"{GapsPerRecording} is not between 1 and 1000 gaps a recording");
        if (Draws is < 1 or > InferencePlan.MaxBatch)
            throw new ConfigurationException("draws", $"{Draws} is not between 1 and {InferencePlan.MaxBatch}");
        return this;
    }
}

/// <summary>What one way to fill made of the gaps of one length in one recording.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Rmse">Root of the mean over the gaps of their mean squared error, scaled units (BP: 50 mmHg; else half the window's
/// range).</param>
/// <param name="Coverage">Share of samples within its band, or null without one.</param>
/// <param name="PeakF1">F1 of R peaks within 50 ms in the gaps, for an ECG from 2 s on; else null.</param>
/// <param name="RateError">Mean absolute error of the heart rate (bpm) in the gaps, for an ECG from 5 s on; else null.</param>
/// <param name="RmssdError">Mean absolute error of RMSSD (ms) in the gaps, for an ECG from 5 s on; else null.</param>
internal sealed record GapScore(string Name, double Rmse, double? Coverage, double? PeakF1, double? RateError, double? RmssdError);

/// <summary>One recording, task and length.</summary>
/// <param name="Recording">Name of the recording.</param>
/// <param name="Subject">Whose it is.</param>
/// <param name="Task">The task.</param>
/// <param name="Seconds">Length of the gaps.</param>
/// <param name="Gaps">How many.</param>
/// <param name="Scores">Every way to fill, <see cref="GapStudy.Auto"/> first.</param>
internal sealed record GapRow(string Recording, string Subject, string Task, double Seconds, int Gaps, IReadOnlyList<GapScore> Scores)
{
    /// <summary>RMSE of a way; null where it has no answer.</summary>
    /// <param name="name">Which.</param>
    public double? Of(string name) => Scores.FirstOrDefault(s => s.Name == name)?.Rmse;
}

/// <summary>What a study of gaps found.</summary>
/// <param name="Options">What was filled.</param>
/// <param name="Recordings">The recordings.</param>
/// <param name="Rows">Every recording, task and length.</param>
/// <param name="TotalTime">Time in all.</param>
internal sealed record GapStudyResult(
    GapStudyOptions Options, IReadOnlyList<EvaluationRecording> Recordings, IReadOnlyList<GapRow> Rows, TimeSpan TotalTime);
