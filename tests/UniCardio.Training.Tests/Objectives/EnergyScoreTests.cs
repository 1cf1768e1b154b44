using UniCardio.Engine;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Engine.Sessions;
using UniCardio.Training.Curricula;
using UniCardio.Training.Data;
using UniCardio.Training.Network;
using UniCardio.Training.Objectives;
using UniCardio.Training.Optimization;
using UniCardio.Training.Runs;
using UniCardio.Training.Tests.Network;
using UniCardio.Training.Tests.Runs;
using UniCardio.Weights;

namespace UniCardio.Training.Tests.Objectives;

public class EnergyScoreTests
{
    private static readonly ModelConfiguration Network = new()
    {
        Channels = 60, Heads = 2, Blocks = 1, FeedForward = 16, Embedding = 16, SlotSamples = 60, SamplesPerToken = 5,
            Positions = PositionKind.Slot, Prediction = PredictionKind.V,
    };

    private static TrainingBatch Prepare(DiffusionObjective objective, int draws, params string[] tasks)
    {
        var batch = new TrainingBatch(tasks.Length * draws, Network.SlotSamples, draws) { Step = 4 };
        var source = new WaveExamples(4, Network.SlotSamples);
        var random = new Random(2);
        for (int i = 0; i < tasks.Length; i++)
        {
            source.Fill(i, CardioTask.Parse(tasks[i]), batch, i * draws);
            batch.Repeat(i * draws);
        }

        objective.Prepare(batch, seed: 1);
        foreach (ref float p in batch.Predictions.AsSpan())
            p = (float)((2 * random.NextDouble()) - 1);
        return batch;
    }

    // The score as its definition says, lengths and places one after the other.
    private static double Naive(double[] error, float[] counts)
    {
        double sum = 0;
        int total = counts.Count(c => c > 0);
        foreach (double[] e in (double[][])[error, [.. error.Select((x, s) => 4 * (x - (s > 0 && counts[s - 1] > 0 ? error[s - 1] : 0)))]])
        {
            foreach (int length in (int[])[1, 8, 64, error.Length])
            {
                foreach (int[] patch in Enumerable.Range(0, error.Length).Chunk(length).Select(p => p.Where(s => counts[s] > 0).ToArray()))
                {
                    if (patch.Length > 0)
                        sum += patch.Length * (Math.Sqrt(patch.Average(s => e[s] * e[s]) + (0.005 * 0.005)) - 0.005) / total / 8;
                }
            }
        }

        return sum;
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void AConditionsScoreIsTheEnergyScoreOfItsDrawsAndItsGradientTheSlope(int draws)
    {
        var objective = new DiffusionObjective(Network, new ObjectiveOptions { ScoredDraws = draws });
        TrainingBatch batch = Prepare(objective, draws, "ppg->bp", "impute bp | ecg");
        Assert.All(batch.Steps, step => Assert.Equal(49, step));
        double alpha = objective.Schedule.Alpha[49], sigma = objective.Schedule.Sigma[49];
        float[] gradient = new float[Network.SlotSamples], scratch = new float[gradient.Length];
        for (int unit = 0; unit < 2; unit++)
        {
            double[][] drawn = [.. Enumerable.Range(unit * draws, draws).Select(w => batch.WindowNoise(w).ToArray()
                .Zip(batch.Prediction(w).ToArray(), (z, p) => (alpha * z) - (sigma * p)).ToArray())];
            double[] clean = [.. batch.CleanTarget(unit * draws).ToArray().Select(x => (double)x)];
            float[] counts = batch.Weight(unit * draws).ToArray();
            double To(double[] x, double[] y) => Naive([.. x.Zip(y, (a, b) => a - b)], counts);
            double expected = drawn.Average(x => To(x, clean))
                - (drawn.Sum(x => drawn.Sum(y => ReferenceEquals(x, y) ? 0 : To(x, y))) / (2 * draws * (draws - 1)));
            double Score() => Enumerable.Range(unit * draws, draws).Sum(w => objective.Evaluate(batch, w, batch.Prediction(w), scratch));

            // Two conditions in the batch: each counts half. In double but for alpha and sigma's products: 1e-12.
            Assert.Equal(expected / 2, Score(), 1e-10);
            foreach (int w in Enumerable.Range(unit * draws, draws))
            {
                objective.Evaluate(batch, w, batch.Prediction(w), gradient);
                for (int s = 0; s < gradient.Length; s++)
                {
                    // Half of what moves counts by its own part, half by the others': the slope of the whole score. A step of 1/2048 in a
                    // root rounded by 0.005: curvature 1 / 0.005 gives an error of h^2 / 6 x 4^2 / 0.005^2 at most for a single sample.
                    const float H = 1f / 4096;
                    float kept = batch.Prediction(w)[s];
                    batch.Prediction(w)[s] = kept + H;
                    double up = Score();
                    batch.Prediction(w)[s] = kept - H;
                    double down = Score();
                    batch.Prediction(w)[s] = kept;
                    Assert.Equal((up - down) / (2 * H), gradient[s], 2e-4);
                }
            }
        }
    }

    [Fact]
    public void WhatIsNotCountedHasNoPart()
    {
        var objective = new DiffusionObjective(Network, new ObjectiveOptions { ScoredDraws = 2 });
        TrainingBatch batch = Prepare(objective, 2, "impute bp | ecg");
        float[] gradient = new float[Network.SlotSamples];
        double before = objective.Evaluate(batch, 0, batch.Prediction(0), gradient);
        for (int s = 0; s < gradient.Length; s++)
        {
            Assert.Equal(batch.Weight(0)[s] > 0, gradient[s] != 0);
            if (batch.Weight(0)[s] == 0)
                batch.Prediction(0)[s] = 7;
        }

        Assert.Equal(before, objective.Evaluate(batch, 0, batch.Prediction(0), gradient));
    }

    [Fact]
    public void EveryDrawOfAWindowIsPredictedBeforeItsLossIsAskedForWhateverTheThreads()
    {
        ModelConfiguration m = TestNetworks.Configuration(5, PositionKind.Slot) with { Prediction = PredictionKind.V };
        float[][] gradients = new float[2][];
        for (int threads = 1; threads <= 2; threads++)
        {
            using TrainingNetwork network = TestNetworks.Create(m, CpuInstructionSet.Auto, threads);
            var objective = new DiffusionObjective(m, new ObjectiveOptions { ScoredDraws = 3 });
            var batch = new TrainingBatch(15, m.SlotSamples, 3);
            var source = new WaveExamples(4, m.SlotSamples);
            for (int i = 0; i < 5; i++)
            {
                source.Fill(i, CardioTask.All[7 * i], batch, 3 * i);
                batch.Repeat(3 * i);
            }

            objective.Prepare(batch, seed: 5);
            float[] known = new float[15 * m.SlotSamples];
            network.Predict(batch, known);
            bool isKnown = true;
            double[] losses = new double[15];
            network.Accumulate(batch, (window, prediction, gradient) =>
            {
                int first = window - (window % 3);
                isKnown &= batch.Predictions.AsSpan(first * m.SlotSamples, 3 * m.SlotSamples)
                    .SequenceEqual(known.AsSpan(first * m.SlotSamples, 3 * m.SlotSamples));
                return objective.Evaluate(batch, window, prediction, gradient);
            }, 0, losses);
            Assert.True(isKnown);
            gradients[threads - 1] = network.Gradients.ToArray();
        }

        Assert.Contains(gradients[0], g => g != 0);
        Assert.Equal(gradients[0], gradients[1]);
    }

    // A bump that is up or down, which no condition tells.
    private sealed class Coins(int seed) : IExampleSource
    {
        public string Identity => $"coins {seed}";

        public int SlotSamples => Network.SlotSamples;

        public void Fill(long index, CardioTask task, TrainingBatch batch, int place)
        {
            batch.Tasks[place] = task;
            double side = new Random((int)((index * 31) + seed)).Next(2) == 0 ? -0.8 : 0.8;
            for (int s = 0; s < SlotSamples; s++)
            {
                batch.Condition(place, Modality.Ppg)[s] = MathF.Sin(0.3f * s);
                batch.CleanTarget(place)[s] = (float)(side * Math.Exp(-Math.Pow((s - 30) / 8.0, 2)));
                batch.Weight(place)[s] = 1;
            }
        }
    }

    [Fact]
    public void TheSecondCallSeesWhatTheSamplerMakesOfTheFirst()
    {
        using ModelWeights weights = new WeightRecipe(3, Network).Create();
        using var network = new TrainingNetwork(Network, new TrainingNetworkOptions { Threads = 1, Dropout = 0 });
        network.Layout.Read(weights, network.Parameters);
        network.ParametersChanged();
        var objective = new DiffusionObjective(Network, new ObjectiveOptions { ScoredDraws = 2 });
        TrainingBatch batch = Prepare(objective, 2, "ppg->bp", "impute bp | ecg", "ecg->ppg", "ppg->ecg", "bp->ecg");
        float[] noise = [.. batch.Noise], kept = [.. batch.Inputs];
        var second = new SecondCall(Network);
        second.Prepare(batch, network);

        // Of five conditions the second and the fourth are the second call's, both their draws.
        int[] taken = [2, 3, 6, 7];
        using var engine = new InferenceEngine(weights, new EngineOptions { Threads = 1 });
        for (int w = 0; w < batch.Count; w++)
        {
            CardioTask task = batch.Tasks[w];
            float[] own = batch.Slot(w, (int)task.Target).ToArray(), z = noise[(w * 60)..((w + 1) * 60)];
            Assert.Equal(own, batch.WindowNoise(w).ToArray());
            Assert.Equal(taken.Contains(w) ? second.Step : 49, batch.Steps[w]);
            if (!taken.Contains(w))
            {
                Assert.Equal(z, own);
                continue;
            }

            using InferenceSession session = engine.CreateSession(task, new SessionOptions
                { Sampler = SamplerOptions.Parse("ddim:2,placement=logsnr") });
            float[] conditions = new float[session.Plan.ConditionSamples], drawn = new float[60], state = new float[60];
            for (int c = 0; c < session.Plan.Conditions.Count; c++)
                batch.Condition(w, session.Plan.Conditions[c]).CopyTo(conditions.AsSpan(c * 60));
            session.Run(conditions, drawn, NoiseSource.Explicit(z), (in StepObservation seen) =>
            {
                if (seen.Step == 0)
                    seen.CopyState(state);
            });

            // Two implementations of one network of one block: sums of 60 in float32, a few 1e-6 of values near 1.
            Assert.All(own.Zip(state), p => Assert.Equal(p.Second, p.First, 2e-5f));
            Assert.NotEqual(z, own);
        }

        // Nothing else of the inputs changed.
        for (int i = 0; i < kept.Length; i++)
        {
            int window = i / (4 * 60), slot = i / 60 % 4;
            if (slot != (int)batch.Tasks[window].Target)
                Assert.Equal(kept[i], batch.Inputs[i]);
        }
    }

    [Theory]
    [InlineData(1, "ddim:1", 0.2)]
    [InlineData(2, "ddim:2,placement=logsnr", 0.4)]
    public void ANetworkLearnsToDrawBothOfTwoAnswersInAsManyCalls(int calls, string sampler, double near)
    {
        CardioTask task = CardioTask.Parse("ppg->bp");
        using var folder = new RunTestFolder();
        var options = new TrainingOptions
        {
            Network = Network, Steps = 800, Batch = 32, Initialization = InitializationKind.Published, EmaDecay = 0.9,
            LearningRate = new LearningRateSchedule { Peak = 3e-3, WarmupSteps = 10 },
            Curriculum = new CurriculumOptions { Kind = CurriculumKind.Mixed, Tasks = [task.ToString()] },
            Objective = new ObjectiveOptions { ScoredDraws = 4 }, StudentCalls = calls,
            Validation = new ValidationOptions { Every = 800, Windows = 4, ChecksRaw = false },
        };
        using var network = new TrainingNetwork(Network, new TrainingNetworkOptions { Threads = 1, Dropout = 0 });
        using var run = new TrainingRun(folder.Run, options, network, new Coins(1), new Coins(2), new RunSettings());
        Assert.Equal(RunOutcome.Completed, run.Run());
        string path = Path.Combine(folder.Run.Path, "drawer.safetensors");
        RunExport.Write(folder.Run, path);
        using LoadedWeights weights = WeightFile.Load(path);
        Assert.Equal(sampler, weights.Configuration.OwnSampler);
        Assert.Equal(task.ToString(), weights.Configuration.OwnTasks);

        const int Draws = 64;
        using var engine = new InferenceEngine(weights.Weights, new EngineOptions { Threads = 1 });
        using InferenceSession session = engine.CreateSession(task, new SessionOptions { Draws = Draws });
        Assert.Equal("task", Assert.Throws<ConfigurationException>(() => engine.CreateSession(CardioTask.Parse("ecg->bp"))).Setting);
        float[] drawn = new float[Draws * Network.SlotSamples];
        session.Run([.. Enumerable.Range(0, Network.SlotSamples).Select(s => MathF.Sin(0.3f * s))], drawn, NoiseSource.Philox([3], [1]));
        double[] peaks = [.. Enumerable.Range(0, Draws).Select(d => (double)drawn[(d * Network.SlotSamples) + 30])];

        // A network of the squared error would draw 0 every time, 0.8 from both answers; with two calls one block learns two jobs in as
        // many updates, so that it comes half as near. Both sides by a fair coin: 64 draws, four deviations are 16 of them.
        Assert.InRange(peaks.Count(p => p > 0), 16, 48);
        Assert.True(peaks.Average(p => Math.Abs(Math.Abs(p) - 0.8)) < near, string.Join(" ", peaks.Select(p => p.ToString("F2"))));
    }

    [Fact]
    public void OptionsThatDoNotGoTogetherAreRefused()
    {
        TrainingOptions options = new() { Network = Network, Objective = new ObjectiveOptions { ScoredDraws = 4 } };
        Assert.Same(options, options.Validate());
        foreach (TrainingOptions wrong in (TrainingOptions[])[options with { Batch = 30 },
            options with { Uncertainty = new UncertaintyOptions() },
            options with { Network = Network with { Prediction = PredictionKind.Epsilon } },
            options with { Objective = new ObjectiveOptions { ScoredDraws = 1 } },
            options with { Objective = new ObjectiveOptions { ScoredDraws = 17 } },
            options with { Objective = options.Objective with { PeakL1 = 1 } }])
            Assert.Equal("score_draws", Assert.Throws<ConfigurationException>(() => wrong.Validate()).Setting);
    }
}
