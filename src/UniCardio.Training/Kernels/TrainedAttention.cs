using System.Runtime.CompilerServices;
using UniCardio.Engine.Backends.Cpu.Kernels;
using UniCardio.Engine.Backends.Cpu.Simd;

namespace UniCardio.Training.Kernels;

/// <summary>Tokens of one window: its conditions' rows, then its target's, both in the group's token-major buffers.</summary>
/// <param name="Window">Index in the batch.</param>
/// <param name="ConditionRow">First row of the conditions.</param>
/// <param name="ConditionRows">Rows of the conditions.</param>
/// <param name="TargetRow">First row of the target.</param>
/// <param name="TargetRows">Rows of the target.</param>
internal readonly record struct WindowRows(int Window, int ConditionRow, int ConditionRows, int TargetRow, int TargetRows)
{
    /// <summary>All keys: the conditions', then the target's own.</summary>
    public int Keys => ConditionRows + TargetRows;
}

/// <summary>Shapes and buffers of one block's attention.</summary>
internal unsafe struct AttentionBuffers
{
    /// <summary>[rows, stride] Q, K, V side by side, C columns each.</summary>
    public float* Qkv;

    /// <summary>Floats between rows of <see cref="Qkv"/> and its gradient.</summary>
    public nint QkvStride;

    /// <summary>[rows, stride] attention's output (forward) or its gradient (backward).</summary>
    public float* Output;

    /// <summary>Floats between rows of <see cref="Output"/>.</summary>
    public nint OutputStride;

    /// <summary>[rows, heads] l of each softmax (see <see cref="SoftmaxRows"/>).</summary>
    public float* Logs;

    /// <summary>[rows, stride] gradient of <see cref="Qkv"/>, backward only.</summary>
    public float* DQkv;

    /// <summary>Channels C.</summary>
    public int Channels;

    /// <summary>Heads.</summary>
    public int Heads;

    /// <summary>Residual block, for the dropout's place.</summary>
    public int Block;

    /// <summary>Only target queries are wanted (the last block).</summary>
    public bool TargetOnly;
}

/// <summary>
/// Masked attention of one window, forward and backward: condition queries read the conditions' keys, target queries read those and
/// the target's own. <code>P = softmax(Q K^T / sqrt(d)), O = P V
/// dV = P^T dO, dP = dO V^T, dS = P (dP - rowsum(P dP)), dQ = dS K / sqrt(d), dK = dS^T Q / sqrt(d)</code>
/// </summary>
/// <remarks>
/// <para>The weights P are made again in the backward pass from l = log-sum-exp of each row: 5 products instead of 4, and nothing of
/// size queries x keys is kept (flash attention's choice, Dao et al., arXiv 2205.14135). One head at a time, blocks of 120 queries;
/// K^T, V^T, K and V are packed into panels once a head. FLOPs 4 q k d forward, 10 q k d backward.</para>
/// <para>Error: (d + keys) u of the sums of |terms| and the softmax's own.</para>
/// </remarks>
internal static unsafe class TrainedAttention
{
    /// <summary>Forward.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward<S, V>(in AttentionBuffers a, in WindowRows w, AttentionScratch scratch, in DropoutMask dropout)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        int d = a.Channels / a.Heads;
        for (int head = 0; head < a.Heads; head++)
        {
            float* q = a.Qkv + (head * d), k = q + a.Channels, v = k + a.Channels;
            PackByDim<S, V>(k, a.QkvStride, w, d, scratch.KeysByDim);
            PackTokens<S, V>(v, a.QkvStride, w, d, scratch);
            if (!a.TargetOnly)
                ForwardQueries<S, V>(a, w, head, w.ConditionRow, w.ConditionRows, w.ConditionRows, 0, scratch, dropout);
            ForwardQueries<S, V>(a, w, head, w.TargetRow, w.TargetRows, w.Keys, w.ConditionRows, scratch, dropout);
        }
    }

    /// <summary>Backward; dQ, dK and dV of the window's rows are written (dQ of condition rows only where they were queries).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Backward<S, V>(in AttentionBuffers a, in WindowRows w, AttentionScratch scratch, in DropoutMask dropout)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        int d = a.Channels / a.Heads;
        float scale = 1f / MathF.Sqrt(d);
        for (int head = 0; head < a.Heads; head++)
        {
            float* q = a.Qkv + (head * d), k = q + a.Channels, v = k + a.Channels;
            PackByDim<S, V>(k, a.QkvStride, w, d, scratch.KeysByDim);
            PackByDim<S, V>(v, a.QkvStride, w, d, scratch.ValuesByDim);
            PackTokens<S, V>(k, a.QkvStride, w, d, scratch);
            new Span<float>(scratch.DKeys, w.Keys * scratch.HeadStride).Clear();
            new Span<float>(scratch.DValues, w.Keys * scratch.HeadStride).Clear();
            if (!a.TargetOnly)
                BackwardQueries<S, V>(a, w, head, w.ConditionRow, w.ConditionRows, w.ConditionRows, 0, scratch, dropout);
            BackwardQueries<S, V>(a, w, head, w.TargetRow, w.TargetRows, w.Keys, w.ConditionRows, scratch, dropout);
            float* dk = a.DQkv + a.Channels + (head * d), dv = dk + a.Channels;
            Spread(scratch.DKeys, scratch.HeadStride, scale, dk, a.QkvStride, w, d);
            Spread(scratch.DValues, scratch.HeadStride, 1f, dv, a.QkvStride, w, d);
        }
    }

    // Queries are rows first ... first + count of the group; firstInWindow is their place among the window's tokens.
    private static void ForwardQueries<S, V>(in AttentionBuffers a, in WindowRows w, int head, int first, int count, int keys,
        int firstInWindow, AttentionScratch scratch, in DropoutMask dropout)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        int d = a.Channels / a.Heads, width = 2 * S.Width;
        float c = Elementary.Log2E / MathF.Sqrt(d);
        for (int at = 0; at < count; at += AttentionScratch.QueryBlock)
        {
            int rows = Math.Min(AttentionScratch.QueryBlock, count - at), row = first + at;
            Scores<S, V>(a.Qkv + (row * a.QkvStride) + (head * d), a.QkvStride, scratch.KeysByDim, d, scratch.Scores, rows, keys, scratch);
            SoftmaxRows.Forward<S, V>(scratch.Scores, scratch.KeyStride, rows, keys, c, scratch.Inverse,
                a.Logs + (row * a.Heads) + head, a.Heads);
            if (!dropout.IsOff)
            {
                for (int r = 0; r < rows; r++)
                    dropout.Apply(scratch.Scores + (r * scratch.KeyStride), keys, DropoutSite.Attention, w.Window, a.Block,
                        (head * w.Keys) + firstInWindow + at + r);
            }

            for (int column = 0; column < d; column += width)
            {
                float* panel = scratch.Tokens + ((nint)column * w.Keys);
                MatrixProduct.OnePanel<S, V, ByRow>(scratch.Scores, scratch.KeyStride, panel, keys, scratch.Zeros, 0,
                    scratch.Block + column, scratch.HeadStride, rows);
            }

            float* output = a.Output + (row * a.OutputStride) + (head * d);
            for (int r = 0; r < rows; r++, output += a.OutputStride)
                ScaleCopy(scratch.Block + (r * scratch.HeadStride), scratch.Inverse[r], output, d);
        }
    }

    private static void BackwardQueries<S, V>(in AttentionBuffers a, in WindowRows w, int head, int first, int count, int keys,
        int firstInWindow, AttentionScratch scratch, in DropoutMask dropout)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        int d = a.Channels / a.Heads, width = 2 * S.Width;
        float scale = 1f / MathF.Sqrt(d), c = Elementary.Log2E / MathF.Sqrt(d);
        nint keyStride = scratch.KeyStride, headStride = scratch.HeadStride;
        for (int at = 0; at < count; at += AttentionScratch.QueryBlock)
        {
            int rows = Math.Min(AttentionScratch.QueryBlock, count - at), row = first + at;
            float* q = a.Qkv + (row * a.QkvStride) + (head * d), dOut = a.Output + (row * a.OutputStride) + (head * d);
            Scores<S, V>(q, a.QkvStride, scratch.KeysByDim, d, scratch.Scores, rows, keys, scratch);
            SoftmaxRows.Again<S, V>(scratch.Scores, keyStride, rows, keys, c, a.Logs + (row * a.Heads) + head, a.Heads);
            Scores<S, V>(dOut, a.OutputStride, scratch.ValuesByDim, d, scratch.DScores, rows, keys, scratch);
            WeightGradient.Pack<S, V>(dOut, a.OutputStride, rows, d, scratch.PackedGradient);
            WeightGradient.Pack<S, V>(q, a.QkvStride, rows, d, scratch.Packed);
            if (dropout.IsOff)
            {
                Columns<S, V>(scratch.Scores, scratch.PackedGradient, scratch.DValues, rows, keys, d, scratch);
                SoftmaxRows.Backward<S, V>(scratch.Scores, scratch.DScores, keyStride, rows, keys);
            }
            else
            {
                DropAndBackward<S, V>(a, w, head, firstInWindow + at, rows, keys, scratch, dropout);
            }

            Columns<S, V>(scratch.DScores, scratch.Packed, scratch.DKeys, rows, keys, d, scratch);
            for (int column = 0; column < d; column += width)
            {
                float* panel = scratch.Tokens + ((nint)column * w.Keys);
                MatrixProduct.OnePanel<S, V, ByRow>(scratch.DScores, keyStride, panel, keys, scratch.Zeros, 0, scratch.Block + column,
                    (nint)headStride, rows);
            }

            float* dq = a.DQkv + (row * a.QkvStride) + (head * d);
            for (int r = 0; r < rows; r++, dq += a.QkvStride)
                ScaleCopy(scratch.Block + (r * headStride), scale, dq, d);
        }
    }

    // With masked weights P' = P keep / (1 - rate): dV = P'^T dO, dP = keep / (1 - rate) dP'.
    private static void DropAndBackward<S, V>(in AttentionBuffers a, in WindowRows w, int head, int firstInWindow, int rows, int keys,
        AttentionScratch scratch, in DropoutMask dropout)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        int d = a.Channels / a.Heads;
        for (int r = 0; r < rows; r++)
        {
            int place = (head * w.Keys) + firstInWindow + r;
            dropout.Apply(scratch.DScores + (r * scratch.KeyStride), keys, DropoutSite.Attention, w.Window, a.Block, place);
        }

        SoftmaxRows.Backward<S, V>(scratch.Scores, scratch.DScores, scratch.KeyStride, rows, keys);
        for (int r = 0; r < rows; r++)
        {
            int place = (head * w.Keys) + firstInWindow + r;
            dropout.Apply(scratch.Scores + (r * scratch.KeyStride), keys, DropoutSite.Attention, w.Window, a.Block, place);
        }

        Columns<S, V>(scratch.Scores, scratch.PackedGradient, scratch.DValues, rows, keys, d, scratch);
    }

    // scores[rows, keys] = rows of x [rows, d] times panels [keys / 2W, d, 2W].
    private static void Scores<S, V>(float* x, nint stride, float* panels, int d, float* scores, int rows, int keys,
        AttentionScratch scratch)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        int width = 2 * S.Width;
        for (int key = 0; key < keys; key += width)
            MatrixProduct.OnePanel<S, V, ByRow>(x, stride, panels + ((nint)key * d), d, scratch.Zeros, 0, scores + key,
                scratch.KeyStride, rows);
    }

    // target[keys, d] += scores[rows, keys]^T packed[rows, d].
    private static void Columns<S, V>(float* scores, float* packed, float* target, int rows, int keys, int d, AttentionScratch scratch)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        int width = 2 * S.Width;
        nint headStride = scratch.HeadStride;
        for (int column = 0; column < d; column += width)
        {
            float* panel = packed + ((nint)column * rows);
            MatrixProduct.OnePanel<S, V, ByColumn>(scores, scratch.KeyStride, panel, rows, target + column, headStride, target + column,
                headStride, keys);
        }
    }

    // Rows of a window -> [keys / 2W, d, 2W], keys past the last zero.
    private static void PackByDim<S, V>(float* x, nint stride, in WindowRows w, int d, float* panels)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        int width = 2 * S.Width, keys = w.Keys;
        for (int key = 0; key < keys; key += width, panels += d * width)
        {
            int count = Math.Min(width, keys - key);
            for (int j = 0; j < count; j++)
            {
                int token = key + j;
                float* source = x + ((token < w.ConditionRows ? w.ConditionRow + token : w.TargetRow + token - w.ConditionRows) * stride);
                float* target = panels + j;
                for (int c = 0; c < d; c++, target += width)
                    *target = source[c];
            }

            for (int j = count; j < width; j++)
            {
                for (int c = 0; c < d; c++)
                    panels[(c * width) + j] = 0;
            }
        }
    }

    // Rows of a window -> [d / 2W, keys, 2W].
    private static void PackTokens<S, V>(float* x, nint stride, in WindowRows w, int d, AttentionScratch scratch)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        int width = 2 * S.Width;
        for (int column = 0; column < d; column += width)
        {
            float* panel = scratch.Tokens + ((nint)column * w.Keys);
            int count = Math.Min(width, d - column);
            WeightGradient.Pack<S, V>(x + (w.ConditionRow * stride) + column, stride, w.ConditionRows, count, panel);
            WeightGradient.Pack<S, V>(x + (w.TargetRow * stride) + column, stride, w.TargetRows, count,
                panel + ((nint)w.ConditionRows * width));
        }
    }

    private static void Spread(float* from, nint fromStride, float scale, float* to, nint toStride, in WindowRows w, int d)
    {
        for (int token = 0; token < w.Keys; token++, from += fromStride)
        {
            int row = token < w.ConditionRows ? w.ConditionRow + token : w.TargetRow + token - w.ConditionRows;
            ScaleCopy(from, scale, to + (row * toStride), d);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ScaleCopy(float* from, float scale, float* to, int count)
    {
        int i = 0;
        var k = new System.Numerics.Vector<float>(scale);
        for (; i + System.Numerics.Vector<float>.Count <= count; i += System.Numerics.Vector<float>.Count)
            System.Runtime.CompilerServices.Unsafe.WriteUnaligned(
                to + i, System.Runtime.CompilerServices.Unsafe.ReadUnaligned<System.Numerics.Vector<float>>(from + i) * k);
        for (; i < count; i++)
            to[i] = from[i] * scale;
    }
}
