using System.Globalization;
using UniCardio.Evaluation.Reports;

namespace UniCardio.Evaluation.Study.Gaps;

/// <summary>A study of gaps as tables: every task and length over the subjects, then every recording.</summary>
internal static class GapStudyReport
{
    private const double Allowed = 1.05;

    /// <summary>The ways that a user can choose, by <c>--estimator</c>.</summary>
    private static readonly string[] s_singles = [GapStudy.Network, Beat, GapStudy.Fir, GapStudy.Line];

    // The own beat as --estimator beat has it: placed by the ECG if given, else the pressure, else the PPG, else by rhythm.
    private const string Beat = "beat";

    /// <summary>Puts a study together.</summary>
    /// <param name="result">What was found.</param>
    /// <param name="with">What it was measured with.</param>
    /// <exception cref="SharedSubjectException">A subject was trained on.</exception>
    public static StudyReport Of(GapStudyResult result, EvaluationSubject with)
    {
        ArgumentNullException.ThrowIfNull(result);
        GapStudyOptions o = result.Options;
        Group[] groups = [.. result.Rows.GroupBy(r => (r.Task, r.Seconds)).Select(g => new Group(g.Key.Task, g.Key.Seconds, [.. g]))];
        (SubjectInterval Ratio, Group Group)[] judged = [.. groups.Select(g => (g.Ratio(o.Seed), g))];
        (SubjectInterval Ratio, Group Group)[] brief = [.. judged.Where(j => j.Group.Seconds <= 2)];
        string[] less = [.. new[] { (At: "at up to 2 s", Rows: brief), ("beyond", [.. judged.Except(brief)]) }
            .Where(part => part.Rows.Length > 0).Select(part => string.Create(CultureInfo.InvariantCulture,
                $"{100 * (1 - Math.Exp(part.Rows.Average(j => Math.Log(j.Ratio.Mean)))):0.0}% less {part.At}"))];
        (SubjectInterval Ratio, Group Group)[] lost = [.. judged.Where(j => j.Ratio.Mean > Allowed)];
        return new StudyReport
        {
            Title = "Gaps filled by the patient's estimators",
            With = with,
            Settings = string.Create(CultureInfo.InvariantCulture,
                $"gaps of {string.Join(", ", o.GapSeconds)} s, at most {o.GapsPerRecording} of a length in a recording, {o.Draws} draws of "
                + $"{o.Sampler}, seed {o.Seed}"),
            Subjects = EvaluationReport.KeptApart(result.Recordings, with),
            Measures =
            [
                "RMSE over the gaps in scaled units (50 mmHg; half the range of the 4 s about the gap), mean over subjects. The blend "
                    + "learns "
                + "from the rest of the recording only; the single estimator it is set beside is the best one of --estimator network, "
                + "beat, "
                + "fir and line, chosen on these very gaps, which favours it.",
                "auto/best: geometric mean over subjects of the blend's RMSE over that of the best single one, with a 95% bootstrap "
                    + "interval "
                + "over subjects. Band: share of true samples in the 5-95% band (90% is right).",
                "averaged beat: beats of 30 s on either side averaged evenly, placed by another signal or by rhythm, tilted to both edges; "
                + "beat in window: the same of 4 s; flat line: the signal's mean.",
            ],
            Tables =
            [
                new StudyTable("Tasks and lengths, mean over subjects",
                    ["task", "gap s", "subjects", "gaps", "auto", "network", "beat", "filter", "line", "averaged beat", "beat in window",
                        "flat line", "best single", "auto/best", "band %"],
                    [.. judged.Select(j => j.Group.Cells(j.Ratio))]),
                .. Corrections(groups, o.Seed),
                .. Rhythm(groups),
                new StudyTable("Recording by recording: auto over the best single estimator of that recording",
                    ["recording", "task", .. o.GapSeconds.Select(s => ReportTable.Text(s, "0.##") + " s")],
                    [.. result.Rows.GroupBy(r => (r.Recording, r.Task)).Select(g => (IReadOnlyList<string>)
                        [g.Key.Recording, g.Key.Task, .. o.GapSeconds.Select(s => One(g.FirstOrDefault(r => r.Seconds == s)))])]),
            ],
            Everything = Everything(result),
            Verdict = string.Create(CultureInfo.InvariantCulture,
                $"The blend errs more than the best single estimator by over 5% in {lost.Length} of {judged.Length} rows"
                + $"{(lost.Length == 0 ? "" : $" ({string.Join("; ", lost.Select(l =>
                    $"{l.Group.Task}, {l.Group.Seconds} s: {100 * (l.Ratio.Mean - 1):+0}%"))})")}"
                + $"; in the mean it errs {string.Join(" and ", less)}."),
            TotalSeconds = result.TotalTime.TotalSeconds,
        };
    }

    private static double? Single(GapRow row, string name)
    {
        double? beat = row.Of("beat, ecg") ?? row.Of("beat, bp") ?? row.Of("beat, ppg") ?? row.Of(GapStudy.Rhythm);
        return name == Beat ? beat : name == GapStudy.Fir ? row.Of(name) ?? beat : row.Of(name);
    }

    private static string One(GapRow? row) => row?.Of(GapStudy.Auto) is { } auto
        && s_singles.Select(s => (Name: s, Rmse: Single(row, s))).Where(s => s.Rmse is not null).MinBy(s => s.Rmse)
            is { Rmse: { } best } single
        ? string.Create(CultureInfo.InvariantCulture, $"{auto / best:0.00} ({single.Name} {best:0.000})") : "-";

    private static IEnumerable<StudyTable> Rhythm(Group[] groups)
    {
        Group[] ecg = [.. groups.Where(g => g.Rows.Any(r => r.Scores.Any(s => s.PeakF1 is not null)))];
        if (ecg.Length == 0)
            yield break;
        string[] names = [GapStudy.Auto, GapStudy.Network, "beat, bp", "beat, ppg", GapStudy.Rhythm, GapStudy.Fir];
        static string Mean(Group g, string name, Func<GapScore, double?> of, string format)
        {
            double[] all = [.. g.Rows.SelectMany(r => r.Scores).Where(s => s.Name == name).Select(of).OfType<double>()];
            return all.Length == 0 ? "-" : ReportTable.Text(all.Average(), format);
        }

        string Three(Group g, string name) =>
            $"{Mean(g, name, s => s.PeakF1, "0.00")} / {Mean(g, name, s => s.RateError, "0.0")} / {Mean(g, name, s => s.RmssdError, "0")}";
        yield return new StudyTable("Rhythm of a filled ECG: F1 of R peaks within 50 ms / heart rate error bpm / RMSSD error ms",
            ["task", "gap s", .. names], [.. ecg.Select(g => (IReadOnlyList<string>)
                [g.Task, ReportTable.Text(g.Seconds, "0.##"), .. names.Select(n => Three(g, n))])]);
    }

    // What a correction makes of the own beat, of the beat of another gap and of nothing, beside the beat itself; the worst person said.
    private static IEnumerable<StudyTable> Corrections(Group[] groups, ulong seed)
    {
        var rows = new List<IReadOnlyList<string>>();
        foreach (Group g in groups)
        {
            GapRow[][] people = [.. g.Rows.Where(r => r.Of(GapStudy.CorrectedBeat) is not null).GroupBy(r => r.Subject)
                .Select(p => p.ToArray())];
            if (people.Length == 0)
                continue;
            string Mean(string name) => people.All(p => p.All(r => r.Of(name) is not null))
                ? ReportTable.Text(people.Average(p => p.Average(r => r.Of(name)!.Value)), "0.000") : "-";
            double[] logs = [.. people.Select(p =>
                p.Average(r => Math.Log(r.Of(GapStudy.CorrectedBeat)!.Value / Math.Max(r.Of(GapStudy.OwnBeat)!.Value, 1e-9))))];
            rows.Add([g.Task, ReportTable.Text(g.Seconds, "0.##"), ReportTable.Text(people.Length, "0"), Mean(GapStudy.OwnBeat),
                Mean(GapStudy.CorrectedBeat), Mean(GapStudy.CorrectedWrong), Mean(GapStudy.CorrectedNothing),
                SubjectInterval.Of(logs, seed).Map(Math.Exp).ToText("0.00"), ReportTable.Text(Math.Exp(logs.Max()), "0.00")]);
        }

        if (rows.Count > 0)
            yield return new StudyTable("The correction, wherever it could be asked, trusted or not",
                ["task", "gap s", "subjects", "own beat", "corrected", "beat of another gap", "nothing proposed", "corrected/own",
                    "worst subject"], rows);
    }

    private static StudyTable Everything(GapStudyResult result) => new("everything",
        ["recording", "subject", "task", "gap_s", "gaps", "method", "rmse", "coverage", "r_peak_f1", "heart_rate_error_bpm",
            "rmssd_error_ms"],
        [.. from r in result.Rows from s in r.Scores select (IReadOnlyList<string>)
            [r.Recording, r.Subject, r.Task, ReportTable.Text(r.Seconds, "0.##"), ReportTable.Text(r.Gaps, "0"), s.Name, Number(s.Rmse),
                Number(s.Coverage), Number(s.PeakF1), Number(s.RateError), Number(s.RmssdError)]]);

    private static string Number(double? value) => value?.ToString("G5", CultureInfo.InvariantCulture) ?? "";

    // One task and length over all recordings.
    private sealed record Group(string Task, double Seconds, GapRow[] Rows)
    {
        public double? Mean(string name)
        {
            double?[] all = [.. BySubject(r => Single(r, name))];
            return all.Any(x => x is null) ? null : all.Average();
        }

        public string? Best() => s_singles.Select(s => (Name: s, Log: Logs(s))).Where(s => s.Log is not null)
            .MinBy(s => s.Log!.Average()).Name;

        public SubjectInterval Ratio(ulong seed)
        {
            double[] auto = Logs(GapStudy.Auto)!, best = Logs(Best()!)!;
            return SubjectInterval.Of([.. auto.Zip(best, (a, b) => a - b)], seed).Map(Math.Exp);
        }

        public IReadOnlyList<string> Cells(SubjectInterval ratio)
        {
            double[] coverage = [.. Rows.Select(r => r.Scores[0].Coverage).OfType<double>()];
            return
            [
                Task, ReportTable.Text(Seconds, "0.##"), ReportTable.Text(ratio.Subjects, "0"), ReportTable.Text(Rows.Sum(r => r.Gaps),
                    "0"),
                .. ((string[])[GapStudy.Auto, .. s_singles, GapStudy.Averaged, GapStudy.InWindow, GapStudy.Flat])
                    .Select(n => ReportTable.Text(Mean(n), "0.000")),
                Best() ?? "-", ratio.ToText("0.00"), coverage.Length == 0 ? "-" : ReportTable.Text(100 * coverage.Average(), "0"),
            ];
        }

        private double[]? Logs(string name)
        {
            double?[] all = [.. BySubject(r => Single(r, name) is { } x ? Math.Log(Math.Max(x, 1e-9)) : null)];
            return all.Any(x => x is null) ? null : [.. all.OfType<double>()];
        }

        private IEnumerable<double?> BySubject(Func<GapRow, double?> of) => Rows.GroupBy(r => r.Subject)
            .Select(g => g.Any(r => of(r) is null) ? null : g.Average(of));
    }
}
