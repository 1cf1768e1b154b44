using UniCardio.Engine.Backends.Cpu.Kernels;
using UniCardio.Engine.Backends.Cpu.Simd;
using UniCardio.Engine.Reference;
using UniCardio.Training.Kernels;

namespace UniCardio.OpCases;

/// <summary>g = sigmoid(m[:C]) tanh(m[C:]). Size: rows, C, hundredths of the values' size.</summary>
internal abstract class GateOp : Op
{
    private static readonly int[] Channels = [6, 12, 15, 16, 17, 30, 31, 33, 48, 60, 180, 288];

    public override IReadOnlyList<int[]> Sizes { get; } =
        [[0, 12, 300], [1, 6, 300], .. Channels.SelectMany(c => (int[][])[[3, c, 1], [3, c, 300], [3, c, 10_000]])];

    public override OpInput[] Inputs(int[] n) => [new("m", n[0] * 2 * n[1], n[2] / 100.0)];

    public override double[][] Twin(int[] n, double[][] x)
    {
        double[] y = new double[n[0] * n[1]];
        ReferenceGate.Forward(x[0], n[1], y);
        return [y];
    }

    // Six roundings of the value, and nothing below 1e-26.
    public override double Bound(int[] n, double[][] x, double[][] y, int output, int i) => (12 * U * Math.Abs(y[0][i])) + 1e-25;

    public override (double Flops, double Bytes) Work(int[] n) => (30.0 * n[0] * n[1], 12.0 * n[0] * n[1]);
}

/// <summary>The engine's.</summary>
internal sealed unsafe class Gate : GateOp
{
    public override IReadOnlyList<int[]> TimedSizes { get; } = [[192, 288, 300], [192, 180, 300]];

    public override OpCall Bind<S, V>(int[] n, float[][] x)
    {
        int wide = Up(2 * n[1], 2 * S.Width) + (2 * S.Width), stride = Up(n[1], 2 * S.Width);
        var memory = new OpMemory();
        float* m = memory.Rows(x[0], n[0], 2 * n[1], wide, 1), g = memory.Take(n[0] * stride, -7);
        return new OpCall(memory, () => GateRows.Run<S, V>(m, wide, g, stride, n[0], n[1]), () => [OpMemory.Dense(g, n[0], n[1], stride)]);
    }
}

/// <summary>Training's, which keeps both factors and multiplies them again in the backward pass.</summary>
internal sealed unsafe class TrainedGate : GateOp
{
    public override IReadOnlyList<int[]> TimedSizes { get; } = [[240, 180, 300]];

    public override OpCall Bind<S, V>(int[] n, float[][] x)
    {
        int stride = Up(n[1], 2 * S.Width), wide = Up(n[1] + stride, 2 * S.Width);
        var memory = new OpMemory();
        float* m = memory.Rows(x[0], n[0], 2 * n[1], wide), s = memory.Take(n[0] * stride), h = memory.Take(n[0] * stride),
            g = memory.Take(n[0] * stride);
        return new OpCall(memory, () => GateBackward.Forward<S, V>(m, wide, s, h, g, stride, n[0], n[1], stride), () =>
        {
            GateBackward.Product<S, V>(s, h, g, stride, n[0], stride);
            return [OpMemory.Dense(g, n[0], n[1], stride)];
        });
    }

    public override OpCall BindBackward<S, V>(int[] n, float[][] x, float[][] dy)
    {
        int stride = Up(n[1], 2 * S.Width), wide = Up(n[1] + stride, 2 * S.Width);
        var memory = new OpMemory();
        float* m = memory.Rows(x[0], n[0], 2 * n[1], wide), s = memory.Take(n[0] * stride), h = memory.Take(n[0] * stride),
            g = memory.Take(n[0] * stride);
        float* d = memory.Rows(dy[0], n[0], n[1], stride), dm = memory.Take(n[0] * wide);
        GateBackward.Forward<S, V>(m, wide, s, h, g, stride, n[0], n[1], stride);
        return new OpCall(memory, () => GateBackward.Backward<S, V>(d, s, h, stride, dm, wide, n[0], n[1], stride), () =>
            [OpMemory.Dense(dm, n[0], 2 * n[1], wide)]);
    }

    // 1 - h^2 cancels to u absolute, s (1 - s) is as exact as s; seven roundings of factors below 1.
    public override double GradientBound(int[] n) => 32 * U;
}

/// <summary>x' = x / sqrt 2 + m[:C], skip' = skip + m[C:]. Size: rows, C, and 1 where the skip is set instead, 2 where nobody reads it and
/// it stays.</summary>
internal sealed unsafe class Residual : Op
{
    private static readonly int[] Channels = [6, 12, 15, 16, 17, 30, 31, 33, 48, 60, 180, 288];

    public override IReadOnlyList<int[]> Sizes { get; } =
        [[0, 12, 0], [1, 6, 1], .. Channels.SelectMany(c => (int[][])[[4, c, 0], [4, c, 1], [4, c, 2]])];

    public override IReadOnlyList<int[]> TimedSizes { get; } = [[192, 288, 0]];

    public override OpInput[] Inputs(int[] n) => [new("m", n[0] * 2 * n[1]), new("x", n[0] * n[1]), new("skip", n[0] * n[1])];

    public override double[][] Twin(int[] n, double[][] x)
    {
        double[] next = new double[n[0] * n[1]], skip = new double[next.Length];
        for (int i = 0; i < next.Length; i++)
        {
            int at = (i / n[1] * 2 * n[1]) + (i % n[1]);
            next[i] = (x[1][i] / Math.Sqrt(2)) + x[0][at];
            skip[i] = n[2] == 2 ? x[2][i] : x[0][at + n[1]] + (n[2] == 1 ? 0 : x[2][i]);
        }

        return [next, skip];
    }

    // 1 ulp of each sum, below 2.
    public override double Bound(int[] n, double[][] x, double[][] y, int output, int i) => output == 0 ? 4 * U : 2 * U;

    public override (double Flops, double Bytes) Work(int[] n) => (4.0 * n[0] * n[1], 24.0 * n[0] * n[1]);

    public override OpCall Bind<S, V>(int[] n, float[][] x)
    {
        int wide = Up(2 * n[1], 2 * S.Width) + (2 * S.Width), stride = Up(n[1], 2 * S.Width);
        var memory = new OpMemory();
        float* m = memory.Rows(x[0], n[0], 2 * n[1], wide, 1), a = memory.Rows(x[1], n[0], n[1], stride),
            s = memory.Rows(x[2], n[0], n[1], stride);
        return new OpCall(
            memory,
            () => ResidualRows.Run<S, V>(m, wide, a, n[2] == 2 ? null : s, stride, n[0], n[1], n[2] == 1),
            () => [OpMemory.Dense(a, n[0], n[1], stride), OpMemory.Dense(s, n[0], n[1], stride)]);
    }
}
