using UniCardio.Engine.Model;
using UniCardio.Evaluation.Measures;

namespace UniCardio.Evaluation.Reports;

/// <summary>
/// One line a case: the RMSE of one draw, of the mean of the draws and of denoising by estimate beside that of the best baselines.
/// </summary>
internal static class ShortTable
{
    /// <summary>
    /// Headings of the columns. Margins are the mean's, the last one that of the column before it against the best of all; "best in
    /// window" sees the window alone, as the network does, "best of all" stands only where it sees more.
    /// </summary>
    public static IReadOnlyList<string> Headings { get; } =
        ["case", "windows", "one draw", "mean", "best in window", "its RMSE", "margin %", "best of all", "its RMSE", "margin %", "estimate",
            "margin %", "HR MAE", "R F1", "r", "mean mmHg"];

    /// <summary>The lines of a report, for all recordings together.</summary>
    /// <param name="report">The report.</param>
    /// <param name="intervals">Whether margins stand with their intervals.</param>
    public static IEnumerable<IReadOnlyList<string>> Rows(EvaluationReport report, bool intervals = true)
    {
        ArgumentNullException.ThrowIfNull(report);
        foreach (IGrouping<string, EvaluationRow> one in report.Rows.Where(r => r.Recording == EvaluationRow.AllRecordings)
            .GroupBy(ReportTable.CaseOf))
        {
            EvaluationRow[] network = [.. one.Where(r => r.IsNetwork)];
            EvaluationRow? estimate = Array.Find(network, r => r.Method == MethodScores.Estimate);
            EvaluationRow single = network[0], mean = Array.Find(network, r => r.Draws > 1) ?? network[0];
            string Margin(ErrorMargin? margin) => intervals || margin is null ? ReportTable.Text(margin)
                : ReportTable.Text(100 * margin.Value.Share, "+0;-0;0");
            EvaluationRow? best = one.FirstOrDefault(r => r.IsBestBaseline), alike = one.FirstOrDefault(r => r.IsBestOfWindow);
            yield return
            [
                one.Key, $"{single.Scores.Windows}", ReportTable.Text(single.Scores.Rmse, "0.000"),
                ReportTable.Text(mean.Scores.Rmse, "0.000"),
                alike?.Method ?? "-", ReportTable.Text(alike?.Scores.Rmse, "0.000"), Margin(mean.MarginOfWindow),
                best is null || ReferenceEquals(best, alike) ? "-" : best.Method, ReferenceEquals(best, alike) ? "-"
                    : ReportTable.Text(best?.Scores.Rmse, "0.000"), ReferenceEquals(best, alike) ? "-" : Margin(mean.Margin),
                ReportTable.Text(estimate?.Scores.Rmse, "0.000"), estimate is null ? "-" : Margin(estimate.Margin),
                ReportTable.Text(mean.Scores.HeartRateMae, "0.0"), ReportTable.Text(mean.Scores.PeakF1, "0.00"),
                ReportTable.Text(mean.Scores.Pearson, "0.00"),
                mean.Output == Modality.Bp ? ReportTable.Text(mean.Scores.RmseMmHg, "0.0") : "-",
            ];
        }
    }
}
