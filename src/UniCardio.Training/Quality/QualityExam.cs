using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Quality;
using UniCardio.Pipeline;
using UniCardio.Signals;
using UniCardio.Signals.Processing;
using UniCardio.Signals.Quality;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Training.Quality;

/// <summary>How a network does on synthetic windows that no training sees (seeds of their own).</summary>
/// <param name="QualityError">Mean absolute error of quality per second and signal; NaN of what gives none.</param>
/// <param name="QualityCorrelation">Its correlation with the truth.</param>
/// <param name="PulseAuroc">Area under the curve of readability of a pulse against whether its rate is right.</param>
/// <param name="EcgAuroc">The same of an ECG.</param>
/// <param name="RhythmAccuracy">Mean over the four rhythms of the share that is told; NaN of what tells none.</param>
/// <param name="FibrillationAuroc">Area under the curve of fibrillation against the other rhythms.</param>
internal sealed record QualityExam(double QualityError, double QualityCorrelation, double PulseAuroc, double EcgAuroc,
    double RhythmAccuracy, double FibrillationAuroc)
{
    /// <summary>The six numbers in their order.</summary>
    public double[] Values => [QualityError, QualityCorrelation, PulseAuroc, EcgAuroc, RhythmAccuracy, FibrillationAuroc];
}

/// <summary>What something answers to an exam, subject by subject.</summary>
internal sealed class QualityAnswers
{
    private const ulong Seed = 0xE8A3;
    private readonly Subject[] _subjects;

    private QualityAnswers(IEnumerable<Subject> subjects) => _subjects = [.. subjects];

    /// <summary>Windows for an exam, two a subject, each with its indices.</summary>
    /// <param name="subjects">How many subjects.</param>
    /// <param name="network">Whose windows they are.</param>
    public static IReadOnlyList<QualityWindow> Windows(int subjects, QualityConfiguration network)
    {
        var source = new QualityPairs(Seed, network, indexed: true);
        return [.. Enumerable.Range(0, subjects).Select(i => source.Make(i)).SelectMany(p => new[] { p.Better, p.Worse })];
    }

    /// <summary>The class prior: every answer is the mean of the labels.</summary>
    /// <param name="windows">The windows.</param>
    public static QualityAnswers Prior(IReadOnlyList<QualityWindow> windows)
    {
        ArgumentNullException.ThrowIfNull(windows);
        double mean = windows.SelectMany(w => Labelled(w).Where(l => l.Column < 2).Select(l => (double)l.Label)).Average();
        return Of(windows, w => [.. Enumerable.Repeat(Logit(mean), w.Labels.Length)], _ => new float[QualityCatalog.RhythmClasses]);
    }

    /// <summary>An index, for readability alone. It is no quality and tells no rhythm.</summary>
    /// <param name="windows">The windows.</param>
    /// <param name="which">0 the product's; from 1 on one of <see cref="PublishedIndices.Names"/>.</param>
    public static QualityAnswers Index(IReadOnlyList<QualityWindow> windows, int which)
    {
        ArgumentNullException.ThrowIfNull(windows);
        return Of(windows, w => [.. Enumerable.Range(0, w.Labels.Length).Select(at => at % 4 < 2 || w.Indices[at % 2].Length == 0
            ? float.NaN : w.Indices[at % 2][(QualityInputs.Indices * (at / 4)) + which])], _ => []);
    }

    /// <summary>A network's answers.</summary>
    /// <param name="weights">With the heads for quality and rhythm.</param>
    /// <param name="windows">The windows, of this network.</param>
    public static QualityAnswers Of(QualityWeights weights, IReadOnlyList<QualityWindow> windows)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(windows);
        using IQualityNetwork network = QualityNetwork.Cpu(weights, new CpuBackendOptions { Threads = 1 });
        QualityConfiguration m = weights.Configuration;
        float[] features = new float[m.Tokens * m.Width];
        return Of(windows, w =>
        {
            float[] marks = new float[m.Tokens * 4];
            network.Encode(w.Signals, 1, features);
            network.Head(QualityHead.Quality, features, m.Tokens, marks);
            return marks;
        }, _ =>
        {
            float[] rhythm = new float[QualityCatalog.RhythmClasses];
            network.Head(QualityHead.Rhythm, features, 1, rhythm);
            return rhythm;
        });
    }

    /// <summary>The exam over all subjects.</summary>
    public QualityExam All() => Exam(_subjects);

    /// <summary>Exams over subjects drawn with replacement; the same draws for every network that sits the same exam.</summary>
    /// <param name="draws">How many.</param>
    public IReadOnlyList<QualityExam> Resampled(int draws)
    {
        var random = new CounterRandom(Seed, 0xB007);
        var exams = new List<QualityExam>();
        for (int i = 0; i < draws; i++)
            exams.Add(Exam(
                [.. Enumerable.Range(0, _subjects.Length).Select(_ => _subjects[(int)(random.NextDouble() * _subjects.Length)])]));
        return exams;
    }

    // Marks first, then rhythm: a network's rhythm is that of the window whose marks were asked for last.
    private static QualityAnswers Of(IReadOnlyList<QualityWindow> windows, Func<QualityWindow, float[]> marks,
        Func<QualityWindow, float[]> rhythm) => new(windows.Chunk(2).Select(pair =>
        {
            var subject = new Subject([], [], [[], []], [[], []], []);
            foreach (QualityWindow window in pair)
            {
                float[] own = marks(window), told = rhythm(window);
                foreach ((int at, int column, float label) in Labelled(window))
                {
                    if (column >= 2)
                    {
                        subject.Scores[column - 2].Add(own[at]);
                        subject.Right[column - 2].Add(label > 0.5f);
                    }
                    else if (!float.IsNaN(own[at]))
                    {
                        subject.Truth.Add(label);
                        subject.Estimate.Add((float)(1 / (1 + Math.Exp(-own[at]))));
                    }
                }

                if (told.Length > 0)
                    subject.Rhythms.Add((window.Rhythm, Array.IndexOf(told, told.Max()),
                        told[1] - Math.Log(told.Where((_, i) => i != 1).Sum(z => Math.Exp(z)))));
            }

            return subject;
        }));

    private static QualityExam Exam(Subject[] subjects)
    {
        float[] estimate = [.. subjects.SelectMany(s => s.Estimate)], truth = [.. subjects.SelectMany(s => s.Truth)];
        double Readable(int signal) => RankOrder.Auroc([.. subjects.SelectMany(s => s.Scores[signal])],
            [.. subjects.SelectMany(s => s.Right[signal])]) ?? double.NaN;
        (int Truth, int Told, double Score)[] rhythms = [.. subjects.SelectMany(s => s.Rhythms)];
        return new QualityExam(estimate.Length == 0 ? double.NaN : Measures.MeanAbsoluteError(estimate, truth) ?? double.NaN,
            estimate.Length == 0 ? double.NaN : Measures.PearsonCorrelation(estimate, truth) ?? 0, Readable(0), Readable(1),
            rhythms.Length == 0 ? double.NaN
                : rhythms.GroupBy(r => r.Truth).Average(g => g.Count(r => r.Told == r.Truth) / (double)g.Count()),
            rhythms.Length == 0 ? double.NaN
                : RankOrder.Auroc([.. rhythms.Select(r => r.Score)], [.. rhythms.Select(r => r.Truth == 1)]) ?? double.NaN);
    }

    private static float Logit(double p) => (float)Math.Log(p / (1 - p));

    private static IEnumerable<(int At, int Column, float Label)> Labelled(QualityWindow window)
    {
        for (int at = 0; at < window.Labels.Length; at++)
        {
            if (at % 2 == 0 ? window.Present.Pulse : window.Present.Ecg)
                yield return (at, at % 4, window.Labels[at]);
        }
    }

    private sealed record Subject(List<float> Estimate, List<float> Truth, List<double>[] Scores, List<bool>[] Right,
        List<(int Truth, int Told, double Score)> Rhythms);
}
