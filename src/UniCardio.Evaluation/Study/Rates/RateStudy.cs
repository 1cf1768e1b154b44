using System.Diagnostics;
using System.Globalization;
using UniCardio.Engine.Model;
using UniCardio.Evaluation.Cases;
using UniCardio.Evaluation.Reports;
using UniCardio.Pipeline;
using UniCardio.Signals.Patient;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Evaluation.Study.Rates;

/// <summary>The fused heart rate under episodes of bad signal, beside each signal alone and published rules.</summary>
/// <remarks>
/// Reference: the rate of the clean ECG, where no clean pulse wave of index 0.9 contradicts it by more than 5 bpm (an electrocautery's
/// spikes are no beats, a pulse that an early beat does not make is none).
/// Each signal is spoiled for 25, 50 and 75% of the time (<see cref="MarkovCorruption"/>), once each by itself and once all at the same
/// time. The fusion's constants were chosen on synthetic subjects.
/// </remarks>
internal static class RateStudy
{
    private const double Wrong = 5, Interval = 1.645, Alike = 0.9;
    private static readonly double[] s_duties = [0.25, 0.5, 0.75];
    private static readonly string[] s_rivals = ["switching", "SQI-Kalman", "mean", "median", "best single", "oracle"];

    private sealed record Line
    {
        public required string Recording { get; init; }
        public required string Subject { get; init; }
        public required bool Jointly { get; init; }
        public required double Duty { get; init; }
        public required double Good { get; init; }
        public required double Ours { get; init; }
        public required double P95 { get; init; }
        public required double Far { get; init; }
        public required double Abstained { get; init; }
        public required double Covered { get; init; }
        public required double Auroc { get; init; }
        public required double Clean { get; init; }
        public required double[] Rivals { get; init; }
        public required double[] RivalsWhereWe { get; init; }
    }

    /// <summary>Measures.</summary>
    /// <param name="recordings">Recordings; those without an ECG and another signal, or shorter than 60 s, take no part.</param>
    /// <param name="with">What is measured with.</param>
    /// <param name="seed">Draws the episodes.</param>
    /// <param name="progress">Told after every recording.</param>
    /// <param name="cancellation">Looked at before every recording.</param>
    public static StudyReport Run(IReadOnlyList<EvaluationRecording> recordings, EvaluationSubject with, ulong seed,
        IProgress<EvaluationProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(recordings);
        long start = Stopwatch.GetTimestamp();
        var lines = new List<Line>();
        EvaluationRecording[] fit = [.. recordings.Where(r => r.Signals.Contains(Modality.Ecg) && r.Signals.Count() > 1
            && r.Seconds >= 60)];
        for (int i = 0; i < fit.Length; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            progress?.Report(new EvaluationProgress(i / (double)fit.Length, fit[i].Name, i, fit.Length));
            double[] reference = Reference(fit[i]);
            foreach (bool jointly in (bool[])[false, true])
            {
                foreach (double duty in s_duties)
                    lines.Add(Measure(fit[i], reference, jointly, duty, CounterRandom.Derive(seed, (ulong)i)));
            }
        }

        return Report(lines, fit, with, seed, Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    // The clean ECG's rate; NaN where a clean pulse wave contradicts it by more than 5 bpm: nobody knows who is right.
    private static double[] Reference(EvaluationRecording recording)
    {
        BeatQuality Of(Modality m) => BeatQuality.Of(NetworkSignal.KindOf(m), recording.Signal(m), NetworkSignal.Rate);
        double[] rate = Of(Modality.Ecg).Rate;
        BeatQuality[] pulses = [.. ((Modality[])[Modality.Bp, Modality.Ppg]).Where(m => recording.Signals.Contains(m)).Select(Of)];
        for (int s = 0; s < rate.Length; s++)
        {
            if (pulses.Any(p => p.Index[s] >= Alike && Math.Abs(p.Rate[s] - rate[s]) > Wrong))
                rate[s] = double.NaN;
        }

        return rate;
    }

    private static Line Measure(EvaluationRecording recording, double[] reference, bool jointly, double duty, ulong seed)
    {
        ulong drawn = CounterRandom.Derive(seed, (ulong)(100 * duty) + (jointly ? 1000u : 0));
        int seconds = (int)recording.Seconds;
        // In order of trust: ECG, pressure, PPG.
        Modality[] order = [.. ((Modality[])[Modality.Ecg, Modality.Bp, Modality.Ppg]).Where(m => recording.Signals.Contains(m))];
        BeatQuality[] seen = [.. order.Select(m => BeatQuality.Of(NetworkSignal.KindOf(m), MarkovCorruption.Apply(m, recording.Signal(m),
            MarkovCorruption.Episodes(seconds, duty, jointly ? drawn : CounterRandom.Derive(drawn, (ulong)m)),
            CounterRandom.Derive(drawn, 10 + (ulong)m)), NetworkSignal.Rate))];
        HeartRateTrack ours = FusedHeartRate.Fuse(seen);
        double[] clean = BeatQuality.Of(Signals.ChannelKind.Ecg, recording.Signal(Modality.Ecg), NetworkSignal.Rate).Rate;
        int[] asked = [.. Enumerable.Range(10, Math.Max(0, Math.Min(seconds, reference.Length) - 10)).Where(s =>
            !double.IsNaN(reference[s]))];
        double[][] rivals =
        [
            FusedHeartRate.Switch(seen), FusedHeartRate.Kalman(seen), Each(seconds, seen, r => r.Average()), Each(seconds, seen, Median),
        ];
        double[] Errors(double[] rate, IEnumerable<int> where) =>
            [.. where.Where(s => !double.IsNaN(rate[s])).Select(s => Math.Abs(rate[s] - reference[s]))];
        double Mae(double[] rate, IEnumerable<int> where) => Errors(rate, where) is { Length: > 0 } e ? e.Average() : double.NaN;
        int[] answered = [.. asked.Where(s => !double.IsNaN(ours.Rate[s]))];
        double[] errors = [.. Errors(ours.Rate, answered).Order()];
        // A signal that shows no rate for a while stands at its last one, as a monitor does.
        double[][] held = [.. seen.Select(q => Held(q.Rate))];
        double Best(IEnumerable<int> where) => held.Select(rate => Mae(rate,
            where)).Where(double.IsFinite).DefaultIfEmpty(double.NaN).Min();
        double[] oracle = [.. Enumerable.Range(0, seconds).Select(s => seen.Select(q => q.Rate[s]).Where(x => !double.IsNaN(x))
            .DefaultIfEmpty(double.NaN).MinBy(x => Math.Abs(x - (s < reference.Length ? reference[s] : double.NaN))))];
        double[] Of(IEnumerable<int> where) => [.. rivals.Select(r => Mae(r, where)), Best(where), Mae(oracle, where)];
        return new Line
        {
            Recording = recording.Name,
            Subject = recording.Subject,
            Jointly = jointly,
            Duty = duty,
            Good = answered.Length / (double)Math.Max(1, asked.Length),
            Ours = errors.Length == 0 ? double.NaN : errors.Average(),
            P95 = errors.Length == 0 ? double.NaN : errors[(int)(0.95 * (errors.Length - 1))],
            Far = errors.Length == 0 ? double.NaN : errors.Count(e => e > Wrong) / (double)errors.Length,
            Abstained = 1 - (answered.Length / (double)Math.Max(1, asked.Length)),
            Covered = answered.Length == 0 ? double.NaN
                : answered.Count(s => Math.Abs(ours.Rate[s] - reference[s]) <= Interval * ours.Deviation[s]) / (double)answered.Length,
            Auroc = Auroc(seen, reference, asked),
            Clean = Mae(clean, asked),
            Rivals = Of(asked),
            RivalsWhereWe = Of(answered),
        };
    }

    private static double[] Held(double[] rate)
    {
        double[] held = [.. rate];
        for (int s = 1; s < held.Length; s++)
            held[s] = double.IsNaN(held[s]) ? held[s - 1] : held[s];
        return held;
    }

    private static double[] Each(int seconds, BeatQuality[] seen, Func<double[], double> of) => [.. Enumerable.Range(0, seconds)
        .Select(s => seen.Select(q => q.Rate[s]).Where(x => !double.IsNaN(x)).ToArray() is { Length: > 0 } all ? of(all) : double.NaN)];

    private static double Median(double[] values)
    {
        double[] sorted = [.. values.Order()];
        return 0.5 * (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]);
    }

    // How well the index tells a second whose rate is off by more than 5 bpm: the share of pairs in order (Mann and Whitney), ties half.
    private static double Auroc(BeatQuality[] seen, double[] reference, int[] asked)
    {
        var right = new List<double>();
        var wrong = new List<double>();
        foreach (BeatQuality q in seen)
        {
            foreach (int s in asked.Where(s => !double.IsNaN(q.Rate[s])))
                (Math.Abs(q.Rate[s] - reference[s]) > Wrong ? wrong : right).Add(q.Index[s]);
        }

        if (right.Count == 0 || wrong.Count == 0)
            return double.NaN;
        right.Sort();
        double[] sorted = [.. right];
        double sum = 0;
        foreach (double w in wrong)
        {
            int below = Array.BinarySearch(sorted, w), above = below;
            if (below < 0)
            {
                sum += sorted.Length - ~below;
                continue;
            }

            while (below > 0 && sorted[below - 1] == w)
                below--;
            while (above + 1 < sorted.Length && sorted[above + 1] == w)
                above++;
            sum += sorted.Length - above - 1 + (0.5 * (above - below + 1));
        }

        return sum / wrong.Count / sorted.Length;
    }

    private static StudyReport Report(List<Line> lines, EvaluationRecording[] recordings, EvaluationSubject with, ulong seed,
        double seconds)
    {
        string[] headings = ["spoiled", "% of time", "subjects", "ours bpm", "95% bpm", "> 5 bpm %", "abstains %", "90% interval holds %",
            "AUROC of index", .. s_rivals.Select(r => r + " bpm"), "switching - ours", "SQI-Kalman - ours"];
        IReadOnlyList<string> Row(string first, IReadOnlyList<Line> some)
        {
            string Mean(Func<Line, double> of, string format) =>
                some.Select(of).Where(double.IsFinite).ToArray() is { Length: > 0 } all ? ReportTable.Text(all.Average(), format) : "-";
            string Gain(int rival) => Subjects(some, l => l.RivalsWhereWe[rival] - l.Ours) is { Count: > 0 } gains
                ? SubjectInterval.Of(gains, seed).ToText("+0.0;-0.0;0.0") : "-";
            return
            [
                first, ReportTable.Text(100 * some[0].Duty, "0"), ReportTable.Text(some.Select(l => l.Subject).Distinct().Count(), "0"),
                Subjects(some, l => l.Ours) is { Count: > 0 } ours ? SubjectInterval.Of(ours, seed).ToText("0.00") : "-", Mean(l => l.P95,
                    "0.0"),
                Mean(l => 100 * l.Far, "0.0"), Mean(l => 100 * l.Abstained, "0"), Mean(l => 100 * l.Covered, "0"), Mean(l => l.Auroc,
                    "0.00"),
                .. s_rivals.Select((_, r) => Mean(l => l.Rivals[r], "0.0")), Gain(0), Gain(1),
            ];
        }

        return new StudyReport
        {
            Title = "Fused heart rate under episodes of bad signal",
            With = with,
            Settings = string.Create(CultureInfo.InvariantCulture, $"episodes of 20 s in the mean, seed {seed}"),
            Subjects = EvaluationReport.KeptApart(recordings, with),
            Measures =
            [
                "Rate each second over the last 10 s; reference: the clean ECG's, where no clean pulse wave contradicts it. Ours "
                    + "answers where an index reaches 0.5 and abstains "
                    + "elsewhere; "
                + "its MAE is over the seconds in which it answers. Rivals' MAE is over all seconds in which they have a rate (they never "
                + "abstain); the last two columns are over the seconds in which ours answers, with 95% bootstrap intervals over subjects.",
                "Bad signal: motion, muscle and white noise at 10 to -10 dB, missing, clipped, flushed, damped. Best single: chosen "
                    + "afterwards; it holds its last rate where it shows none.",
            ],
            Tables =
            [
                new StudyTable("Over the subjects", headings, [.. lines.GroupBy(l => (l.Jointly, l.Duty))
                    .Select(g => Row(g.Key.Jointly ? "all at once" : "each by itself", [.. g]))]),
                new StudyTable("Recording by recording", headings, [.. lines.Select(l =>
                    Row($"{l.Recording}, {(l.Jointly ? "all at once" : "each by itself")}", [l]))]),
            ],
            Everything = new StudyTable("everything", ["recording", "subject", "jointly", "duty", "mae_bpm", "p95_bpm", "over_5_bpm",
                "abstained",
                "covered_90", "auroc", .. s_rivals.Select(r => r.Replace(' ', '_') + "_bpm")], [.. lines.Select(l => (IReadOnlyList<string>)
                [l.Recording, l.Subject, l.Jointly ? "1" : "0", Number(l.Duty), Number(l.Ours), Number(l.P95), Number(l.Far),
                    Number(l.Abstained), Number(l.Covered), Number(l.Auroc), .. l.Rivals.Select(Number)])]),
            Verdict = Verdict(lines),
            TotalSeconds = seconds,
        };
    }

    private static string Verdict(List<Line> lines)
    {
        Line[] some = [.. lines.Where(l => !l.Jointly && l.Duty == 0.25 && double.IsFinite(l.Ours))];
        return some.Length == 0 ? "Nothing answered." : string.Create(CultureInfo.InvariantCulture,
            $"Where it answers it errs by {lines.Where(l => double.IsFinite(l.Ours)).Average(l => l.Ours):0.00} bpm over all cases; at "
                + $"25% each by "
            + $"itself by {some.Average(l => l.Ours):0.00}, the best single signal by {some.Average(l => l.Rivals[4]):0.00}.");
    }

    private static List<double> Subjects(IReadOnlyList<Line> lines, Func<Line, double> of) =>
        [.. lines.Where(l => double.IsFinite(of(l))).GroupBy(l => l.Subject).Select(g => g.Average(of))];

    private static string Number(double value) => double.IsNaN(value) ? "" : value.ToString("G5", CultureInfo.InvariantCulture);
}
