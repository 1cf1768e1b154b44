using UniCardio.Engine;
using UniCardio.Engine.Diagnostics;
using UniCardio.Engine.Quality;
using UniCardio.Gpu.Quality;
using UniCardio.Weights;
using UniCardio.Weights.Quality;
using Xunit.Abstractions;

namespace UniCardio.Gpu.Tests;

/// <summary>The quality family through the device.</summary>
public abstract class QualityTests(TestDevice device, ITestOutputHelper output) : DeviceTests(device)
{
    // Odd channels, strides that do not divide, a window narrower than a tile; 397 -> 133 -> 34 -> 12 tokens.
    private static readonly QualityConfiguration s_odd = new()
    {
        Width = 30, Heads = 3, Layers = 1, FeedForward = 7, Window = 2, Samples = 397, TokeniserChannels = (3, 5), Kernels = [9, 7, 3],
        Strides = [3, 4, 3],
    };

    // The author's values, at the tolerance of every backend.
    [SkippableTheory]
    [InlineData("tiny.activations.safetensors", 1, "phase")]
    [InlineData("base.activations.safetensors", 2, "phase")]
    [InlineData("base.heads.safetensors", 2, "vtac/logits")]
    public void GoldenValuesMatch(string file, int seed, string value)
    {
        Skip.If(TestDevices.IsSlow, "too slow on ILGPU's CPU device");
        Skip.If(seed == 2 && TestDevices.Current == TestDevice.Simulated && !TestDevices.RunsLongForms,
            "takes minutes on the simulator; UNICARDIO_SANITIZE_ALL=1 runs it");
        using QualityGoldenFile golden = QualityGoldenFile.Open(Project.Shared("golden", "qualityfm", file));
        using QualityWeights weights = Recipe(seed, golden.Configuration);
        using DeviceLease lease = TestDevices.Open();
        GoldenReport report = QualityGolden.Verify(golden, weights, w => new GpuQualityNetwork(lease.Device, w));
        output.WriteLine($"{file} on {report.Backend}: {report.Worst}");
        Assert.True(report.Passed, $"{report.Worst}");
        Assert.Contains(report.Results, r => r.Name == value);
    }

    // Groups of windows, whole and short; a linear head of every kind; bits of a window depend on no other.
    [SkippableTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void AgreesWithTheReference(bool odd)
    {
        Skip.If(TestDevices.IsSlow, "too slow on ILGPU's CPU device");
        QualityConfiguration m = odd ? s_odd : QualityConfiguration.Tiny;
        using QualityWeights weights = Recipe(3, m);
        using DeviceLease lease = TestDevices.Open();
        using IQualityNetwork reference = QualityNetwork.Reference(weights), gpu = new GpuQualityNetwork(lease.Device, weights);
        int window = m.Channels * m.Samples, made = m.Tokens * m.Width, outputs = m.TokensOf(m.Width) * m.Width;
        float[] x = [.. Enumerable.Range(0, 3 * window).Select(i => MathF.Sin(0.37f * i) * MathF.Cos(0.011f * i * (i % 7)))];
        float[][] expected = Everything(reference, x, 3, made, outputs), actual = Everything(gpu, x, 3, made, outputs);
        for (int i = 0; i < expected.Length; i++)
            NetworkTests.AssertClose(expected[i], actual[i]);
        float[] alone = new float[made];
        gpu.Encode(x.AsSpan(window, window), 1, alone);
        Assert.Equal(actual[0].AsSpan(made, made).ToArray(), alone);
        float[] one = new float[m.TokensOf(m.Samples / 3) * m.Width], other = new float[one.Length];
        int part = m.Channels * (m.Samples / 3);
        reference.Encode(x.AsSpan(0, part), 1, one);
        gpu.Encode(x.AsSpan(0, part), 1, other);
        NetworkTests.AssertClose(one, other);
    }

    [SkippableFact]
    public void TheAlarmAgreesWithTheReference()
    {
        Skip.If(TestDevices.IsSlow, "too slow on ILGPU's CPU device");
        using QualityWeights weights = Recipe(3, s_odd);
        using DeviceLease lease = TestDevices.Open();
        using IQualityNetwork reference = QualityNetwork.Reference(weights), gpu = new GpuQualityNetwork(lease.Device, weights);
        float[] x = [.. Enumerable.Range(0, 2 * 2 * 211).Select(i => MathF.Sin(0.37f * i))], expected = new float[2], actual = new float[2];
        reference.Alarm(x, 2, expected);
        gpu.Alarm(x, 2, actual);
        NetworkTests.AssertClose(expected, actual);
    }

    [SkippableFact]
    public void WiderHeadsAreRefused()
    {
        using DeviceLease lease = TestDevices.Open();
        using QualityWeights weights = Recipe(3, s_odd with { Width = 132, Heads = 1 });
        Assert.Equal("heads", Assert.Throws<ConfigurationException>(() => new GpuQualityNetwork(lease.Device, weights)).Setting);
    }

    private static float[][] Everything(IQualityNetwork network, float[] x, int count, int made, int outputs)
    {
        float[] features = new float[count * made], amplitude = new float[count * outputs], phase = new float[count * outputs],
            fibrillation = new float[count], pressure = new float[2 * count];
        network.Encode(x, count, features);
        network.Decode(features, count, amplitude, phase);
        network.Head(QualityHead.AtrialFibrillation, features, count, fibrillation);
        network.Head(QualityHead.BloodPressure, features, count, pressure);
        return [features, amplitude, phase, fibrillation, pressure];
    }

    private static QualityWeights Recipe(int seed, QualityConfiguration m) => QualityWeightFile.Load($"{WeightRecipe.Prefix}{seed}", m);
}

/// <summary>On OpenCL.</summary>
public sealed class OpenClQualityTests(ITestOutputHelper output) : QualityTests(TestDevice.OpenCl, output);

/// <summary>On the simulator.</summary>
public sealed class SimulatedQualityTests(ITestOutputHelper output) : QualityTests(TestDevice.Simulated, output);
