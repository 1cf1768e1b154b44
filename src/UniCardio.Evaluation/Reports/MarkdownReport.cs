using System.Globalization;
using System.Text;
using UniCardio.Engine.Model;

namespace UniCardio.Evaluation.Reports;

/// <summary>An evaluation as Markdown: short tables first, then everything.</summary>
internal static class MarkdownReport
{
    /// <summary>Writes the report.</summary>
    /// <param name="report">The evaluation.</param>
    public static string Of(EvaluationReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        var text = new StringBuilder("# Evaluation\n\n");
        text.Append(CultureInfo.InvariantCulture, $"**{report.Remark}**\n\n");
        text.Append(CultureInfo.InvariantCulture,
            $"Weights `{report.With.Weights}`{(report.With.Trained is { } said ? $" ({said.TrimEnd('.')})" : "")}; {report.Settings}.\n\n");
        text.Append(CultureInfo.InvariantCulture,
            $"{report.NetworkCalls} network calls, {report.NetworkSeconds:0} s of {report.TotalSeconds:0} s in the network "
            + $"({report.With.Backend}).\n\n");
        text.Append(CultureInfo.InvariantCulture, $"Subjects: {report.Subjects}\n\n");
        Table(text, ["recording", "subject", "signals", "seconds", "windows", "clean", "measured"],
            report.Recordings.Select(
                r => (IReadOnlyList<string>)[r.Name, r.Subject, r.Signals, ReportTable.Text(r.Seconds, "0"), $"{r.Candidates}",
                    $"{r.Clean}", $"{r.Measured}"]));
        text.Append("## The network beside the best baseline, all recordings\n\n");
        Table(text, ShortTable.Headings, ShortTable.Rows(report));
        Gains(text, report);
        text.Append("## What the measures are\n\n");
        foreach (string line in report.Measures)
            text.Append(CultureInfo.InvariantCulture, $"* {line}\n");
        text.Append(
            "\n## All methods, all recordings\n\n`**` marks the best baseline, `*` the best one that sees the window alone, as the "
            + "network does.\n\n");
        Rows(text, [.. report.Rows.Where(r => r.Recording == EvaluationRow.AllRecordings)]);
        foreach (MeasuredRecording recording in report.Recordings.Where(r => r.Measured > 0))
        {
            text.Append(CultureInfo.InvariantCulture, $"## {recording.Name}\n\n");
            Rows(text, [.. report.Rows.Where(r => r.Recording == recording.Name)]);
        }

        return text.ToString();
    }

    private static void Gains(StringBuilder text, EvaluationReport report)
    {
        if (report.ConditionGains.Count == 0)
            return;
        text.Append(
            "## Adding conditions\n\nRMSE of the mean of the draws on the recordings with all three signals; in brackets its ratio to "
            + "that of one condition.\n\n");
        Table(text, ["restored", "spoiled by", "windows", "1 condition", "2 conditions", "3 conditions"],
            report.ConditionGains.Select(g => (IReadOnlyList<string>)
        [
            $"{g.Kind.ToString().ToLowerInvariant()} {g.Output.Name()}", g.Corruption, $"{g.Windows}", ReportTable.Text(g.One, "0.000"),
            g.Two is null ? "-" : $"{ReportTable.Text(g.Two, "0.000")} ({ReportTable.Text(g.TwoToOne, "0.00")})",
            g.Three is null ? "-" : $"{ReportTable.Text(g.Three, "0.000")} ({ReportTable.Text(g.ThreeToOne, "0.00")})",
        ]));
    }

    private static void Rows(StringBuilder text, IReadOnlyList<EvaluationRow> rows)
    {
        foreach (IGrouping<(TaskKind Kind, Modality Output), EvaluationRow> group in rows.GroupBy(r => (r.Kind, r.Output)))
        {
            text.Append(CultureInfo.InvariantCulture, $"### {Title(group.Key.Kind)} {group.Key.Output.Name().ToUpperInvariant()}\n\n");
            Table(text, ReportTable.Headings(group.Key.Output), group.Select(ReportTable.Cells));
        }
    }

    internal static string Title(TaskKind kind) =>
        kind switch { TaskKind.Translate => "Translation into", TaskKind.Impute => "Imputation of", _ => "Denoising of" };

    internal static void Table(StringBuilder text, IReadOnlyList<string> headings, IEnumerable<IReadOnlyList<string>> rows)
    {
        // Names come from files: what Markdown passes on to a browser is written out.
        static string Cell(string cell) => cell.Replace("&", "&amp;", StringComparison.Ordinal)
            .Replace("<", "&lt;", StringComparison.Ordinal).Replace("|", "\\|", StringComparison.Ordinal);
        text.Append("| ").AppendJoin(" | ", headings.Select(Cell)).Append(" |\n|").Append(string.Concat(headings.Select(_ => "---|")))
            .Append('\n');
        foreach (IReadOnlyList<string> row in rows)
            text.Append("| ").AppendJoin(" | ", row.Select(Cell)).Append(" |\n");
        text.Append('\n');
    }
}
