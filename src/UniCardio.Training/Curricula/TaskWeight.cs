using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using UniCardio.Engine.Model;

namespace UniCardio.Training.Curricula;

/// <summary>How often a task comes, relative to others. Text form: <c>ppg->ecg=4</c>, or a kind of tasks: <c>translate=2</c>.</summary>
/// <param name="Subject">A task or a kind, as text.</param>
/// <param name="Weight">The weight, finite and 0 or above; 0 leaves it out.</param>
internal sealed record TaskWeight(string Subject, double Weight) : IParsable<TaskWeight>
{
    /// <summary>Whether a task is meant.</summary>
    /// <param name="task">The task.</param>
    public bool Names(CardioTask task) => Kind(Subject) is TaskKind kind ? task.Kind == kind : CardioTask.Parse(Subject) == task;

    /// <summary>Reads the text form.</summary>
    /// <param name="s">The text.</param>
    /// <param name="provider">Not used: numbers have a point.</param>
    /// <exception cref="FormatException">The text is not a weight.</exception>
    public static TaskWeight Parse(string s, IFormatProvider? provider = null) =>
        TryParse(s, provider, out TaskWeight? weight) ? weight
            : throw new FormatException($"'{s}' is not the weight of a task. Examples: 'ppg->ecg=4', 'translate=2'.");

    /// <inheritdoc/>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, [MaybeNullWhen(false)] out TaskWeight result)
    {
        result = null;
        int at = s?.LastIndexOf('=') ?? -1;
        if (at < 0)
            return false;
        string subject = s![..at].Trim();
        if (!double.TryParse(s[(at + 1)..], NumberStyles.Float, CultureInfo.InvariantCulture, out double weight)
            || !(weight >= 0 && double.IsFinite(weight)))
            return false;
        if (Kind(subject) is null && !CardioTask.TryParse(subject, provider, out _))
            return false;
        result = new TaskWeight(subject, weight);
        return true;
    }

    /// <summary>The text form.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Subject}={Weight:R}");

    private static TaskKind? Kind(string text)
    {
        foreach (TaskKind kind in Enum.GetValues<TaskKind>())
        {
            if (text.Equals(kind.ToString(), StringComparison.OrdinalIgnoreCase))
                return kind;
        }

        return null;
    }
}
