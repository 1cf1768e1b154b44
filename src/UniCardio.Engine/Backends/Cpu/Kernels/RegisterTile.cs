using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.Arm;
using UniCardio.Engine.Backends.Cpu.Simd;

namespace UniCardio.Engine.Backends.Cpu.Kernels;

/// <summary>How many rows a tile has; a constant to the JIT.</summary>
internal interface ITileRows
{
    static abstract int Count { get; }
}

/// <summary>Where element (row, k) of a tile's left operand stands.</summary>
internal interface ITileLayout
{
    /// <summary>True: a[row * stride + k]. False: a[k * stride + row].</summary>
    static abstract bool ByRow { get; }
}

internal readonly struct Rows1 : ITileRows
{
    public static int Count => 1;
}

internal readonly struct Rows2 : ITileRows
{
    public static int Count => 2;
}

internal readonly struct Rows4 : ITileRows
{
    public static int Count => 4;
}

internal readonly struct Rows6 : ITileRows
{
    public static int Count => 6;
}

internal readonly struct Rows12 : ITileRows
{
    public static int Count => 12;
}

internal readonly struct ByRow : ITileLayout
{
    static bool ITileLayout.ByRow => true;
}

internal readonly struct ByColumn : ITileLayout
{
    static bool ITileLayout.ByRow => false;
}

/// <summary>What a tile does with its sums while they are in registers; a constant to the JIT.</summary>
internal interface ITileEnd
{
    /// <summary>True: c = 2^sum, and each column's c are added to its total. False: c = sum.</summary>
    static abstract bool IsPower { get; }
}

internal readonly struct Plain : ITileEnd
{
    public static bool IsPower => false;
}

internal readonly struct Power : ITileEnd
{
    public static bool IsPower => true;
}

/// <summary>
/// The register tile under every matrix product of the network:
/// <code>c[r, 0..2W) = init[r, 0..2W) + sum over k &lt; K of a(r, k) b[k, 0..2W)</code>
/// </summary>
/// <remarks>
/// <para>a: rows x K, by row or by column with a stride; b: one panel, [K, 2W] dense; c: row stride in floats; init: row stride
/// in floats, 0 repeats one row (a bias), c itself accumulates.</para>
/// <para>FLOPs: 2 rows K 2W. Registers: rows x 2 accumulators + 2 panel vectors + 1 broadcast (6 rows: 15 of 16, 12 rows: 27 of
/// 32; NEON's 12 rows are <see cref="NeonTile"/>). Loads a k step: 2 + rows for 2 rows multiply-adds, so two load ports keep two FMA ports
/// fed.</para>
/// <para>Each element is one chain of K fused multiply-adds in ascending k whatever the number of rows, so the split of rows
/// into tiles never changes a bit. Error: |c - exact| &lt;= (K + 1) u sum |a b| + |init|, u = 2^-24.</para>
/// <para>How it got here (shares of the multiply-add peak; machines and method in benchmarks/README.md):</para>
/// <list type="table">
/// <listheader><term>version</term><description>predicted; measured; kept</description></listheader>
/// <item><term>6 x 16 (AVX2), one k a turn</term><description>bound by 12 FMA in 6 cycles; 95% on a quiet core, 77-80% beside a busy
/// neighbour; replaced</description></item>
/// <item><term>four k a turn</term><description>20.5 instead of 24 instructions for 12 FMA; 87-91% beside the same neighbour;
/// kept</description></item>
/// <item><term>12 x 32 instead of 6 x 32 (AVX-512)</term><description>14 loads for 24 FMA instead of 8 for 12; 85-88% and 89%, no
/// difference beyond noise; 12 rows kept</description></item>
/// <item><term>a method of its own, fully optimised at once</term><description>slow only in its first 30 calls; steady state unchanged, a
/// cold start without 3,000 lines of unoptimised code; kept</description></item>
/// <item><term>rows and layouts told apart by type</term><description>dead rows make no locals, past 1,024 of which the JIT spills
/// accumulators; fused AVX2 tile 69 to 74%; kept</description></item>
/// <item><term>powers taken in the tile's registers (<see cref="Power"/>)</term><description>4-8 points by the C twin; with constants in
/// registers the JIT spills (28% on AVX-512, 60% on AVX2), with constants from memory attention 78.5 to 83% on AVX-512; constants from
/// memory kept</description></item>
/// </list>
/// </remarks>
internal static unsafe class RegisterTile
{
    /// <summary>
    /// The tile without further ado, a call of its own: registers are allocated for it alone.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Call<S, V, TRows, TLayout>(float* a, nint aStride, float* b, int depth, float* init, nint initStride, float* c,
        nint cStride)
        where S : struct, ISimd<S, V>
        where V : struct
        where TRows : struct, ITileRows
        where TLayout : struct, ITileLayout => Run<S, V, TRows, TLayout, Plain>(a, aStride, b, depth, init, initStride, c, cStride, null);

    /// <summary>The tile with its end.</summary>
    /// <param name="a">Left operand at (0, 0).</param>
    /// <param name="aStride">Floats between its rows (by row) or steps of k (by column).</param>
    /// <param name="b">[K, 2W].</param>
    /// <param name="depth">K.</param>
    /// <param name="init">[rows, 2W] start values.</param>
    /// <param name="initStride">Floats between their rows.</param>
    /// <param name="c">[rows, 2W].</param>
    /// <param name="cStride">Floats between rows of c.</param>
    /// <param name="totals">[2W] to which powers are added, and the table of <see cref="Elementary.FillExp2"/>; not read by
    /// <see cref="Plain"/>.</param>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Run<S, V, TRows, TLayout, TEnd>(float* a, nint aStride, float* b, int depth, float* init, nint initStride, float* c,
        nint cStride, float* totals)
        where S : struct, ISimd<S, V>
        where V : struct
        where TRows : struct, ITileRows
        where TLayout : struct, ITileLayout
        where TEnd : struct, ITileEnd
    {
        if (AdvSimd.Arm64.IsSupported && typeof(S) == typeof(Vector128Simd) && typeof(TRows) == typeof(Rows12))
        {
            NeonTile.Run<TLayout, TEnd>(a, aStride, b, depth, init, initStride, c, cStride, totals);
            return;
        }

        // The JIT folds a comparison of types before it inlines anything, so that what another shape needs costs no locals: it keeps at
        // most 1,024 of a method in registers, and one that is not kept costs an accumulator.
        bool byRow = typeof(TLayout) == typeof(ByRow);
        V c00 = default, c01 = default;
        V c10 = default, c11 = default;
        V c20 = default, c21 = default;
        V c30 = default, c31 = default;
        V c40 = default, c41 = default;
        V c50 = default, c51 = default;
        V c60 = default, c61 = default;
        V c70 = default, c71 = default;
        V c80 = default, c81 = default;
        V c90 = default, c91 = default;
        V c100 = default, c101 = default;
        V c110 = default, c111 = default;
        c00 = S.Load(init);
        c01 = S.Load(init + S.Width);
        if (TRows.Count > 1) { init += initStride; c10 = S.Load(init); c11 = S.Load(init + S.Width); }
        if (TRows.Count > 2) { init += initStride; c20 = S.Load(init); c21 = S.Load(init + S.Width); }
        if (TRows.Count > 3) { init += initStride; c30 = S.Load(init); c31 = S.Load(init + S.Width); }
        if (TRows.Count > 4) { init += initStride; c40 = S.Load(init); c41 = S.Load(init + S.Width); }
        if (TRows.Count > 5) { init += initStride; c50 = S.Load(init); c51 = S.Load(init + S.Width); }
        if (typeof(TRows) == typeof(Rows12)) { init += initStride; c60 = S.Load(init); c61 = S.Load(init + S.Width); }
        if (typeof(TRows) == typeof(Rows12)) { init += initStride; c70 = S.Load(init); c71 = S.Load(init + S.Width); }
        if (typeof(TRows) == typeof(Rows12)) { init += initStride; c80 = S.Load(init); c81 = S.Load(init + S.Width); }
        if (typeof(TRows) == typeof(Rows12)) { init += initStride; c90 = S.Load(init); c91 = S.Load(init + S.Width); }
        if (typeof(TRows) == typeof(Rows12)) { init += initStride; c100 = S.Load(init); c101 = S.Load(init + S.Width); }
        if (typeof(TRows) == typeof(Rows12)) { init += initStride; c110 = S.Load(init); c111 = S.Load(init + S.Width); }

        nint s = byRow ? aStride : 0, s2 = 2 * s;
        float* p0 = a, p1 = a + (3 * s), p2 = a + (6 * s), p3 = a + (9 * s);
        V b0, b1, x;

        // Four steps a turn: pointers move once for 4 x rows x 2 multiply-adds.
        int k = depth;
        for (; k >= 4; k -= 4, b += 8 * S.Width)
        {
            b0 = S.Load(b);
            b1 = S.Load(b + S.Width);
            x = S.Set(*p0);
            c00 = S.MultiplyAdd(x, b0, c00);
            c01 = S.MultiplyAdd(x, b1, c01);
            if (TRows.Count > 1) { x = S.Set(*(byRow ? p0 + s : p0 + 1)); c10 = S.MultiplyAdd(x, b0, c10);
                c11 = S.MultiplyAdd(x, b1, c11); }
            if (TRows.Count > 2) { x = S.Set(*(byRow ? p0 + s2 : p0 + 2)); c20 = S.MultiplyAdd(x, b0, c20);
                c21 = S.MultiplyAdd(x, b1, c21); }
            if (TRows.Count > 3) { x = S.Set(*(byRow ? p1 : p0 + 3)); c30 = S.MultiplyAdd(x, b0, c30); c31 = S.MultiplyAdd(x, b1, c31); }
            if (TRows.Count > 4) { x = S.Set(*(byRow ? p1 + s : p0 + 4)); c40 = S.MultiplyAdd(x, b0, c40);
                c41 = S.MultiplyAdd(x, b1, c41); }
            if (TRows.Count > 5) { x = S.Set(*(byRow ? p1 + s2 : p0 + 5)); c50 = S.MultiplyAdd(x, b0, c50);
                c51 = S.MultiplyAdd(x, b1, c51); }
            if (typeof(TRows) == typeof(Rows12)) { x = S.Set(*(byRow ? p2 : p0 + 6)); c60 = S.MultiplyAdd(x, b0, c60);
                c61 = S.MultiplyAdd(x, b1, c61); }
            if (typeof(TRows) == typeof(Rows12)) { x = S.Set(*(byRow ? p2 + s : p0 + 7)); c70 = S.MultiplyAdd(x, b0, c70);
                c71 = S.MultiplyAdd(x, b1, c71); }
            if (typeof(TRows) == typeof(Rows12)) { x = S.Set(*(byRow ? p2 + s2 : p0 + 8)); c80 = S.MultiplyAdd(x, b0, c80);
                c81 = S.MultiplyAdd(x, b1, c81); }
            if (typeof(TRows) == typeof(Rows12)) { x = S.Set(*(byRow ? p3 : p0 + 9)); c90 = S.MultiplyAdd(x, b0, c90);
                c91 = S.MultiplyAdd(x, b1, c91); }
            if (typeof(TRows) == typeof(Rows12)) { x = S.Set(*(byRow ? p3 + s : p0 + 10)); c100 = S.MultiplyAdd(x, b0, c100);
                c101 = S.MultiplyAdd(x, b1, c101); }
            if (typeof(TRows) == typeof(Rows12)) { x = S.Set(*(byRow ? p3 + s2 : p0 + 11)); c110 = S.MultiplyAdd(x, b0, c110);
                c111 = S.MultiplyAdd(x, b1, c111); }
            p0 += byRow ? 0 : aStride;

            b0 = S.Load(b + (2 * S.Width));
            b1 = S.Load(b + (3 * S.Width));
            x = S.Set(*(byRow ? p0 + 1 : p0));
            c00 = S.MultiplyAdd(x, b0, c00);
            c01 = S.MultiplyAdd(x, b1, c01);
            if (TRows.Count > 1) { x = S.Set(*(byRow ? p0 + s + 1 : p0 + 1)); c10 = S.MultiplyAdd(x, b0, c10);
                c11 = S.MultiplyAdd(x, b1, c11); }
            if (TRows.Count > 2) { x = S.Set(*(byRow ? p0 + s2 + 1 : p0 + 2)); c20 = S.MultiplyAdd(x, b0, c20);
                c21 = S.MultiplyAdd(x, b1, c21); }
            if (TRows.Count > 3) { x = S.Set(*(byRow ? p1 + 1 : p0 + 3)); c30 = S.MultiplyAdd(x, b0, c30);
                c31 = S.MultiplyAdd(x, b1, c31); }
            if (TRows.Count > 4) { x = S.Set(*(byRow ? p1 + s + 1 : p0 + 4)); c40 = S.MultiplyAdd(x, b0, c40);
                c41 = S.MultiplyAdd(x, b1, c41); }
            if (TRows.Count > 5) { x = S.Set(*(byRow ? p1 + s2 + 1 : p0 + 5)); c50 = S.MultiplyAdd(x, b0, c50);
                c51 = S.MultiplyAdd(x, b1, c51); }
            if (typeof(TRows) == typeof(Rows12)) { x = S.Set(*(byRow ? p2 + 1 : p0 + 6)); c60 = S.MultiplyAdd(x, b0, c60);
                c61 = S.MultiplyAdd(x, b1, c61); }
            if (typeof(TRows) == typeof(Rows12)) { x = S.Set(*(byRow ? p2 + s + 1 : p0 + 7)); c70 = S.MultiplyAdd(x, b0, c70);
                c71 = S.MultiplyAdd(x, b1, c71); }
            if (typeof(TRows) == typeof(Rows12)) { x = S.Set(*(byRow ? p2 + s2 + 1 : p0 + 8)); c80 = S.MultiplyAdd(x, b0, c80);
                c81 = S.MultiplyAdd(x, b1, c81); }
            if (typeof(TRows) == typeof(Rows12)) { x = S.Set(*(byRow ? p3 + 1 : p0 + 9)); c90 = S.MultiplyAdd(x, b0, c90);
                c91 = S.MultiplyAdd(x, b1, c91); }
            if (typeof(TRows) == typeof(Rows12)) { x = S.Set(*(byRow ? p3 + s + 1 : p0 + 10)); c100 = S.MultiplyAdd(x, b0, c100);
                c101 = S.MultiplyAdd(x, b1, c101); }
            if (typeof(TRows) == typeof(Rows12)) { x = S.Set(*(byRow ? p3 + s2 + 1 : p0 + 11)); c110 = S.MultiplyAdd(x, b0, c110);
                c111 = S.MultiplyAdd(x, b1, c111); }
            p0 += byRow ? 0 : aStride;

            b0 = S.Load(b + (4 * S.Width));
            b1 = S.Load(b + (5 * S.Width));
            x = S.Set(*(byRow ? p0 + 2 : p0));
            c00 = S.MultiplyAdd(x, b0, c00);
            c01 = S.MultiplyAdd(x, b1, c01);
            if (TRows.Count > 1) { x = S.Set(*(byRow ? p0 + s + 2 : p0 + 1)); c10 = S.MultiplyAdd(x, b0, c10);
                c11 = S.MultiplyAdd(x, b1, c11); }
            if (TRows.Count > 2) { x = S.Set(*(byRow ? p0 + s2 + 2 : p0 + 2)); c20 = S.MultiplyAdd(x, b0, c20);
                c21 = S.MultiplyAdd(x, b1, c21); }
            if (TRows.Count > 3) { x = S.Set(*(byRow ? p1 + 2 : p0 + 3)); c30 = S.MultiplyAdd(x, b0, c30);
                c31 = S.MultiplyAdd(x, b1, c31); }
            if (TRows.Count > 4) { x = S.Set(*(byRow ? p1 + s + 2 : p0 + 4)); c40 = S.MultiplyAdd(x, b0, c40);
                c41 = S.MultiplyAdd(x, b1, c41); }
            if (TRows.Count > 5) { x = S.Set(*(byRow ? p1 + s2 + 2 : p0 + 5)); c50 = S.MultiplyAdd(x, b0, c50);
                c51 = S.MultiplyAdd(x, b1, c51); }
            if (typeof(TRows) == typeof(Rows12)) { x = S.Set(*(byRow ? p2 + 2 : p0 + 6)); c60 = S.MultiplyAdd(x, b0, c60);
                c61 = S.MultiplyAdd(x, b1, c61); }
            if (typeof(TRows) == typeof(Rows12)) { x = S.Set(*(byRow ? p2 + s + 2 : p0 + 7)); c70 = S.MultiplyAdd(x, b0, c70);
                c71 = S.MultiplyAdd(x, b1, c71); }
            if (typeof(TRows) == typeof(Rows12)) { x = S.Set(*(byRow ? p2 + s2 + 2 : p0 + 8)); c80 = S.MultiplyAdd(x, b0, c80);
                c81 = S.MultiplyAdd(x, b1, c81); }
            if (typeof(TRows) == typeof(Rows12)) { x = S.Set(*(byRow ? p3 + 2 : p0 + 9)); c90 = S.MultiplyAdd(x, b0, c90);
                c91 = S.MultiplyAdd(x, b1, c91); }
            if (typeof(TRows) == typeof(Rows12)) { x = S.Set(*(byRow ? p3 + s + 2 : p0 + 10)); c100 = S.MultiplyAdd(x, b0, c100);
                c101 = S.MultiplyAdd(x, b1, c101); }
            if (typeof(TRows) == typeof(Rows12)) { x = S.Set(*(byRow ? p3 + s2 + 2 : p0 + 11)); c110 = S.MultiplyAdd(x, b0, c110);
                c111 = S.MultiplyAdd(x, b1, c111); }
            p0 += byRow ? 0 : aStride;

            b0 = S.Load(b + (6 * S.Width));
            b1 = S.Load(b + (7 * S.Width));
            x = S.Set(*(byRow ? p0 + 3 : p0));
            c00 = S.MultiplyAdd(x, b0, c00);
            c01 = S.MultiplyAdd(x, b1, c01);
            if (TRows.Count > 1) { x = S.Set(*(byRow ? p0 + s + 3 : p0 + 1)); c10 = S.MultiplyAdd(x, b0, c10);
                c11 = S.MultiplyAdd(x, b1, c11); }
            if (TRows.Count > 2) { x = S.Set(*(byRow ? p0 + s2 + 3 : p0 + 2)); c20 = S.MultiplyAdd(x, b0, c20);
                c21 = S.MultiplyAdd(x, b1, c21); }
            if (TRows.Count > 3) { x = S.Set(*(byRow ? p1 + 3 : p0 + 3)); c30 = S.MultiplyAdd(x, b0, c30);
                c31 = S.MultiplyAdd(x, b1, c31); }
            if (TRows.Count > 4) { x = S.Set(*(byRow ? p1 + s + 3 : p0 + 4)); c40 = S.MultiplyAdd(x, b0, c40);
                c41 = S.MultiplyAdd(x, b1, c41); }
            if (TRows.Count > 5) { x = S.Set(*(byRow ? p1 + s2 + 3 : p0 + 5)); c50 = S.MultiplyAdd(x, b0, c50);
                c51 = S.MultiplyAdd(x, b1, c51); }
            if (typeof(TRows) == typeof(Rows12)) { x = S.Set(*(byRow ? p2 + 3 : p0 + 6)); c60 = S.MultiplyAdd(x, b0, c60);
                c61 = S.MultiplyAdd(x, b1, c61); }
            if (typeof(TRows) == typeof(Rows12)) { x = S.Set(*(byRow ? p2 + s + 3 : p0 + 7)); c70 = S.MultiplyAdd(x, b0, c70);
                c71 = S.MultiplyAdd(x, b1, c71); }
            if (typeof(TRows) == typeof(Rows12)) { x = S.Set(*(byRow ? p2 + s2 + 3 : p0 + 8)); c80 = S.MultiplyAdd(x, b0, c80);
                c81 = S.MultiplyAdd(x, b1, c81); }
            if (typeof(TRows) == typeof(Rows12)) { x = S.Set(*(byRow ? p3 + 3 : p0 + 9)); c90 = S.MultiplyAdd(x, b0, c90);
                c91 = S.MultiplyAdd(x, b1, c91); }
            if (typeof(TRows) == typeof(Rows12)) { x = S.Set(*(byRow ? p3 + s + 3 : p0 + 10)); c100 = S.MultiplyAdd(x, b0, c100);
                c101 = S.MultiplyAdd(x, b1, c101); }
            if (typeof(TRows) == typeof(Rows12)) { x = S.Set(*(byRow ? p3 + s2 + 3 : p0 + 11)); c110 = S.MultiplyAdd(x, b0, c110);
                c111 = S.MultiplyAdd(x, b1, c111); }
            p0 += byRow ? 0 : aStride;

            p0 += byRow ? 4 : 0;
            p1 += 4;
            p2 += 4;
            p3 += 4;
        }

        for (; k > 0; k--, b += 2 * S.Width)
        {
            b0 = S.Load(b);
            b1 = S.Load(b + S.Width);
            x = S.Set(*p0);
            c00 = S.MultiplyAdd(x, b0, c00);
            c01 = S.MultiplyAdd(x, b1, c01);
            if (TRows.Count > 1) { x = S.Set(*(byRow ? p0 + s : p0 + 1)); c10 = S.MultiplyAdd(x, b0, c10);
                c11 = S.MultiplyAdd(x, b1, c11); }
            if (TRows.Count > 2) { x = S.Set(*(byRow ? p0 + s2 : p0 + 2)); c20 = S.MultiplyAdd(x, b0, c20);
                c21 = S.MultiplyAdd(x, b1, c21); }
            if (TRows.Count > 3) { x = S.Set(*(byRow ? p1 : p0 + 3)); c30 = S.MultiplyAdd(x, b0, c30); c31 = S.MultiplyAdd(x, b1, c31); }
            if (TRows.Count > 4) { x = S.Set(*(byRow ? p1 + s : p0 + 4)); c40 = S.MultiplyAdd(x, b0, c40);
                c41 = S.MultiplyAdd(x, b1, c41); }
            if (TRows.Count > 5) { x = S.Set(*(byRow ? p1 + s2 : p0 + 5)); c50 = S.MultiplyAdd(x, b0, c50);
                c51 = S.MultiplyAdd(x, b1, c51); }
            if (typeof(TRows) == typeof(Rows12)) { x = S.Set(*(byRow ? p2 : p0 + 6)); c60 = S.MultiplyAdd(x, b0, c60);
                c61 = S.MultiplyAdd(x, b1, c61); }
            if (typeof(TRows) == typeof(Rows12)) { x = S.Set(*(byRow ? p2 + s : p0 + 7)); c70 = S.MultiplyAdd(x, b0, c70);
                c71 = S.MultiplyAdd(x, b1, c71); }
            if (typeof(TRows) == typeof(Rows12)) { x = S.Set(*(byRow ? p2 + s2 : p0 + 8)); c80 = S.MultiplyAdd(x, b0, c80);
                c81 = S.MultiplyAdd(x, b1, c81); }
            if (typeof(TRows) == typeof(Rows12)) { x = S.Set(*(byRow ? p3 : p0 + 9)); c90 = S.MultiplyAdd(x, b0, c90);
                c91 = S.MultiplyAdd(x, b1, c91); }
            if (typeof(TRows) == typeof(Rows12)) { x = S.Set(*(byRow ? p3 + s : p0 + 10)); c100 = S.MultiplyAdd(x, b0, c100);
                c101 = S.MultiplyAdd(x, b1, c101); }
            if (typeof(TRows) == typeof(Rows12)) { x = S.Set(*(byRow ? p3 + s2 : p0 + 11)); c110 = S.MultiplyAdd(x, b0, c110);
                c111 = S.MultiplyAdd(x, b1, c111); }
            p0 += byRow ? 0 : aStride;

            p0 += byRow ? 1 : 0;
            p1 += 1;
            p2 += 1;
            p3 += 1;
        }

        if (typeof(TEnd) == typeof(Power))
        {
            // Each result is stored at once: the stores keep the JIT from holding the table in registers, for which it would spill sums in
            // the loop above.
            float* table = totals + (2 * S.Width);
            V t0 = S.Load(totals), t1 = S.Load(totals + S.Width);
            c00 = S.Exp2(c00, table);
            S.Store(c, c00);
            t0 = S.Add(t0, c00);
            c01 = S.Exp2(c01, table);
            S.Store(c + S.Width, c01);
            t1 = S.Add(t1, c01);
            if (TRows.Count > 1) { c += cStride; c10 = S.Exp2(c10, table); S.Store(c, c10); t0 = S.Add(t0, c10); c11 = S.Exp2(c11, table);
                S.Store(c + S.Width, c11); t1 = S.Add(t1, c11); }
            if (TRows.Count > 2) { c += cStride; c20 = S.Exp2(c20, table); S.Store(c, c20); t0 = S.Add(t0, c20); c21 = S.Exp2(c21, table);
                S.Store(c + S.Width, c21); t1 = S.Add(t1, c21); }
            if (TRows.Count > 3) { c += cStride; c30 = S.Exp2(c30, table); S.Store(c, c30); t0 = S.Add(t0, c30); c31 = S.Exp2(c31, table);
                S.Store(c + S.Width, c31); t1 = S.Add(t1, c31); }
            if (TRows.Count > 4) { c += cStride; c40 = S.Exp2(c40, table); S.Store(c, c40); t0 = S.Add(t0, c40); c41 = S.Exp2(c41, table);
                S.Store(c + S.Width, c41); t1 = S.Add(t1, c41); }
            if (TRows.Count > 5) { c += cStride; c50 = S.Exp2(c50, table); S.Store(c, c50); t0 = S.Add(t0, c50); c51 = S.Exp2(c51, table);
                S.Store(c + S.Width, c51); t1 = S.Add(t1, c51); }
            if (typeof(TRows) == typeof(Rows12)) { c += cStride; c60 = S.Exp2(c60, table); S.Store(c, c60); t0 = S.Add(t0, c60);
                c61 = S.Exp2(c61, table); S.Store(c + S.Width, c61); t1 = S.Add(t1, c61); }
            if (typeof(TRows) == typeof(Rows12)) { c += cStride; c70 = S.Exp2(c70, table); S.Store(c, c70); t0 = S.Add(t0, c70);
                c71 = S.Exp2(c71, table); S.Store(c + S.Width, c71); t1 = S.Add(t1, c71); }
            if (typeof(TRows) == typeof(Rows12)) { c += cStride; c80 = S.Exp2(c80, table); S.Store(c, c80); t0 = S.Add(t0, c80);
                c81 = S.Exp2(c81, table); S.Store(c + S.Width, c81); t1 = S.Add(t1, c81); }
            if (typeof(TRows) == typeof(Rows12)) { c += cStride; c90 = S.Exp2(c90, table); S.Store(c, c90); t0 = S.Add(t0, c90);
                c91 = S.Exp2(c91, table); S.Store(c + S.Width, c91); t1 = S.Add(t1, c91); }
            if (typeof(TRows) == typeof(Rows12)) { c += cStride; c100 = S.Exp2(c100, table); S.Store(c, c100); t0 = S.Add(t0, c100);
                c101 = S.Exp2(c101, table); S.Store(c + S.Width, c101); t1 = S.Add(t1, c101); }
            if (typeof(TRows) == typeof(Rows12)) { c += cStride; c110 = S.Exp2(c110, table); S.Store(c, c110); t0 = S.Add(t0, c110);
                c111 = S.Exp2(c111, table); S.Store(c + S.Width, c111); t1 = S.Add(t1, c111); }
            S.Store(totals, t0);
            S.Store(totals + S.Width, t1);
            return;
        }

        S.Store(c, c00);
        S.Store(c + S.Width, c01);
        if (TRows.Count > 1) { c += cStride; S.Store(c, c10); S.Store(c + S.Width, c11); }
        if (TRows.Count > 2) { c += cStride; S.Store(c, c20); S.Store(c + S.Width, c21); }
        if (TRows.Count > 3) { c += cStride; S.Store(c, c30); S.Store(c + S.Width, c31); }
        if (TRows.Count > 4) { c += cStride; S.Store(c, c40); S.Store(c + S.Width, c41); }
        if (TRows.Count > 5) { c += cStride; S.Store(c, c50); S.Store(c + S.Width, c51); }
        if (typeof(TRows) == typeof(Rows12)) { c += cStride; S.Store(c, c60); S.Store(c + S.Width, c61); }
        if (typeof(TRows) == typeof(Rows12)) { c += cStride; S.Store(c, c70); S.Store(c + S.Width, c71); }
        if (typeof(TRows) == typeof(Rows12)) { c += cStride; S.Store(c, c80); S.Store(c + S.Width, c81); }
        if (typeof(TRows) == typeof(Rows12)) { c += cStride; S.Store(c, c90); S.Store(c + S.Width, c91); }
        if (typeof(TRows) == typeof(Rows12)) { c += cStride; S.Store(c, c100); S.Store(c + S.Width, c101); }
        if (typeof(TRows) == typeof(Rows12)) { c += cStride; S.Store(c, c110); S.Store(c + S.Width, c111); }
    }
}
