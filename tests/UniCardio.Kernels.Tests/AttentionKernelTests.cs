using ILGPU;
using ILGPU.Runtime;
using UniCardio.Engine.Reference;
using UniCardio.Golden;

namespace UniCardio.Kernels.Tests;

/// <summary>The attention kernel against the double twin with a dense mask: odd sizes, every head width, windows and global tokens.</summary>
public sealed class AttentionKernelTests
{
    // Softmax weights sum to 1, so the error is a few float32 roundings of scores up to ~6 (2^-24 x 6 x 2) and of one sum of at
    // most 1000 terms taken 32 at a time: 2e-6 of the largest value holds a few times over.
    private const double Tolerance = 2e-6;

    public static TheoryData<int, int, int, int> Cases => new()
    {
        { 1, 12, -1, 0 },
        { 17, 30, -1, 0 },
        { 33, 36, -1, 0 },
        { 100, 64, -1, 0 },
        { 33, 12, 0, 0 },
        { 100, 36, 8, 0 },
        { 100, 30, 8, 3 },
        { 100, 12, 0, 40 },
        { 17, 64, 8, 1 },
        { 500, 36, 8, 2 },
        { 500, 36, -1, 0 },
    };

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void MatchesReference(int tokens, int headDim, int window, int globals)
    {
        Skip.If(TestDevices.IsSlow && tokens > 17, "too slow on ILGPU's CPU device");
        // Two windows of two conditions and one draw, then two draws; two heads where it is cheap.
        int heads = tokens < 100 ? 2 : 1, windows = tokens < 100 ? 2 : 1, draws = tokens < 100 ? 2 : 1;
        const int Conditions = 2;
        int padded = (headDim + 3) / 4 * 4, channels = heads * headDim, width = heads * padded;
        int conditionSlots = windows * Conditions, slots = conditionSlots + (windows * draws), rows = slots * tokens;
        var random = new Random(tokens + headDim);
        double[] q = Values(random, rows * channels), k = Values(random, rows * channels), v = Values(random, rows * channels);
        var shape = new AttentionShape
        {
            ConditionSlots = conditionSlots,
            Conditions = Conditions,
            Draws = draws,
            Blocks = 1,
            SlotTokens = tokens,
            HeadQuads = width / 4,
            HeadDimQuads = padded / 4,
            Window = window,
            GlobalTokens = globals,
        };
        float[] actual = Launch(shape, Pack(q, k, v, rows, heads, headDim, padded), slots, heads, rows * width, tokens <= 100);
        float[] expected = new float[rows * width];
        for (int slot = 0; slot < slots; slot++)
            Reference(shape, q, k, v, slot, heads, headDim, padded, expected);
        double error = RelativeError.Of(actual, expected);
        Assert.True(error <= Tolerance, $"relative error {error}");
    }

    private static float[] Launch(AttentionShape shape, float[] packed, int slots, int heads, int length, bool thorough)
    {
        using GpuDevice device = TestDevices.Open(thorough);
        Accelerator accelerator = device.Accelerator;
        using MemoryBuffer1D<Float4, Stride1D.Dense> qkv = accelerator.Allocate1D<Float4>(packed.Length / 4);
        using MemoryBuffer1D<float, Stride1D.Dense> output = accelerator.Allocate1D<float>(length);
        ((ArrayView<Float4>)qkv.View).Cast<float>().CopyFromCPU(packed);
        int tiles = (shape.SlotTokens + 31) / 32;
        device.Kernels.Attention(shape.HeadDimQuads)(
            accelerator.DefaultStream, new KernelConfig(new Index3D(slots * tiles, heads, 1), new Index3D(8, 8, 1)), shape, qkv.View, output.View);
        float[] result = new float[length];
        ((ArrayView<float>)output.View).CopyToCPU(result);
        return result;
    }

    private static void Reference(AttentionShape shape, double[] q, double[] k, double[] v, int slot, int heads, int headDim, int padded, float[] expected)
    {
        int tokens = shape.SlotTokens, channels = heads * headDim;
        bool isTarget = slot >= shape.ConditionSlots;
        int window = isTarget ? (slot - shape.ConditionSlots) / shape.Draws : slot / shape.Conditions;
        int[] read = [.. Enumerable.Range(window * shape.Conditions, shape.Conditions), .. isTarget ? new[] { slot } : []];
        double[] Rows(double[] all) => [.. read.SelectMany(s => all.Skip(s * tokens * channels).Take(tokens * channels))];
        double[] mask = new double[tokens * tokens * read.Length];
        for (int i = 0; i < tokens; i++)
        {
            for (int j = 0; j < tokens * read.Length; j++)
            {
                int key = j % tokens;
                bool sees = shape.Window < 0 || i < shape.GlobalTokens || key < shape.GlobalTokens || Math.Abs(i - key) <= shape.Window;
                mask[(i * tokens * read.Length) + j] = sees ? 0 : double.NegativeInfinity;
            }
        }

        double[] output = new double[tokens * channels];
        ReferenceAttention.Forward(q.AsSpan(slot * tokens * channels, tokens * channels), Rows(k), Rows(v), mask, heads, channels, output);
        for (int i = 0; i < output.Length; i++)
        {
            int c = i % channels;
            expected[(((slot * tokens) + (i / channels)) * heads * padded) + (c / headDim * padded) + (c % headDim)] = (float)output[i];
        }
    }

    // [rows, 3 heads], queries scaled as the weights' folding does.
    private static float[] Pack(double[] q, double[] k, double[] v, int rows, int heads, int headDim, int padded)
    {
        int width = heads * padded, channels = heads * headDim;
        float[] packed = new float[rows * 3 * width];
        double scale = 1 / (Math.Sqrt(headDim) * Math.Log(2));
        for (int i = 0; i < rows * channels; i++)
        {
            int c = i % channels, at = (i / channels * 3 * width) + (c / headDim * padded) + (c % headDim);
            packed[at] = (float)(q[i] * scale);
            packed[at + width] = (float)k[i];
            packed[at + (2 * width)] = (float)v[i];
        }

        return packed;
    }

    // Float32 values, so that both sides start from the same numbers.
    private static double[] Values(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => (double)((random.NextSingle() * 4) - 2))];
}
