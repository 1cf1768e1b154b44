using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Diagnostics;
using UniCardio.Engine.Model;
using UniCardio.Engine.Reference;
using UniCardio.Engine.Sessions;
using UniCardio.Weights;
using UniCardio.Weights.Golden;
using UniCardio.Weights.Onnx;
using Xunit.Abstractions;

namespace UniCardio.Onnx.Tests;

/// <summary>
/// What ONNX Runtime makes of an exported network against the official code's vectors and against our own backends. Tolerance 1e-5 of the
/// largest value, that of every float32 backend (<see cref="GoldenVerifier.BackendTolerance"/>): its sums run in another order.
/// </summary>
public class AgreementTests(ITestOutputHelper output)
{
    [SkippableTheory]
    [InlineData("tiny.eps", 84)]
    [InlineData("p5.eps", 42)]
    [InlineData("p5slot.eps", 42)]
    [InlineData("full.eps", 12)]
    public void AgreesWithTheOfficialVectors(string name, int calls)
    {
        using GoldenFile file = GoldenFile.Open(Project.Shared("golden", name + ".safetensors"));
        using ModelWeights weights = new WeightRecipe(file.Seed!.Value, file.Configuration).Create();
        int samples = file.Configuration.SlotSamples, compared = 0;
        double worst = 0;
        foreach (IGrouping<CardioTask, GoldenCall> task in file.Entries.OfType<GoldenCall>().GroupBy(c => c.Task))
        {
            using var network = new ExportedNetwork(weights, new OnnxOptions { Task = task.Key });
            int[] slots = [.. task.Key.Conditions.Members().Select(c => (int)c)];
            foreach (GoldenCall call in task)
            {
                float[] x = file.Values(call.Name + "/x").ToArray();
                float[] actual = network.Predict(call.Batch, 1, Slots(x, call.Batch, samples, slots),
                    Slots(x, call.Batch, samples, [(int)task.Key.Target]), call.T);
                worst = Math.Max(worst, Expect(call.Name, file.Values(call.Name + "/eps").Span, actual));
                compared++;
            }
        }

        Assert.Equal(calls, compared);
        output.WriteLine($"{name}: {compared} calls, worst {worst:g3}");
    }

    public static TheoryData<string> Tasks() => [.. CardioTask.All.Where(t => t.Kind != TaskKind.Denoise).Select(t => t.ToString())];

    [Theory]
    [MemberData(nameof(Tasks))]
    public void EveryTaskAgreesWithTheReference(string text)
    {
        CardioTask task = CardioTask.Parse(text);
        using ModelWeights weights = new WeightRecipe(11, Small).Create();
        using var backend = new ReferenceBackend(weights);
        using var network = new ExportedNetwork(weights, new OnnxOptions { Task = task });
        using var engine = new InferenceEngine(backend, ownsBackend: false);
        Compare(text, engine, network, 2, 3, t: 7);
    }

    [Theory]
    [InlineData(PositionKind.Slot, PredictionKind.V, 1, 0)]
    [InlineData(PositionKind.Slot, PredictionKind.Sample, 3, 9)]
    [InlineData(PositionKind.Global, PredictionKind.Epsilon, 1, 9)]
    [InlineData(PositionKind.Global, PredictionKind.V, 4, 4)]
    public void EveryConventionAgreesWithTheReference(PositionKind positions, PredictionKind prediction, int samplesPerToken, int t)
    {
        ModelConfiguration m = Small with { Positions = positions, Prediction = prediction, SamplesPerToken = samplesPerToken,
            Channels = 24 * samplesPerToken };
        CardioTask task = CardioTask.Parse("impute ecg | ppg");
        using ModelWeights weights = new WeightRecipe(12, m).Create();
        using var backend = new ReferenceBackend(weights);
        using var network = new ExportedNetwork(weights, new OnnxOptions { Task = task });
        using var engine = new InferenceEngine(backend, ownsBackend: false);
        Compare($"{positions}, {prediction}, {samplesPerToken}", engine, network, 1, 2, t);
    }

    [Fact]
    public void ShippedWeightsAgreeWithOurSession()
    {
        using LoadedWeights loaded = WeightFile.Load(Project.File("weights", "compact.safetensors"));
        CardioTask task = CardioTask.Parse("ppg->ecg");
        using var backend = new CpuBackend(loaded.Weights, new CpuBackendOptions { Threads = 1 });
        using var engine = new InferenceEngine(backend, ownsBackend: false);
        using var network = new ExportedNetwork(loaded.Weights, new OnnxOptions { Task = task });
        foreach ((int windows, int draws, int t) in ((int, int, int)[])[(1, 1, 49), (1, 8, 25), (3, 2, 0)])
            Compare($"shipped weights, {windows} x {draws}", engine, network, windows, draws, t);
    }

    [Fact]
    public void CorrectionsAgree()
    {
        ModelConfiguration m = Small with { Prediction = PredictionKind.Correction };
        CardioTask task = CardioTask.Parse("impute bp | ecg");
        using ModelWeights weights = new WeightRecipe(13, m).Create();
        using var backend = new ReferenceBackend(weights);
        using var network = new ExportedNetwork(weights, new OnnxOptions { Task = task });
        using var engine = new InferenceEngine(backend, ownsBackend: false);
        Compare("correction", engine, network, 1, 1, t: 9, Engine.Sampling.SamplerOptions.Correction);
    }

    internal static ModelConfiguration Small { get; } = new() { Channels = 24, Heads = 4, Blocks = 3, FeedForward = 10, Embedding = 8,
        SlotSamples = 36, DiffusionSteps = 10 };

    private void Compare(string name, InferenceEngine engine, ExportedNetwork network, int windows, int draws, int t,
        Engine.Sampling.SamplerOptions? sampler = null)
    {
        using InferenceSession session = engine.CreateSession(network.Task, new SessionOptions { Windows = windows, Draws = draws,
            Sampler = sampler ?? Engine.Sampling.SamplerOptions.Default });
        var random = new Random(windows + (10 * draws) + t);
        float[] conditions = Normal(random, session.Plan.ConditionSamples), state = Normal(random, session.Plan.StateSamples);
        float[] expected = new float[state.Length];
        session.Predict(conditions, state, t, expected);
        output.WriteLine($"{name}: {Expect(name, expected, network.Predict(windows, draws, conditions, state, t)):g3}");
    }

    private static double Expect(string name, ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        double error = RelativeError.Of(actual, expected);
        Assert.True(error <= GoldenVerifier.BackendTolerance, $"{name}: relative error {error:g3}, allowed 1e-5");
        return error;
    }

    internal static float[] Normal(Random random, int count) => [.. Enumerable.Range(0, count)
        .Select(_ => (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(Math.Tau * random.NextDouble())))];

    // [B, 4S] -> [B, slots, S]
    private static float[] Slots(float[] x, int batch, int samples, int[] slots) =>
    [
        .. Enumerable.Range(0, batch).SelectMany(window => slots.SelectMany(slot =>
            x.AsSpan(((window * ModelConfiguration.SlotCount) + slot) * samples, samples).ToArray())),
    ];
}
