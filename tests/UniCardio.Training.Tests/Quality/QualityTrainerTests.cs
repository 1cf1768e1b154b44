using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Backends.Cpu.Simd;
using UniCardio.Engine.Model;
using UniCardio.Engine.Quality;
using UniCardio.Pipeline;
using UniCardio.Training.Differentiation;
using UniCardio.Training.Quality;

namespace UniCardio.Training.Tests.Quality;

public class QualityTrainerTests
{
    // Four seconds and a narrow network: a step in milliseconds.
    private static readonly QualityConfiguration s_small = QualityConfiguration.Small with
    {
        Width = 126, Heads = 2, Layers = 1, FeedForward = 16, Samples = 1250, TokeniserChannels = (4, 8),
    };

    [Fact]
    public void LossesHaveTheGradientsOfTheirFormulas()
    {
        Assert.True(CpuInstructionSets.Run<Gradients, bool>(CpuInstructionSets.Resolve(CpuInstructionSet.Auto), default));
    }

    // Central differences of float32 inputs, losses in double: h^2 / 6 of the third derivative (below 1) plus u / h = 6e-8 / 1e-2.
    private readonly struct Gradients : ISimdCode<bool>
    {
        public bool Run<S, V>()
            where S : struct, ISimd<S, V>
            where V : struct
        {
            using var parameters = new TapeParameters([], 2 * S.Width);
            using var tape = new Tape<S, V>(parameters);
            float[] z = [0.3f, -1.2f, 2.2f, 0.1f, -0.4f, 0.9f, 3.1f, -2.7f];
            float[] labels = [0, 1, float.NaN, 0.4f, 1, 0, 0.7f, float.NaN];
            double[] target = [1, 2, 3, -1, 0.5, -2, 3.1, 0], amplitude = [1, 0, 2, 0.5, 0.1, 1.9, 1, 1.5];
            Check(m => QualityLosses.BinaryCrossEntropy(m, labels, 1));
            Check(m => QualityLosses.CrossEntropy(m, [2, -1], 1));
            Check(m => QualityLosses.Phase(m, target, amplitude, 1, 2));
            return true;

            void Check(Func<TapeMatrix, double> loss)
            {
                tape.Begin();
                TapeMatrix at = tape.Constant(z, 2, 4);
                loss(at);
                for (int i = 0; i < z.Length; i++)
                {
                    const float step = 1e-2f;
                    float[] up = [.. z], down = [.. z];
                    up[i] += step;
                    down[i] -= step;
                    double slope = (loss(tape.Constant(up, 2, 4)) - loss(tape.Constant(down, 2, 4))) / ((double)up[i] - down[i]);
                    Assert.Equal(slope, at.GradientRow(i / 4)[i % 4], 1e-4);
                }
            }
        }
    }

    [Fact]
    public void PairsAreAFunctionOfSeedAndIndexAndTheBetterOneIsBetter()
    {
        var source = new QualityPairs(5, s_small);
        for (int i = 0; i < 6; i++)
        {
            QualityPair pair = source.Make(i), again = new QualityPairs(5, s_small).Make(i);
            Assert.Equal(pair.Worse.Signals, again.Worse.Signals);
            Assert.Equal(pair.Better.Labels, again.Better.Labels);
            Assert.True(pair.Better.Quality >= pair.Worse.Quality);
            Assert.All(pair.Better.Signals, x => Assert.InRange(x, -5, 5));
            Assert.All(pair.Better.Labels, y => Assert.InRange(y, 0, 1));
            Assert.InRange(pair.Better.Rhythm, 0, 3);
        }

        Assert.NotEqual(source.Make(0).Better.Signals, source.Make(1).Better.Signals);
    }

    [Fact]
    public void TrainingLowersTheLabelsLossAndGivesTheSameBitsAgain()
    {
        var options = new QualityTrainingOptions { Steps = 6, Pairs = 2, Rate = 3e-3 };
        using QualityWeights start = QualityTrainer.Initial(s_small, 1);
        QualityProgress last = default;
        using QualityWeights once = QualityTrainer.Train(start, options, p => last = p), twice = QualityTrainer.Train(start, options);
        Assert.Equal(6, last.Step);
        foreach (double loss in (double[])[last.Labels, last.Rhythm, last.Distil, last.Amplitude, last.Phase])
            Assert.True(double.IsFinite(loss) && loss > 0);
        foreach ((ParameterTensor a, ParameterTensor b) in once.Tensors.Zip(twice.Tensors))
            Assert.True(a.Span.SequenceEqual(b.Span), a.Name);
        Assert.Contains(once.Tensors, t => !t.Span.SequenceEqual(start[t.Name].Span));
    }

    [Fact]
    public void AProbeMovesTheHeadsAlone()
    {
        using QualityWeights start = QualityTrainer.Initial(s_small, 1);
        using QualityWeights probed = QualityTrainer.Train(start, new QualityTrainingOptions { Steps = 2, Pairs = 1, HeadsOnly = true });
        foreach (ParameterTensor tensor in probed.Tensors)
        {
            bool isHead = tensor.Name.StartsWith(QualityCatalog.HeadPrefix, StringComparison.Ordinal);
            Assert.Equal(!isHead, tensor.Span.SequenceEqual(start[tensor.Name].Span));
        }
    }

    [Fact]
    public void AnExamOfAnUntrainedNetworkIsNoBetterThanChanceByMuch()
    {
        IReadOnlyList<QualityWindow> windows = QualityAnswers.Windows(10, s_small);
        using QualityWeights start = QualityTrainer.Initial(s_small, 1);
        QualityExam exam = QualityAnswers.Of(start, windows).All(), prior = QualityAnswers.Prior(windows).All();
        Assert.InRange(exam.QualityError, 0, 1);
        Assert.InRange(exam.RhythmAccuracy, 0, 0.7);
        Assert.Equal(0.5, prior.EcgAuroc);
        Assert.True(prior.QualityError < 0.5);
    }

    // An index is an answer to readability alone, and one that the truth did not come from: it scores well and not fully.
    [Fact]
    public void TheIndexSitsTheSameExamAndResamplesDrawSubjects()
    {
        IReadOnlyList<QualityWindow> windows = QualityAnswers.Windows(12, s_small);
        QualityAnswers index = QualityAnswers.Index(windows, 0);
        QualityExam all = index.All();
        Assert.True(double.IsNaN(all.QualityError) && double.IsNaN(all.FibrillationAuroc));
        Assert.InRange(all.PulseAuroc, 0.8, 1);
        IReadOnlyList<QualityExam> once = index.Resampled(20);
        Assert.Equal(once, index.Resampled(20));
        Assert.True(once.Select(e => e.PulseAuroc).Distinct().Count() > 10);
    }

    // Channels: pulse, ECG, seven indices of the pulse, seven of the ECG, steps of a second.
    [Fact]
    public void ANetworkThatTakesIndicesGetsThemAsSteps()
    {
        QualityConfiguration indexed = s_small with { Channels = QualityInputs.IndexedChannels };
        QualityPair plain = new QualityPairs(5, s_small).Make(1), told = new QualityPairs(5, indexed).Make(1);
        int n = s_small.Samples;
        Assert.Equal(plain.Worse.Signals, told.Worse.Signals[..(2 * n)]);
        Assert.Equal(plain.Worse.Labels, told.Worse.Labels);
        for (int c = 0; c < 2; c++)
        {
            for (int i = 0; i < QualityInputs.Indices; i++)
            {
                float[] row = told.Worse.Signals[((2 + (7 * c) + i) * n)..((3 + (7 * c) + i) * n)];
                for (int s = 0; s < n / 125; s++)
                    Assert.All(row[(125 * s)..(125 * (s + 1))], x => Assert.Equal(told.Worse.Indices[c][(7 * s) + i], x));
            }
        }

        using QualityWeights start = QualityTrainer.Initial(indexed, 1);
        using QualityWeights trained = QualityTrainer.Train(start, new QualityTrainingOptions { Steps = 2, Pairs = 1 });
        Assert.Equal([4, s_small.Width], trained["head.quality.classifier.weight"].Shape);
        Assert.Contains(trained.Tensors, t => !t.Span.SequenceEqual(start[t.Name].Span));
    }
}
