using UniCardio.Engine.Model;
using UniCardio.Evaluation.Measures;
using UniCardio.Signals.Formats.Csv;

namespace UniCardio.Evaluation.Reports;

/// <summary>Every row and every measure as CSV, blank where a measure does not apply.</summary>
internal static class CsvReport
{
    private static readonly (string Name, Func<EvaluationRow, object?> Value)[] Columns =
    [
        ("task", r => r.Task), ("kind", r => r.Kind.ToString().ToLowerInvariant()), ("output", r => r.Output.Name()),
        ("conditions", r => r.Conditions),
        ("corruption", r => r.Corruption), ("recording", r => r.Recording), ("subject", r => r.Subject), ("method", r => r.Method),
        ("network", r => r.IsNetwork ? 1 : 0),
        ("draws", r => r.Draws), ("network_calls", r => r.NetworkCalls), ("settings", r => r.Settings), ("windows", r => r.Scores.Windows),
        ("rmse", r => r.Scores.Rmse), ("mae", r => r.Scores.Mae), ("rmse_mmhg", r => r.Scores.RmseMmHg),
        ("mae_mmhg", r => r.Scores.MaeMmHg),
        ("ks", r => r.Scores.KolmogorovSmirnov), ("pearson", r => r.Scores.Pearson),
        ("spectral_distance_db", r => r.Scores.SpectralDistance),
        ("r_peak_f1", r => r.Scores.PeakF1), ("r_peak_timing_ms", r => r.Scores.PeakTimingMilliseconds),
        ("heart_rate_mae_bpm", r => r.Scores.HeartRateMae), ("heart_rate_windows", r => r.Scores.HeartRateWindows),
        ("heart_rate_failures", r => r.Scores.HeartRateFailures),
        .. Pressure("systolic", r => r.Scores.Systolic), .. Pressure("diastolic", r => r.Scores.Diastolic),
        ("pressure_failures", r => r.Output == Modality.Bp ? r.Scores.PressureFailures : null),
        ("coverage", r => r.Scores.Coverage), ("expected_coverage", r => r.ExpectedCoverage),
        ("sees_beyond_window", r => r.SeesBeyondWindow ? 1 : 0),
        ("best_baseline", r => r.IsBestBaseline ? 1 : 0), ("best_of_window", r => r.IsBestOfWindow ? 1 : 0),
        ("margin", r => r.Margin?.Share), ("margin_low", r => r.Margin?.Low), ("margin_high", r => r.Margin?.High),
        ("margin_of_window", r => r.MarginOfWindow?.Share), ("margin_of_window_low", r => r.MarginOfWindow?.Low),
        ("margin_of_window_high", r => r.MarginOfWindow?.High),
    ];

    /// <summary>Writes the rows.</summary>
    /// <param name="report">The evaluation.</param>
    public static string Of(EvaluationReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        return CsvOutput.Of(Columns.Select(c => c.Name), report.Rows.Select(row => Columns.Select(c => c.Value(row))));
    }

    private static (string, Func<EvaluationRow, object?>)[] Pressure(string name, Func<EvaluationRow, PressureAgreement?> of) =>
    [
        ($"{name}_mean_error_mmhg", r => of(r)?.MeanError), ($"{name}_deviation_mmhg", r => of(r)?.Deviation),
        ($"{name}_mae_mmhg", r => of(r)?.MeanAbsoluteError),
        ($"{name}_within_5", r => of(r)?.Within5), ($"{name}_within_10", r => of(r)?.Within10), ($"{name}_within_15", r => of(r)?.Within15),
        ($"{name}_within_aami_limits", r => of(r) is { } a ? a.WithinAamiLimits ? 1 : 0 : null),
        ($"{name}_bhs_limits", r => of(r)?.Grade.ToString()),
    ];
}
