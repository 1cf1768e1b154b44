using ILGPU;
using ILGPU.Runtime;
using UniCardio.OpCases;

namespace UniCardio.Gpu.Tests;

/// <summary>The ops of the one list that are a kernel of their own on the GPU, at the list's sizes, inputs and bounds. The other kernels
/// are stages of a block.</summary>
public abstract class OpCaseTests(TestDevice device) : DeviceTests(device)
{
    // Condition slots are whole slots: of the list's windows those whose conditions divide into slots as long as the target.
    public static TheoryData<string> Attentions =>
        [.. OpList.Named(nameof(WindowAttention)).Sizes.Where(n => n[0] % n[1] == 0 && n[3] <= 64).Select(Op.Text)];

    [SkippableTheory]
    [MemberData(nameof(Attentions))]
    public void AttentionMatchesItsTwin(string size)
    {
        Op op = OpList.Named(nameof(WindowAttention));
        int[] n = op.Sizes.Single(s => Op.Text(s) == size);
        Skip.If(TestDevices.IsSlow && n[1] > 17, "too slow on ILGPU's CPU device");
        (int conditions, int tokens, int heads, int d) = (n[0] / n[1], n[1], n[2], n[3]);
        float[][] x = op.Values(n);
        double[][] wide = Op.Doubles(x), expected = op.Twin(n, wide);
        int quads = (d + 3) / 4, width = heads * quads * 4, rows = n[0] + n[1];
        var shape = new AttentionShape
        {
            ConditionSlots = conditions, Conditions = conditions, Draws = 1, Blocks = 1, SlotTokens = tokens, HeadQuads = heads * quads,
                HeadDimQuads = quads, Window = -1,
        };
        float[] packed = new float[rows * 3 * width], output = new float[rows * width];
        double scale = 1 / (Math.Sqrt(d) * Math.Log(2));
        for (int i = 0; i < x[0].Length; i++)
        {
            int column = i % (3 * heads * d), channel = column % (heads * d);
            int at = (i / (3 * heads * d) * 3 * width) + (column / (heads * d) * width) + (channel / d * quads * 4) + (channel % d);
            packed[at] = (float)(x[0][i] * (column < heads * d ? scale : 1));
        }

        using DeviceLease lease = TestDevices.Open();
        Accelerator accelerator = lease.Device.Accelerator;
        using MemoryBuffer1D<Float4, Stride1D.Dense> qkv = accelerator.Allocate1D<Float4>(packed.Length / 4);
        using MemoryBuffer1D<float, Stride1D.Dense> result = accelerator.Allocate1D<float>(output.Length);
        ((ArrayView<Float4>)qkv.View).Cast<float>().CopyFromCPU(packed);
        lease.Device.Kernels.Attention(quads)(
            accelerator.DefaultStream,
            new KernelConfig(new Index3D((conditions + 1) * ((tokens + 31) / 32), heads, 1), new Index3D(8, 8, 1)), shape, qkv.View,
            result.View);
        ((ArrayView<float>)result.View).CopyToCPU(output);
        for (int i = 0; i < expected[0].Length; i++)
        {
            int channel = i % (heads * d);
            float actual = output[(i / (heads * d) * width) + (channel / d * quads * 4) + (channel % d)];
            double bound = op.Bound(n, wide, expected, 0, i), error = Math.Abs(actual - expected[0][i]);
            Assert.True(error <= bound, $"{size}, element {i}: {actual:R}, expected {expected[0][i]:R}, bound {bound:E2}");
        }
    }
}

/// <summary>On OpenCL.</summary>
public sealed class OpenClOpCaseTests() : OpCaseTests(TestDevice.OpenCl);

/// <summary>On the simulator.</summary>
public sealed class SimulatedOpCaseTests() : OpCaseTests(TestDevice.Simulated);
