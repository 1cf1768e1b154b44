using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Quality;
using UniCardio.Signals.Processing;

namespace UniCardio.Training.Quality;

/// <summary>How a network does on synthetic windows that no training sees (seeds of their own).</summary>
/// <param name="QualityError">Mean absolute error of quality per second and signal.</param>
/// <param name="QualityCorrelation">Its correlation with the truth.</param>
/// <param name="PulseAuroc">Area under the curve of readability of a pulse against whether its rate is right.</param>
/// <param name="EcgAuroc">The same of an ECG.</param>
/// <param name="RhythmAccuracy">Mean over the four rhythms of the share that is told.</param>
/// <param name="FibrillationAuroc">Area under the curve of fibrillation against the other rhythms.</param>
internal sealed record QualityExam(double QualityError, double QualityCorrelation, double PulseAuroc, double EcgAuroc,
    double RhythmAccuracy,
    double FibrillationAuroc)
{
    private const ulong Seed = 0xE8A3;

    /// <summary>Windows for an exam.</summary>
    /// <param name="pairs">How many pairs.</param>
    /// <param name="samples">Samples of a window.</param>
    public static IReadOnlyList<QualityWindow> Windows(int pairs, int samples)
    {
        var source = new QualityPairs(Seed, samples);
        return [.. Enumerable.Range(0, pairs).Select(i => source.Make(i)).SelectMany(p => new[] { p.Better, p.Worse })];
    }

    /// <summary>The class prior: every answer is the mean of the labels.</summary>
    /// <param name="windows">The windows.</param>
    public static QualityExam Prior(IReadOnlyList<QualityWindow> windows)
    {
        ArgumentNullException.ThrowIfNull(windows);
        float[] labels = [.. windows.SelectMany(w => Labelled(w).Where(l => l.Column < 2).Select(l => l.Label))];
        double mean = labels.Average();
        return new QualityExam(labels.Average(l => Math.Abs(l - mean)), 0, 0.5, 0.5, 0.25, 0.5);
    }

    /// <summary>Examines a network.</summary>
    /// <param name="weights">With the heads for quality and rhythm.</param>
    /// <param name="windows">The windows.</param>
    public static QualityExam Of(QualityWeights weights, IReadOnlyList<QualityWindow> windows)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(windows);
        using IQualityNetwork network = QualityNetwork.Cpu(weights, new CpuBackendOptions { Threads = 1 });
        QualityConfiguration m = weights.Configuration;
        float[] features = new float[m.Tokens * m.Width], quality = new float[m.Tokens * 4], rhythm =
            new float[QualityCatalog.RhythmClasses];
        var truth = new List<float>();
        var estimate = new List<float>();
        (List<double> Scores, List<bool> Right)[] read = [([], []), ([], [])];
        var fibrillation = new List<double>();
        int[] told = new int[QualityCatalog.RhythmClasses], known = new int[QualityCatalog.RhythmClasses];
        foreach (QualityWindow window in windows)
        {
            network.Encode(window.Signals, 1, features);
            network.Head(QualityHead.Quality, features, m.Tokens, quality);
            network.Head(QualityHead.Rhythm, features, 1, rhythm);
            foreach ((int at, int column, float label) in Labelled(window))
            {
                if (column < 2)
                {
                    truth.Add(label);
                    estimate.Add((float)(1 / (1 + Math.Exp(-quality[at]))));
                }
                else
                {
                    read[column - 2].Scores.Add(quality[at]);
                    read[column - 2].Right.Add(label > 0.5f);
                }
            }

            fibrillation.Add(rhythm[1] - Math.Log(rhythm.Where((_, i) => i != 1).Sum(z => Math.Exp(z))));
            known[window.Rhythm]++;
            told[window.Rhythm] += Array.IndexOf(rhythm, rhythm.Max()) == window.Rhythm ? 1 : 0;
        }

        return new QualityExam(Measures.MeanAbsoluteError(estimate.ToArray(), truth.ToArray()) ?? double.NaN,
            Measures.PearsonCorrelation(estimate.ToArray(), truth.ToArray()) ?? 0,
            RankOrder.Auroc(read[0].Scores.ToArray(), read[0].Right.ToArray()) ?? double.NaN,
            RankOrder.Auroc(read[1].Scores.ToArray(), read[1].Right.ToArray()) ?? double.NaN,
            Enumerable.Range(0, known.Length).Where(k => known[k] > 0).Average(k => told[k] / (double)known[k]),
            RankOrder.Auroc(fibrillation.ToArray(), windows.Select(w => w.Rhythm == 1).ToArray()) ?? double.NaN);
    }

    private static IEnumerable<(int At, int Column, float Label)> Labelled(QualityWindow window)
    {
        for (int at = 0; at < window.Labels.Length; at++)
        {
            if (at % 2 == 0 ? window.Present.Pulse : window.Present.Ecg)
                yield return (at, at % 4, window.Labels[at]);
        }
    }
}
