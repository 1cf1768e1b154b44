using UniCardio.Engine.Backends.Cpu.Kernels;
using UniCardio.Engine.Backends.Cpu.Simd;
using UniCardio.Engine.Reference;
using UniCardio.Engine.Sampling;
using UniCardio.Training.Kernels;

namespace UniCardio.OpCases;

/// <summary>An op of each element by itself. Size: elements, a multiple of every vector width where the kernel wants whole
/// vectors.</summary>
internal abstract class ElementOp : Op
{
    public override IReadOnlyList<int[]> Sizes { get; } = [[0], [16], [32], [112], [304]];

    public override OpInput[] Inputs(int[] n) => [new("x", n[0], 5)];

    public override (double Flops, double Bytes) Work(int[] n) => (n[0], 8.0 * n[0]);
}

/// <summary>y = x/2 (1 + erf(x / sqrt 2)), in place.</summary>
internal sealed unsafe class Gelu : ElementOp
{
    public override IReadOnlyList<int[]> TimedSizes { get; } = [[192 * 64]];

    public override double[][] Twin(int[] n, double[][] x) => [[.. x[0].Select(ReferenceGelu.Value)]];

    // Stated in Elementary: 2 ulp of |x|, for the tail of y itself is e^(-x^2/2).
    public override double Bound(int[] n, double[][] x, double[][] y, int output, int i) => 4 * U * Math.Abs(x[0][i]);

    public override (double Flops, double Bytes) Work(int[] n) => (30.0 * n[0], 8.0 * n[0]);

    public override OpCall Bind<S, V>(int[] n, float[][] x)
    {
        var memory = new OpMemory();
        float* a = memory.Flat(x[0], n[0]);
        return new OpCall(memory, () => GeluRows.Run<S, V>(a, n[0]), () => [OpMemory.Dense(a, 1, n[0], n[0])]);
    }
}

/// <summary>Training's GELU, out of place, and its backward pass.</summary>
internal sealed unsafe class TrainedGelu : ElementOp
{
    public override IReadOnlyList<int[]> TimedSizes { get; } = [[240 * 64]];

    public override double[][] Twin(int[] n, double[][] x) => [[.. x[0].Select(ReferenceGelu.Value)]];

    // As Gelu's.
    public override double Bound(int[] n, double[][] x, double[][] y, int output, int i) => 4 * U * Math.Abs(x[0][i]);

    public override (double Flops, double Bytes) Work(int[] n) => (30.0 * n[0], 8.0 * n[0]);

    public override OpCall Bind<S, V>(int[] n, float[][] x)
    {
        var memory = new OpMemory();
        float* a = memory.Flat(x[0], n[0]), y = memory.Take(n[0], -7);
        return new OpCall(memory, () => GeluBackward.Forward<S, V>(a, y, n[0]), () => [OpMemory.Dense(y, 1, n[0], n[0])]);
    }

    public override OpCall BindBackward<S, V>(int[] n, float[][] x, float[][] dy)
    {
        var memory = new OpMemory();
        float* a = memory.Flat(x[0], n[0]), d = memory.Flat(dy[0], n[0]);
        return new OpCall(memory, () => GeluBackward.Backward<S, V>(a, d, n[0]), () => [OpMemory.Dense(d, 1, n[0], n[0])]);
    }

    // 6 u of 1 + |x| phi(x), which is below 1.13, and the product's rounding.
    public override double GradientBound(int[] n) => 16 * U;
}

/// <summary>y = max(x, 0), in place; backward from y.</summary>
internal sealed unsafe class Relu : ElementOp
{
    public override double[][] Twin(int[] n, double[][] x) => [[.. x[0].Select(v => Math.Max(v, 0))]];

    public override double Bound(int[] n, double[][] x, double[][] y, int output, int i) => 0;

    public override OpCall Bind<S, V>(int[] n, float[][] x)
    {
        var memory = new OpMemory();
        float* a = memory.Flat(x[0], n[0]);
        return new OpCall(memory, () => ReluRows.Run<S, V>(a, n[0]), () => [OpMemory.Dense(a, 1, n[0], n[0])]);
    }

    public override OpCall BindBackward<S, V>(int[] n, float[][] x, float[][] dy)
    {
        var memory = new OpMemory();
        float* y = memory.Flat(x[0], n[0]), d = memory.Flat(dy[0], n[0]);
        ReluRows.Run<S, V>(y, n[0]);
        return new OpCall(memory, () => ElementRows.ReluBackward<S, V>(y, d, n[0]), () => [OpMemory.Dense(d, 1, n[0], n[0])]);
    }

    // Copies or zeros.
    public override double GradientBound(int[] n) => 0;
}

/// <summary>y = (x + d) a, rows of x with the same d; then y + a x. Size: rows, C. Every pass of ElementRows, whose backward passes are
/// sums and scales too.</summary>
internal sealed unsafe class RowSums : Op
{
    private const float A = 0.7071f;

    public override IReadOnlyList<int[]> Sizes { get; } = [[0, 12], [1, 1], [3, 15], [4, 16], [5, 17], [7, 180]];

    public override OpInput[] Inputs(int[] n) => [new("x", n[0] * n[1]), new("d", n[1])];

    public override double[][] Twin(int[] n, double[][] x) =>
    [
        [.. x[0].Select((v, i) => v + x[1][i % n[1]])],
        [.. x[0].Select((v, i) => (v + x[1][i % n[1]]) * A)],
        [.. x[0].Select(v => (A * v) + v)],
        [.. x[0].Select(v => (A * v) + (A * v))],
    ];

    // Two roundings of values below 2, one more where they are added.
    public override double Bound(int[] n, double[][] x, double[][] y, int output, int i) => 8 * U;

    public override (double Flops, double Bytes) Work(int[] n) => (7.0 * n[0] * n[1], 40.0 * n[0] * n[1]);

    public override OpCall Bind<S, V>(int[] n, float[][] x)
    {
        int stride = Up(n[1], 2 * S.Width), count = n[0] * stride;
        var memory = new OpMemory();
        float* a = memory.Rows(x[0], n[0], n[1], stride), d = memory.Flat(x[1], stride);
        float* sum = memory.Take(count, -7), scaled = memory.Take(count, -7), added = memory.Take(count, -7),
            twice = memory.Take(count, -7);
        return new OpCall(
            memory,
            () =>
            {
                ElementRows.AddVector<S, V>(a, d, sum, stride, n[0], stride);
                ElementRows.AddVectorScale<S, V>(a, d, A, scaled, stride, n[0], stride);
                ElementRows.Scale<S, V>(a, A, added, count);
                ElementRows.Add<S, V>(a, added, count);
                ElementRows.Scale<S, V>(a, A, twice, count);
                ElementRows.AddScaled<S, V>(a, A, twice, count);
            },
            () => [.. new[] { (nint)sum, (nint)scaled, (nint)added, (nint)twice }.Select(p =>
                OpMemory.Dense((float*)p, n[0], n[1], stride))]);
    }
}

/// <summary>
/// x[j] keep_j / (1 - rate), keep_j from 16 bits of Philox at the element's place. Size: elements, percent of the rate. Its backward pass
/// is itself.
/// </summary>
internal sealed unsafe class Dropout : Op
{
    private const ulong Seed = 99;

    public override IReadOnlyList<int[]> Sizes { get; } = [[0, 10], [1, 10], [7, 10], [8, 50], [9, 50], [31, 10], [180, 10], [500, 90]];

    public override OpInput[] Inputs(int[] n) => [new("x", n[0])];

    public override double[][] Twin(int[] n, double[][] x)
    {
        uint threshold = (uint)Math.Round(n[1] / 100.0 * 65536);
        double[] y = new double[n[0]];
        for (int j = 0; j < y.Length; j++)
        {
            (uint a, uint b, uint c, uint d) = Philox4x32.Block(((uint)(j / 8), 5, 3, (2u << 24) | 1), Seed);
            uint[] words = [a, b, c, d];
            uint bits = (words[j % 8 / 2] >> (16 * (j % 2))) & 0xFFFF;
            y[j] = bits < threshold ? 0 : x[0][j] * 65536 / (65536 - threshold);
        }

        return [y];
    }

    // The factor is rounded, and the product.
    public override double Bound(int[] n, double[][] x, double[][] y, int output, int i) => 3 * U * Math.Abs(y[0][i]);

    public override (double Flops, double Bytes) Work(int[] n) => (n[0], 8.0 * n[0]);

    public override OpCall Bind<S, V>(int[] n, float[][] x) => Apply(n, x[0]);

    public override OpCall BindBackward<S, V>(int[] n, float[][] x, float[][] dy) => Apply(n, dy[0]);

    public override double GradientBound(int[] n) => 3 * U;

    private static OpCall Apply(int[] n, float[] values)
    {
        var memory = new OpMemory();
        float* a = memory.Flat(values, n[0]);
        DropoutMask mask = DropoutMask.Of(Seed, n[1] / 100.0);
        return new OpCall(memory, () => mask.Apply(a, n[0], DropoutSite.Hidden, 3, 1, 5), () => [OpMemory.Dense(a, 1, n[0], n[0])]);
    }
}

/// <summary>A sampler's row: x0 = clamp(f x + g p), x &lt;- a x + b0 x0 + b1 x0' + b2 x0'' + s z. Size: samples, which of three
/// rows.</summary>
internal sealed unsafe class SamplerRow : Op
{
    internal static readonly SamplerStep[] Steps =
    [
        new() { T = 3, CleanFromState = 1.5, CleanFromPrediction = -0.7, State = 0.4, Clean0 = 0.6 },
        new()
        {
            T = 3, CleanFromState = 0.9, CleanFromPrediction = 0.2, State = 0, Clean0 = 1, Clean1 = 0.5, Clean2 = -0.25, ClampLow = -0.3,
            ClampHigh = 0.4,
        },
        new() { T = 3, CleanFromState = 1.1, CleanFromPrediction = -0.3, State = 0.9, Clean0 = 0.1, Noise = 0.8, NoiseIndex = 1 },
    ];

    public override IReadOnlyList<int[]> Sizes { get; } =
        [.. Enumerable.Range(0, 3)
            .SelectMany(step => new[] { 0, 1, 3, 4, 7, 8, 9, 15, 16, 17, 31, 33, 100, 500 }.Select(n => (int[])[n, step]))];

    public override IReadOnlyList<int[]> TimedSizes { get; } = [[500, 2]];

    public override OpInput[] Inputs(int[] n) => [new("x", n[0]), new("p", n[0]), new("x0'", n[0]), new("x0''", n[0]), new("z", n[0])];

    public override double[][] Twin(int[] n, double[][] x)
    {
        double[] state = [.. x[0]], clean = new double[n[0]];
        ReferenceSamplerUpdate.Forward(Steps[n[1]], x[1], state, clean, x[2], x[3], x[4]);
        return [state, clean];
    }

    // 6 and 3 roundings of terms up to 2.
    public override double Bound(int[] n, double[][] x, double[][] y, int output, int i) => output == 0 ? 16 * U : 8 * U;

    public override (double Flops, double Bytes) Work(int[] n) => (14.0 * n[0], 28.0 * n[0]);

    public override OpCall Bind<S, V>(int[] n, float[][] x)
    {
        var memory = new OpMemory();
        float* state = memory.Flat(x[0], n[0]), p = memory.Flat(x[1], n[0]), c1 = memory.Flat(x[2], n[0]), c2 = memory.Flat(x[3], n[0]),
            z = memory.Flat(x[4], n[0]);
        float* clean = memory.Take(n[0], -7);
        return new OpCall(
            memory,
            () => SamplerUpdate.Run<S, V>(Steps[n[1]], state, p, clean, c1, c2, z, n[0]),
            () => [OpMemory.Dense(state, 1, n[0], n[0]), OpMemory.Dense(clean, 1, n[0], n[0])]);
    }
}
