using UniCardio.Engine.Model;

namespace UniCardio.Evaluation.Reports;

/// <summary>One line a case: the network beside its best baseline.</summary>
public static class ShortTable
{
    /// <summary>Headings of the columns. Margins are the mean's; "best in window" sees the window alone, as the network does, "best of all" stands only where it sees more.</summary>
    public static IReadOnlyList<string> Headings { get; } =
        ["case", "windows", "RMSE, one draw", "RMSE, mean", "best in window", "its RMSE", "margin %", "best of all", "its RMSE", "margin %", "HR MAE", "R F1", "r", "mmHg"];

    /// <summary>The lines of a report, for all recordings together.</summary>
    /// <param name="report">The report.</param>
    public static IEnumerable<IReadOnlyList<string>> Rows(EvaluationReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        foreach (IGrouping<string, EvaluationRow> one in report.Rows.Where(r => r.Recording == EvaluationRow.AllRecordings).GroupBy(ReportTable.CaseOf))
        {
            EvaluationRow[] network = [.. one.Where(r => r.IsNetwork)];
            EvaluationRow single = network[0], mean = network[Math.Min(1, network.Length - 1)];
            EvaluationRow? best = one.FirstOrDefault(r => r.IsBestBaseline), alike = one.FirstOrDefault(r => r.IsBestOfWindow);
            yield return
            [
                one.Key, $"{single.Scores.Windows}", ReportTable.Text(single.Scores.Rmse, "0.000"), ReportTable.Text(mean.Scores.Rmse, "0.000"),
                alike?.Method ?? "-", ReportTable.Text(alike?.Scores.Rmse, "0.000"), ReportTable.Text(mean.MarginOfWindow),
                best is null || ReferenceEquals(best, alike) ? "-" : best.Method, ReferenceEquals(best, alike) ? "-" : ReportTable.Text(best?.Scores.Rmse, "0.000"), ReferenceEquals(best, alike) ? "-" : ReportTable.Text(mean.Margin),
                ReportTable.Text(mean.Scores.HeartRateMae, "0.0"), ReportTable.Text(mean.Scores.PeakF1, "0.00"), ReportTable.Text(mean.Scores.Pearson, "0.00"),
                mean.Output == Modality.Bp ? ReportTable.Text(mean.Scores.RmseMmHg, "0.0") : "-",
            ];
        }
    }
}
