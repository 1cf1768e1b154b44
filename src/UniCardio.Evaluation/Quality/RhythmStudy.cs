using MathNet.Numerics.LinearAlgebra;
using UniCardio.Pipeline;
using UniCardio.Signals;
using UniCardio.Signals.Beats;
using UniCardio.Signals.Processing;
using UniCardio.Signals.Quality;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Evaluation.Quality;

/// <summary>A window whose rhythm is known.</summary>
/// <param name="Subject">Whose it is.</param>
/// <param name="Signal">What it was read from.</param>
/// <param name="Truth">The known rhythm.</param>
/// <param name="Told">What was told; null where it abstained.</param>
/// <param name="Fibrillation">Scores of fibrillation by <see cref="RhythmStudy.Scores"/>; NaN where there is none.</param>
internal sealed record RhythmCase(string Subject, string Signal, RhythmKind Truth, RhythmKind? Told, double[] Fibrillation);

/// <summary>How well rhythms are told, on synthetic hearts and on recordings with rhythm or beat labels.</summary>
internal static class RhythmStudy
{
    private const int Seconds = 30;

    /// <summary>The model's probability, published measures of irregularity, and the network's probability where there is one.</summary>
    public static IReadOnlyList<string> Scores { get; } = ["rhythm", "CV of RR", "RMSSD / RR", "entropy", "network"];

    /// <summary>Fits the model of a kind of signal on synthetic hearts.</summary>
    /// <param name="isEcg">Whether of an ECG, else of a PPG.</param>
    /// <param name="hearts">How many.</param>
    /// <param name="seed">Of the hearts.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <returns>[4][features + 1] coefficients.</returns>
    public static double[][] Fit(bool isEcg, int hearts, ulong seed, CancellationToken cancellation = default)
    {
        var rows = new List<(double[] X, int Class)>();
        var synthesizer = new CardiovascularSynthesizer();
        for (int i = 0; i < hearts; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            ulong own = CounterRandom.Derive(seed, (ulong)i);
            var random = new CounterRandom(own, 0x33);
            int window = 10 + (10 * (int)(3 * random.NextDouble()));
            (QualityTrack track, float[] signal, SyntheticRecording heart) = Heart(synthesizer, own, isEcg, ref random);
            Beat[] beats = [.. track.Beats.Beats.Where(b => b.Sample < window * QualityTrack.WorkRate)];
            double[] x = new double[RhythmFeatures.Count + 1];
            x[0] = 1;
            if (track.Index[window - 1] < QualityTrack.Readable
                || !RhythmFeatures.Write(beats, QualityFeatures.Bridge(signal), QualityTrack.WorkRate, isEcg, x.AsSpan(1)))
                continue;
            rows.Add((x, (int)RhythmDraw.TruthOf(heart, 0, window * QualityTrack.WorkRate)));
        }

        return Softmax(rows);
    }

    /// <summary>Synthetic hearts that no fit saw.</summary>
    /// <param name="hearts">How many.</param>
    /// <param name="reader">The network; null for none.</param>
    /// <param name="cancellation">Stops the work.</param>
    public static IReadOnlyList<RhythmCase> Synthetic(int hearts, QualityReader? reader, CancellationToken cancellation = default)
    {
        var cases = new List<RhythmCase>();
        var synthesizer = new CardiovascularSynthesizer();
        for (int i = 0; i < hearts; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            ulong own = CounterRandom.Derive(0x7E57, (ulong)i);
            var random = new CounterRandom(own, 0x33);
            _ = random.NextDouble();
            (QualityTrack ecg, float[] lead, SyntheticRecording heart) = Heart(synthesizer, own, true, ref random);
            (QualityTrack ppg, float[] pulse, _) = Heart(synthesizer, own, false, ref random);
            RhythmKind truth = RhythmDraw.TruthOf(heart, 0, Seconds * QualityTrack.WorkRate);
            IReadOnlyList<RhythmReading> one = RhythmReading.Of(ecg, lead, Seconds), other = RhythmReading.Of(ppg, pulse, Seconds),
                both = RhythmReading.Fuse([one, other], [true, false]);
            double network = reader?.Read(ppg, ecg, cancellation).Rhythm[Seconds / 2][1] ?? double.NaN;
            cases.Add(Case("synthetic", "ECG", truth, one[0], ecg, 0, network));
            cases.Add(Case("synthetic", "PPG", truth, other[0], ppg, 0, network));
            cases.Add(Case("synthetic", "both", truth, both[0], ecg, 0, network));
        }

        return cases;
    }

    /// <summary>Pulses alone, one window a heart, at a device's rate: what <c>rhythm</c> tells of a file of 10 to 30 s. Hearts that no fit
    /// saw, the same at every rate and length.</summary>
    /// <param name="hearts">How many.</param>
    /// <param name="rate">Samples a second.</param>
    /// <param name="seconds">Length of the window.</param>
    /// <param name="cancellation">Stops the work.</param>
    public static IReadOnlyList<RhythmCase> Pulses(int hearts, double rate, int seconds, CancellationToken cancellation = default)
    {
        var cases = new List<RhythmCase>();
        var synthesizer = new CardiovascularSynthesizer();
        for (int i = 0; i < hearts; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            ulong own = CounterRandom.Derive(0x7E59, (ulong)i);
            var rhythm = new CounterRandom(own, 0x34);
            SynthesisParameters parameters = RhythmDraw.Draw(SynthesisParameters.Draw(own, rate), ref rhythm);
            int samples = (int)(seconds * rate);
            SyntheticRecording heart = synthesizer.Generate(parameters, samples, own);
            float[] pulse = [.. heart.Ppg];
            var random = new CounterRandom(own, 0x35);
            SignalCorruption.Apply(pulse, rate, new NoiseParameters
            {
                SignalToNoiseDecibels = 15 + (20 * random.NextDouble()), BaselineWander = 0.3 * random.NextDouble(),
            }, own);
            QualityTrack track = QualityTrack.Of(ChannelKind.Ppg, pulse, rate, cancellation: cancellation);
            IReadOnlyList<RhythmReading> readings = RhythmReading.Of(track, track.Work, seconds, seconds);
            cases.Add(Case("synthetic", "PPG", RhythmDraw.TruthOf(heart, 0, samples), readings[0], track, 0, double.NaN));
        }

        return cases;
    }

    /// <summary>Windows of recordings with labels: of rhythm, "(AFIB" and "(AFL" fibrillation and others sinus, or of beats, ventricular
    /// and early ones ectopy. A window that changes between rhythms counts where four fifths are one.</summary>
    /// <param name="recordings">Recordings and whose they are.</param>
    /// <param name="reader">The network; null for none.</param>
    /// <param name="window">Seconds of a window.</param>
    /// <param name="cancellation">Stops the work.</param>
    public static IReadOnlyList<RhythmCase> Real(IEnumerable<(Recording Recording, string Subject)> recordings, QualityReader? reader,
        int window, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(recordings);
        var cases = new List<RhythmCase>();
        foreach ((Recording recording, string subject) in recordings)
        {
            if (!recording.Annotations.Any(a => a.IsBeat))
                continue;
            foreach (Channel channel in recording.Channels.Where(c => c.Kind == ChannelKind.Ecg))
            {
                QualityTrack track = QualityTrack.Of(channel, cancellation);
                float[][]? network = reader?.Read(null, track, cancellation).Rhythm;
                foreach (RhythmReading reading in RhythmReading.Of(track, track.Work, window, Math.Max(1, window / 2)))
                {
                    if (Truth(recording, reading.Start, reading.End) is RhythmKind truth)
                        cases.Add(Case(subject, channel.Name, truth, reading, track, (int)reading.Start,
                            network?[(int)(reading.Start + reading.End) / 2][1] ?? double.NaN));
                }
            }
        }

        return cases;
    }

    private static RhythmCase Case(string subject, string signal, RhythmKind truth, RhythmReading reading, QualityTrack track, int from,
        double network)
    {
        double[] f = new double[RhythmFeatures.Count];
        Beat[] beats = [.. track.Beats.Beats.Where(b => b.Sample >= from * QualityTrack.WorkRate
            && b.Sample < reading.End * QualityTrack.WorkRate)];
        bool enough = RhythmFeatures.Write(beats, [], QualityTrack.WorkRate, false, f);
        return new RhythmCase(subject, signal, truth, reading.Kind, reading.Shares.Length == 0 || !enough ? [double.NaN, double.NaN,
            double.NaN, double.NaN, network] : [reading.Shares[1], f[0], f[1], f[2], network]);
    }

    /// <summary>Whether a recording's beats or rhythms are labelled.</summary>
    internal static bool HasLabels(Recording recording) => recording.Annotations.Any(n => n.IsBeat);

    // Null where the window is of no one rhythm.
    internal static RhythmKind? Truth(Recording recording, double start, double end)
    {
        double fibrillating = 0, at = 0;
        bool now = false;
        foreach (Annotation a in recording.Annotations.Where(a => a.Text.StartsWith('(')))
        {
            fibrillating += now ? Math.Max(0, Math.Min(end, a.TimeSeconds) - Math.Max(start, at)) : 0;
            (now, at) = (a.Text.StartsWith("(AFIB", StringComparison.Ordinal) || a.Text.StartsWith("(AFL", StringComparison.Ordinal),
                a.TimeSeconds);
        }

        fibrillating += now ? Math.Max(0, end - Math.Max(start, at)) : 0;
        double share = fibrillating / (end - start);
        if (share > 0.8)
            return RhythmKind.AtrialFibrillation;
        if (share > 0.2)
            return null;
        Annotation[] beats = [.. recording.Annotations.Where(a => a.IsBeat && a.TimeSeconds >= start && a.TimeSeconds < end)];
        return beats.Any(b => b.Symbol is "V" or "A" or "a" or "S" or "J" or "F" or "E") ? RhythmKind.Ectopy : RhythmKind.Sinus;
    }

    private static (QualityTrack Track, float[] Signal, SyntheticRecording Heart) Heart(CardiovascularSynthesizer synthesizer, ulong seed,
        bool isEcg, ref CounterRandom random)
    {
        var rhythm = new CounterRandom(seed, 0x34);
        SynthesisParameters parameters = RhythmDraw.Draw(SynthesisParameters.Draw(seed, QualityTrack.WorkRate), ref rhythm);
        SyntheticRecording heart = synthesizer.Generate(parameters, Seconds * QualityTrack.WorkRate, seed);
        float[] signal = [.. isEcg ? heart.Ecg : heart.Ppg];
        double size = random.NextDouble();
        ulong own = CounterRandom.Derive(seed, isEcg ? 1UL : 2);
        SignalCorruption.Apply(signal, QualityTrack.WorkRate, new NoiseParameters
        {
            SignalToNoiseDecibels = 10 + (25 * random.NextDouble()), BaselineWander = 0.8 * size * size,
            MuscleNoise = isEcg ? 0.2 * size : 0,
        }, own);
        if (random.NextDouble() < 0.3)
            CorruptionEpisodes.Apply(signal, isEcg ? ChannelKind.Ecg : ChannelKind.Ppg, QualityTrack.WorkRate, 0.2, 3, own);
        return (QualityTrack.Of(isEcg ? ChannelKind.Ecg : ChannelKind.Ppg, signal, QualityTrack.WorkRate), signal, heart);
    }

    // Newton's method on the ridge-penalised likelihood; classes weigh alike, the first has row 0.
    private static double[][] Softmax(List<(double[] X, int Class)> rows)
    {
        int n = RhythmFeatures.Count + 1, m = 3 * n;
        double[] counts = new double[4];
        foreach ((_, int c) in rows)
            counts[c]++;
        double[] w = new double[m];
        for (int pass = 0; pass < 20; pass++)
        {
            var hessian = Matrix<double>.Build.DenseDiagonal(m, m, 1);
            var gradient = Vector<double>.Build.Dense(m, i => -w[i]);
            foreach ((double[] x, int truth) in rows)
            {
                double weight = rows.Count / (4 * Math.Max(1, counts[truth]));
                double[] z = new double[4];
                for (int c = 0; c < 3; c++)
                {
                    for (int i = 0; i < n; i++)
                        z[c + 1] += w[(c * n) + i] * x[i];
                }

                double[] p = RhythmModel.Softmax(z);
                for (int c = 0; c < 3; c++)
                {
                    double error = weight * ((truth == c + 1 ? 1 : 0) - p[c + 1]);
                    for (int i = 0; i < n; i++)
                        gradient[(c * n) + i] += error * x[i];
                    for (int d = 0; d < 3; d++)
                    {
                        double bend = weight * p[c + 1] * ((c == d ? 1 : 0) - p[d + 1]);
                        for (int i = 0; i < n; i++)
                        {
                            for (int j = 0; j < n; j++)
                                hessian[(c * n) + i, (d * n) + j] += bend * x[i] * x[j];
                        }
                    }
                }
            }

            Vector<double> step = hessian.Solve(gradient);
            double length = step.L2Norm();
            for (int i = 0; i < m; i++)
                w[i] += step[i] * Math.Min(1, 5 / length);
            if (length < 1e-5)
                break;
        }

        return [new double[n], w[..n], w[n..(2 * n)], w[(2 * n)..]];
    }
}
