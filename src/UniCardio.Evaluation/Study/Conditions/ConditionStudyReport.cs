using System.Globalization;
using UniCardio.Engine.Model;
using UniCardio.Evaluation.Reports;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Evaluation.Study.Conditions;

/// <summary>A study of conditions as tables.</summary>
internal static class ConditionStudyReport
{
    // More than none by this much is harm.
    private const double Allowed = 1.02;

    /// <summary>Puts a study together.</summary>
    /// <param name="result">What was found.</param>
    /// <param name="with">What it was measured with.</param>
    /// <exception cref="SharedSubjectException">A subject was trained on.</exception>
    public static StudyReport Of(ConditionStudyResult result, EvaluationSubject with)
    {
        ArgumentNullException.ThrowIfNull(result);
        EvaluationOptions o = result.Options;
        var groups = result.Rows.GroupBy(r => (r.Task, r.Corruption, r.Condition)).Select(g => g.ToArray()).ToList();
        BadSignalKind[] kinds = [.. Enum.GetValues<BadSignalKind>().Where(k => result.Rows.Any(r => r.Way == ConditionStudy.NameOf(k)))];
        var cells = new List<IReadOnlyList<string>>();
        int harmed = 0, asked = 0;
        foreach (ConditionRow[] rows in groups)
        {
            SubjectInterval[] bad = [.. kinds.Select(k => Over(rows, ConditionStudy.NameOf(k), o.Seed))];
            harmed += bad.Count(b => b.Mean > Allowed);
            asked += bad.Length;
            cells.Add([rows[0].Task.ToString(), rows[0].Corruption.ToString(), rows[0].Condition.Name(),
                ReportTable.Text(bad.Length == 0 ? 0 : bad[0].Subjects, "0"), Mean(rows, ConditionStudy.Good),
                Mean(rows, ConditionStudy.Absent),
                Over(rows, ConditionStudy.Good, o.Seed).ToText("0.00"), .. bad.Select(b => b.ToText("0.00"))]);
        }

        double Worst(BadSignalKind kind) =>
            Math.Exp(groups.Average(g => Math.Log(Over(g, ConditionStudy.NameOf(kind), o.Seed).Mean)));
        return new StudyReport
        {
            Title = "Conditions: good, absent and bad",
            With = with,
            Settings = string.Create(CultureInfo.InvariantCulture,
                $"at most {o.WindowsPerRecording} windows of a recording, {o.Draws} draws of {o.Sampler}, seed {o.Seed}, "
                + $"{result.Calls} network calls"),
            Subjects = EvaluationReport.KeptApart(result.Recordings, with),
            Measures =
            [
                "RMSE in scaled units (50 mmHg; half the clean window's range) with one further condition good, and without it: mean over "
                    + "subjects.",
                "The other columns: RMSE over that without the condition, geometric mean over subjects with a 95% bootstrap interval over "
                    + "them. Below 1 the condition helps; above 1 the network would do better without it.",
                "noise: white or rolling, of the signal's spread; foreign: the next person's; flat: a straight line; damaged: motion, "
                    + "muscle and white noise of 1.5 to 3 times the signal. No quality index keeps them from the network here.",
            ],
            Tables =
            [
                new StudyTable("A further condition good, absent and bad",
                    ["task", "target", "condition", "subjects", "good", "absent", "good/absent",
                        .. kinds.Select(k => ConditionStudy.NameOf(k) + "/absent")], cells),
            ],
            Everything = new StudyTable("everything", ["subject", "task", "target", "condition", "way", "windows", "rmse"],
                [.. result.Rows.Select(r => (IReadOnlyList<string>)[r.Subject, r.Task.ToString(), r.Corruption.ToString(),
                    r.Condition.Name(), r.Way, ReportTable.Text(r.Windows, "0"), r.Rmse.ToString("G5", CultureInfo.InvariantCulture)])]),
            Verdict = string.Create(CultureInfo.InvariantCulture,
                $"A bad condition hurts more than none, by over {100 * (Allowed - 1):0}%, in {harmed} of {asked} cells; error over that "
                + $"without it, geometric mean: "
                + $"{string.Join(", ", kinds.Select(k => $"{ConditionStudy.NameOf(k)} {Worst(k):0.00}"))}."),
            TotalSeconds = result.TotalTime.TotalSeconds,
        };
    }

    private static string Mean(ConditionRow[] rows, string way) =>
        ReportTable.Text(rows.Where(r => r.Way == way).Average(r => r.Rmse), "0.000");

    private static SubjectInterval Over(ConditionRow[] rows, string way, ulong seed)
    {
        Dictionary<string, double> absent = rows.Where(r => r.Way == ConditionStudy.Absent)
            .ToDictionary(r => r.Subject, r => Math.Max(r.Rmse, 1e-9), StringComparer.Ordinal);
        return SubjectInterval.Of(
            [.. rows.Where(r => r.Way == way).Select(r => Math.Log(Math.Max(r.Rmse, 1e-9) / absent[r.Subject]))], seed).Map(Math.Exp);
    }
}
