using UniCardio.Engine.Backends;
using UniCardio.Engine.Diagnostics;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Sampling;
using UniCardio.Gpu.Backend;
using UniCardio.Gpu.Devices;
using UniCardio.Ptx.Cuda;
using UniCardio.Weights;
using UniCardio.Weights.Golden;
using Xunit.Abstractions;

namespace UniCardio.Ptx.Tests.Networks;

/// <summary>Whole networks under the sanitizer: what ILGPU wrote of the product's kernels touches nothing that it should not, and is
/// right.</summary>
public class SanitizedNetworkTests(ITestOutputHelper output)
{
    // The bound of every backend against the official code's values.
    private const double Tolerance = 1e-5;

    // The long cases, minutes of them, run by command: CONTRIBUTING.md.
    private static readonly bool s_all = Environment.GetEnvironmentVariable("UNICARDIO_SANITIZE_ALL") == "1";

    private static readonly SimulatedGpu s_checked = SimulatedGpu.H100 with { Options = new PtxDeviceOptions { Sanitize = true } };

    [SkippableTheory]
    [InlineData("tiny.eps.safetensors", GpuPrecision.ThreeTf32, true)]
    [InlineData("tiny.eps.safetensors", GpuPrecision.SingleTiles, true)]
    [InlineData("tiny.eps.safetensors", GpuPrecision.Single, true)]
    [InlineData("p5.eps.safetensors", GpuPrecision.ThreeTf32, false)]
    [InlineData("p5.eps.safetensors", GpuPrecision.SingleTiles, true)]
    [InlineData("p5slot.eps.safetensors", GpuPrecision.SingleTiles, false)]
    [InlineData("p5slot.eps.safetensors", GpuPrecision.ThreeTf32, true)]
    public void GoldenCallsMatch(string file, GpuPrecision precision, bool isLong)
    {
        Skip.If(isLong && !s_all, "takes a minute; UNICARDIO_SANITIZE_ALL=1 runs it");
        using GoldenFile golden = GoldenFile.Open(Project.Shared("golden", file));
        using ModelWeights weights = new WeightRecipe(golden.Seed!.Value, golden.Configuration).Create();
        using GpuDevice device = Open();
        var options = new GpuOptions { Precision = precision };
        GoldenReport report = GoldenVerifier.Verify(golden, weights, w => new GpuBackend(device, w, options));
        output.WriteLine($"{file}, {precision}: {report.Worst}");
        Assert.True(report.Passed, $"{report.Worst}");
    }

    [SkippableTheory]
    [InlineData("ddpm", true)]
    [InlineData("ddim", false)]
    [InlineData("improved", true)]
    public void GoldenRunsMatch(string kind, bool isLong)
    {
        Skip.If(isLong && !s_all, "takes a minute; UNICARDIO_SANITIZE_ALL=1 runs it");
        using GoldenFile golden = GoldenFile.Open(Project.Shared("golden", "tiny.samplers.safetensors"));
        using ModelWeights weights = new WeightRecipe(golden.Seed!.Value, golden.Configuration).Create();
        using GpuDevice device = Open();
        using var backend = new GpuBackend(device, weights);
        GoldenRun run = golden.Entries.OfType<GoldenRun>().First(r => r.Name.StartsWith(kind, StringComparison.Ordinal));
        var plan = new InferencePlan(golden.Configuration, run.Task, run.Batch);
        int samples = golden.Configuration.SlotSamples;
        ReadOnlyMemory<float> observed = golden.Values(run.Name + "/observed");
        float[] conditions = [.. Enumerable.Range(0, run.Batch)
            .SelectMany(w => plan.Conditions.SelectMany(c => observed.Slice(((w * 4) + (int)c) * samples, samples).ToArray()))];
        using IExecutor executor = backend.CreateExecutor(plan);
        executor.SetConditions(conditions);
        var noise = NoiseSource.Explicit(golden.Values(run.Name + "/noise").Span);
        executor.SetState(noise);
        foreach (SamplerStep step in SamplerTable.Create(run.Sampler, golden.Configuration, run.Task).Steps)
            executor.Step(step, noise);
        float[] result = new float[plan.StateSamples], expected = golden.Values(run.Name + "/result").ToArray();
        executor.GetState(result);
        double largest = Math.Max(1, expected.Max(Math.Abs));
        for (int i = 0; i < result.Length; i++)
            Assert.True(Math.Abs(result[i] - expected[i]) <= Tolerance * largest, $"sample {i}: {result[i]}, expected {expected[i]}");
    }

    // Sizes that are no multiple of a tile, with padding everywhere, fused and apart, with and without a window, on tensor cores and in
    // tiles of float32.
    [SkippableTheory]
    [InlineData(GpuPrecision.Single, true, 1, -1)]
    [InlineData(GpuPrecision.Single, true, 3, 4)]
    [InlineData(GpuPrecision.Single, false, 2, -1)]
    [InlineData(GpuPrecision.ThreeTf32, true, 2, -1)]
    [InlineData(GpuPrecision.ThreeTf32, true, 1, 4)]
    [InlineData(GpuPrecision.SingleTiles, true, 2, -1)]
    [InlineData(GpuPrecision.OneTf32, true, 1, -1)]
    [InlineData(GpuPrecision.BFloat16, true, 1, -1)]
    public void OddSizesAreSound(GpuPrecision precision, bool fused, int draws, int window)
    {
        var m = new ModelConfiguration { Channels = 30, Heads = 3, Blocks = 2, FeedForward = 70, Embedding = 8, SlotSamples = 85,
            SamplesPerToken = 5, Positions = PositionKind.Slot };
        using ModelWeights weights = new WeightRecipe(5, m).Create();
        using GpuDevice device = Open();
        var pattern = window < 0 ? default : new AttentionPattern { Window = window, GlobalTokens = 1 };
        var options = new GpuOptions { FuseBlocks = fused, Attention = pattern, Precision = precision };
        using var backend = new GpuBackend(device, weights, options);
        var plan = new InferencePlan(m, CardioTask.Parse("impute ecg | ppg", null), windows: 2, draws);
        using IExecutor executor = backend.CreateExecutor(plan);
        executor.SetConditions(new float[plan.ConditionSamples]);
        executor.SetState([.. Enumerable.Range(0, plan.StateSamples).Select(i => MathF.Sin(i))]);
        float[] prediction = new float[plan.StateSamples];
        // At one t the second call leaves the conditions out.
        executor.Predict(3, prediction);
        float[] again = new float[plan.StateSamples];
        executor.Predict(3, again);
        Assert.Equal(prediction, again);
        Assert.All(prediction, v => Assert.True(float.IsFinite(v)));
    }

    // The official size, executed without the sanitizer.
    [SkippableFact]
    public void FullSizeMatches()
    {
        Skip.If(!s_all, "takes minutes; UNICARDIO_SANITIZE_ALL=1 runs it");
        using GoldenFile golden = GoldenFile.Open(Project.Shared("golden", "full.eps.safetensors"));
        using ModelWeights weights = new WeightRecipe(golden.Seed!.Value, golden.Configuration).Create();
        using GpuDevice device = Open(SimulatedGpu.H100);
        GoldenReport report = GoldenVerifier.Verify(golden, weights, w => new GpuBackend(device, w));
        output.WriteLine($"full.eps on the simulator: {report.Worst}");
        Assert.True(report.Passed, $"{report.Worst}");
    }

    private static GpuDevice Open(SimulatedGpu? gpu = null)
    {
        try
        {
            SimulatedDriver.Start(gpu ?? s_checked);
        }
        catch (PlatformNotSupportedException e)
        {
            Skip.If(true, e.Message);
        }

        return GpuDevices.Open(new DeviceSelector("cuda"));
    }
}
