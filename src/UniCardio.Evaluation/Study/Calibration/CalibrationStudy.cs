using System.Diagnostics;
using System.Globalization;
using UniCardio.Engine.Model;
using UniCardio.Evaluation.Cases;
using UniCardio.Evaluation.Reports;
using UniCardio.Pipeline;
using UniCardio.Signals.Beats;
using UniCardio.Signals.Patient;
using UniCardio.Signals.Processing;

namespace UniCardio.Evaluation.Study.Calibration;

/// <summary>How a pressure that is translated by paired seconds errs as they age, beside a cuff reading that is carried on.</summary>
/// <remarks>
/// Thirty seconds of pressure and conditions are paired, at up to four places of a recording; from there to its end nothing but the
/// conditions is looked at. Errors are those of 20 s pieces, by their age. How fast the band must widen is fitted to all people but one and
/// judged on that one, in turn. Synthetic subjects' pressures drift by amounts that were chosen: they say how the growth ends, not how
/// large it is.
/// </remarks>
internal static class CalibrationStudy
{
    private const double PairedSeconds = 30, PieceSeconds = 20;
    private const int Places = 4;
    private const double CuffBand = 8;
    private static readonly double[] s_ages = [0, 1, 2, 3, 5, 8, 10, 15, 20, 30];

    // One piece: minutes since the paired seconds, errors in mmHg; the variance that a band needs for each sample.
    private sealed record Piece
    {
        public required string Subject { get; init; }
        public required string Task { get; init; }
        public required double Minutes { get; init; }
        public required double Wave { get; init; }
        public required double Systolic { get; init; }
        public required double Diastolic { get; init; }
        public required double CuffSystolic { get; init; }
        public required double CuffDiastolic { get; init; }
        public required double Fresh { get; init; }
        public required float[] Needed { get; init; }
        public BandGrowth.Piece Band => new(Subject, Minutes, Needed);
        public BandGrowth.Piece Cuff => new(Subject, Minutes,
            [.. ((float[])[BandGrowth.Needed(CuffSystolic, CuffBand), BandGrowth.Needed(CuffDiastolic, CuffBand)]).Order()]);
    }

    /// <summary>Measures.</summary>
    /// <param name="recordings">Recordings; those without a pressure and another signal take no part.</param>
    /// <param name="with">What is measured with.</param>
    /// <param name="widening">The variance (mmHg^2) that the product adds a minute to paired seconds and to a cuff, and after how many
    /// minutes it adds no more.</param>
    /// <param name="seed">Draws the intervals.</param>
    /// <param name="progress">Told after every recording.</param>
    /// <param name="cancellation">Looked at before every place.</param>
    public static StudyReport Run(IReadOnlyList<EvaluationRecording> recordings, EvaluationSubject with,
        (double Growth, double Cuff, double Most) widening, ulong seed, IProgress<EvaluationProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(recordings);
        long start = Stopwatch.GetTimestamp();
        var pieces = new List<Piece>();
        EvaluationRecording[] fit =
            [.. recordings.Where(r => r.Signals.Contains(Modality.Bp) && r.Signals.Count() > 1 && r.Seconds >= 4 * PairedSeconds)];
        CardioTask[] tasks = [.. CardioTask.All.Where(t => t.Kind == TaskKind.Translate && t.Output == Modality.Bp)];
        for (int i = 0; i < fit.Length; i++)
        {
            progress?.Report(new EvaluationProgress(i / (double)fit.Length, fit[i].Name, i, fit.Length));
            foreach (CardioTask task in tasks.Where(t => (fit[i].Signals & t.Conditions) == t.Conditions))
            {
                for (int place = 0; place < Places; place++)
                {
                    cancellation.ThrowIfCancellationRequested();
                    pieces.AddRange(Measure(fit[i], task, (int)(place * fit[i].Length / (2.0 * Places))));
                }
            }
        }

        return Report(pieces, fit, with, widening, seed, Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    private static IEnumerable<Piece> Measure(EvaluationRecording recording, CardioTask task, int from)
    {
        int rate = (int)NetworkSignal.Rate, paired = (int)(PairedSeconds * rate), length = (int)(PieceSeconds * rate);
        float[]? Of(Modality m) => task.Conditions.Contains(m) ? recording.Signal(m)[from..].ToArray() : null;
        float[] truth = recording.Signal(Modality.Bp)[from..].ToArray(), known = [.. truth];
        known.AsSpan(paired).Fill(float.NaN);
        if (GapFinder.CountMeasured(known.AsSpan(0, paired)) < 0.9 * paired)
            yield break;
        var signals = new PatientSignals(NetworkSignal.Rate, Of(Modality.Ppg), known, Of(Modality.Ecg));
        if (PairedTranslation.Make(signals, Signals.ChannelKind.BloodPressure, task.Conditions.Members().Select(NetworkSignal.KindOf),
            new SampleRange(0, truth.Length)) is not { } made || Pressures(known.AsSpan(0, paired)) is not { } cuff)
            yield break;
        double fresh = Rms(made.Value, truth, 0, paired) ?? double.NaN;
        for (int at = paired; at + length <= truth.Length; at += length)
        {
            if (GapFinder.CountMeasured(truth.AsSpan(at, length)) < length || Rms(made.Value, truth, at, length) is not { } wave
                || Pressures(truth.AsSpan(at, length)) is not { } right || Pressures(made.Value.AsSpan(at, length)) is not { } told)
                continue;
            double age = (at + (length / 2) - paired) / (double)rate;
            float[] needed = new float[length];
            for (int t = at; t < at + length; t++)
            {
                double e = truth[t] - made.Value[t];
                needed[t - at] = BandGrowth.Needed(e, e < 0 ? made.Below[t] : made.Above[t]);
            }

            Array.Sort(needed);
            yield return new Piece
            {
                Subject = recording.Subject,
                Task = task.ToString(),
                Minutes = age / 60,
                Wave = wave,
                Systolic = Math.Abs(told.Systolic - right.Systolic),
                Diastolic = Math.Abs(told.Diastolic - right.Diastolic),
                CuffSystolic = Math.Abs(cuff.Systolic - right.Systolic),
                CuffDiastolic = Math.Abs(cuff.Diastolic - right.Diastolic),
                Fresh = fresh,
                Needed = needed,
            };
        }
    }

    // Root mean square in mmHg where both are there; null where less than half is.
    private static double? Rms(float[] made, float[] truth, int from, int length)
    {
        double sum = 0;
        int n = 0;
        for (int t = from; t < from + length; t++)
        {
            double e = made[t] - truth[t];
            (sum, n) = double.IsNaN(e) ? (sum, n) : (sum + (e * e), n + 1);
        }

        return 2 * n < length ? null : Math.Sqrt(sum / n);
    }

    // Mean peak and foot of the pulses.
    private static (double Systolic, double Diastolic)? Pressures(ReadOnlySpan<float> wave)
    {
        IReadOnlyList<Beat> beats = Beats.Find(Modality.Bp, wave);
        return beats.Count < 3 ? null : (beats.Average(b => b.Value), beats.Average(b => b.OnsetValue));
    }

    private static StudyTable Left(string title, IReadOnlyList<BandGrowth.Piece> pieces, double most)
    {
        IReadOnlyList<(string Subject, double Growth, double Held)> fitted = BandGrowth.LeftOut(pieces, most, BandGrowth.Fit),
            next = BandGrowth.LeftOut(pieces, most, BandGrowth.ForTheNext);
        IReadOnlyList<string> Row(string name, double? own, (double Growth, double Held) a, (double Growth, double Held) b) =>
            [name, ReportTable.Text(own, "0.0"), .. ((double[])[a.Growth, 100 * a.Held, b.Growth, 100 * b.Held])
                .Select((x, i) => ReportTable.Text(x, i % 2 == 0 ? "0.0" : "0"))];
        IReadOnlyList<IReadOnlyList<string>> rows = [.. fitted.Zip(next, (f, n) => Row(f.Subject,
            BandGrowth.Fit([.. pieces.Where(p => p.Subject == f.Subject)], most), (f.Growth, f.Held), (n.Growth, n.Held)))];
        return new StudyTable(title, ["subject left out", "own growth mmHg^2", "the others' fit", "holds %", "for the next person",
            "holds %"], rows.Count == 0 ? rows : [.. rows, Row("mean of holds; growth of all", null,
                (BandGrowth.Fit(pieces, most), fitted.Average(l => l.Held)),
                (BandGrowth.ForTheNext(pieces, most), next.Average(l => l.Held)))]);
    }

    private static StudyReport Report(List<Piece> pieces, EvaluationRecording[] recordings, EvaluationSubject with,
        (double Growth, double Cuff, double Most) widening, ulong seed, double seconds)
    {
        string Age(int bin) =>
            bin + 1 < s_ages.Length ? string.Create(CultureInfo.InvariantCulture, $"{s_ages[bin]}-{s_ages[bin + 1]}") : "";
        double Added(Piece p) => widening.Growth * Math.Min(p.Minutes, widening.Most);
        int Bin(Piece p) => s_ages.Count(a => p.Minutes >= a) - 1;
        SubjectInterval By(IEnumerable<Piece> some, Func<Piece, double> of) =>
            SubjectInterval.Of([.. some.GroupBy(p => p.Subject).Select(g => g.Average(of))], seed);
        IReadOnlyList<string> Row(string name, int bin, Piece[] some) =>
        [
            name, Age(bin), ReportTable.Text(some.Select(p => p.Subject).Distinct().Count(), "0"), ReportTable.Text(some.Length, "0"),
            By(some, p => p.Wave).ToText("0.0"), By(some, p => p.Systolic).ToText("0.0"), By(some, p => p.Diastolic).ToText("0.0"),
            By(some, p => p.CuffSystolic).ToText("0.0"), By(some, p => p.CuffDiastolic).ToText("0.0"),
            Growth(some).ToText("0.00"), ReportTable.Text(Math.Sqrt(some.Average(Added)), "0.0"),
            ReportTable.Text(100 * By(some, p => BandGrowth.Held(p.Band, Added(p))).Mean, "0"),
            ReportTable.Text(100 * By(some, p => BandGrowth.Held(p.Cuff, widening.Cuff * Math.Min(p.Minutes, widening.Most))).Mean, "0"),
        ];
        SubjectInterval Growth(IEnumerable<Piece> some) =>
            By(some, p => Math.Log(Math.Max(p.Wave, 0.1) / Math.Max(p.Fresh, 0.1))).Map(Math.Exp);
        string[] headings = ["task", "minutes", "subjects", "pieces", "wave mmHg", "SBP mmHg", "DBP mmHg", "cuff SBP", "cuff DBP",
            "error over paired", "added mmHg", "band holds %", "cuff band holds %"];
        Piece[] kept = [.. pieces.Where(p => Bin(p) + 1 < s_ages.Length)];
        return new StudyReport
        {
            Title = "Calibrated translation by the age of its calibration",
            With = with,
            Settings = string.Create(CultureInfo.InvariantCulture,
                $"{PairedSeconds} paired seconds at up to {Places} places, pieces of {PieceSeconds} s, seed {seed}"),
            Subjects = EvaluationReport.KeptApart(recordings, with),
            Measures =
            [
                "wave: root mean square of the pressure's error; SBP, DBP: mean absolute error of a piece's mean peak and foot; cuff: "
                + "the same where "
                + "those of the paired seconds are carried on. Intervals are over subjects.",
                "error over paired: geometric mean of the error over that in the paired seconds, in which no beat sees itself; added "
                + "mmHg: the standard deviation by which the product widens its band at that age; band holds: true samples in it (90% is "
                + "right).",
            ],
            Tables = [new StudyTable("All tasks", headings,
                [.. kept.GroupBy(Bin).OrderBy(g => g.Key).Select(g => Row("bp from others", g.Key, [.. g]))]),
                Left("The band's growth a minute, fitted to the others", [.. kept.Select(p => p.Band)], widening.Most),
                Left("The same for a cuff carried on, whose band begins at 8 mmHg", [.. kept.Select(p => p.Cuff)], widening.Most),
                new StudyTable("Task by task", headings,
                    [.. kept.GroupBy(p => (p.Task, Bin: Bin(p))).OrderBy(g => g.Key.Task, StringComparer.Ordinal)
                    .ThenBy(g => g.Key.Bin).Select(g => Row(g.Key.Task, g.Key.Bin, [.. g]))])],
            Everything = new StudyTable("everything", ["subject", "task", "minutes", "wave_mmhg", "sbp_mmhg", "dbp_mmhg", "cuff_sbp_mmhg",
                "cuff_dbp_mmhg", "paired_mmhg", "inside"], [.. kept.Select(p => (IReadOnlyList<string>)[p.Subject, p.Task, .. ((double[])
                [p.Minutes, p.Wave, p.Systolic, p.Diastolic, p.CuffSystolic, p.CuffDiastolic, p.Fresh,
                    BandGrowth.Held(p.Band, Added(p))])
                    .Select(x => x.ToString("G4", CultureInfo.InvariantCulture))])]),
            Verdict = kept.Length == 0 ? "Nothing could be paired." : string.Create(CultureInfo.InvariantCulture,
                $"Systolic pressure errs by {By(kept, p => p.Systolic).Mean:0.0} mmHg, a cuff carried on by "
                + $"{By(kept, p => p.CuffSystolic).Mean:0.0}; the "
                + $"band holds {100 * BandGrowth.Held(kept.Select(p => p.Band), widening.Growth, widening.Most):0}%."),
            TotalSeconds = seconds,
        };
    }
}
