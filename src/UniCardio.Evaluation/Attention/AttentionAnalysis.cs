using UniCardio.Evaluation.Reports;

namespace UniCardio.Evaluation.Attention;

/// <summary>A table of an analysis.</summary>
/// <param name="Title">What it shows.</param>
/// <param name="Headings">Columns; '>' sets one to the right on the terminal.</param>
/// <param name="Rows">Cells.</param>
internal sealed record AnalysisTable(string Title, IReadOnlyList<string> Headings, IReadOnlyList<IReadOnlyList<string>> Rows);

/// <summary>What an analysis of attention says, as tables and pictures.</summary>
/// <param name="Tables">Tables.</param>
/// <param name="Pictures">HTML of pictures that need no other file, with captions.</param>
internal sealed record AttentionAnalysis(IReadOnlyList<AnalysisTable> Tables, IReadOnlyList<(string Html, string Caption)> Pictures)
{
    /// <summary>What stands under every analysis.</summary>
    public const string Remark = "Attention says what a network read, not why a result is what it is. Synthetic subjects. Research "
        + "software, not a medical device.";

    /// <summary>The analysis as a page that needs nothing but itself.</summary>
    /// <param name="title">Its title; escaped.</param>
    public string ToHtml(string title)
    {
        var page = new HtmlPage(title);
        page.Paragraph(Remark, "remark").List([
            "Cross: share of a query's attention on other signals. Alignment: share of that on the same time, a token more or less. "
            + "By chance: the same if every key weighed alike.",
            "Lag: time of the key less time of the query. A pulse comes after its R peak: queries of an ECG find it at a positive lag, the "
            + "pulse delay; queries of a pulse find the R peak at a negative one.",
        ]);
        foreach (AnalysisTable table in Tables)
            page.Heading(2, table.Title).Table([.. table.Headings.Select(h => h.TrimStart('>'))], table.Rows);
        foreach ((string html, string caption) in Pictures)
            page.Picture(html, caption);
        return page.ToString();
    }
}
