using System.Globalization;
using System.Text;
using UniCardio.Evaluation.Reports;
using UniCardio.Signals.Formats.Csv;

namespace UniCardio.Evaluation.Study;

/// <summary>A table of a study.</summary>
/// <param name="Title">What it shows.</param>
/// <param name="Headings">The columns.</param>
/// <param name="Rows">The cells, a list a row.</param>
internal sealed record StudyTable(string Title, IReadOnlyList<string> Headings, IReadOnlyList<IReadOnlyList<string>> Rows);

/// <summary>A study of the patient's own estimators, ready to be written down.</summary>
internal sealed record StudyReport
{
    /// <summary>Its name.</summary>
    public required string Title { get; init; }

    /// <summary>What was measured with.</summary>
    public required EvaluationSubject With { get; init; }

    /// <summary>What was measured, in words.</summary>
    public required string Settings { get; init; }

    /// <summary>How subjects are kept apart.</summary>
    public required string Subjects { get; init; }

    /// <summary>What the measures are.</summary>
    public required IReadOnlyList<string> Measures { get; init; }

    /// <summary>The tables, the shortest first.</summary>
    public required IReadOnlyList<StudyTable> Tables { get; init; }

    /// <summary>Everything, a row a measurement, for the CSV.</summary>
    public required StudyTable Everything { get; init; }

    /// <summary>What it comes to.</summary>
    public required string Verdict { get; init; }

    /// <summary>Seconds in all.</summary>
    public required double TotalSeconds { get; init; }

    /// <summary>What stands beside every number that a clinician could read.</summary>
    public string Remark { get; } = MeasureText.Remark;

    /// <summary>The report as Markdown.</summary>
    public string ToMarkdown()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture,
            $"# {Title}\n\n**{Remark}**\n\nWeights `{With.Weights}`; {Settings}; {TotalSeconds:0} s.\n\n"
            + $"Subjects: {Subjects}\n\n{Verdict}\n\n");
        foreach (string line in Measures)
            text.Append(CultureInfo.InvariantCulture, $"* {line}\n");
        text.Append('\n');
        foreach (StudyTable table in Tables)
        {
            text.Append(CultureInfo.InvariantCulture, $"## {table.Title}\n\n");
            MarkdownReport.Table(text, table.Headings, table.Rows);
        }

        return text.ToString();
    }

    /// <summary>Every measurement as CSV.</summary>
    public string ToCsv() => CsvOutput.Of(Everything.Headings, Everything.Rows);

    /// <summary>The report as a page.</summary>
    public string ToHtml()
    {
        HtmlPage page = new HtmlPage(Title).Paragraph(Remark, "remark").Paragraph($"Weights {With.Weights}; {Settings}.")
            .Paragraph($"Subjects: {Subjects}").Paragraph(Verdict).List(Measures);
        foreach (StudyTable table in Tables)
            page = page.Heading(2, table.Title).Table(table.Headings, table.Rows);
        return page.ToString();
    }
}
