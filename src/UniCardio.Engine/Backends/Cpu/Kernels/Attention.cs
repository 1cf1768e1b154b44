using System.Runtime.CompilerServices;
using UniCardio.Engine.Backends.Cpu.Simd;

namespace UniCardio.Engine.Backends.Cpu.Kernels;

/// <summary>A run of keys that a block of queries reads: one head's K and V of one set of rows.</summary>
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
/// <para>Everything is transposed, one lane a query: S^T[keys, 2W] = K Q^T and O^T[d, 2W] = V^T P^T are both the register tile, softmax
/// runs down the keys without a horizontal operation. Blocks of <see cref="KeyBlock"/> keys keep P^T and the block's V in L1.</para>
/// <para>The softmax is lazy. A query's reference m is the maximum of its first <see cref="FirstBlock"/> keys (online softmax, Milakov and
/// Gimelshein 2018); for the later blocks scores start from -m, so that 2^(s - m) is taken in the score tile's registers, without a pass
/// for the maximum and without rescaling O^T. m moves only when a total passes <see cref="MoveBeyond"/>, by a whole power of two. A block
/// of keys that takes any total of the block of queries to <see cref="RangeEnd"/> is repeated in the online form from the totals before it.
/// All of it is decided by the block of queries, never by the thread.</para>
/// <para>FLOPs: 4 keys 2W head-dim, and some 13 operations an exponential; bytes: K and V once a block of queries (from L2), Q and O
/// once.</para>
/// <para>Key order is fixed by the segments and the block, never by the split of queries, so results are bit-identical for every
/// thread count. Error: |O - exact| &lt;= (keys + head dim + 8) u max|V| in the usual first-order bound; a score that starts from -m is
/// rounded to the larger of |s| and |m|.</para>
/// <para>How it got here (shares of the multiply-add peak, head dim 36 over some 1,000 keys; machines and method in
/// benchmarks/README.md):</para>
/// <list type="table">
/// <listheader><term>version</term><description>predicted; measured; kept</description></listheader>
/// <item><term>scores transposed, exact online softmax</term><description>72 cycles of FMA, 14 of softmax and 6 of tile turns for a key and
/// 16 queries: 78%; 74-82% (AVX2), 56-66% (AVX-512); replaced</description></item>
/// <item><term>key blocks of 60 to 504</term><description>scores in L1 against rescaling O^T more often; all within noise but 504, which
/// is slower; 252 (AVX2) and 132 (AVX-512), replaced</description></item>
/// <item><term>2^x by degree 5 instead of 6</term><description>one FMA in 14 operations; golden vectors unchanged at 1.5e-6;
/// kept</description></item>
/// <item><term>lazy softmax in the score tile's registers</term><description>4-8 points by the C twin; AVX-512 78.5 to 83%, AVX2 within
/// noise; kept</description></item>
/// <item><term>first block of 12, 24, 36, 84 keys</term><description>small: most keys lazy, large: the reference seldom moves; all within
/// noise; 36</description></item>
/// <item><term>key blocks of 96 and 132</term><description>P and V of a block fit a L1 of 32 KB; AVX-512 no difference, AVX2 75.1 to
/// 77.4%; kept</description></item>
/// <item><term>scores from -m on</term><description>one operation in 14 less; bounds of the tests hold unchanged; kept</description></item>
/// <item><term>output back into rows before its map</term><description>no tiles of 2 and 4 rows in that map; it took 9.6 instead of
/// 13.7 ms (AVX2), 8.9 instead of 9.6 (AVX-512); kept</description></item>
/// </list>
/// </remarks>
internal static unsafe class Attention
{
    /// <summary>
    /// Keys of a block, whole tiles of 6 and 12: P^T takes 132 x 16 x 4 B = 8 KB or 96 x 32 x 4 B = 12 KB, V 19 or 14 KB of a L1 of 32 KB.
    /// </summary>
    public static int KeyBlock(int lanes) => lanes >= 16 ? 96 : 132;

    /// <summary>Keys of the first block, whose maximum is the reference of the later ones.</summary>
    public const int FirstBlock = 36;

    /// <summary>Rows that a tile may read and compute past the last key (they are not used).</summary>
    public const int KeyPadding = 12;

    /// <summary>From this total on a lane's reference moves up: 2^60 below <see cref="RangeEnd"/>, the room that the next block has to
    /// grow.</summary>
    public const float MoveBeyond = 1L << 40;

    /// <summary>
    /// A total from 2^100 on, infinite or NaN sends its block of keys to the online form. Below it no weight passes 2^100, so that a sum of
    /// weighted values overflows for no value under 2^27.
    /// </summary>
    public const float RangeEnd = 1.2676506e30f;

    /// <summary>Floats of scratch that <see cref="Run"/> needs.</summary>
    public static int ScratchLength(int headDim, int lanes) =>
        ((KeyBlock(lanes) + KeyPadding) * 2 * lanes) + (PaddedHeadDim(headDim) * 2 * lanes) + ((8 + Elementary.Exp2Vectors) * lanes);

    /// <summary>Head dim rounded up to whole tiles of 6 rows.</summary>
    public static int PaddedHeadDim(int headDim) => (headDim + 5) / 6 * 6;

    /// <summary>Attends one head's block of queries.</summary>
    /// <param name="queries">[head dim, 2W], scaled; unused lanes zero.</param>
    /// <param name="headDim">Head dim.</param>
    /// <param name="first">First segment.</param>
    /// <param name="second">Second segment; may be empty.</param>
    /// <param name="scratch">64-byte aligned, <see cref="ScratchLength"/> floats.</param>
    /// <param name="output">[head dim, 2W].</param>
    /// <returns>Blocks of keys that were repeated in the online form.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int Run<S, V>(float* queries, int headDim, in KeySegment first, in KeySegment second, float* scratch, float* output)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        int width = 2 * S.Width, padded = PaddedHeadDim(headDim), repeated = 0;
        SoftmaxState state = Place(scratch, padded, width, KeyBlock(S.Width));
        Clear<S, V>(state, padded);
        bool isFirst = true;
        for (int part = 0; part < 2; part++)
        {
            KeySegment segment = part == 0 ? first : second;
            for (int start = 0, count; start < segment.Count; start += count)
            {
                count = Math.Min(isFirst ? FirstBlock : KeyBlock(S.Width), segment.Count - start);
                float* keys = segment.Keys + ((nint)start * headDim);
                if (isFirst)
                {
                    Scores<S, V>(keys, queries, headDim, state, count);
                    Online<S, V>(state, count, padded);
                    isFirst = false;
                }
                else if (!Lazy<S, V>(keys, queries, headDim, state, count))
                {
                    Scores<S, V>(keys, queries, headDim, state, count);
                    Online<S, V>(state, count, padded);
                    repeated++;
                }

                Accumulate<S, V>(segment.Values + ((nint)start * headDim), headDim, state.Weights, count, state.Sums);
                if (AnyBeyond<S, V>(state.Totals, MoveBeyond))
                    Move(state, width, padded);
            }
        }

        Divide<S, V>(state, output, headDim);
        return repeated;
    }

    // Where the parts of the scratch are: [2W] each but for the weights and sums.
    private ref struct SoftmaxState
    {
        /// <summary>[keys, 2W] scores, then weights.</summary>
        public float* Weights;

        /// <summary>[padded head dim, 2W] sums of weighted values.</summary>
        public float* Sums;

        /// <summary>[2W] -m.</summary>
        public float* Reference;

        /// <summary>[2W] sums of weights, then the table of 2^x.</summary>
        public float* Totals;

        /// <summary>[2W] the totals before a block.</summary>
        public float* Before;

        /// <summary>[2W] zeros.</summary>
        public float* Zero;
    }

    private static SoftmaxState Place(float* scratch, int padded, int width, int keyBlock)
    {
        float* sums = scratch + ((nint)(keyBlock + KeyPadding) * width), rest = sums + ((nint)padded * width);
        return new SoftmaxState { Weights = scratch, Sums = sums, Reference = rest, Before = rest + width, Zero = rest + (2 * width),
            Totals = rest + (3 * width) };
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Clear<S, V>(in SoftmaxState state, int padded)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        for (int i = 0; i < padded * 2; i++)
            S.Store(state.Sums + (i * S.Width), S.Zero);
        for (int i = 0; i < 2 * S.Width; i += S.Width)
        {
            S.Store(state.Reference + i, S.Set(float.MaxValue));
            S.Store(state.Totals + i, S.Zero);
            S.Store(state.Zero + i, S.Zero);
        }

        Elementary.FillExp2<S, V>(state.Totals + (2 * S.Width));
    }

    // S^T = K Q^T in whole tiles; the last tile's surplus rows fall into the padding.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Scores<S, V>(float* keys, float* queries, int headDim, in SoftmaxState state, int count)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        for (int key = 0; key < count; key += S.TileRows)
            ScoreTile<S, V, Plain>(keys + ((nint)key * headDim), queries, headDim, state.Zero,
                state.Weights + ((nint)key * 2 * S.Width), null);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ScoreTile<S, V, TEnd>(float* keys, float* queries, int headDim, float* init, float* weights, float* totals)
        where S : struct, ISimd<S, V>
        where V : struct
        where TEnd : struct, ITileEnd
    {
        if (S.TileRows == 12)
            RegisterTile.Run<S, V, Rows12, ByRow, TEnd>(keys, headDim, queries, headDim, init, 0, weights, 2 * S.Width, totals);
        else
            RegisterTile.Run<S, V, Rows6, ByRow, TEnd>(keys, headDim, queries, headDim, init, 0, weights, 2 * S.Width, totals);
    }

    // P^T = 2^(S^T - m) in the score tiles' registers against the reference as it is; false, with the totals as before, where a lane left
    // the range.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static bool Lazy<S, V>(float* keys, float* queries, int headDim, in SoftmaxState state, int count)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        int width = 2 * S.Width, whole = count / S.TileRows * S.TileRows;
        S.Store(state.Before, S.Load(state.Totals));
        S.Store(state.Before + S.Width, S.Load(state.Totals + S.Width));
        for (int key = 0; key < whole; key += S.TileRows)
            ScoreTile<S, V, Power>(keys + ((nint)key * headDim), queries, headDim, state.Reference, state.Weights + ((nint)key * width),
                state.Totals);
        if (whole < count)
        {
            ScoreTile<S, V, Plain>(keys + ((nint)whole * headDim), queries, headDim, state.Reference,
                state.Weights + ((nint)whole * width), null);
            Powers<S, V>(state.Weights + ((nint)whole * width), count - whole, state.Totals);
        }

        if (!AnyBeyond<S, V>(state.Totals, RangeEnd))
            return true;
        S.Store(state.Totals, S.Load(state.Before));
        S.Store(state.Totals + S.Width, S.Load(state.Before + S.Width));
        return false;
    }

    // The keys of a tile that the segment's end leaves part-filled.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Powers<S, V>(float* weights, int count, float* totals)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        float* table = totals + (2 * S.Width);
        V t0 = S.Load(totals), t1 = S.Load(totals + S.Width);
        for (float* end = weights + (count * 2 * S.Width); weights < end; weights += 2 * S.Width)
        {
            V p0 = S.Exp2(S.Load(weights), table), p1 = S.Exp2(S.Load(weights + S.Width), table);
            S.Store(weights, p0);
            S.Store(weights + S.Width, p1);
            t0 = S.Add(t0, p0);
            t1 = S.Add(t1, p1);
        }

        S.Store(totals, t0);
        S.Store(totals + S.Width, t1);
    }

    // Whether a lane is not below the limit; NaN is not.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool AnyBeyond<S, V>(float* totals, float limit)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        V inside = S.Add(Inside<S, V>(totals, limit), Inside<S, V>(totals + S.Width, limit));
        return S.Sum(inside) != 2 * S.Width;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Inside<S, V>(float* totals, float limit)
        where S : struct, ISimd<S, V>
        where V : struct => S.SelectLess(S.Load(totals), S.Set(limit), S.Set(1f), S.Zero);

    // m moves up by the power of two in each total that is beyond; sums and totals shrink alike, exactly but for what falls under 2^-126.
    // Rare.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Move(in SoftmaxState state, int width, int padded)
    {
        for (int lane = 0; lane < width; lane++)
        {
            float total = state.Totals[lane];
            if (!(total >= MoveBeyond && total < float.PositiveInfinity))
                continue;
            int power = Math.ILogB(total);
            state.Reference[lane] -= power;
            state.Totals[lane] = MathF.ScaleB(total, -power);
            for (int d = 0; d < padded; d++)
                state.Sums[(d * width) + lane] = MathF.ScaleB(state.Sums[(d * width) + lane], -power);
        }
    }

    // P^T = 2^(S^T - m) in place with m the maximum so far; on a new maximum the sums so far are scaled down.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Online<S, V>(in SoftmaxState state, int count, int padded)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        int width = 2 * S.Width;
        float* end = state.Weights + ((nint)count * width);
        V old0 = S.Subtract(S.Zero, S.Load(state.Reference)), old1 = S.Subtract(S.Zero, S.Load(state.Reference + S.Width)),
            m0 = old0, m1 = old1;
        for (float* p = state.Weights; p < end; p += width)
        {
            m0 = S.Max(m0, S.Load(p));
            m1 = S.Max(m1, S.Load(p + S.Width));
        }

        V shrink0 = Elementary.Exp2OfNegative<S, V>(S.Subtract(old0, m0)), shrink1 = Elementary.Exp2OfNegative<S, V>(S.Subtract(old1, m1));
        V t0 = S.Multiply(S.Load(state.Totals), shrink0), t1 = S.Multiply(S.Load(state.Totals + S.Width), shrink1);
        float* sums = state.Sums;
        for (int d = 0; d < padded; d++, sums += width)
        {
            S.Store(sums, S.Multiply(S.Load(sums), shrink0));
            S.Store(sums + S.Width, S.Multiply(S.Load(sums + S.Width), shrink1));
        }

        for (float* p = state.Weights; p < end; p += width)
        {
            V p0 = Elementary.Exp2OfNegative<S, V>(S.Subtract(S.Load(p), m0)),
                p1 = Elementary.Exp2OfNegative<S, V>(S.Subtract(S.Load(p + S.Width), m1));
            S.Store(p, p0);
            S.Store(p + S.Width, p1);
            t0 = S.Add(t0, p0);
            t1 = S.Add(t1, p1);
        }

        S.Store(state.Totals, t0);
        S.Store(state.Totals + S.Width, t1);
        S.Store(state.Reference, S.Subtract(S.Zero, m0));
        S.Store(state.Reference + S.Width, S.Subtract(S.Zero, m1));
    }

    // O = sums / totals.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Divide<S, V>(in SoftmaxState state, float* output, int headDim)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        float* sums = state.Sums;
        V scale0 = S.Divide(S.Set(1f), S.Load(state.Totals)), scale1 = S.Divide(S.Set(1f), S.Load(state.Totals + S.Width));
        for (int d = 0; d < headDim; d++, output += 2 * S.Width, sums += 2 * S.Width)
        {
            S.Store(output, S.Multiply(S.Load(sums), scale0));
            S.Store(output + S.Width, S.Multiply(S.Load(sums + S.Width), scale1));
        }
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
                RegisterTile.Call<S, V, Rows12, ByColumn>(values + row, headDim, weights, count, sums + ((nint)row * width), width,
                    sums + ((nint)row * width), width);
        }

        for (; row < headDim; row += 6)
            RegisterTile.Call<S, V, Rows6, ByColumn>(values + row, headDim, weights, count, sums + ((nint)row * width), width,
                sums + ((nint)row * width), width);
    }
}
