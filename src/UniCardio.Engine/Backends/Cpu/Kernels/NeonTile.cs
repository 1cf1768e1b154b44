using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using UniCardio.Engine.Backends.Cpu.Simd;

namespace UniCardio.Engine.Backends.Cpu.Kernels;

/// <summary>
/// <see cref="RegisterTile"/> for 12 rows on ARM64: same formula, operands and ends, same bits (each element is one chain of fused
/// multiply-adds in ascending k).
/// </summary>
/// <remarks>
/// <para>NEON multiplies by one lane of a register, so the left operand is loaded as it lies, several elements at once, and never
/// broadcast. By column: 3 vectors hold a step of all 12 rows. By row: a row's elements of two steps are half a vector.</para>
/// <para>FLOPs: 2 x 12 K 8. Registers of 32: 24 accumulators, 2 panel vectors and 3 of the left operand (by column), or 4 and 1 (by
/// row): 29.</para>
/// <para>Instructions for a multiply-add in the loop as the JIT writes it (DOTNET_JitDisasm, .NET 10, no stack in the loop): 6 x 8 with
/// broadcasts 2.90 by row and 2.75 by column; 12 x 8 with broadcasts 2.66 and 2.57, and each broadcast takes a slot of the pipes that
/// multiply; by lanes 1.50 and 1.33. Cores of two 128-bit pipes decode 4 to 8 instructions a cycle, so what bound the tile was the
/// decoder. Run under an emulator only: how fast it is was not measured.</para>
/// </remarks>
internal static unsafe class NeonTile
{
    /// <summary>The tile; parameters as of <see cref="RegisterTile.Run"/>.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Run<TLayout, TEnd>(float* a, nint aStride, float* b, int depth, float* init, nint initStride, float* c, nint cStride,
        float* totals)
        where TLayout : struct, ITileLayout
        where TEnd : struct, ITileEnd
    {
        Vector128<float> c00 = Vector128.Load(init), c01 = Vector128.Load(init + 4);
        init += initStride;
        Vector128<float> c10 = Vector128.Load(init), c11 = Vector128.Load(init + 4);
        init += initStride;
        Vector128<float> c20 = Vector128.Load(init), c21 = Vector128.Load(init + 4);
        init += initStride;
        Vector128<float> c30 = Vector128.Load(init), c31 = Vector128.Load(init + 4);
        init += initStride;
        Vector128<float> c40 = Vector128.Load(init), c41 = Vector128.Load(init + 4);
        init += initStride;
        Vector128<float> c50 = Vector128.Load(init), c51 = Vector128.Load(init + 4);
        init += initStride;
        Vector128<float> c60 = Vector128.Load(init), c61 = Vector128.Load(init + 4);
        init += initStride;
        Vector128<float> c70 = Vector128.Load(init), c71 = Vector128.Load(init + 4);
        init += initStride;
        Vector128<float> c80 = Vector128.Load(init), c81 = Vector128.Load(init + 4);
        init += initStride;
        Vector128<float> c90 = Vector128.Load(init), c91 = Vector128.Load(init + 4);
        init += initStride;
        Vector128<float> c100 = Vector128.Load(init), c101 = Vector128.Load(init + 4);
        init += initStride;
        Vector128<float> c110 = Vector128.Load(init), c111 = Vector128.Load(init + 4);
        Vector128<float> b0, b1;
        int k = depth;
        if (TLayout.ByRow)
        {
            nint s = aStride, s2 = 2 * s;
            float* p0 = a, p1 = a + (3 * s), p2 = a + (6 * s), p3 = a + (9 * s);
            for (; k >= 2; k -= 2, b += 16, p0 += 2, p1 += 2, p2 += 2, p3 += 2)
            {
                b0 = Vector128.Load(b);
                b1 = Vector128.Load(b + 4);
                Vector128<float> d0 = Vector128.Load(b + 8), d1 = Vector128.Load(b + 12);
                Vector64<float> x;
                x = Vector64.Load(p0);
                (c00, c01) = (Add(c00, b0, x, 0), Add(c01, b1, x, 0));
                (c00, c01) = (Add(c00, d0, x, 1), Add(c01, d1, x, 1));
                x = Vector64.Load(p0 + s);
                (c10, c11) = (Add(c10, b0, x, 0), Add(c11, b1, x, 0));
                (c10, c11) = (Add(c10, d0, x, 1), Add(c11, d1, x, 1));
                x = Vector64.Load(p0 + s2);
                (c20, c21) = (Add(c20, b0, x, 0), Add(c21, b1, x, 0));
                (c20, c21) = (Add(c20, d0, x, 1), Add(c21, d1, x, 1));
                x = Vector64.Load(p1);
                (c30, c31) = (Add(c30, b0, x, 0), Add(c31, b1, x, 0));
                (c30, c31) = (Add(c30, d0, x, 1), Add(c31, d1, x, 1));
                x = Vector64.Load(p1 + s);
                (c40, c41) = (Add(c40, b0, x, 0), Add(c41, b1, x, 0));
                (c40, c41) = (Add(c40, d0, x, 1), Add(c41, d1, x, 1));
                x = Vector64.Load(p1 + s2);
                (c50, c51) = (Add(c50, b0, x, 0), Add(c51, b1, x, 0));
                (c50, c51) = (Add(c50, d0, x, 1), Add(c51, d1, x, 1));
                x = Vector64.Load(p2);
                (c60, c61) = (Add(c60, b0, x, 0), Add(c61, b1, x, 0));
                (c60, c61) = (Add(c60, d0, x, 1), Add(c61, d1, x, 1));
                x = Vector64.Load(p2 + s);
                (c70, c71) = (Add(c70, b0, x, 0), Add(c71, b1, x, 0));
                (c70, c71) = (Add(c70, d0, x, 1), Add(c71, d1, x, 1));
                x = Vector64.Load(p2 + s2);
                (c80, c81) = (Add(c80, b0, x, 0), Add(c81, b1, x, 0));
                (c80, c81) = (Add(c80, d0, x, 1), Add(c81, d1, x, 1));
                x = Vector64.Load(p3);
                (c90, c91) = (Add(c90, b0, x, 0), Add(c91, b1, x, 0));
                (c90, c91) = (Add(c90, d0, x, 1), Add(c91, d1, x, 1));
                x = Vector64.Load(p3 + s);
                (c100, c101) = (Add(c100, b0, x, 0), Add(c101, b1, x, 0));
                (c100, c101) = (Add(c100, d0, x, 1), Add(c101, d1, x, 1));
                x = Vector64.Load(p3 + s2);
                (c110, c111) = (Add(c110, b0, x, 0), Add(c111, b1, x, 0));
                (c110, c111) = (Add(c110, d0, x, 1), Add(c111, d1, x, 1));
            }

            if (k > 0)
            {
                (b0, b1) = (Vector128.Load(b), Vector128.Load(b + 4));
                Vector64<float> x;
                x = Vector64.CreateScalarUnsafe(*(p0));
                (c00, c01) = (Add(c00, b0, x, 0), Add(c01, b1, x, 0));
                x = Vector64.CreateScalarUnsafe(*(p0 + s));
                (c10, c11) = (Add(c10, b0, x, 0), Add(c11, b1, x, 0));
                x = Vector64.CreateScalarUnsafe(*(p0 + s2));
                (c20, c21) = (Add(c20, b0, x, 0), Add(c21, b1, x, 0));
                x = Vector64.CreateScalarUnsafe(*(p1));
                (c30, c31) = (Add(c30, b0, x, 0), Add(c31, b1, x, 0));
                x = Vector64.CreateScalarUnsafe(*(p1 + s));
                (c40, c41) = (Add(c40, b0, x, 0), Add(c41, b1, x, 0));
                x = Vector64.CreateScalarUnsafe(*(p1 + s2));
                (c50, c51) = (Add(c50, b0, x, 0), Add(c51, b1, x, 0));
                x = Vector64.CreateScalarUnsafe(*(p2));
                (c60, c61) = (Add(c60, b0, x, 0), Add(c61, b1, x, 0));
                x = Vector64.CreateScalarUnsafe(*(p2 + s));
                (c70, c71) = (Add(c70, b0, x, 0), Add(c71, b1, x, 0));
                x = Vector64.CreateScalarUnsafe(*(p2 + s2));
                (c80, c81) = (Add(c80, b0, x, 0), Add(c81, b1, x, 0));
                x = Vector64.CreateScalarUnsafe(*(p3));
                (c90, c91) = (Add(c90, b0, x, 0), Add(c91, b1, x, 0));
                x = Vector64.CreateScalarUnsafe(*(p3 + s));
                (c100, c101) = (Add(c100, b0, x, 0), Add(c101, b1, x, 0));
                x = Vector64.CreateScalarUnsafe(*(p3 + s2));
                (c110, c111) = (Add(c110, b0, x, 0), Add(c111, b1, x, 0));
            }
        }
        else
        {
            for (; k > 0; k--, b += 8, a += aStride)
            {
                (b0, b1) = (Vector128.Load(b), Vector128.Load(b + 4));
                Vector128<float> x0 = Vector128.Load(a);
                Vector128<float> x1 = Vector128.Load(a + 4);
                Vector128<float> x2 = Vector128.Load(a + 8);
                (c00, c01) = (Add(c00, b0, x0, 0), Add(c01, b1, x0, 0));
                (c10, c11) = (Add(c10, b0, x0, 1), Add(c11, b1, x0, 1));
                (c20, c21) = (Add(c20, b0, x0, 2), Add(c21, b1, x0, 2));
                (c30, c31) = (Add(c30, b0, x0, 3), Add(c31, b1, x0, 3));
                (c40, c41) = (Add(c40, b0, x1, 0), Add(c41, b1, x1, 0));
                (c50, c51) = (Add(c50, b0, x1, 1), Add(c51, b1, x1, 1));
                (c60, c61) = (Add(c60, b0, x1, 2), Add(c61, b1, x1, 2));
                (c70, c71) = (Add(c70, b0, x1, 3), Add(c71, b1, x1, 3));
                (c80, c81) = (Add(c80, b0, x2, 0), Add(c81, b1, x2, 0));
                (c90, c91) = (Add(c90, b0, x2, 1), Add(c91, b1, x2, 1));
                (c100, c101) = (Add(c100, b0, x2, 2), Add(c101, b1, x2, 2));
                (c110, c111) = (Add(c110, b0, x2, 3), Add(c111, b1, x2, 3));
            }
        }

        if (TEnd.IsPower)
        {
            float* table = totals + 8;
            // Each result is stored at once, so that the JIT does not hold the table in registers instead of sums.
            Vector128<float> t0 = Vector128.Load(totals), t1 = Vector128.Load(totals + 4);
            t0 += Power(c00, c, table);
            t1 += Power(c01, c + 4, table);
            c += cStride;
            t0 += Power(c10, c, table);
            t1 += Power(c11, c + 4, table);
            c += cStride;
            t0 += Power(c20, c, table);
            t1 += Power(c21, c + 4, table);
            c += cStride;
            t0 += Power(c30, c, table);
            t1 += Power(c31, c + 4, table);
            c += cStride;
            t0 += Power(c40, c, table);
            t1 += Power(c41, c + 4, table);
            c += cStride;
            t0 += Power(c50, c, table);
            t1 += Power(c51, c + 4, table);
            c += cStride;
            t0 += Power(c60, c, table);
            t1 += Power(c61, c + 4, table);
            c += cStride;
            t0 += Power(c70, c, table);
            t1 += Power(c71, c + 4, table);
            c += cStride;
            t0 += Power(c80, c, table);
            t1 += Power(c81, c + 4, table);
            c += cStride;
            t0 += Power(c90, c, table);
            t1 += Power(c91, c + 4, table);
            c += cStride;
            t0 += Power(c100, c, table);
            t1 += Power(c101, c + 4, table);
            c += cStride;
            t0 += Power(c110, c, table);
            t1 += Power(c111, c + 4, table);
            t0.Store(totals);
            t1.Store(totals + 4);
            return;
        }

        c00.Store(c);
        c01.Store(c + 4);
        c += cStride;
        c10.Store(c);
        c11.Store(c + 4);
        c += cStride;
        c20.Store(c);
        c21.Store(c + 4);
        c += cStride;
        c30.Store(c);
        c31.Store(c + 4);
        c += cStride;
        c40.Store(c);
        c41.Store(c + 4);
        c += cStride;
        c50.Store(c);
        c51.Store(c + 4);
        c += cStride;
        c60.Store(c);
        c61.Store(c + 4);
        c += cStride;
        c70.Store(c);
        c71.Store(c + 4);
        c += cStride;
        c80.Store(c);
        c81.Store(c + 4);
        c += cStride;
        c90.Store(c);
        c91.Store(c + 4);
        c += cStride;
        c100.Store(c);
        c101.Store(c + 4);
        c += cStride;
        c110.Store(c);
        c111.Store(c + 4);
    }

    // c = 2^sum
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Power(Vector128<float> sum, float* c, float* table)
    {
        sum = Vector128Simd.Exp2(sum, table);
        sum.Store(c);
        return sum;
    }

    // c + b a[lane], fused.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Add(Vector128<float> c, Vector128<float> b, Vector64<float> a,
        [ConstantExpected(Max = (byte)1)] byte lane) =>
        AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c, b, a, lane);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Add(Vector128<float> c, Vector128<float> b, Vector128<float> a,
        [ConstantExpected(Max = (byte)3)] byte lane) =>
        AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c, b, a, lane);
}
