using System.Diagnostics;
using System.Globalization;
using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.Statistics;
using UniCardio.Engine.Model;
using UniCardio.Evaluation.Cases;
using UniCardio.Evaluation.Measures;
using UniCardio.Evaluation.Reports;
using UniCardio.Pipeline;
using UniCardio.Signals.Beats;
using UniCardio.Signals.Processing;

namespace UniCardio.Evaluation.Study.Levels;

/// <summary>Whether what scaling a window throws away, its level and gain, tells the pressure: a regression of each person's own, fitted
/// to the first half of the recording and asked about the second, beside the last value carried on.</summary>
/// <remarks>
/// Windows of 4 s, end to end, all signals clean. Ridge regression on standardised inputs. A regression tells changes: what it says is
/// moved so that it agrees with the pressure of the last three windows of the first half, which is what is carried on otherwise.
/// </remarks>
internal static class LevelStudy
{
    private const double Ridge = 0.1;
    private const int MinWindows = 24, Last = 3, Block = 5;

    private static readonly (string Name, string[] Inputs)[] s_sets =
    [
        ("level and gain of PPG", ["ppg_level", "ppg_gain"]),
        ("level and gain of ECG", ["ecg_level", "ecg_gain"]),
        ("level and gain of both", ["ppg_level", "ppg_gain", "ecg_level", "ecg_gain"]),
        ("pulse delay", ["delay"]),
        ("heart rate", ["rate"]),
        ("all", ["ppg_level", "ppg_gain", "ecg_level", "ecg_gain", "delay", "rate"]),
    ];

    // One person, pressure and set of inputs, over the second half.
    private sealed record Line(string Subject, string Pressure, string Inputs, int Windows, double Correlation,
        (double Held, double Told) Rmse, SubjectInterval Change);

    /// <summary>Measures.</summary>
    /// <param name="recordings">Recordings; those without a pressure and another signal, or of fewer than 24 clean windows, take no
    /// part.</param>
    /// <param name="with">What is said of weights; none are used.</param>
    /// <param name="seed">Draws the intervals.</param>
    /// <param name="cancellation">Looked at before every recording.</param>
    public static StudyReport Run(IReadOnlyList<EvaluationRecording> recordings, EvaluationSubject with, ulong seed,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(recordings);
        long start = Stopwatch.GetTimestamp();
        var lines = new List<Line>();
        foreach (EvaluationRecording recording in recordings.Where(r => r.Signals.Contains(Modality.Bp) && r.Signals.Count() > 1))
        {
            cancellation.ThrowIfCancellationRequested();
            Dictionary<string, double>[] windows = [.. WindowSelection.Choose(recording, (int)(4 * NetworkSignal.Rate), int.MaxValue)
                .Windows.Select(w => Inputs(recording, w)).OfType<Dictionary<string, double>>()];
            if (windows.Length < MinWindows)
                continue;
            foreach (string pressure in (string[])["systolic", "diastolic"])
            {
                foreach ((string name, string[] inputs) in s_sets.Where(s => s.Inputs.All(windows[0].ContainsKey)))
                    lines.Add(Tell(recording.Subject, windows, pressure, (name, inputs), seed));
            }
        }

        return Report(lines, recordings, with, seed, Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    // Pressures and inputs of a window; null where one of them cannot be read.
    private static Dictionary<string, double>? Inputs(EvaluationRecording recording, SampleRange window)
    {
        float[] Cut(Modality m) => recording.Signal(m).Slice(window.Start, window.Length).ToArray();
        int[] Peaks(Modality m) => [.. recording.BeatsOf(m).Where(window.Contains)];
        PressureReading pressure = PressureReading.Of(Beats.Find(Modality.Bp, Cut(Modality.Bp)), new SampleRange(0, window.Length));
        if (pressure is not { Systolic: { } systolic, Diastolic: { } diastolic })
            return null;
        var read = new Dictionary<string, double>(StringComparer.Ordinal) { ["systolic"] = systolic, ["diastolic"] = diastolic };
        foreach (Modality modality in (Modality[])[Modality.Ppg, Modality.Ecg])
        {
            if (!recording.Signals.Contains(modality))
                continue;
            float[] signal = Cut(modality);
            read[$"{modality.Name()}_level"] = signal.Average();
            read[$"{modality.Name()}_gain"] = signal.Max() - signal.Min();
        }

        int[] beats = Peaks(Modality.Bp);
        if (beats.Length < 2)
            return null;
        read["rate"] = 60 * NetworkSignal.Rate * (beats.Length - 1) / (beats[^1] - beats[0]);
        if (!recording.Signals.Contains(Modality.Ppg) || !recording.Signals.Contains(Modality.Ecg))
            return read;

        // From the R peak before to the pulse's peak.
        double[] delays = [.. Peaks(Modality.Ppg).Select(p => (Pulse: p, R: recording.BeatsOf(Modality.Ecg).LastOrDefault(r => r < p, -1)))
            .Where(d => d.R >= 0 && d.Pulse - d.R < 1.5 * NetworkSignal.Rate).Select(d => (d.Pulse - d.R) / NetworkSignal.Rate)];
        if (delays.Length == 0)
            return null;
        read["delay"] = delays.Median();
        return read;
    }

    private static Line Tell(string subject, Dictionary<string, double>[] windows, string pressure, (string Name, string[] Keys) inputs,
        ulong seed)
    {
        int half = windows.Length / 2;
        Dictionary<string, double>[] first = windows[..half], second = windows[half..];
        double[] truth = [.. second.Select(w => w[pressure])];
        Func<Dictionary<string, double>, double> regression = Fit(first, pressure, inputs.Keys);
        double held = first[^Last..].Average(w => w[pressure]), at = first[^Last..].Average(regression);
        double[] told = [.. second.Select(w => held + regression(w) - at)];
        double[] lost = [.. truth.Select(x => (x - held) * (x - held))], left = [.. truth.Select((x, i) => (told[i] - x) * (told[i] - x))];
        return new Line(subject, pressure, inputs.Name, second.Length, Correlation.Pearson(told, truth),
            (Math.Sqrt(lost.Average()), Math.Sqrt(left.Average())),
            SubjectInterval.Of([.. left.Select((x, i) => x - lost[i]).Chunk(Block).Where(b => b.Length == Block).Select(b => b.Average())],
                seed));
    }

    private static Func<Dictionary<string, double>, double> Fit(Dictionary<string, double>[] windows, string pressure, string[] keys)
    {
        double[] means = [.. keys.Select(k => windows.Average(w => w[k]))],
            spreads = [.. keys.Select(k => Math.Max(1e-9, windows.Select(w => w[k]).PopulationStandardDeviation()))];
        double mean = windows.Average(w => w[pressure]);
        Matrix<double> x = Matrix<double>.Build.Dense(windows.Length, keys.Length, (i, j) => (windows[i][keys[j]] - means[j]) / spreads[j]);
        Vector<double> y = Vector<double>.Build.Dense(windows.Length, i => windows[i][pressure] - mean);
        Matrix<double> square = x.TransposeThisAndMultiply(x)
            + (Matrix<double>.Build.DenseIdentity(keys.Length) * (Ridge * windows.Length));
        Vector<double> weights = square.Cholesky().Solve(x.TransposeThisAndMultiply(y));
        return window => mean + keys.Select((k, j) => weights[j] * (window[k] - means[j]) / spreads[j]).Sum();
    }

    private static StudyReport Report(List<Line> lines, IReadOnlyList<EvaluationRecording> recordings, EvaluationSubject with, ulong seed,
        double seconds)
    {
        Line[] levels = [.. lines.Where(l => l.Inputs.StartsWith("level", StringComparison.Ordinal))];
        string Better(IEnumerable<Line> some) => string.Create(CultureInfo.InvariantCulture,
            $"{some.Count(l => l.Change.High < 0)} better, {some.Count(l => l.Change.Low > 0)} worse, of {some.Count()}");
        return new StudyReport
        {
            Title = "Levels, gains and delays against the pressure",
            With = with,
            Settings = string.Create(CultureInfo.InvariantCulture, $"windows of 4 s, first half fitted, second told, seed {seed}"),
            Subjects = EvaluationReport.KeptApart(recordings, with),
            Measures =
            [
                "r: correlation of what is told with the pressure in the second half. held: root mean square error (mmHg) of the pressure "
                    + "of the last 12 s of the first half, carried on; told: of the regression, which starts from there.",
                "change: of the mean square (mmHg^2), told less held, with a 95% bootstrap interval over whole blocks of 20 s of this "
                    + "person.",
            ],
            Tables =
            [
                new StudyTable("Person by person",
                    ["person", "pressure", "inputs", "windows", "r", "held", "told", "told/held", "change"],
                    [.. lines.Select(l => (IReadOnlyList<string>)[l.Subject, l.Pressure, l.Inputs, ReportTable.Text(l.Windows, "0"),
                        ReportTable.Text(l.Correlation, "0.00"), ReportTable.Text(l.Rmse.Held, "0.0"), ReportTable.Text(l.Rmse.Told, "0.0"),
                        ReportTable.Text(l.Rmse.Told / l.Rmse.Held, "0.00"), l.Change.ToText("0.0")])]),
            ],
            Everything = new StudyTable("everything",
                ["subject", "pressure", "inputs", "windows", "r", "held_mmhg", "told_mmhg", "change", "change_low", "change_high"],
                [.. lines.Select(l => (IReadOnlyList<string>)[l.Subject, l.Pressure, l.Inputs, ReportTable.Text(l.Windows, "0"),
                    .. ((double[])[l.Correlation, l.Rmse.Held, l.Rmse.Told, l.Change.Mean, l.Change.Low, l.Change.High])
                        .Select(x => x.ToString("G4", CultureInfo.InvariantCulture))])]),
            Verdict = lines.Count == 0 ? "No recording holds 24 clean windows with a pressure."
                : $"Against the last value carried on: levels and gains {Better(levels)}; pulse delays "
                    + $"{Better(lines.Where(l => l.Inputs == "pulse delay"))}.",
            TotalSeconds = seconds,
        };
    }
}
