using UniCardio.Engine.Backends;
using UniCardio.Engine.Diagnostics;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Sampling;
using UniCardio.Weights;
using UniCardio.Weights.Golden;
using Xunit.Abstractions;

namespace UniCardio.Gpu.Tests;

/// <summary>The official code's values, through the device.</summary>
public abstract class GoldenTests(TestDevice device, ITestOutputHelper output) : DeviceTests(device)
{
    [SkippableTheory]
    [InlineData("tiny.eps.safetensors")]
    [InlineData("p5.eps.safetensors")]
    [InlineData("p5slot.eps.safetensors")]
    public void GoldenCallsMatch(string file)
    {
        using GoldenFile golden = OpenGolden(file);
        using ModelWeights weights = new WeightRecipe(golden.Seed!.Value, golden.Configuration).Create();
        using DeviceLease lease = TestDevices.Open();
        GoldenReport report = GoldenVerifier.Verify(golden, weights, w =>
            new GpuBackend(lease.Device, w, new GpuOptions { GroupRows = TestDevices.GroupRows }));
        Assert.True(report.Passed, $"{report.Worst}");
    }

    // The figures of the kernels' page: how far one product of rounded values is off.
    [SkippableTheory]
    [InlineData("tiny.eps.safetensors", GpuPrecision.OneTf32, 11)]
    [InlineData("tiny.eps.safetensors", GpuPrecision.BFloat16, 8)]
    public void RoundedProductsAreOffByTheirBits(string file, GpuPrecision precision, int bits)
    {
        Skip.IfNot(TestDevices.HasTensorCores, "tensor cores are CUDA's");
        using GoldenFile golden = OpenGolden(file);
        using ModelWeights weights = new WeightRecipe(golden.Seed!.Value, golden.Configuration).Create();
        using DeviceLease lease = TestDevices.Open();
        GoldenReport report = GoldenVerifier.Verify(golden, weights, w =>
            new GpuBackend(lease.Device, w, new GpuOptions { Precision = precision }));
        output.WriteLine($"{file}, {precision}: {report.Worst}");
        // Each factor is rounded to so many bits, and errors of a network's maps add up as a random walk.
        Assert.InRange(report.Worst!.RelativeError, NetworkTests.Tolerance, 4 * Math.Pow(2, -bits));
    }

    // One run of each sampler; their kinds differ in rows, not in kernels.
    [SkippableTheory]
    [InlineData("ddpm")]
    [InlineData("ddim")]
    [InlineData("improved")]
    public void GoldenRunsMatch(string kind)
    {
        using GoldenFile golden = OpenGolden("tiny.samplers.safetensors");
        using ModelWeights weights = new WeightRecipe(golden.Seed!.Value, golden.Configuration).Create();
        using DeviceLease lease = TestDevices.Open();
        using var backend = new GpuBackend(lease.Device, weights, new GpuOptions { GroupRows = TestDevices.GroupRows });
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
        float[] result = new float[plan.StateSamples];
        executor.GetState(result);
        NetworkTests.AssertClose(golden.Values(run.Name + "/result").ToArray(), result);
    }

    private static GoldenFile OpenGolden(string file)
    {
        Skip.If(TestDevices.IsSlow, "too slow on ILGPU's CPU device");
        return GoldenFile.Open(Project.Shared("golden", file));
    }
}

/// <summary>On OpenCL.</summary>
public sealed class OpenClGoldenTests(ITestOutputHelper output) : GoldenTests(TestDevice.OpenCl, output);

/// <summary>On the simulator.</summary>
public sealed class SimulatedGoldenTests(ITestOutputHelper output) : GoldenTests(TestDevice.Simulated, output);
