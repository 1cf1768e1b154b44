using System.Globalization;
using UniCardio.Engine.Model;
using UniCardio.Evaluation.Measures;

namespace UniCardio.Evaluation.Reports;

/// <summary>The table as text: which columns a kind of output has, and how its numbers are written.</summary>
internal static class ReportTable
{
    /// <summary>Headings for rows of one output.</summary>
    public static IReadOnlyList<string> Headings(Modality output) =>
    [
        "case", "method", "draws", "calls", "windows",
        .. output == Modality.Bp ? (string[])["RMSE mmHg", "MAE mmHg"] : ["RMSE", "MAE"], "KS", "r", "spectrum dB",
        .. output == Modality.Ecg ? (string[])["R F1", "R ms"] : [], "HR MAE", "HR failed",
        .. output == Modality.Bp ? (string[])["SBP mmHg", "DBP mmHg", "AAMI", "BHS", "BP failed"] : [], "coverage", "margin %",
        "of window %",
    ];

    /// <summary>The cells of a row.</summary>
    public static IReadOnlyList<string> Cells(EvaluationRow row)
    {
        ScoreSummary s = row.Scores;
        return
        [
            CaseOf(row), MethodOf(row), row.Draws == 0 ? "-" : Text(row.Draws, "0"), row.Draws == 0 ? "-" : Text(row.NetworkCalls, "0"),
            Text(s.Windows, "0"),
            .. row.Output == Modality.Bp ? (string[])[Text(s.RmseMmHg, "0.0"), Text(s.MaeMmHg, "0.0")]
                : [Text(s.Rmse, "0.000"), Text(s.Mae, "0.000")],
            Text(s.KolmogorovSmirnov, "0.00"), Text(s.Pearson, "0.00"), Text(s.SpectralDistance, "0.0"),
            .. row.Output == Modality.Ecg ? (string[])[Text(s.PeakF1, "0.00"), Text(s.PeakTimingMilliseconds, "0")] : [],
            Text(s.HeartRateMae, "0.0"), $"{s.HeartRateFailures}/{s.HeartRateWindows}",
            .. row.Output == Modality.Bp
                ? (string[])[Text(s.Systolic), Text(s.Diastolic), $"{Limits(s.Systolic)}/{Limits(s.Diastolic)}",
                    $"{Grade(s.Systolic)}/{Grade(s.Diastolic)}", Text(s.PressureFailures, "0")]
                : [],
            s.Coverage is null ? "-" : $"{Text(100 * s.Coverage, "0")}% of {Text(100 * row.ExpectedCoverage, "0")}%",
            Text(row.Margin), Text(row.MarginOfWindow),
        ];
    }

    /// <summary>Task and corruption.</summary>
    public static string CaseOf(EvaluationRow row) => row.Corruption == "-" ? row.Task : $"{row.Task}, {row.Corruption}";

    /// <summary>Method, settings of a filter, and a mark: ** at the best baseline, * at the best one that sees the window alone.</summary>
    public static string MethodOf(EvaluationRow row) =>
        (row.IsBestBaseline ? "** " : row.IsBestOfWindow ? "* " : "") + row.Method
            + (row.IsNetwork || row.Settings.Length == 0 ? "" : $" ({row.Settings})");

    /// <summary>A margin in percent with its interval, or a dash.</summary>
    public static string Text(ErrorMargin? margin) => margin is { } m
        ? $"{Text(100 * m.Share, "+0;-0;0")} [{Text(100 * m.Low, "+0;-0;0")}, {Text(100 * m.High, "+0;-0;0")}]" : "-";

    /// <summary>A number, or a dash.</summary>
    public static string Text(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "-";

    private static string Text(PressureAgreement? agreement) =>
        agreement is null ? "-" : $"{Text(agreement.MeanError, "+0.0;-0.0;0.0")} ± {Text(agreement.Deviation, "0.0")}";

    private static string Limits(PressureAgreement? agreement) => agreement is null ? "-" : agreement.WithinAamiLimits ? "within"
        : "beyond";

    private static string Grade(PressureAgreement? agreement) => agreement is null ? "-" : agreement.Grade.ToString();
}
