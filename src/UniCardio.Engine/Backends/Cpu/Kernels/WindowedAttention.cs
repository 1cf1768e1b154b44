using System.Runtime.CompilerServices;
using UniCardio.Engine.Backends.Cpu.Simd;

namespace UniCardio.Engine.Backends.Cpu.Kernels;

/// <summary>Shapes and buffers of one window's attention: Q, K and V side by side, as the input map leaves them.</summary>
internal unsafe struct WindowedAttentionRows
{
    /// <summary>[tokens, stride] Q, K, V, C columns each; Q carries log2(e) / sqrt(head dim).</summary>
    public float* Qkv;

    /// <summary>Floats between rows of <see cref="Qkv"/>.</summary>
    public nint QkvStride;

    /// <summary>[tokens, stride] receives heads side by side.</summary>
    public float* Output;

    /// <summary>Floats between rows of <see cref="Output"/>.</summary>
    public nint OutputStride;

    /// <summary>Tokens n.</summary>
    public int Tokens;

    /// <summary>Channels C.</summary>
    public int Channels;

    /// <summary>Channels of a head d.</summary>
    public int HeadDim;

    /// <summary>Half of the attention window: a token reads tokens at most this far away.</summary>
    public int Reach;
}

/// <summary>
/// Attention of one head over a band and one global token: query i reads key j where |i - j| &lt;= reach, or i = 0, or j = 0.
/// <code>O[i] = sum_j V[j] 2^(s[i, j] - m[i]) / sum_j 2^(s[i, j] - m[i]),   s[i, j] = Q[i] . K[j]</code>
/// </summary>
/// <remarks>
/// <para>What the mask closes is not computed: a block of 2W queries reads the keys from reach before it to reach after it and key 0, so
/// cost is linear in n:
/// FLOPs 4 n (2W + 2 reach + 1) d a head, of which (2 reach + 2) / (2W + 2 reach + 1) is live; bytes: Q, K, V and O once or twice, from L2.
/// Scores are transposed, one lane a query, as in <see cref="Attention"/>; query 0, which reads all, is one pass of dot products (4 n
/// d).</para>
/// <para>Which keys a query sums, and in which order, depends on its block alone, never on the split over threads. Error: (keys + d + 8) u
/// max|V|. A closed lane inside a block counts 2^-126 of the largest weight, below the rounding of any sum.</para>
/// </remarks>
internal static unsafe class WindowedAttention
{
    /// <summary>Floats of scratch for <see cref="Run"/>.</summary>
    public static int ScratchLength(int tokens, int headDim, int reach, int lanes) =>
        (2 * lanes * (KeyRows(tokens, reach, lanes) + 4 + (2 * headDim))) + BandLength(reach, lanes) + tokens + headDim + 64;

    /// <summary>Keys that a block of queries computes at most.</summary>
    private static int KeyRows(int tokens, int reach, int lanes) => Math.Min(tokens, (2 * lanes) + (2 * reach)) + 1;

    private static int BandLength(int reach, int lanes) => (4 * lanes) + (2 * reach) + 1;

    /// <summary>Attends one head.</summary>
    /// <param name="a">Shapes and buffers.</param>
    /// <param name="head">Which head.</param>
    /// <param name="scratch">64-byte aligned, <see cref="ScratchLength"/> floats.</param>
    /// <returns>Keys computed, summed over blocks of queries: dense attention would compute tokens times the number of blocks.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static long Run<S, V>(in WindowedAttentionRows a, int head, float* scratch)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        int width = 2 * S.Width, d = a.HeadDim;
        float* queries = scratch, sums = queries + (d * width), zero = sums + (d * width), scores = zero + (2 * width);
        float* band = scores + ((nint)(KeyRows(a.Tokens, a.Reach, S.Width) + 2) * width);
        new Span<float>(zero, 2 * width).Clear();
        FillBand(band, a.Reach, width);
        float* q = a.Qkv + (head * d), k = q + a.Channels, v = k + a.Channels;
        long keys = 0;
        for (int first = 0; first < a.Tokens; first += width)
        {
            int count = Math.Min(width, a.Tokens - first), from = Math.Max(0, first - a.Reach),
                to = Math.Min(a.Tokens, first + count + a.Reach);
            Transpose(q + (first * a.QkvStride), a.QkvStride, queries, count, d, width);
            int extra = from > 0 ? 1 : 0, rows = to - from + extra;
            if (extra != 0)
                MatrixProduct.OnePanel<S, V, ByRow>(k, a.QkvStride, queries, d, zero, 0, scores, width, 1);
            float* range = scores + ((nint)extra * width);
            MatrixProduct.OnePanel<S, V, ByRow>(k + (from * a.QkvStride), a.QkvStride, queries, d, zero, 0, range, width, to - from);
            // Lane l of key j is open where 0 <= first + l - (j - reach) <= 2 reach.
            for (int j = Math.Max(from, 1); j < to; j++)
                Close<S, V>(range + ((nint)(j - from) * width), band + width + first - j + a.Reach);
            Softmax<S, V>(scores, rows);
            float* start = zero;
            nint startStride = 0;
            if (extra != 0)
            {
                MatrixProduct.OnePanel<S, V, ByColumn>(v, a.QkvStride, scores, 1, zero, 0, sums, width, d);
                start = sums;
                startStride = width;
            }

            MatrixProduct.OnePanel<S, V, ByColumn>(v + (from * a.QkvStride), a.QkvStride, range, to - from, start, startStride,
                sums, width, d);
            float* output = a.Output + (first * a.OutputStride) + (head * d);
            for (int i = 0; i < count; i++, output += a.OutputStride)
            {
                for (int c = 0; c < d; c++)
                    output[c] = sums[(c * width) + i];
            }

            keys += rows;
        }

        if (a.Reach < a.Tokens - 1)
            keys += GlobalQuery<S, V>(a, head, band + BandLength(a.Reach, S.Width));
        return keys;
    }

    // Token 0 as a query: all keys, one dot product each.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static int GlobalQuery<S, V>(in WindowedAttentionRows a, int head, float* scores)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        int d = a.HeadDim;
        float* q = a.Qkv + (head * d), k = q + a.Channels, v = k + a.Channels, output = a.Output + (head * d);
        float largest = float.NegativeInfinity;
        for (int j = 0; j < a.Tokens; j++, k += a.QkvStride)
        {
            V sum = S.Zero;
            int c = 0;
            for (; c <= d - S.Width; c += S.Width)
                sum = S.MultiplyAdd(S.Load(q + c), S.Load(k + c), sum);
            float score = S.Sum(sum);
            for (; c < d; c++)
                score += q[c] * k[c];
            scores[j] = score;
            largest = Math.Max(largest, score);
        }

        double total = 0;
        for (int j = 0; j < a.Tokens; j++)
        {
            scores[j] = MathF.Exp((scores[j] - largest) * 0.6931472f);
            total += scores[j];
        }

        new Span<float>(output, d).Clear();
        float scale = (float)(1 / total);
        for (int j = 0; j < a.Tokens; j++, v += a.QkvStride)
        {
            float weight = scores[j] * scale;
            V w = S.Set(weight);
            int c = 0;
            for (; c <= d - S.Width; c += S.Width)
                S.Store(output + c, S.MultiplyAdd(w, S.Load(v + c), S.Load(output + c)));
            for (; c < d; c++)
                output[c] += weight * v[c];
        }

        return a.Tokens;
    }

    // [count, d] by row -> [d, 2W] with one lane a query; unused lanes zero.
    private static void Transpose(float* rows, nint stride, float* panel, int count, int d, int width)
    {
        if (count < width)
            new Span<float>(panel, d * width).Clear();
        for (int i = 0; i < count; i++, rows += stride)
        {
            for (int c = 0; c < d; c++)
                panel[(c * width) + i] = rows[c];
        }
    }

    // [2W closed, 2 reach + 1 open, 2W closed].
    private static void FillBand(float* band, int reach, int width)
    {
        const float closed = -1e30f;
        new Span<float>(band, (2 * width) + (2 * reach) + 1).Fill(closed);
        new Span<float>(band + width, (2 * reach) + 1).Clear();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Close<S, V>(float* row, float* band)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        S.Store(row, S.Add(S.Load(row), S.Load(band)));
        S.Store(row + S.Width, S.Add(S.Load(row + S.Width), S.Load(band + S.Width)));
    }

    // P = 2^(s - m) / sum down the rows, a lane a query.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Softmax<S, V>(float* scores, int rows)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        int width = 2 * S.Width;
        V m0 = S.Set(float.MinValue), m1 = m0, t0 = S.Zero, t1 = S.Zero;
        float* end = scores + ((nint)rows * width);
        for (float* p = scores; p < end; p += width)
        {
            m0 = S.Max(m0, S.Load(p));
            m1 = S.Max(m1, S.Load(p + S.Width));
        }

        for (float* p = scores; p < end; p += width)
        {
            V p0 = Elementary.Exp2OfNegative<S, V>(S.Subtract(S.Load(p), m0)),
                p1 = Elementary.Exp2OfNegative<S, V>(S.Subtract(S.Load(p + S.Width), m1));
            S.Store(p, p0);
            S.Store(p + S.Width, p1);
            t0 = S.Add(t0, p0);
            t1 = S.Add(t1, p1);
        }

        V r0 = S.Divide(S.Set(1f), t0), r1 = S.Divide(S.Set(1f), t1);
        for (float* p = scores; p < end; p += width)
        {
            S.Store(p, S.Multiply(S.Load(p), r0));
            S.Store(p + S.Width, S.Multiply(S.Load(p + S.Width), r1));
        }
    }
}
