using UniCardio.Engine.Backends;
using UniCardio.Engine.Diagnostics;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Reference;
using UniCardio.Engine.Sampling;
using UniCardio.Weights;

namespace UniCardio.Gpu.Tests;

/// <summary>The whole network and the samplers' rows on the device against the double reference.</summary>
public abstract class NetworkTests(TestDevice device) : DeviceTests(device)
{
    // Float32 through 2 blocks of some ten maps each: as the CPU backend's bound.
    internal const double Tolerance = 1e-5;

    // 12 channels in 2 heads of 6 (padded to 8); 33 tokens: one tile and a tail.
    private static readonly ModelConfiguration s_small =
        new() { Channels = 12, Heads = 2, Blocks = 2, FeedForward = 10, Embedding = 8, SlotSamples = 33 };

    // p = 5, slot positions, 30 channels in 3 heads of 10: neither a multiple of 4.
    private static readonly ModelConfiguration s_folded = new()
    {
        Channels = 30,
        Heads = 3,
        Blocks = 3,
        FeedForward = 70,
        Embedding = 8,
        SlotSamples = 85,
        SamplesPerToken = 5,
        Positions = PositionKind.Slot,
    };

    public static TheoryData<string, bool, int, int> Cases => new()
    {
        { "small", true, 1, 1 },
        { "small", true, 8, 3 },
        { "small", false, 2, 1 },
        { "folded", true, 3, 2 },
        { "folded", false, 0, 1 },
    };

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void PredictionMatchesReference(string sizes, bool fused, int groupRows, int draws)
    {
        Skip.If(TestDevices.IsSlow && groupRows != 1, "too slow on ILGPU's CPU device");
        ModelConfiguration m = sizes == "small" ? s_small : s_folded;
        var plan = new InferencePlan(m, CardioTask.Parse(sizes == "small" ? "ppg,bp->ecg" : "impute ecg | ppg", null), windows: 2, draws);
        using DeviceLease lease = TestDevices.Open();
        using ModelWeights weights = new WeightRecipe(5, m).Create();
        using var backend = new GpuBackend(lease.Device, weights,
            new GpuOptions { FuseBlocks = fused, GroupRows = groupRows, Precision = GpuPrecision.Single });
        float[] expected = Run(new ReferenceBackend(weights), plan, [3, 3, 41]);
        AssertClose(expected, Run(backend, plan, [3, 3, 41]));
        if (!TestDevices.HasTensorCores || groupRows == 2)
            return;
        // The simulated H100 takes tensor cores of itself.
        if (TestDevices.Current == TestDevice.Simulated)
        {
            using var chosen = new GpuBackend(lease.Device, weights);
            Assert.Equal(GpuPrecision.ThreeTf32, chosen.Options.Precision);
        }

        using var tensors = new GpuBackend(lease.Device, weights, new GpuOptions { Precision = GpuPrecision.ThreeTf32 });
        AssertClose(expected, Run(tensors, plan, [3, 3, 41]));
        using var tiles = new GpuBackend(lease.Device, weights, new GpuOptions { Precision = GpuPrecision.SingleTiles });
        AssertClose(expected, Run(tiles, plan, [3, 3, 41]));
        // 11 bits of each factor: some 2^-11 of the largest value through a network of a few maps, and not float32's error.
        using var rounded = new GpuBackend(lease.Device, weights, new GpuOptions { Precision = GpuPrecision.OneTf32 });
        double error = RelativeError.Of(Run(rounded, plan, [3, 3, 41]), expected);
        Assert.InRange(error, Tolerance, 4 * Math.Pow(2, -11));
        // 8 bits: eight times as much.
        using var coarse = new GpuBackend(lease.Device, weights, new GpuOptions { Precision = GpuPrecision.BFloat16 });
        Assert.InRange(RelativeError.Of(Run(coarse, plan, [3, 3, 41]), expected), error, 4 * Math.Pow(2, -8));
    }

    // 33 and 17 tokens: with a window of 0 a query of the last tile sees nothing of the first.
    [SkippableTheory]
    [InlineData("small", 0, 0)]
    [InlineData("small", 8, 2)]
    [InlineData("folded", 3, 0)]
    public void LocalAttentionMatchesReference(string sizes, int window, int globals)
    {
        Skip.If(TestDevices.IsSlow, "too slow on ILGPU's CPU device");
        ModelConfiguration m = sizes == "small" ? s_small : s_folded;
        var pattern = new AttentionPattern { Window = window, GlobalTokens = globals };
        var plan = new InferencePlan(m, CardioTask.Parse("ppg,bp->ecg", null));
        using DeviceLease lease = TestDevices.Open();
        using ModelWeights weights = new WeightRecipe(5, m).Create();
        using var local = new GpuBackend(lease.Device, weights, new GpuOptions { Attention = pattern });
        using var dense = new GpuBackend(lease.Device, weights);
        float[] actual = Run(local, plan, [3, 41]);
        AssertClose(Run(new ReferenceBackend(weights, pattern: pattern), plan, [3, 41]), actual);
        Assert.True(RelativeError.Of(Run(dense, plan, [3, 41]), actual) > 100 * Tolerance, "the window made no difference");
    }

    [SkippableFact]
    public void FusedAndSeparateLaunchesGiveTheSameBits()
    {
        Skip.If(TestDevices.IsSlow, "too slow on ILGPU's CPU device");
        var plan = new InferencePlan(s_folded, CardioTask.Parse("bp->ppg", null));
        using DeviceLease lease = TestDevices.Open();
        using ModelWeights weights = new WeightRecipe(6, s_folded).Create();
        using var fused = new GpuBackend(lease.Device, weights, new GpuOptions { GroupRows = 1, Precision = GpuPrecision.Single });
        using var separate =
            new GpuBackend(lease.Device, weights, new GpuOptions { FuseBlocks = false, GroupRows = 3, Precision = GpuPrecision.Single });
        Assert.Equal(Run(separate, plan, [7]), Run(fused, plan, [7]));
    }

    [SkippableFact]
    public void KeyedNoiseAndHistoryMatchReference()
    {
        var plan = new InferencePlan(s_small, CardioTask.Parse("ppg->bp", null), windows: 2, draws: 2);
        using DeviceLease lease = TestDevices.Open();
        using ModelWeights weights = new WeightRecipe(5, s_small).Create();
        using var backend = new GpuBackend(lease.Device, weights, new GpuOptions { GroupRows = TestDevices.GroupRows });
        AssertClose(Sample(new ReferenceBackend(weights), plan), Sample(backend, plan));
    }

    // Two backends on one device, two sessions on each, every one on a thread of its own.
    [SkippableFact]
    public void SessionsOnManyThreadsTakeTurns()
    {
        Skip.If(TestDevices.IsSlow, "too slow on ILGPU's CPU device");
        var plan = new InferencePlan(s_small, CardioTask.Parse("ppg->bp", null), windows: 2);
        using DeviceLease lease = TestDevices.Open();
        using ModelWeights weights = new WeightRecipe(5, s_small).Create();
        using var fused = new GpuBackend(lease.Device, weights, new GpuOptions { GroupRows = TestDevices.GroupRows });
        using var separate =
            new GpuBackend(lease.Device, weights, new GpuOptions { FuseBlocks = false, GroupRows = TestDevices.GroupRows });
        float[] expected = Sample(fused, plan);
        float[][] results = new float[4][];
        Exception?[] failures = new Exception?[results.Length];
        Thread[] threads = [.. results.Select((_, i) => new Thread(() =>
        {
            try
            {
                results[i] = Sample(i % 2 == 0 ? fused : separate, plan);
            }
            catch (Exception e)
            {
                failures[i] = e;
            }
        }))];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();
        Assert.All(failures, Assert.Null);
        Assert.All(results, r => Assert.Equal(expected, r));
    }

    internal static float[] Run(IBackend backend, InferencePlan plan, int[] steps)
    {
        using IExecutor executor = backend.CreateExecutor(plan);
        executor.SetConditions(Values(plan.ConditionSamples, 1));
        executor.SetState(Values(plan.StateSamples, 2));
        var all = new List<float>();
        foreach (int t in steps)
        {
            float[] prediction = new float[plan.StateSamples];
            executor.Predict(t, prediction);
            all.AddRange(prediction);
        }

        return [.. all];
    }

    private static float[] Sample(IBackend backend, InferencePlan plan)
    {
        using IExecutor executor = backend.CreateExecutor(plan);
        NoiseSource noise = NoiseSource.Philox([0x123456789ABCDEF0, 3], [7, 900_000_000], firstDraw: 5);
        executor.SetConditions(Values(plan.ConditionSamples, 1));
        executor.SetState(noise);
        executor.Step(new SamplerStep
        {
            T = 40, CleanFromState = 0.9, CleanFromPrediction = -0.3, State = 0.5, Clean0 = 0.4, Noise = 0.2, NoiseIndex = 1,
            ClampLow = -0.7, ClampHigh = 0.8,
        }, noise);
        executor.Step(new SamplerStep
        {
            T = 30, CleanFromState = 0.9, CleanFromPrediction = -0.3, State = 0.5, Clean0 = 0.4, Clean1 = 0.3, Noise = 0.1,
            NoiseIndex = 2,
        }, noise);
        executor.Step(new SamplerStep
        {
            T = 20, CleanFromState = 0.9, CleanFromPrediction = -0.3, State = 0.5, Clean0 = 0.4, Clean1 = 0.3, Clean2 = -0.2,
        }, noise);
        float[] state = new float[plan.StateSamples], clean = new float[plan.StateSamples];
        executor.GetState(state);
        executor.GetClean(clean);
        return [.. state, .. clean];
    }

    private static float[] Values(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() * 2) - 1)];
    }

    internal static void AssertClose(float[] expected, float[] actual)
    {
        double error = RelativeError.Of(actual, expected);
        Assert.True(error <= Tolerance, $"relative error {error}");
    }
}

/// <summary>On OpenCL.</summary>
public sealed class OpenClNetworkTests() : NetworkTests(TestDevice.OpenCl);

/// <summary>On the simulator.</summary>
public sealed class SimulatedNetworkTests() : NetworkTests(TestDevice.Simulated);
