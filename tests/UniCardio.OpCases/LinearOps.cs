using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Backends.Cpu.Kernels;
using UniCardio.Engine.Backends.Cpu.Simd;
using UniCardio.Engine.Model;
using UniCardio.Training.Kernels;
using UniCardio.Training.Network;

namespace UniCardio.OpCases;

/// <summary>y = x W^T + b: [rows, outputs] from x [rows, depth], W [outputs, depth], b [outputs]. Size: rows, outputs, depth.</summary>
internal abstract class LinearOp : Op
{
    // Every tile height and its neighbours, vector widths and their neighbours, the network's own shapes.
    public override IReadOnlyList<int[]> Sizes { get; } =
    [
        [0, 16, 8], [1, 1, 1], [2, 3, 5], [3, 7, 11], [4, 8, 12], [5, 9, 15], [6, 15, 36], [7, 16, 36], [11, 17, 30], [12, 31, 30],
        [13, 32, 64], [17, 33, 64], [23, 48, 48], [95, 60, 60], [96, 64, 288], [97, 180, 180], [100, 5, 180], [20, 864, 288],
    ];

    public override OpInput[] Inputs(int[] n) => [new("x", n[0] * n[2]), new("W", n[1] * n[2]), new("b", n[1])];

    public override double[][] Twin(int[] n, double[][] x)
    {
        double[] y = new double[n[0] * n[1]];
        for (int i = 0; i < y.Length; i++)
        {
            (int r, int o) = (i / n[1], i % n[1]);
            y[i] = x[2][o];
            for (int k = 0; k < n[2]; k++)
                y[i] += x[0][(r * n[2]) + k] * x[1][(o * n[2]) + k];
        }

        return [y];
    }

    // One rounding a step, two where the machine has no fused multiply-add, of the sum of |terms|.
    public override double Bound(int[] n, double[][] x, double[][] y, int output, int i)
    {
        (int r, int o) = (i / n[1], i % n[1]);
        double size = Math.Abs(x[2][o]);
        for (int k = 0; k < n[2]; k++)
            size += Math.Abs(x[0][(r * n[2]) + k] * x[1][(o * n[2]) + k]);
        return 2 * (n[2] + 1) * U * size;
    }

    public override (double Flops, double Bytes) Work(int[] n) =>
        (2.0 * n[0] * n[1] * n[2], 4.0 * ((n[0] * n[2]) + (n[1] * n[2]) + (n[0] * n[1])));
}

/// <summary>The linear map of token rows; backward as training does it, dX = dY W and dW = dY^T X.</summary>
internal sealed unsafe class Linear : LinearOp
{
    public override IReadOnlyList<int[]> TimedSizes { get; } =
    [
        [192, 864, 288], [192, 576, 288], [192, 288, 288], [192, 64, 288], [192, 288, 64], [192, 288, 11], [192, 540, 180], [192, 360, 180],
        [192, 180, 15],
    ];

    public override OpCall Bind<S, V>(int[] n, float[][] x)
    {
        var memory = new OpMemory();
        var map = new PackedMatrix(new LinearMap(Array.ConvertAll(x[1], v => (double)v), Array.ConvertAll(x[2], v => (double)v)),
            2 * S.Width);
        float* a = memory.Rows(x[0], n[0], n[2], n[2]), y = memory.Take(n[0] * map.PaddedOutputs, -7);
        return new OpCall(
            memory,
            () => MatrixProduct.ByRows<S, V>(a, n[2], map, 0, map.Panels, map.Bias, 0, y, map.PaddedOutputs, n[0]),
            () => [OpMemory.Dense(y, n[0], n[1], map.PaddedOutputs)]);
    }

    public override OpCall BindBackward<S, V>(int[] n, float[][] x, float[][] dy)
    {
        (int rows, int outputs, int depth, int width) = (n[0], n[1], n[2], 2 * S.Width);
        int xStride = Up(depth, width), yStride = Up(outputs, width);
        var memory = new OpMemory();
        var map = new TrainedMatrix(outputs, depth, width);
        map.Pack(x[1], x[2]);
        float* a = memory.Rows(x[0], rows, depth, xStride), d = memory.Rows(dy[0], rows, outputs, yStride),
            dx = memory.Take(rows * xStride, -7);
        float* panels = memory.Take(rows * xStride), dw = memory.Take(outputs * xStride), db = memory.Take(yStride),
            zeros = memory.Take(xStride);
        return new OpCall(
            memory,
            () =>
            {
                MatrixProduct.ByRows<S, V>(d, yStride, map.Backward, 0, map.Backward.Panels, zeros, 0, dx, xStride, rows);
                new Span<float>(dw, outputs * xStride).Clear();
                new Span<float>(db, yStride).Clear();
                WeightGradient.Pack<S, V>(a, xStride, rows, depth, panels);
                WeightGradient.Accumulate<S, V>(d, yStride, outputs, panels, depth, dw, xStride, rows);
                WeightGradient.ColumnSums<S, V>(d, yStride, rows, yStride, db);
            },
            () => [OpMemory.Dense(dx, rows, depth, xStride), OpMemory.Dense(dw, outputs, depth, xStride),
                OpMemory.Dense(db, 1, outputs, yStride)]);
    }

    // A sum of rows or outputs terms: each |term| below 1 like the largest sums, which are at least one term.
    public override double GradientBound(int[] n) => 2 * (Math.Max(n[0], n[1]) + 2) * U * Math.Sqrt(Math.Max(n[0], n[1]));
}

/// <summary>The same map, panel by panel into one buffer that an end takes.</summary>
internal sealed unsafe class LinearByPanels : LinearOp
{
    public override IReadOnlyList<int[]> TimedSizes { get; } = [[192, 864, 288], [500, 864, 288]];

    public override OpCall Bind<S, V>(int[] n, float[][] x)
    {
        var memory = new OpMemory();
        var map = new PackedMatrix(new LinearMap(Array.ConvertAll(x[1], v => (double)v), Array.ConvertAll(x[2], v => (double)v)),
            2 * S.Width);
        float* a = memory.Rows(x[0], n[0], n[2], n[2]), y = memory.Take(n[0] * map.PaddedOutputs, -7),
            panel = memory.Take(n[0] * 2 * S.Width, -7);
        return new OpCall(
            memory,
            () => MatrixProduct.ByPanels<S, V, CopyEnd>(a, n[2], map, 0, map.Panels, map.Bias, panel, n[0],
                new CopyEnd { Target = y, Stride = map.PaddedOutputs }),
            () => [OpMemory.Dense(y, n[0], n[1], map.PaddedOutputs)]);
    }

    private struct CopyEnd : IPanelEnd
    {
        public float* Target;
        public nint Stride;

        public readonly void Take<S, V>(float* panel, int column, int rows)
            where S : struct, ISimd<S, V>
            where V : struct
        {
            for (int r = 0; r < rows; r++)
                new Span<float>(panel + (r * 2 * S.Width), 2 * S.Width)
                    .CopyTo(new Span<float>(Target + (r * Stride) + column, 2 * S.Width));
        }
    }
}
