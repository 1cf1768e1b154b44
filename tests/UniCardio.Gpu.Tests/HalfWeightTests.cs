using ILGPU.Runtime;
using UniCardio.Engine.Diagnostics;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Reference;
using UniCardio.OpCases;
using UniCardio.Weights;

namespace UniCardio.Gpu.Tests;

/// <summary>Weights of f16 and bf16 files stay in 16 bits on the device, and the network is the one of the widened weights.</summary>
public abstract class HalfWeightTests(TestDevice device) : DeviceTests(device)
{
    private const string Missing = "tensor cores are CUDA's";

    // 30 channels, 8 quads of which the last is half empty, in 3 heads of 10: 9 quads of heads, no pairs of quads.
    private static readonly ModelConfiguration s_sizes = new()
    {
        Channels = 30, Heads = 3, Blocks = 2, FeedForward = 40, Embedding = 8, SlotSamples = 85, SamplesPerToken = 5,
    };

    // Of the five kernels this one has no constant in its weights: in the third product, of A's leads by B's rests, every factor is 0.
    [SkippableTheory]
    [InlineData(-1)]
    [InlineData(-2)]
    public void SumsHaveTheBitsOfWidenedWeights(int kind)
    {
        Skip.IfNot(TestDevices.HasTensorCores, Missing);
        int[] n = [33, 1, 192, 3, 64, kind];
        float[][] x = new AttentionSumStage().Values(n);
        float[] kept = Run(widened: false), widened = Run(widened: true);
        Assert.Equal(widened, kept);

        float[] Run(bool widened)
        {
            using var c = new StageLaunch(n, usesTensors: true, widened);
            Assert.Equal(widened ? WeightKind.Single : kind == -1 ? WeightKind.BFloat : WeightKind.Half, c.Layout.Weights);
            c.Put(c.Buffers.X, x[0]).PutHeads(c.Buffers.Attention, x[1]).Run(c => c.Kernels.TensorAttentionOut(
                c.Stream, Backend.NetworkPass.Tiles(c.Shape, 4 * c.Layout.Quads), c.Shape, c.Buffers.Attention.NativePtr,
                c.Matrix(t => t.AttentionOut), c.OutBias, c.Buffers.X.View, c.Buffers.Y.View));
            return c.Get(c.Buffers.Y, c.Rows);
        }
    }

    [SkippableTheory]
    [InlineData(-1, true)]
    [InlineData(-1, false)]
    [InlineData(-2, true)]
    [InlineData(-2, false)]
    public void NetworkIsTheOneOfWidenedWeights(int kind, bool fewRows)
    {
        Skip.IfNot(TestDevices.HasTensorCores, Missing);
        var plan = new InferencePlan(s_sizes, CardioTask.Parse("ppg,bp->ecg", null), windows: 2, draws: 2);
        using DeviceLease lease = TestDevices.Open();
        using ModelWeights whole = new WeightRecipe(5, s_sizes).Create(), weights = Stage.Rounded(whole, kind);
        float[] expected = NetworkTests.Run(new ReferenceBackend(weights), plan, [3, 41]);
        using var kept = new GpuBackend(lease.Device, weights, new GpuOptions { Precision = GpuPrecision.ThreeTf32, FewRows = fewRows });
        Assert.Equal(16, kept.WeightBits);
        NetworkTests.AssertClose(expected, NetworkTests.Run(kept, plan, [3, 41]));
        using var widened = new GpuBackend(lease.Device, weights,
            new GpuOptions { Precision = GpuPrecision.ThreeTf32, FewRows = fewRows, KeepsHalfWeights = false });
        Assert.Equal(32, widened.WeightBits);
        NetworkTests.AssertClose(expected, NetworkTests.Run(widened, plan, [3, 41]));
    }

    // One product of bf16 takes bf16 weights without rounding them; f16 weights it has to round, so they are widened.
    [SkippableFact]
    public void OneProductTakesBFloatWeightsAsTheyAre()
    {
        Skip.IfNot(TestDevices.HasTensorCores, Missing);
        var plan = new InferencePlan(s_sizes, CardioTask.Parse("ppg->ecg", null));
        using DeviceLease lease = TestDevices.Open();
        using ModelWeights whole = new WeightRecipe(5, s_sizes).Create();
        foreach (int kind in (int[])[-1, -2])
        {
            using ModelWeights weights = Stage.Rounded(whole, kind);
            using var coarse = new GpuBackend(lease.Device, weights, new GpuOptions { Precision = GpuPrecision.BFloat16 });
            Assert.Equal(kind == -1 ? 16 : 32, coarse.WeightBits);
            float[] expected = NetworkTests.Run(new ReferenceBackend(weights), plan, [3, 41]);
            // 8 bits of the activations at least: as the bound of bf16 in NetworkTests.
            double error = RelativeError.Of(NetworkTests.Run(coarse, plan, [3, 41]), expected);
            Assert.InRange(error, NetworkTests.Tolerance, 4 * Math.Pow(2, -8));
        }
    }

    [SkippableTheory]
    [InlineData(GpuPrecision.Single)]
    [InlineData(GpuPrecision.SingleTiles)]
    [InlineData(GpuPrecision.OneTf32)]
    public void OthersWiden(GpuPrecision precision)
    {
        Skip.IfNot(TestDevices.HasTensorCores, Missing);
        using DeviceLease lease = TestDevices.Open();
        using ModelWeights whole = new WeightRecipe(5, s_sizes).Create(), weights = Stage.Rounded(whole, -1);
        using var backend = new GpuBackend(lease.Device, weights, new GpuOptions { Precision = precision });
        Assert.Equal(32, backend.WeightBits);
    }
}

/// <summary>On the CUDA device that UNICARDIO_TEST_DEVICE names.</summary>
public sealed class NamedHalfWeightTests() : HalfWeightTests(TestDevice.OpenCl);

/// <summary>On the simulator.</summary>
public sealed class SimulatedHalfWeightTests() : HalfWeightTests(TestDevice.Simulated);

/// <summary>Which weights are kept in 16 bits.</summary>
public sealed class WeightKindTests
{
    private static readonly ModelConfiguration s_sizes =
        new() { Channels = 12, Heads = 2, Blocks = 2, FeedForward = 10, Embedding = 8, SlotSamples = 33 };

    // The values decide: one weight that 16 bits do not hold, and all of them are widened.
    [Theory]
    [InlineData(1f, -1, true)]
    [InlineData(1.00390625f, -2, true)]
    [InlineData(65520f, -2, false)]
    [InlineData(6e-8f, -2, false)]
    [InlineData(5.9604645e-8f, -2, true)]
    [InlineData(0.1f, -1, false)]
    public void WeightsAreKeptOnlyIfAllAreExact(float value, int kind, bool isKept)
    {
        using ModelWeights whole = new WeightRecipe(5, s_sizes).Create(), rounded = Stage.Rounded(whole, kind);
        ParameterTensor one = rounded.Network.Blocks[1].MidProjection.Weight;
        float[] changed = [.. one.Data.ToArray()];
        changed[7] = value;
        using ModelWeights weights = ModelWeights.Create(s_sizes,
            rounded.Tensors.Select(t => t == one ? new ParameterTensor(t.Name, t.Shape, changed) : t));
        WeightKind found = WeightKinds.Of(weights);
        Assert.Equal(isKept ? kind == -1 ? WeightKind.BFloat : WeightKind.Half : WeightKind.Single, found);
        if (isKept)
        {
            ushort bits = WeightKinds.Bits(found, value);
            Assert.Equal(value, kind == -1 ? BitConverter.UInt32BitsToSingle((uint)bits << 16)
                : (float)BitConverter.UInt16BitsToHalf(bits));
        }
    }
}
