using System.Globalization;
using System.Text;
using UniCardio.Evaluation.Measures;
using UniCardio.Evaluation.Reports;
using UniCardio.Pipeline;
using UniCardio.Signals.Formats.Csv;

namespace UniCardio.Evaluation.Study;

/// <summary>A study, ready to be written down.</summary>
internal sealed record SamplerReport
{
    /// <summary>What was measured with.</summary>
    public required EvaluationSubject With { get; init; }

    /// <summary>Windows, tasks and seed in words.</summary>
    public required string Settings { get; init; }

    /// <summary>How subjects are kept apart.</summary>
    public required string Subjects { get; init; }

    /// <summary>Which sampler the study speaks for.</summary>
    public required string Verdict { get; init; }

    /// <summary>Samplers over all cases.</summary>
    public required IReadOnlyList<SamplerLine> Lines { get; init; }

    /// <summary>Samplers case by case.</summary>
    public required IReadOnlyList<SamplerPoint> Points { get; init; }

    /// <summary>Network calls in all.</summary>
    public required long NetworkCalls { get; init; }

    /// <summary>Seconds in all.</summary>
    public required double TotalSeconds { get; init; }

    /// <summary>What stands beside every number that a clinician could read.</summary>
    public string Remark { get; } = MeasureText.Remark;

    /// <summary>Headings of <see cref="Rows"/>.</summary>
    public static IReadOnlyList<string> Headings { get; } = ["sampler", "steps", "draws", "calls", "ms", "RMSE over ddpm's", "RMSE", "KS",
        "spectrum dB", "CRPS", "sd over error", "PIT off", "R peaks F1", "coverage", "as it should be"];

    /// <summary>Puts a study together.</summary>
    /// <param name="result">What was found.</param>
    /// <param name="with">What it was measured with.</param>
    /// <exception cref="SharedSubjectException">A subject was trained on.</exception>
    public static SamplerReport Of(SamplerStudyResult result, EvaluationSubject with)
    {
        ArgumentNullException.ThrowIfNull(result);
        IReadOnlyList<SamplerLine> lines = SamplerLine.Of(result);
        EvaluationOptions o = result.Options.Evaluation;
        return new SamplerReport
        {
            With = with,
            Settings = string.Create(CultureInfo.InvariantCulture,
                $"{string.Join("; ", result.Points.Select(p => p.Corruption == "-" ? p.Task : $"{p.Task}, {p.Corruption}").Distinct())}; "
                + $"{result.Windows.Sum(w => w.Selection.Windows.Count)} windows of {result.Windows.Count} recordings, seed {o.Seed}"),
            Subjects = EvaluationReport.KeptApart(result.Windows.Select(w => w.Recording), with),
            Verdict = string.Join("; ", result.Options.Draws.Select(d => SamplerLine.Cheapest(lines, d)).OfType<SamplerLine>()
                .Select(l => string.Create(CultureInfo.InvariantCulture,
                $"with {l.Draws} draw{(l.Draws == 1 ? "" : "s")} {l.Sampler} has the fewest calls ({l.NetworkCalls}) within "
                + $"{100 * (SamplerLine.Near - 1):0}% of the least RMSE"))),
            Lines = lines,
            Points = result.Points,
            NetworkCalls = result.NetworkCalls,
            TotalSeconds = result.TotalTime.TotalSeconds,
        };
    }

    /// <summary>The lines as text.</summary>
    public IEnumerable<IReadOnlyList<string>> Rows() => Lines.Select(l => (IReadOnlyList<string>)
    [
        l.Sampler, ReportTable.Text(l.Steps, "0"), ReportTable.Text(l.Draws, "0"), ReportTable.Text(l.NetworkCalls, "0"),
        ReportTable.Text(l.Milliseconds, "0.0"),
        ReportTable.Text(l.RelativeRmse, "0.000"), ReportTable.Text(l.Rmse, "0.000"),
        ReportTable.Text(l.KolmogorovSmirnov, "0.000"), ReportTable.Text(l.SpectralDistance, "0.0"),
        ReportTable.Text(l.Crps, "0.0000"), l.SpreadOverError is null ? "-" : ReportTable.Text(l.SpreadOverError, "0.00"),
        Percent(l.PitDistance),
        l.PeakF1 is null ? "-" : ReportTable.Text(l.PeakF1, "0.000"), Percent(l.Coverage),
        Percent(l.Draws < 2 ? null : BandCoverage.Expected(l.Draws, WindowDraws.LowQuantile, WindowDraws.HighQuantile)),
    ]);

    private static string Percent(double? share) => share is null ? "-" : $"{ReportTable.Text(100 * share, "0")}%";

    /// <summary>The report as Markdown.</summary>
    public string ToMarkdown()
    {
        var text = new StringBuilder("# Sampler study\n\n");
        text.Append(CultureInfo.InvariantCulture,
            $"**{Remark}**\n\nWeights `{With.Weights}`; {Settings}. {NetworkCalls} network calls, {TotalSeconds:0} s.\n\nSubjects: "
            + $"{Subjects}\n\n");
        text.Append(CultureInfo.InvariantCulture,
            $"{char.ToUpperInvariant(Verdict[0])}{Verdict[1..]}.\n\nMeans over the cases; RMSE over ddpm's is the geometric mean of the "
            + $"RMSE over that of ddpm with its most draws. sd over error: spread of the draws over the error of their mean, 1 = right; "
            + $"PIT off: how much of the truth's ranks among the draws would have to move for a flat histogram; ms: time in the "
            + $"network of a window with all its draws, on this machine.\n\n");
        MarkdownReport.Table(text, Headings, Rows());
        return text.ToString();
    }

    /// <summary>Every sampler on every case as CSV.</summary>
    public string ToCsv() => CsvOutput.Of(
        ["sampler", "steps", "draws", "network_calls", "milliseconds", "task", "corruption", "windows", "rmse", "mae", "ks", "pearson",
            "spectral_distance_db", "r_peak_f1", "heart_rate_mae_bpm", "coverage", "crps", "sd_over_error", "pit_distance", "pit"],
        Points.Select(p => (object?[])[p.Sampler, p.Steps, p.Draws, p.NetworkCalls, p.Milliseconds, p.Task, p.Corruption, p.Scores.Windows,
            p.Scores.Rmse, p.Scores.Mae, p.Scores.KolmogorovSmirnov, p.Scores.Pearson, p.Scores.SpectralDistance, p.Scores.PeakF1,
            p.Scores.HeartRateMae, p.Scores.Coverage, p.Spread.MeanCrps, p.Spread.SpreadOverError, p.Spread.PitDistance, Ranks(p.Spread)]));

    private static string Ranks(DrawSpread spread) =>
        string.Join(' ', spread.Ranks.Select(r => (r / spread.Samples).ToString("0.000", CultureInfo.InvariantCulture)));

    /// <summary>The report as a page with a picture.</summary>
    /// <param name="options">What was compared.</param>
    public string ToHtml(SamplerStudyOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new HtmlPage("UniCardio sampler study").Paragraph(Remark, "remark").Paragraph($"Weights {With.Weights}; {Settings}.")
            .Paragraph($"Subjects: {Subjects}")
            .Paragraph($"{char.ToUpperInvariant(Verdict[0])}{Verdict[1..]}.")
            .Picture(SamplerChart.Of(Lines, options),
                "RMSE over that of ddpm with its most draws (geometric mean over the cases), CRPS, log-spectral distance of "
                + "the mean of the draws, and milliseconds in the network on this machine. A mean of many draws errs least and "
                + "looks least like a signal.")
            .Table(Headings, Rows()).ToString();
    }
}
