using UniCardio.Pipeline;
using UniCardio.Signals;
using UniCardio.Signals.Beats;
using UniCardio.Signals.Patient;
using UniCardio.Signals.Processing;
using UniCardio.Signals.Quality;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Evaluation.Quality;

/// <summary>A second of a signal: what each index says of it and whether the heart rate was wrong there.</summary>
/// <param name="Subject">Whose it is.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Duty">Share of time that was spoiled; 0: as recorded.</param>
/// <param name="HasRate">Whether the product's detector gives a rate.</param>
/// <param name="Wrong">Whether that rate is off by more than 5 bpm; true without one.</param>
/// <param name="SimpleWrong">The same of the two-average detector, which never abstains.</param>
/// <param name="Scores">One for each of <see cref="QualityStudy.Scores"/>; NaN where there is no network.</param>
internal sealed record QualityCase(string Subject, ChannelKind Kind, double Duty, bool HasRate, bool Wrong, bool SimpleWrong,
    double[] Scores);

/// <summary>One line: how well a score tells wrong rates.</summary>
/// <param name="Kind">Of which signals; null: all.</param>
/// <param name="Score">Which score.</param>
/// <param name="Cases">Seconds.</param>
/// <param name="WrongShare">Share of them whose rate is wrong.</param>
/// <param name="Auroc">Area under the curve; NaN where all or none is wrong.</param>
/// <param name="Low">2.5% of the area, subjects drawn with replacement.</param>
/// <param name="High">97.5%.</param>
internal sealed record QualityLine(ChannelKind? Kind, string Score, int Cases, double WrongShare, double Auroc, double Low, double High);

/// <summary>Does an index tell where a heart rate is wrong? Recordings as they are and spoiled in stretches of 20 s, a quarter, half and
/// three quarters of the time; the rate of ten seconds, each second, against that of known beats or of the clean ECG.</summary>
internal static class QualityStudy
{
    private const double MeanEpisode = 20;
    private static readonly double[] s_duties = [0, 0.25, 0.5, 0.75];

    /// <summary>The product's index, the published ones, and, where there is one, the network's, the mean of index and network, and the
    /// network's in one pass over the recording.</summary>
    public static IReadOnlyList<string> Scores { get; } = ["index", .. PublishedIndices.Names, "network", "both", "one pass"];

    /// <summary>Makes the cases.</summary>
    /// <param name="recordings">Recordings and whose they are; those without an ECG or known beats give nothing.</param>
    /// <param name="reader">The network; null for none.</param>
    /// <param name="seed">Of what spoils.</param>
    /// <param name="note">Told how it goes.</param>
    /// <param name="cancellation">Stops the work.</param>
    public static IReadOnlyList<QualityCase> Cases(IEnumerable<(Recording Recording, string Subject)> recordings, QualityReader? reader,
        ulong seed, Action<string>? note = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(recordings);
        var cases = new List<QualityCase>();
        int number = 0;
        foreach ((Recording recording, string subject) in recordings)
        {
            ulong own = CounterRandom.Derive(seed, (ulong)number++);
            var signals = new Dictionary<ChannelKind, float[]>();
            foreach (ChannelKind kind in (ChannelKind[])[ChannelKind.Ppg, ChannelKind.BloodPressure, ChannelKind.Ecg])
            {
                if (recording.Find(kind) is { } channel && channel.SampleRate >= BeatDetector.MinRate(kind))
                    signals[kind] = QualityTrack.AtWorkRate(channel.Samples.Span, channel.SampleRate, cancellation);
            }

            if (signals.Count == 0 || Reference(recording, signals, cancellation) is not double[] known)
                continue;
            foreach (double duty in s_duties)
                cases.AddRange(Copy(subject, recording, signals, known, reader, (duty, CounterRandom.Derive(own, (ulong)(100 * duty))),
                    cancellation));
            note?.Invoke($"{recording.Name}: {cases.Count} seconds so far");
        }

        return cases;
    }

    private static IEnumerable<QualityCase> Copy(string subject, Recording recording, Dictionary<ChannelKind, float[]> signals,
        double[] known, QualityReader? reader, (double Duty, ulong Seed) copy, CancellationToken cancellation)
    {
        var spoiled = new Dictionary<ChannelKind, float[]>();
        foreach ((ChannelKind kind, float[] clean) in signals)
        {
            float[] made = [.. clean];
            CorruptionEpisodes.Apply(made, kind, QualityTrack.WorkRate, copy.Duty, MeanEpisode, CounterRandom.Derive(copy.Seed,
                (ulong)kind));
            spoiled[kind] = made;
        }

        Dictionary<ChannelKind, QualityTrack> tracks = spoiled.ToDictionary(s => s.Key, s => QualityTrack.Of(s.Key, s.Value,
            QualityTrack.WorkRate, recording.Find(s.Key)!.Unit, cancellation));
        var read = new Dictionary<ChannelKind, (QualityReading Windows, QualityReading Whole)>();
        foreach ((ChannelKind kind, QualityTrack track) in tracks)
        {
            double[] simple = SimpleRate(spoiled[kind], track);
            (float[] Windows, float[] Whole)? network = Readable(reader, kind, tracks, read, cancellation);
            for (int s = PublishedIndices.WindowSeconds; s < Math.Min(track.Seconds, known.Length); s++)
            {
                if (double.IsNaN(known[s]))
                    continue;
                double rate = track.Heart.Rate[s];
                yield return new QualityCase(subject, kind, copy.Duty, !double.IsNaN(rate),
                    !(Math.Abs(rate - known[s]) <= QualityLabels.RightRate), !(Math.Abs(simple[s] - known[s]) <= QualityLabels.RightRate),
                    [track.Index[s], .. track.Indices[s].Values, .. network is not { } n || s >= n.Windows.Length
                        ? [double.NaN, double.NaN, double.NaN]
                        : (double[])[n.Windows[s], (track.Index[s] + n.Windows[s]) / 2, n.Whole[s]]]);
            }
        }
    }

    // An ECG stands beside the first pulse, a pulse beside the ECG: each pair is read once.
    private static (float[] Windows, float[] Whole)? Readable(QualityReader? reader, ChannelKind kind,
        Dictionary<ChannelKind, QualityTrack> tracks, Dictionary<ChannelKind, (QualityReading Windows, QualityReading Whole)> read,
        CancellationToken cancellation)
    {
        if (reader is null)
            return null;
        bool ecg = kind == ChannelKind.Ecg;
        ChannelKind beside = !ecg ? kind : tracks.ContainsKey(ChannelKind.Ppg) ? ChannelKind.Ppg : ChannelKind.BloodPressure;
        if (!read.TryGetValue(beside, out (QualityReading Windows, QualityReading Whole) pair))
        {
            QualityTrack? pulse = tracks.GetValueOrDefault(beside), lead = tracks.GetValueOrDefault(ChannelKind.Ecg);
            read[beside] = pair = (reader.Read(pulse, lead, cancellation), reader.ReadInOnePass(pulse, lead, out _));
        }

        return (pair.Windows.Readable[ecg ? 1 : 0], pair.Whole.Readable[ecg ? 1 : 0]);
    }

    private static double[] SimpleRate(float[] signal, QualityTrack track)
    {
        float[] bridged = QualityFeatures.Bridge(signal);
        var beats = TwoAverageDetector.Find(bridged, QualityTrack.WorkRate, track.Beats.Kind, track.Beats.IsInverted)
            .Select(b => new Beat(b, b, 0, 0, 1)).ToList();
        return BeatQuality.Read(track.Beats with { Beats = beats }, track.Seconds, QualityTrack.WorkRate).Heart.Rate;
    }

    // Rates of annotated beats, or of the clean ECG's where another signal agrees to 5 bpm; null without either.
    private static double[]? Reference(Recording recording, Dictionary<ChannelKind, float[]> signals, CancellationToken cancellation)
    {
        int seconds = signals.Values.Max(s => s.Length) / QualityTrack.WorkRate;
        Annotation[] beats = [.. recording.Annotations.Where(a => a.IsBeat)];
        if (beats.Length > 0)
            return Rates([.. beats.Select(b => b.TimeSeconds)], seconds);
        if (!signals.TryGetValue(ChannelKind.Ecg, out float[]? ecg) || signals.Count < 2)
            return null;
        double[] known = Rates(BeatSeries.Of(ecg, QualityTrack.WorkRate, ChannelKind.Ecg, cancellation: cancellation).Times(), seconds);
        double[][] others = [.. signals.Where(s => s.Key != ChannelKind.Ecg).Select(s =>
            BeatQuality.Read(BeatSeries.Of(s.Value, QualityTrack.WorkRate, s.Key, cancellation: cancellation), seconds,
                QualityTrack.WorkRate).Heart.Rate)];
        for (int s = 0; s < seconds; s++)
        {
            if (!others.Any(o => Math.Abs(o[s] - known[s]) <= QualityLabels.RightRate))
                known[s] = double.NaN;
        }

        return known;
    }

    /// <summary>Rates of known beats.</summary>
    internal static double[] Rates(double[] times, int seconds) => BeatQuality.Read(
        new BeatSeries(ChannelKind.Ecg, QualityTrack.WorkRate, [.. times.Select(t =>
        {
            long at = (long)Math.Round(t * QualityTrack.WorkRate);
            return new Beat(at, at, 0, 0, 1);
        })], false, NoBeatReason.None), seconds, QualityTrack.WorkRate).Heart.Rate;

    /// <summary>Areas under the curve with intervals over subjects.</summary>
    /// <param name="cases">The cases.</param>
    /// <param name="wrong">What is to be told; by default where the product's rate is wrong.</param>
    /// <param name="resamples">Draws of subjects for the intervals.</param>
    public static IReadOnlyList<QualityLine> Lines(IReadOnlyList<QualityCase> cases, Func<QualityCase, bool>? wrong = null,
        int resamples = 200)
    {
        ArgumentNullException.ThrowIfNull(cases);
        wrong ??= c => c.Wrong;
        var lines = new List<QualityLine>();
        foreach (ChannelKind? kind in (ChannelKind?[])[null, ChannelKind.Ecg, ChannelKind.Ppg, ChannelKind.BloodPressure])
        {
            QualityCase[] own = [.. cases.Where(c => kind is null || c.Kind == kind)];
            if (own.Length == 0)
                continue;
            QualityCase[][] subjects = [.. own.GroupBy(c => c.Subject).Select(g => g.ToArray())];
            for (int i = 0; i < Scores.Count; i++)
            {
                if (own.All(c => double.IsNaN(c.Scores[i])))
                    continue;
                double area = Area(own, i, wrong);
                (double low, double high) = Interval(subjects, i, wrong, resamples);
                lines.Add(new QualityLine(kind, Scores[i], own.Length, own.Count(wrong) / (double)own.Length, area, low, high));
            }
        }

        return lines;
    }

    private static (double Low, double High) Interval(QualityCase[][] subjects, int score, Func<QualityCase, bool> wrong, int resamples)
    {
        if (subjects.Length < 2)
            return (double.NaN, double.NaN);
        var random = new CounterRandom(0xB007, (ulong)score);
        double[] areas = new double[resamples];
        for (int r = 0; r < resamples; r++)
        {
            var drawn = new List<QualityCase>();
            for (int k = 0; k < subjects.Length; k++)
                drawn.AddRange(subjects[(int)(random.NextDouble() * subjects.Length)]);
            areas[r] = Area(drawn, score, wrong);
        }

        double[] sorted = [.. areas.Where(double.IsFinite).Order()];
        return sorted.Length == 0 ? (double.NaN, double.NaN)
            : (sorted[(int)(0.025 * (sorted.Length - 1))], sorted[(int)(0.975 * (sorted.Length - 1))]);
    }

    private static double Area(IReadOnlyList<QualityCase> cases, int score, Func<QualityCase, bool> wrong)
    {
        double[] scores = new double[cases.Count];
        bool[] right = new bool[cases.Count];
        for (int i = 0; i < scores.Length; i++)
            (scores[i], right[i]) = (cases[i].Scores[score], !wrong(cases[i]));
        return RankOrder.Auroc(scores, right) ?? double.NaN;
    }
}
