using System.Globalization;
using UniCardio.Engine.Model;

namespace UniCardio.Evaluation.Reports;

/// <summary>An evaluation as one page with pictures of the best, the median and the worst window of each task.</summary>
internal static class HtmlReport
{
    /// <summary>Writes the page.</summary>
    /// <param name="report">The evaluation.</param>
    /// <param name="result">What it was made from, for the pictures.</param>
    public static string Of(EvaluationReport report, EvaluationResult result)
    {
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(result);
        var page = new HtmlPage("UniCardio evaluation");
        page.Paragraph(report.Remark, "remark")
            .Paragraph(
                $"Weights {report.With.Weights}{(report.With.Trained is { } said ? $" ({said.TrimEnd('.')})" : "")}; {report.Settings}.")
            .Paragraph($"Subjects: {report.Subjects}")
            .Table(["recording", "subject", "signals", "seconds", "windows", "clean", "measured"],
                report.Recordings.Select(r => (IReadOnlyList<string>)[r.Name, r.Subject, r.Signals, ReportTable.Text(r.Seconds, "0"),
                    Text(r.Candidates), Text(r.Clean), Text(r.Measured)]))
            .Heading(2, "The network beside the best baseline, all recordings")
            .Table(ShortTable.Headings, ShortTable.Rows(report))
            .Heading(2, "What the measures are")
            .List(report.Measures)
            .Heading(2, "Case by case")
            .Links(result.Cases.Select(c => (Anchor(c), Name(c))));
        foreach (CaseResult one in result.Cases)
            AddCase(page, report, result, one);
        return page.ToString();
    }

    private static void AddCase(HtmlPage page, EvaluationReport report, EvaluationResult result, CaseResult one)
    {
        page.Heading(2, Name(one), Anchor(one));
        EvaluationRow[] rows = [.. report.Rows.Where(r => r.Recording == EvaluationRow.AllRecordings && r.Task == one.Task.ToString()
            && r.Corruption == one.Corruption.ToString())];
        page.Table(ReportTable.Headings(one.Task.Output), rows.Select(ReportTable.Cells));
        // Pictures of a task at one noise or gap, the middle of the list: all would make a page of ten megabytes and show little more.
        CaseResult[] alike = [.. result.Cases.Where(c => c.Task == one.Task)];
        if (!ReferenceEquals(one, alike[alike.Length / 2]))
            return;
        foreach (WindowExample example in one.Examples)
            page.Picture(WindowPicture.Of(example).ToSvg(), WindowPicture.Caption(example));
    }

    private static string Name(CaseResult one) => one.Task.Kind == TaskKind.Translate ? one.Task.ToString()
        : $"{one.Task}, {one.Corruption}";

    private static string Anchor(CaseResult one) =>
        string.Concat(Name(one).Select(c => char.IsAsciiLetterOrDigit(c) || c == '.' ? c : '-'));

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
