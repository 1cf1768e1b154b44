using UniCardio.Engine.Backends.Cpu.Kernels;
using UniCardio.Engine.Backends.Cpu.Simd;
using UniCardio.Engine.Reference;
using UniCardio.Training.Kernels;

namespace UniCardio.OpCases;

/// <summary>
/// One head's attention of one block of queries over one and two segments of keys. Size: keys of the first segment, of the second, head
/// dim, size of the values, queries. Blocks of keys and their neighbours, odd head dims, scores far apart.
/// </summary>
internal sealed unsafe class HeadAttention : Op
{
    public override IReadOnlyList<int[]> Sizes { get; } =
    [
        [1, 0, 12, 1, 8], [5, 3, 15, 1, 7], [12, 12, 12, 1, 1], [13, 20, 30, 2, 2], [100, 100, 30, 1, 33], [251, 1, 36, 1, 2],
        [252, 252, 36, 3, 2],
        [253, 0, 36, 1, 2], [500, 500, 36, 1, 2], [20, 20, 64, 1, 2], [40, 300, 7, 8, 2], [300, 40, 6, 8, 2],
    ];

    public override IReadOnlyList<int[]> TimedSizes { get; } = [[500, 500, 36, 1, 32], [1500, 500, 36, 1, 32], [100, 100, 30, 1, 32]];

    public override OpInput[] Inputs(int[] n) =>
        [new("Q", n[4] * n[2], n[3]), new("K", (n[0] + n[1]) * n[2], n[3]), new("V", (n[0] + n[1]) * n[2])];

    public override double[][] Twin(int[] n, double[][] x)
    {
        double[] y = new double[n[4] * n[2]];
        ReferenceAttention.Forward(x[0], x[1], x[2], default, 1, n[2], y);
        return [y];
    }

    // A score's error is at most (d + 1) u sum|q k| <= (d + 1) u d size^2 |scale|, and u more of it where the queries took the scale; it
    // scales a weight by as much, and the weighted mean of |v| <= 1 by twice that; sums of positive terms add keys u, the exponential 2
    // ulp.
    public override double Bound(int[] n, double[][] x, double[][] y, int output, int i) =>
        (2 * (n[2] + 2) * U * n[2] * n[3] * n[3] * Scale(n)) + ((n[0] + n[1] + 16) * U);

    public override (double Flops, double Bytes) Work(int[] n) => (4.0 * n[4] * n[2] * (n[0] + n[1]), 8.0 * n[2] * (n[0] + n[1] + n[4]));

    public override OpCall Bind<S, V>(int[] n, float[][] x)
    {
        (int first, int second, int d, int queries, int width) = (n[0], n[1], n[2], n[4], 2 * S.Width);
        var memory = new OpMemory();

        // The kernel takes scores in powers of two: the reference's scale and log2(e) go into its queries. Readable padding after the keys
        // holds large finite values: using them would show.
        int blocks = (queries + width - 1) / width, padding = Attention.KeyPadding * d;
        float[] transposed = new float[blocks * d * width];
        for (int lane = 0; lane < queries; lane++)
        {
            for (int i = 0; i < d; i++)
                transposed[(((lane / width * d) + i) * width) + (lane % width)] = (float)(x[0][(lane * d) + i] * Scale(n));
        }

        float* q = memory.Flat(transposed, transposed.Length), output = memory.Take(transposed.Length, -7),
            scratch = memory.Take(Attention.ScratchLength(d, S.Width));
        float* k1 = memory.Flat(x[1].AsSpan(0, first * d), (first * d) + padding, 50),
            v1 = memory.Flat(x[2].AsSpan(0, first * d), (first * d) + padding, 50);
        float* k2 = memory.Flat(x[1].AsSpan(first * d), (second * d) + padding, 50),
            v2 = memory.Flat(x[2].AsSpan(first * d), (second * d) + padding, 50);
        return new OpCall(
            memory,
            () =>
            {
                var conditions = new KeySegment { Keys = k1, Values = v1, Count = first };
                var own = new KeySegment { Keys = k2, Values = v2, Count = second };
                for (int block = 0; block < blocks; block++)
                    Attention.Run<S, V>(q + (block * d * width), d, conditions, own, scratch, output + (block * d * width));
            },
            () =>
            {
                float[] y = new float[queries * d];
                for (int i = 0; i < y.Length; i++)
                    y[i] = output[((((i / d / width) * d) + (i % d)) * width) + (i / d % width)];
                return [y];
            });
    }

    private static double Scale(int[] n) => 1 / (Math.Sqrt(n[2]) * Math.Log(2));
}

/// <summary>
/// Training's masked attention of one window: condition queries read the conditions' keys, target queries all of them. Size: condition
/// tokens, target tokens, heads, head dim. x: [tokens, 3C] of Q, K, V.
/// </summary>
internal sealed unsafe class WindowAttention : Op
{
    public override IReadOnlyList<int[]> Sizes { get; } =
        [[1, 1, 1, 6], [5, 3, 2, 7], [16, 8, 3, 12], [40, 20, 2, 30], [34, 17, 2, 36], [33, 33, 1, 64], [121, 17, 1, 17], [20, 121, 1, 8]];

    public override IReadOnlyList<int[]> TimedSizes { get; } = [[200, 100, 6, 30]];

    public override OpInput[] Inputs(int[] n) => [new("QKV", (n[0] + n[1]) * 3 * n[2] * n[3])];

    public override double[][] Twin(int[] n, double[][] x)
    {
        (int conditions, int targets, int heads, int c) = (n[0], n[1], n[2], n[2] * n[3]);
        double[][] parts =
            [new double[(conditions + targets) * c], new double[(conditions + targets) * c], new double[(conditions + targets) * c]];
        for (int i = 0; i < x[0].Length; i++)
            parts[i % (3 * c) / c][(i / (3 * c) * c) + (i % c)] = x[0][i];
        double[] y = new double[(conditions + targets) * c];
        int split = conditions * c;
        ReferenceAttention.Forward(parts[0].AsSpan(0, split), parts[1].AsSpan(0, split), parts[2].AsSpan(0, split), default, heads, c,
            y.AsSpan(0, split));
        ReferenceAttention.Forward(parts[0].AsSpan(split), parts[1], parts[2], default, heads, c, y.AsSpan(split));
        return [y];
    }

    // As HeadAttention's, values below 1.
    public override double Bound(int[] n, double[][] x, double[][] y, int output, int i) =>
        (2 * (n[3] + 2) * U * Math.Sqrt(n[3])) + ((n[0] + n[1] + 16) * U);

    public override (double Flops, double Bytes) Work(int[] n) =>
        (4.0 * n[2] * n[3] * (((double)n[0] * n[0]) + ((double)n[1] * (n[0] + n[1]))), 16.0 * (n[0] + n[1]) * n[2] * n[3]);

    public override OpCall Bind<S, V>(int[] n, float[][] x)
    {
        Call call = Take<S, V>(n, x, new float[(n[0] + n[1]) * n[2] * n[3]]);
        return new OpCall(call.Memory, () => TrainedAttention.Forward<S, V>(call.Buffers, call.Rows, call.Scratch, default), () =>
            [call.Output()]);
    }

    public override OpCall BindBackward<S, V>(int[] n, float[][] x, float[][] dy)
    {
        Call forward = Take<S, V>(n, x, new float[dy[0].Length]);
        TrainedAttention.Forward<S, V>(forward.Buffers, forward.Rows, forward.Scratch, default);

        // The output's place takes its gradient, as in the passes.
        float[] dense = dy[0];
        for (int r = 0; r < n[0] + n[1]; r++)
            dense.AsSpan(r * n[2] * n[3], n[2] * n[3])
                .CopyTo(new Span<float>(forward.Buffers.Output + (r * forward.Buffers.OutputStride), n[2] * n[3]));
        return new OpCall(forward.Memory, () => TrainedAttention.Backward<S, V>(forward.Buffers, forward.Rows, forward.Scratch, default),
            () => [forward.Gradient()]);
    }

    // The weights made again carry the scores' error, 2 (d + 2) u sqrt(d), and dP - rowsum(P dP) cancels once: four times the forward pass'
    // bound.
    public override double GradientBound(int[] n) => 8 * ((2 * (n[3] + 2) * Math.Sqrt(n[3])) + n[0] + n[1] + 16) * U;

    private static Call Take<S, V>(int[] n, float[][] x, float[] output)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        int c = n[2] * n[3], rows = n[0] + n[1], wide = Up(3 * c, 2 * S.Width), stride = Up(c, 2 * S.Width);
        var memory = new OpMemory();
        var buffers = new AttentionBuffers
        {
            Qkv = memory.Rows(x[0], rows, 3 * c, wide),
            QkvStride = wide,
            Output = memory.Rows(output, rows, c, stride),
            OutputStride = stride,
            Logs = memory.Take(rows * n[2]),
            DQkv = memory.Take(rows * wide),
            Channels = c,
            Heads = n[2],
        };
        return new Call(memory, buffers, new WindowRows(0, 0, n[0], n[0], n[1]), new AttentionScratch(rows, n[3], 2 * S.Width));
    }

    private sealed class Call(OpMemory memory, AttentionBuffers buffers, WindowRows rows, AttentionScratch scratch)
    {
        public OpMemory Memory => memory;

        public AttentionBuffers Buffers => buffers;

        public WindowRows Rows => rows;

        public AttentionScratch Scratch => scratch;

        public float[] Output() => OpMemory.Dense(buffers.Output, rows.Keys, buffers.Channels, (int)buffers.OutputStride);

        public float[] Gradient() => OpMemory.Dense(buffers.DQkv, rows.Keys, 3 * buffers.Channels, (int)buffers.QkvStride);
    }
}

/// <summary>Training's softmax of scores s over keys with the scale 1/sqrt(16) folded in. Size: rows, keys.</summary>
internal sealed unsafe class Softmax : Op
{
    private const int HeadDim = 16;

    public override IReadOnlyList<int[]> Sizes { get; } = [[0, 4], [1, 1], [2, 7], [3, 8], [3, 9], [4, 16], [5, 17], [2, 33], [3, 300]];

    public override OpInput[] Inputs(int[] n) => [new("s", n[0] * n[1], 8)];

    public override double[][] Twin(int[] n, double[][] x)
    {
        double[] y = [.. x[0].Select(v => v / Math.Sqrt(HeadDim))];
        for (int r = 0; r < n[0]; r++)
            ReferenceAttention.Softmax(y.AsSpan(r * n[1], n[1]));
        return [y];
    }

    // 3 ulp of 2^x, the rounding of its argument (up to 8/4 log2(e) twice), the sum's and the division's.
    public override double Bound(int[] n, double[][] x, double[][] y, int output, int i) => (24 + n[1]) * U * y[0][i];

    public override (double Flops, double Bytes) Work(int[] n) => (15.0 * n[0] * n[1], 8.0 * n[0] * n[1]);

    public override OpCall Bind<S, V>(int[] n, float[][] x)
    {
        int stride = Up(n[1], 2 * S.Width);
        var memory = new OpMemory();
        float* s = memory.Rows(x[0], n[0], n[1], stride), inverse = memory.Take(n[0]), logs = memory.Take(n[0]);
        return new OpCall(memory, () => SoftmaxRows.Forward<S, V>(s, stride, n[0], n[1], C, inverse, logs, 1), () =>
        {
            float[] p = OpMemory.Dense(s, n[0], n[1], stride);
            for (int i = 0; i < p.Length; i++)
                p[i] *= inverse[i / n[1]];
            return [p];
        });
    }

    public override OpCall BindBackward<S, V>(int[] n, float[][] x, float[][] dy)
    {
        int stride = Up(n[1], 2 * S.Width);
        var memory = new OpMemory();
        float* s = memory.Rows(x[0], n[0], n[1], stride), again = memory.Rows(x[0], n[0], n[1], stride),
            d = memory.Rows(dy[0], n[0], n[1], stride);
        float* inverse = memory.Take(n[0]), logs = memory.Take(n[0]);
        SoftmaxRows.Forward<S, V>(s, stride, n[0], n[1], C, inverse, logs, 1);
        return new OpCall(
            memory,
            () =>
            {
                SoftmaxRows.Again<S, V>(again, stride, n[0], n[1], C, logs, 1);
                SoftmaxRows.Backward<S, V>(again, d, stride, n[0], n[1]);
                ElementRows.Scale<S, V>(d, 1 / MathF.Sqrt(HeadDim), d, n[0] * stride);
            },
            () => [OpMemory.Dense(d, n[0], n[1], stride)]);
    }

    // A weight's error and the rounding of a sum of keys terms, over the largest gradient, which may be a tenth of the largest term.
    public override double GradientBound(int[] n) => 16 * (n[1] + 24) * U;

    private static float C => Elementary.Log2E / MathF.Sqrt(HeadDim);
}

/// <summary>Panels of Q, K and V of token rows into the layouts that attention reads, bit for bit. Size: rows, heads, head dim.</summary>
internal sealed unsafe class HeadRows : Op
{
    public override IReadOnlyList<int[]> Sizes { get; } =
        [[0, 1, 6], [1, 1, 6], [3, 2, 15], [37, 4, 12], [40, 3, 30], [96, 2, 36], [33, 1, 17]];

    public override IReadOnlyList<int[]> TimedSizes { get; } = [[192, 8, 36]];

    public override OpInput[] Inputs(int[] n) => [new("QKV", n[0] * 3 * n[1] * n[2])];

    // Queries [C, rows], keys and values [heads, rows, head dim].
    public override double[][] Twin(int[] n, double[][] x)
    {
        (int rows, int c, int d) = (n[0], n[1] * n[2], n[2]);
        double[][] y = [new double[rows * c], new double[rows * c], new double[rows * c]];
        for (int r = 0; r < rows; r++)
        {
            for (int k = 0; k < c; k++)
            {
                y[0][(k * rows) + r] = x[0][(r * 3 * c) + k];
                for (int part = 1; part < 3; part++)
                    y[part][(((k / d * rows) + r) * d) + (k % d)] = x[0][(r * 3 * c) + (part * c) + k];
            }
        }

        return y;
    }

    public override double Bound(int[] n, double[][] x, double[][] y, int output, int i) => 0;

    public override (double Flops, double Bytes) Work(int[] n) => (0, 24.0 * n[0] * n[1] * n[2]);

    public override OpCall Bind<S, V>(int[] n, float[][] x)
    {
        (int rows, int heads, int d, int width) = (n[0], n[1], n[2], 2 * S.Width);
        int c = heads * d, stride = Up(3 * c, width), capacity = rows + 12;
        var memory = new OpMemory();
        float* panels = memory.Take(rows * stride), q = memory.Take(Up(rows, width) * c, -7);
        for (int i = 0; i < x[0].Length; i++)
        {
            (int r, int k) = (i / (3 * c), i % (3 * c));
            panels[(((k / width * rows) + r) * width) + (k % width)] = x[0][i];
        }

        float* keys = memory.Take(heads * capacity * d, -7), values = memory.Take(heads * capacity * d, -7);
        return new OpCall(
            memory,
            () =>
            {
                var end = new QkvEnd { Queries = q, Keys = keys, Values = values, HeadStride = capacity * d, Channels = c, HeadDim = d };
                for (int column = 0; column < 3 * c; column += width)
                    end.Take<S, V>(panels + (column * rows), column, rows);
            },
            () =>
            {
                float[] queries = new float[rows * c];
                for (int r = 0; r < Up(rows, width); r++)
                {
                    for (int i = 0; i < c; i++)
                    {
                        float value = q[(r / width * width * c) + (i * width) + (r % width)];
                        if (r < rows)
                            queries[(i * rows) + r] = value;
                        else if (value != 0)
                            throw new InvalidOperationException($"query lane {r} of {rows} rows holds {value}, not 0");
                    }
                }

                return [queries, Heads(keys), Heads(values)];
            });

        // Rows past the strip belong to another thread.
        float[] Heads(float* part)
        {
            float[] dense = new float[rows * c];
            for (int head = 0; head < heads; head++)
            {
                new ReadOnlySpan<float>(part + (head * capacity * d), rows * d).CopyTo(dense.AsSpan(head * rows * d));
                if (new ReadOnlySpan<float>(part + (((head * capacity) + rows) * d), 12 * d).IndexOfAnyExcept(-7f) >= 0)
                    throw new InvalidOperationException($"head {head}: rows past {rows} were written");
            }

            return dense;
        }
    }
}

/// <summary>One head's output of a block of queries, [head dim, 2W], back into rows, bit for bit. Size: rows by 37, head dim,
/// stride.</summary>
internal sealed unsafe class HeadOutput : Op
{
    public override IReadOnlyList<int[]> Sizes { get; } = [[0, 6, 6], [1, 6, 9], [2, 36, 288], [2, 7, 7], [1, 3, 5], [2, 30, 180]];

    public override IReadOnlyList<int[]> TimedSizes { get; } = [];

    public override OpInput[] Inputs(int[] n) => [new("O", Repeats * n[0] * n[1])];

    public override double[][] Twin(int[] n, double[][] x) => [x[0]];

    public override double Bound(int[] n, double[][] x, double[][] y, int output, int i) => 0;

    public override (double Flops, double Bytes) Work(int[] n) => (0, 8.0 * Repeats * n[0] * n[1]);

    public override OpCall Bind<S, V>(int[] n, float[][] x)
    {
        (int rows, int d, int stride, int width) = (Repeats * n[0], n[1], n[2], 2 * S.Width);
        var memory = new OpMemory();
        float* blocks = memory.Take(Up(rows, width) * d), y = memory.Take(rows * stride, -7);
        for (int r = 0; r < rows; r++)
        {
            for (int i = 0; i < d; i++)
                blocks[(((r / width * d) + i) * width) + (r % width)] = x[0][(r * d) + i];
        }

        return new OpCall(
            memory,
            () =>
            {
                for (int r = 0; r < rows; r += width)
                    HeadScatter.Rows<S, V>(blocks + (r * d), width, y + (r * stride), stride, Math.Min(width, rows - r), d);
            },
            () =>
            {
                for (int r = 0; r < rows; r++)
                {
                    if (new ReadOnlySpan<float>(y + (r * stride) + d, stride - d).IndexOfAnyExcept(-7f) >= 0)
                        throw new InvalidOperationException($"row {r}: columns of another head were written");
                }

                return [OpMemory.Dense(y, rows, d, stride)];
            });
    }

    // Rows a unit of the size: not a multiple of any block.
    private const int Repeats = 37;
}
