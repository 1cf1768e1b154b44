using MathNet.Numerics.LinearAlgebra;
using UniCardio.Signals;
using UniCardio.Signals.Beats;
using UniCardio.Signals.Quality;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Evaluation.Quality;

/// <summary>Fits the index's logistic functions on synthetic recordings: bias and weights of one kind of signal.</summary>
/// <param name="Kind">Which.</param>
/// <param name="Coefficients">Bias, then the weights of the features.</param>
/// <param name="Auroc">Area under the curve on the synthetic recordings that took no part.</param>
/// <param name="Current">The same of the index as the product has it.</param>
internal sealed record QualityFit(ChannelKind Kind, double[] Coefficients, double Auroc, double Current)
{
    private const double Ridge = 3;
    private const int Seconds = 120;

    /// <summary>Fits.</summary>
    /// <param name="recordings">Synthetic recordings of two minutes; a quarter is kept apart.</param>
    /// <param name="seed">Of the recordings.</param>
    /// <param name="cancellation">Stops the work.</param>
    public static IReadOnlyList<QualityFit> Run(int recordings, ulong seed, CancellationToken cancellation = default)
    {
        ChannelKind[] kinds = [ChannelKind.Ecg, ChannelKind.Ppg, ChannelKind.BloodPressure];
        var rows = kinds.ToDictionary(k => k, _ => new List<(double[] Features, bool Right, bool Apart)>());
        var synthesizer = new CardiovascularSynthesizer();
        for (int i = 0; i < recordings; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            ulong own = CounterRandom.Derive(seed, (ulong)i);
            SyntheticRecording heart = synthesizer.Generate(SynthesisParameters.Draw(own, QualityTrack.WorkRate),
                Seconds * QualityTrack.WorkRate, own);
            double[] known = QualityStudy.Rates([.. heart.Beats.Select(b => b.TimeSeconds)], Seconds);
            foreach (ChannelKind kind in kinds)
                Add(rows[kind], heart, kind, known, CounterRandom.Derive(own, (ulong)kind), i % 4 == 0);
        }

        return [.. kinds.Select(k => Of(k, rows[k]))];
    }

    private static void Add(List<(double[] Features, bool Right, bool Apart)> rows, SyntheticRecording heart, ChannelKind kind,
        double[] known, ulong seed, bool apart)
    {
        var random = new CounterRandom(seed, 5);
        float[] signal = [.. kind == ChannelKind.Ecg ? heart.Ecg : kind == ChannelKind.Ppg ? heart.Ppg : heart.BloodPressure];
        SignalCorruption.Apply(signal, QualityTrack.WorkRate, new NoiseParameters
        {
            SignalToNoiseDecibels = 12 + (28 * random.NextDouble()),
            BaselineWander = kind == ChannelKind.BloodPressure ? 0 : 0.8 * random.NextDouble() * random.NextDouble(),
        }, seed);
        CorruptionEpisodes.Apply(signal, kind, QualityTrack.WorkRate, 0.75 * random.NextDouble(), 15, seed);
        string unit = kind == ChannelKind.BloodPressure ? SignalUnit.MillimetresOfMercury : "";
        BeatSeries series = BeatSeries.Of(signal, QualityTrack.WorkRate, kind, unit);
        QualityFeatures[] features = QualityFeatures.Of(series, signal, unit, out var heartRate, out _);
        for (int s = PublishedIndices.WindowSeconds; s < Seconds; s++)
        {
            if (features[s].HasRate < 1 || double.IsNaN(known[s]))
                continue;
            double[] row = new double[QualityFeatures.Count];
            features[s].Write(row);
            rows.Add((row, Math.Abs(heartRate.Rate[s] - known[s]) <= QualityLabels.RightRate, apart));
        }
    }

    // Newton's method on the ridge-penalised likelihood.
    private static QualityFit Of(ChannelKind kind, List<(double[] Features, bool Right, bool Apart)> rows)
    {
        int n = QualityFeatures.Count + 1;
        double[] w = new double[n];
        for (int pass = 0; pass < 25; pass++)
        {
            var hessian = Matrix<double>.Build.DenseDiagonal(n, n, Ridge);
            var gradient = Vector<double>.Build.Dense(n, i => -Ridge * w[i]);
            double[] x = new double[n];
            x[0] = 1;
            foreach ((double[] features, bool right, bool apart) in rows)
            {
                if (apart)
                    continue;
                features.CopyTo(x, 1);
                double p = 1 / (1 + Math.Exp(-Dot(w, x))), error = (right ? 1 : 0) - p, weight = p * (1 - p);
                for (int i = 0; i < n; i++)
                {
                    gradient[i] += error * x[i];
                    for (int j = 0; j < n; j++)
                        hessian[i, j] += weight * x[i] * x[j];
                }
            }

            Vector<double> step = hessian.Solve(gradient);
            for (int i = 0; i < n; i++)
                w[i] += step[i];
            if (step.L2Norm() < 1e-6)
                break;
        }

        (double[] Features, bool Right, bool Apart)[] held = [.. rows.Where(r => r.Apart)];
        bool[] truth = [.. held.Select(r => r.Right)];
        double Area(double[] c) => Signals.Processing.RankOrder.Auroc([.. held.Select(r => c[0] + Dot(c.AsSpan(1), r.Features))], truth)
            ?? double.NaN;
        return new QualityFit(kind, w, Area(w), Area(QualityModel.For(kind).Coefficients));
    }

    private static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
            sum += a[i] * b[i];
        return sum;
    }
}
