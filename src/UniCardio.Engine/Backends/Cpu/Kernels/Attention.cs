using System.Runtime.CompilerServices;
using UniCardio.Engine.Backends.Cpu.Simd;

namespace UniCardio.Engine.Backends.Cpu.Kernels;

/// <summary>A run of keys that a block of queries reads: one head's K and V of one stream.</summary>
internal unsafe struct KeySegment
{
    /// <summary>[keys, head dim] dense; <see cref="Attention.KeyPadding"/> further rows are readable.</summary>
    public float* Keys;

    /// <summary>[keys, head dim] dense, with the same padding.</summary>
    public float* Values;

    /// <summary>Number of keys.</summary>
    public int Count;
}

/// <summary>
/// Attention of one head for one block of 2W queries over the live keys only:
/// <code>O[d, q] = sum_j V[j, d] 2^(s[j, q] - m[q]) / sum_j 2^(s[j, q] - m[q]),   s[j, q] = sum_d K[j, d] Q[d, q]</code>
/// The queries carry the scale log2(e) / sqrt(head dim), so that softmax's e^x is 2^s.
/// </summary>
/// <remarks>
/// <para>Everything is transposed, one lane a query: S^T[keys, 2W] = K Q^T and O^T[d, 2W] = V^T P^T are both the register
/// tile, softmax runs down the keys without a horizontal operation. Blocks of <see cref="KeyBlock"/> keys keep S^T in L1; the
/// running maximum m and sum are kept a lane, O^T is rescaled once a block (online softmax, Milakov and Gimelshein 2018).</para>
/// <para>FLOPs: 4 keys 2W head-dim, and some 13 operations an exponential; bytes: K and V once a block of queries (from
/// L2), Q and O once.</para>
/// <para>Key order is fixed by the segments and the block, never by the split of queries, so results are bit-identical for every
/// thread count. Error: |O - exact| &lt;= (keys + head dim + 8) u max|V| in the usual first-order bound.</para>
/// </remarks>
internal static unsafe class Attention
{
    /// <summary>Keys of a block, whole tiles of 6 and 12: S^T takes 252 x 16 x 4 B = 132 x 32 x 4 B = 16 KB of L1.</summary>
    public static int KeyBlock(int lanes) => lanes >= 16 ? 132 : 252;

    /// <summary>Rows that a tile may read and compute past the last key (they are not used).</summary>
    public const int KeyPadding = 12;

    /// <summary>Floats of scratch that <see cref="Run"/> needs.</summary>
    public static int ScratchLength(int headDim, int lanes) => ((KeyBlock(lanes) + KeyPadding) * 2 * lanes) + (PaddedHeadDim(headDim) * 2 * lanes);

    /// <summary>Head dim rounded up to whole tiles of 6 rows.</summary>
    public static int PaddedHeadDim(int headDim) => (headDim + 5) / 6 * 6;

    /// <summary>Attends one head's block of queries.</summary>
    /// <param name="queries">[head dim, 2W], scaled; unused lanes zero.</param>
    /// <param name="headDim">Head dim.</param>
    /// <param name="first">First segment.</param>
    /// <param name="second">Second segment; may be empty.</param>
    /// <param name="scratch">64-byte aligned, <see cref="ScratchLength"/> floats.</param>
    /// <param name="output">[head dim, 2W].</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<S, V>(float* queries, int headDim, in KeySegment first, in KeySegment second, float* scratch, float* output)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        int width = 2 * S.Width, keyBlock = KeyBlock(S.Width);
        float* scores = scratch;
        float* sums = scratch + ((nint)(keyBlock + KeyPadding) * width);
        int padded = PaddedHeadDim(headDim);
        for (int i = 0; i < padded * 2; i++)
            S.Store(sums + (i * S.Width), S.Zero);
        V max0 = S.Set(float.MinValue), max1 = max0, total0 = S.Zero, total1 = S.Zero;
        for (int part = 0; part < 2; part++)
        {
            KeySegment segment = part == 0 ? first : second;
            for (int start = 0; start < segment.Count; start += keyBlock)
            {
                int count = Math.Min(keyBlock, segment.Count - start);
                Scores<S, V>(segment.Keys + ((nint)start * headDim), queries, headDim, scores, count);
                Softmax<S, V>(scores, count, sums, padded, start == 0 && part == 0, ref max0, ref max1, ref total0, ref total1);
                Accumulate<S, V>(segment.Values + ((nint)start * headDim), headDim, scores, count, sums);
            }
        }

        V scale0 = S.Divide(S.Set(1f), total0), scale1 = S.Divide(S.Set(1f), total1);
        for (int d = 0; d < headDim; d++)
        {
            S.Store(output, S.Multiply(S.Load(sums), scale0));
            S.Store(output + S.Width, S.Multiply(S.Load(sums + S.Width), scale1));
            output += width;
            sums += width;
        }
    }

    // S^T = K Q^T in whole tiles; the last tile's surplus rows fall into the padding.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Scores<S, V>(float* keys, float* queries, int headDim, float* scores, int count)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        int width = 2 * S.Width;
        float* zero = stackalloc float[32];
        for (int i = 0; i < 32; i++)
            zero[i] = 0;
        for (int key = 0; key < count; key += S.TileRows)
        {
            if (S.TileRows == 12)
                RegisterTile.Run<S, V, Rows12, ByRow>(keys, headDim, queries, headDim, zero, 0, scores, width);
            else
                RegisterTile.Run<S, V, Rows6, ByRow>(keys, headDim, queries, headDim, zero, 0, scores, width);
            keys += (nint)S.TileRows * headDim;
            scores += (nint)S.TileRows * width;
        }
    }

    // P^T = 2^(S^T - m) in place; on a new maximum the sums so far are scaled down.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Softmax<S, V>(float* scores, int count, float* sums, int padded, bool isFirst, ref V max0, ref V max1, ref V total0, ref V total1)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        int width = 2 * S.Width;
        V m0 = max0, m1 = max1, n0 = max0, n1 = max1;
        float* end = scores + ((nint)count * width);
        float* p = scores;
        if (count % 2 != 0)
        {
            m0 = S.Max(m0, S.Load(p));
            m1 = S.Max(m1, S.Load(p + S.Width));
            p += width;
        }

        for (; p < end; p += 2 * width)
        {
            m0 = S.Max(m0, S.Load(p));
            m1 = S.Max(m1, S.Load(p + S.Width));
            n0 = S.Max(n0, S.Load(p + width));
            n1 = S.Max(n1, S.Load(p + width + S.Width));
        }

        m0 = S.Max(m0, n0);
        m1 = S.Max(m1, n1);
        V t0 = total0, t1 = total1;
        if (!isFirst)
        {
            V shrink0 = Elementary.Exp2OfNegative<S, V>(S.Subtract(max0, m0)), shrink1 = Elementary.Exp2OfNegative<S, V>(S.Subtract(max1, m1));
            t0 = S.Multiply(t0, shrink0);
            t1 = S.Multiply(t1, shrink1);
            for (int d = 0; d < padded; d++, sums += width)
            {
                S.Store(sums, S.Multiply(S.Load(sums), shrink0));
                S.Store(sums + S.Width, S.Multiply(S.Load(sums + S.Width), shrink1));
            }
        }

        for (p = scores; p < end; p += width)
        {
            V p0 = Elementary.Exp2OfNegative<S, V>(S.Subtract(S.Load(p), m0));
            V p1 = Elementary.Exp2OfNegative<S, V>(S.Subtract(S.Load(p + S.Width), m1));
            S.Store(p, p0);
            S.Store(p + S.Width, p1);
            t0 = S.Add(t0, p0);
            t1 = S.Add(t1, p1);
        }

        (max0, max1, total0, total1) = (m0, m1, t0, t1);
    }

    // O^T += V^T P^T, tiles of 12 and 6 rows over the padded head dim.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Accumulate<S, V>(float* values, int headDim, float* weights, int count, float* sums)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        int width = 2 * S.Width;
        int row = 0;
        if (S.TileRows == 12)
        {
            for (; row + 6 < headDim; row += 12)
                RegisterTile.Call<S, V, Rows12, ByColumn>(values + row, headDim, weights, count, sums + ((nint)row * width), width, sums + ((nint)row * width), width);
        }

        for (; row < headDim; row += 6)
            RegisterTile.Call<S, V, Rows6, ByColumn>(values + row, headDim, weights, count, sums + ((nint)row * width), width, sums + ((nint)row * width), width);
    }
}
