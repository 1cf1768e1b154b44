using UniCardio.Engine;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Training.Curricula;
using UniCardio.Training.Data;
using UniCardio.Training.Network;
using UniCardio.Training.Optimization;
using UniCardio.Training.Runs;
using UniCardio.Weights;

namespace UniCardio.Training.Tests.Runs;

public class CorrectionRunTests
{
    private const int Samples = 125;

    // One whose own beat errs by 0.09 in such short gaps: below the loss's 0.1 there is little to learn.
    private const ulong Subject = 15;

    private static readonly ModelConfiguration Network = new()
    {
        Channels = 60, Heads = 2, Blocks = 1, FeedForward = 16, Embedding = 16, SlotSamples = Samples, SamplesPerToken = 5,
            Positions = PositionKind.Slot, Prediction = PredictionKind.Correction,
    };

    private static TrainingOptions Options { get; } = new()
    {
        Network = Network,
        Steps = 60,
        Batch = 8,
        Initialization = InitializationKind.Published,
        LogEvery = 10,
        LearningRate = new LearningRateSchedule { Peak = 5e-3, WarmupSteps = 5 },
        EmaDecay = 0.8,
        Curriculum = new CurriculumOptions { Kind = CurriculumKind.Mixed, Tasks = ["impute bp | ecg"] },
        Validation = new ValidationOptions { Every = 30, Windows = 16, ChecksRaw = false },
    };

    [Fact]
    public void ARunStartsAtTheProposalBitForBitAndLowersTheError()
    {
        using var folder = new RunTestFolder();
        using var network = new TrainingNetwork(Network, new TrainingNetworkOptions { Threads = 1 });
        // A source that gives the same few windows: what can be learned of them in 60 updates is learned.
        var few = new FewWindows(new CorrectionExamples(Subject, Samples), 16);
        using var run =
            new TrainingRun(folder.Run, Options, network, few, new CorrectionExamples(Subject, Samples),
                new RunSettings());
        var batch = new TrainingBatch(1, Samples) { Steps = { [0] = 49 } };
        few.Fill(1, CardioTask.Parse("impute bp | ecg"), batch, 0);
        float[] correction = new float[Samples];
        network.Predict(batch, correction);

        // The proposal plus nothing: adding zero changes no bit.
        Assert.All(correction, c => Assert.Equal(0f, c));
        Assert.Equal(RunOutcome.Completed, run.Run());
        double[][] checks = [.. File.ReadAllLines(folder.Run.ValidationFile).Skip(1)
            .Select(r => r.Split("\",")[1].Split(',').Select(double.Parse).ToArray())];
        Assert.True(checks[^1][1] < 0.95, $"error over the proposal's {checks[^1][1]}, without one {checks[^1][2]}");
        Assert.True(checks[^1][2] > checks[^1][1], "the proposal is of no use");

        string weights = Path.Combine(folder.Run.Path, "out.safetensors");
        RunExport.Write(folder.Run, weights);
        using LoadedWeights loaded = WeightFile.Load(weights);
        Assert.Equal(PredictionKind.Correction, loaded.Configuration.Prediction);
    }

    [Theory]
    [InlineData(PredictionKind.V)]
    [InlineData(PredictionKind.Epsilon)]
    [InlineData(PredictionKind.Sample)]
    public void WeightsThatPredictNoiseBeginWithHalfOfItAndOthersWithNothing(PredictionKind predicted)
    {
        using var folder = new RunTestFolder();
        using var network =
            new TrainingNetwork(Network, new TrainingNetworkOptions { Threads = 1, InstructionSet = CpuInstructionSet.Scalar });
        using ModelWeights others = new WeightRecipe(5, Network with { Prediction = predicted }).Create();
        var source = new CorrectionExamples(3, Samples);
        using var run = new TrainingRun(folder.Run, Options, network, source, new CorrectionExamples(4, Samples), new RunSettings(),
            new StartWeights(others, "others"));
        var schedule = new NoiseSchedule(Network);
        float by = predicted == PredictionKind.Sample ? 0 : (float)(-0.5 * schedule.Sigma[schedule.CorrectionStep]);
        int scaled = 0;
        foreach (ParameterSlice slice in network.Layout.Slices.Where(s => s.Name.Contains("output_projection", StringComparison.Ordinal)
            && s.Name.Contains("_2.", StringComparison.Ordinal)))
        {
            ParameterTensor from = others.Tensors.First(t => slice.Name.EndsWith(t.Name, StringComparison.Ordinal));
            Assert.Equal(from.Span.ToArray().Select(w => by == 0 ? 0 : by * w),
                network.Parameters.Slice(slice.Offset, slice.Count).ToArray());
            scaled++;
        }

        Assert.Equal(6, scaled); // Weight and bias of three decoders.
        ParameterSlice encoder = network.Layout.Slices[0];
        Assert.Equal(others.Tensors[0].Span.ToArray(), network.Parameters.Slice(encoder.Offset, encoder.Count).ToArray());
    }

    [Fact]
    public void OtherTasksAndRecordingsAreRefused()
    {
        Assert.Equal("tasks",
            Assert.Throws<ConfigurationException>(() => (Options with { Curriculum = new CurriculumOptions() }).Validate()).Setting);
        Assert.Equal(
            "tasks", Assert.Throws<ConfigurationException>(() =>
                (Options with { Curriculum = new CurriculumOptions { Tasks = ["ppg->bp"] } }).Validate()).Setting);
        Assert.Equal("data", Assert.Throws<ConfigurationException>(() => (Options with { RecordingFolder = "x" }).Validate()).Setting);
    }

    private sealed class FewWindows(IExampleSource source, int count) : IExampleSource
    {
        public string Identity => $"few {source.Identity}";

        public int SlotSamples => source.SlotSamples;

        public void Fill(long index, CardioTask task, TrainingBatch batch, int place) => source.Fill(index % count, task, batch, place);
    }
}
