using UniCardio.Engine.Backends.Cpu.Kernels;
using UniCardio.Engine.Backends.Cpu.Simd;
using UniCardio.Engine.Reference;
using UniCardio.Training.Kernels;

namespace UniCardio.OpCases;

/// <summary>y = LayerNorm(x + b) gamma + beta, row by row. Size: rows, C. Inputs to 4, deviations of order 1 and more.</summary>
internal abstract class NormOp : Op
{
    private static readonly int[] Channels = [6, 12, 15, 16, 17, 30, 31, 33, 48, 60, 180, 288];

    public override IReadOnlyList<int[]> Sizes { get; } = [[0, 12], [1, 6], .. Channels.Select(c => (int[])[5, c])];

    public override OpInput[] Inputs(int[] n) => [new("x", n[0] * n[1], 3), new("b", n[1]), new("gamma", n[1]), new("beta", n[1])];

    public override double[][] Twin(int[] n, double[][] x)
    {
        double[] sum = new double[n[0] * n[1]], y = new double[sum.Length];
        for (int i = 0; i < sum.Length; i++)
            sum[i] = x[0][i] + x[1][i % n[1]];
        ReferenceLayerNorm.Forward(sum, x[2], x[3], 1e-5, y);
        return [y];
    }

    // Sums of C terms cost at most C u of each, a result is below 4.
    public override double Bound(int[] n, double[][] x, double[][] y, int output, int i) => 4 * (n[1] + 16) * U * 4;

    public override (double Flops, double Bytes) Work(int[] n) => (8.0 * n[0] * n[1], 8.0 * n[0] * n[1]);
}

/// <summary>The engine's; lanes past C may hold anything finite.</summary>
internal sealed unsafe class LayerNormRows : NormOp
{
    public override IReadOnlyList<int[]> TimedSizes { get; } = [[192, 288], [192, 180]];

    public override OpCall Bind<S, V>(int[] n, float[][] x)
    {
        int padded = Up(n[1], S.Width), stride = Up(n[1], 2 * S.Width);
        var memory = new OpMemory();
        float* rows = memory.Rows(x[0], n[0], n[1], stride, 1e3f), mask = memory.Mask(n[1], stride);
        float* b = memory.Flat(x[1], stride, 5), g = memory.Flat(x[2], stride, 5), t = memory.Flat(x[3], stride, 5);
        return new OpCall(memory, () => LayerNorm.Rows<S, V>(rows, stride, n[0], n[1], padded, b, mask, g, t), () =>
            [OpMemory.Dense(rows, n[0], n[1], stride)]);
    }
}

/// <summary>The engine's without gain and offset, which are folded into the next map.</summary>
internal sealed unsafe class LayerNormWithoutAffine : NormOp
{
    public override OpInput[] Inputs(int[] n) => [.. base.Inputs(n)[..2], new("gamma", n[1], 0, 1), new("beta", n[1], 0)];

    public override OpCall Bind<S, V>(int[] n, float[][] x)
    {
        int padded = Up(n[1], S.Width), stride = Up(n[1], 2 * S.Width);
        var memory = new OpMemory();
        float* rows = memory.Rows(x[0], n[0], n[1], stride, 1e3f), mask = memory.Mask(n[1], stride), b = memory.Flat(x[1], stride, 5);
        return new OpCall(memory, () => LayerNorm.Rows<S, V>(rows, stride, n[0], n[1], padded, b, mask, null, null), () =>
            [OpMemory.Dense(rows, n[0], n[1], stride)]);
    }
}

/// <summary>Training's, which keeps the normalised rows; rows are zero past C and stay so.</summary>
internal sealed unsafe class TrainedLayerNorm : NormOp
{
    public override IReadOnlyList<int[]> TimedSizes { get; } = [[240, 180]];

    public override OpCall Bind<S, V>(int[] n, float[][] x)
    {
        Buffers b = Take<S, V>(n, x);
        return new OpCall(b.Memory, () => Forward<S, V>(n, b), () => [OpMemory.Dense(b.Z, n[0], n[1], b.Stride)]);
    }

    public override OpCall BindBackward<S, V>(int[] n, float[][] x, float[][] dy)
    {
        Buffers b = Take<S, V>(n, x);
        Forward<S, V>(n, b);

        // What the passes do where they kept the normalised rows alone.
        float[] forward = OpMemory.Dense(b.Z, n[0], n[1], b.Stride);
        NormRows.Affine<S, V>(b.Normal, b.Z, b.Stride, n[0], b.Stride, b.Gamma, b.Beta);
        if (!forward.AsSpan().SequenceEqual(OpMemory.Dense(b.Z, n[0], n[1], b.Stride)))
            throw new InvalidOperationException("NormRows.Affine does not repeat the forward pass");
        float* d = b.Memory.Rows(dy[0], n[0], n[1], b.Stride), dGamma = b.Memory.Take(b.Stride), dBeta = b.Memory.Take(b.Stride),
            dBias = b.Memory.Take(b.Stride);
        return new OpCall(
            b.Memory,
            () =>
            {
                NormRows.Backward<S, V>(d, b.Normal, b.Stride, n[0], n[1], b.Stride, b.Mask, b.Gamma, b.Scales, dGamma, dBeta);
                WeightGradient.ColumnSums<S, V>(d, b.Stride, n[0], b.Stride, dBias);
            },
            () => [OpMemory.Dense(d, n[0], n[1], b.Stride), OpMemory.Dense(dBias, 1, n[1], b.Stride),
                OpMemory.Dense(dGamma, 1, n[1], b.Stride), OpMemory.Dense(dBeta, 1, n[1], b.Stride)]);
    }

    // (C + 8) u of the largest term of a row; the normalised values reach 3, and a bias' gradient cancels over its rows.
    public override double GradientBound(int[] n) => 20 * (n[1] + 8) * U;

    private static void Forward<S, V>(int[] n, Buffers b)
        where S : struct, ISimd<S, V>
        where V : struct =>
        NormRows.Forward<S, V>(b.Z, b.Bias, b.Normal, b.Stride, n[0], n[1], b.Stride, b.Mask, b.Gamma, b.Beta, b.Scales);

    private static Buffers Take<S, V>(int[] n, float[][] x)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        int stride = Up(n[1], 2 * S.Width);
        var memory = new OpMemory();
        return new Buffers
        {
            Memory = memory, Stride = stride, Z = memory.Rows(x[0], n[0], n[1], stride), Bias = memory.Flat(x[1], stride),
                Gamma = memory.Flat(x[2], stride),
            Beta = memory.Flat(x[3], stride), Mask = memory.Mask(n[1], stride), Normal = memory.Take(n[0] * stride, -7),
            Scales = memory.Take(n[0]),
        };
    }

    private sealed class Buffers
    {
        public required OpMemory Memory;
        public required int Stride;
        public required float* Z, Bias, Gamma, Beta, Mask, Normal, Scales;
    }
}

/// <summary>The encoder's LayerNorm over a plane [tokens, C], gain and offset an element. Size: tokens, C. Values near 50: the means must
/// not cancel.</summary>
internal abstract class PlaneOp : Op
{
    public override IReadOnlyList<int[]> Sizes { get; } = [[1, 6], [3, 17], [21, 30], [20, 33], [100, 60]];

    public override OpInput[] Inputs(int[] n) => [new("x", n[0] * n[1], 3, 50), new("gamma", n[0] * n[1]), new("beta", n[0] * n[1])];

    public override double[][] Twin(int[] n, double[][] x)
    {
        double[] y = new double[x[0].Length];
        ReferenceLayerNorm.Forward(x[0], x[1], x[2], 1e-5, y);
        return [y];
    }

    // Means of values near 50 are good to (C + 2) u 53, divided by a deviation of 1.5 and more.
    public override double Bound(int[] n, double[][] x, double[][] y, int output, int i) => (n[1] + 8) * U * 53 / 1.5;

    public override (double Flops, double Bytes) Work(int[] n) => (8.0 * n[0] * n[1], 16.0 * n[0] * n[1]);
}

/// <summary>The engine's.</summary>
internal sealed unsafe class PlaneLayerNorm : PlaneOp
{
    public override OpCall Bind<S, V>(int[] n, float[][] x)
    {
        int padded = Up(n[1], S.Width), stride = Up(n[1], 2 * S.Width);
        var memory = new OpMemory();
        float* rows = memory.Rows(x[0], n[0], n[1], stride, 9), mask = memory.Mask(n[1], stride), zero = memory.Take(stride),
            moments = memory.Take(2 * n[0]);
        float* g = memory.Rows(x[1], n[0], n[1], stride), b = memory.Rows(x[2], n[0], n[1], stride);
        return new OpCall(
            memory,
            () =>
            {
                LayerNorm.Moments<S, V>(rows, stride, n[0], n[1], padded, zero, mask, moments);
                (float mean, float scale) = LayerNorm.Combine(moments, n[0], n[1]);
                PlaneRows.Run<S, V>(rows, g, b, n[0] * stride, mean, scale);
            },
            () => [OpMemory.Dense(rows, n[0], n[1], stride)]);
    }
}

/// <summary>Training's.</summary>
internal sealed unsafe class TrainedPlaneNorm : PlaneOp
{
    public override OpCall Bind<S, V>(int[] n, float[][] x) => Bind<S, V>(n, x, null);

    public override OpCall BindBackward<S, V>(int[] n, float[][] x, float[][] dy) => Bind<S, V>(n, x, dy[0]);

    // The normalised values are rounded once more, with the mean's error in them, before gamma and beta.
    public override double Bound(int[] n, double[][] x, double[][] y, int output, int i) => 2 * base.Bound(n, x, y, output, i);

    // As a row's of tokens C elements, whose sums are in double; the normalised values carry the error of a mean near 50.
    public override double GradientBound(int[] n) => 20 * (n[1] + 8) * U * 53 / 1.5;

    private static OpCall Bind<S, V>(int[] n, float[][] x, float[]? dy)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        int stride = Up(n[1], 2 * S.Width), count = n[0] * stride;
        var memory = new OpMemory();
        float* z = memory.Rows(x[0], n[0], n[1], stride), mask = memory.Mask(n[1], stride), zero = memory.Take(stride),
            moments = memory.Take(2 * n[0]);
        float* gamma = memory.Rows(x[1], n[0], n[1], stride), beta = memory.Rows(x[2], n[0], n[1], stride), normal = memory.Take(count, -7);
        LayerNorm.Moments<S, V>(z, stride, n[0], n[1], stride, zero, mask, moments);
        (float mean, float scale) = LayerNorm.Combine(moments, n[0], n[1]);
        if (dy is null)
            return new OpCall(memory, () => PlaneNorm.Forward<S, V>(z, normal, count, stride, mask, gamma, beta, mean, scale), () =>
                [OpMemory.Dense(z, n[0], n[1], stride)]);
        PlaneNorm.Forward<S, V>(z, normal, count, stride, mask, gamma, beta, mean, scale);
        float* d = memory.Rows(dy, n[0], n[1], stride), dGamma = memory.Take(count), dBeta = memory.Take(count);
        return new OpCall(
            memory,
            () => PlaneNorm.Backward<S, V>(d, normal, count, stride, n[1], mask, gamma, scale, dGamma, dBeta),
            () => [OpMemory.Dense(d, n[0], n[1], stride), OpMemory.Dense(dGamma, n[0], n[1], stride),
                OpMemory.Dense(dBeta, n[0], n[1], stride)]);
    }
}
