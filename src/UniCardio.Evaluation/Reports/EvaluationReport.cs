using System.Globalization;
using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Evaluation.Cases;

namespace UniCardio.Evaluation.Reports;

/// <summary>What was measured with, as it stands at the head of a report.</summary>
/// <param name="Weights">The weights' file or recipe.</param>
/// <param name="Trained">What the file says of its training, or null.</param>
/// <param name="TrainingSubjects">Subjects known to have been trained on.</param>
/// <param name="Backend">What computed.</param>
internal sealed record EvaluationSubject(string Weights, string? Trained, IReadOnlyList<string> TrainingSubjects, string Backend);

/// <summary>A recording as it stands in a report.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Subject">Whose it is.</param>
/// <param name="Signals">Its signals.</param>
/// <param name="Seconds">Its length.</param>
/// <param name="Candidates">Windows looked at.</param>
/// <param name="Clean">Windows that were clean.</param>
/// <param name="Measured">Windows measured on.</param>
internal sealed record MeasuredRecording(string Name, string Subject, string Signals, double Seconds, int Candidates, int Clean,
    int Measured);

/// <summary>An evaluation, ready to be written down.</summary>
internal sealed record EvaluationReport
{
    /// <summary>What was measured with.</summary>
    public required EvaluationSubject With { get; init; }

    /// <summary>Sampler, draws, seed and windows in words.</summary>
    public required string Settings { get; init; }

    /// <summary>The recordings.</summary>
    public required IReadOnlyList<MeasuredRecording> Recordings { get; init; }

    /// <summary>Whether and how subjects are kept apart.</summary>
    public required string Subjects { get; init; }

    /// <summary>The table.</summary>
    public required IReadOnlyList<EvaluationRow> Rows { get; init; }

    /// <summary>How other signals help.</summary>
    public required IReadOnlyList<ConditionGain> ConditionGains { get; init; }

    /// <summary>Network calls in all.</summary>
    public required long NetworkCalls { get; init; }

    /// <summary>Seconds in the network.</summary>
    public required double NetworkSeconds { get; init; }

    /// <summary>Seconds in all.</summary>
    public required double TotalSeconds { get; init; }

    /// <summary>What the measures are.</summary>
    public IReadOnlyList<string> Measures { get; } = MeasureText.Lines;

    /// <summary>What stands beside every number that a clinician could read.</summary>
    public string Remark { get; } = MeasureText.Remark;

    /// <summary>Puts an evaluation together.</summary>
    /// <param name="result">What was found.</param>
    /// <param name="with">What it was measured with.</param>
    /// <exception cref="SharedSubjectException">A subject was trained on.</exception>
    public static EvaluationReport Of(EvaluationResult result, EvaluationSubject with)
    {
        ArgumentNullException.ThrowIfNull(result);
        ArgumentNullException.ThrowIfNull(with);
        EvaluationOptions o = result.Options;
        return new EvaluationReport
        {
            With = with,
            Settings = string.Create(CultureInfo.InvariantCulture,
                $"{o.Draws} draws, {o.Sampler}, seed {o.Seed}, at most {o.WindowsPerRecording} windows a recording, "
                + $"{string.Join(", ", o.NoiseKinds).ToLowerInvariant()} noise at {string.Join(", ", o.SnrDecibels)} dB, gaps of "
                + $"{string.Join(", ", o.GapSeconds!)} s"),
            Recordings = [.. result.Windows.Select(w => Describe(w.Recording, w.Selection))],
            Subjects = KeptApart(result.Windows.Select(w => w.Recording), with),
            Rows = EvaluationRow.Of(result),
            ConditionGains = ConditionGain.Of(result),
            NetworkCalls = result.NetworkCalls,
            NetworkSeconds = result.NetworkTime.TotalSeconds,
            TotalSeconds = result.TotalTime.TotalSeconds,
        };
    }

    /// <summary>Says how subjects are kept apart.</summary>
    /// <exception cref="SharedSubjectException">A subject was trained on.</exception>
    public static string KeptApart(IEnumerable<EvaluationRecording> recordings, EvaluationSubject with)
    {
        ArgumentNullException.ThrowIfNull(recordings);
        ArgumentNullException.ThrowIfNull(with);
        string[] subjects = [.. recordings.Select(r => r.Subject).Distinct().Order(StringComparer.Ordinal)];
        string[] shared = [.. subjects.Intersect(with.TrainingSubjects, StringComparer.OrdinalIgnoreCase)];
        if (shared.Length > 0)
            throw new SharedSubjectException(shared);
        string training = with.TrainingSubjects.Count > 0
            ? $"none of them is among the {with.TrainingSubjects.Count} subjects that were trained on"
            : with.Trained is null ? "the weights do not say what they were trained on, so whether subjects are shared is not known"
                : $"the weights say of their training: {with.Trained}";
        return $"{subjects.Length} subject{(subjects.Length == 1 ? "" : "s")} ({string.Join(", ", subjects)}); {training.TrimEnd('.')}.";
    }

    private static MeasuredRecording Describe(EvaluationRecording recording, WindowSelection selection) => new(
        recording.Name, recording.Subject, string.Join(", ", recording.Signals.Members().Select(m => m.Name())), recording.Seconds,
        selection.Candidates, selection.Clean, selection.Windows.Count);
}

/// <summary>A recording of somebody whose signals the network was trained on.</summary>
internal sealed class SharedSubjectException : UniCardioException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="subjects">Who.</param>
    public SharedSubjectException(IReadOnlyList<string> subjects)
        : base($"{string.Join(", ", subjects)}: trained on and to be measured on; expected other subjects") => Subjects = subjects;

    /// <summary>Who.</summary>
    public IReadOnlyList<string> Subjects { get; }
}
