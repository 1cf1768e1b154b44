using System.Runtime.CompilerServices;
using UniCardio.Engine.Backends.Cpu.Simd;

namespace UniCardio.Engine.Backends.Cpu.Kernels;

/// <summary>
/// Linear map of a strip of tokens: <c>C[rows, N] = init + A[rows, K] W^T</c> with W in panels of 2W columns.
/// </summary>
/// <remarks>
/// <para>Panels outside, rows inside: a panel (K = 288: 18 KB at 16 columns, 36 KB at 32) stays in L1 while the strip's rows
/// (192 to 512 x 1152 B, in L2) pass by. FLOPs 2 rows K N; bytes: A and W once, C once.</para>
/// <para>Error and reproducibility: see <see cref="RegisterTile"/>.</para>
/// </remarks>
internal static unsafe class MatrixProduct
{
    /// <summary>Most bytes of a panel's slice: with the strip's rows it fits half of a 48 KB L1, the other half being a neighbour's
    /// hyperthread's.</summary>
    private const int SliceBytes = 20 * 1024;

    private const int LineFloats = 16;

    /// <summary>Rows of A by row.</summary>
    /// <param name="a">[rows, K], row stride <paramref name="aStride"/>.</param>
    /// <param name="aStride">Floats between rows of A.</param>
    /// <param name="b">Packed weights.</param>
    /// <param name="firstPanel">First panel to compute.</param>
    /// <param name="endPanel">One past the last.</param>
    /// <param name="init">Start values of column 0, e.g. a bias (stride 0) or a residual (its row stride).</param>
    /// <param name="initStride">Floats between rows of the start values.</param>
    /// <param name="c">[rows, padded N], column 0; only the computed panels are written.</param>
    /// <param name="cStride">Floats between rows of C.</param>
    /// <param name="rows">Tokens.</param>
    /// <param name="initPanelStride">Floats between panels of the start values; 0 for 2W, columns side by side.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ByRows<S, V>(float* a, nint aStride, PackedMatrix b, int firstPanel, int endPanel, float* init, nint initStride,
        float* c, nint cStride, int rows, nint initPanelStride = 0)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        int width = 2 * S.Width, slice = SliceDepth(b.Inputs, width);
        for (int panel = firstPanel; panel < endPanel; panel++)
        {
            nint column = (nint)panel * width;
            float* next = panel + 1 < endPanel ? b.Panel(panel + 1) : null;
            Strip<S, V, ByRow>(a, aStride, b.Panel(panel), Math.Min(slice, b.Inputs), init
                + (initPanelStride == 0 ? column : panel * initPanelStride), initStride, c + column, cStride, rows, next, b.Inputs * width);
            for (int k = slice; k < b.Inputs; k += slice)
                Strip<S, V, ByRow>(a + k, aStride, b.Panel(panel) + ((nint)k * width), Math.Min(slice, b.Inputs - k), c + column, cStride,
                    c + column, cStride, rows, null, 0);
        }
    }

    /// <summary>The same, panel by panel into one dense buffer, which an end takes while it is in cache.</summary>
    /// <param name="a">[rows, K], row stride <paramref name="aStride"/>.</param>
    /// <param name="aStride">Floats between rows of A.</param>
    /// <param name="b">Packed weights.</param>
    /// <param name="firstPanel">First panel to compute.</param>
    /// <param name="endPanel">One past the last.</param>
    /// <param name="bias">[padded N] start values.</param>
    /// <param name="buffer">[rows, 2W].</param>
    /// <param name="rows">Tokens.</param>
    /// <param name="end">Takes each panel.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ByPanels<S, V, TEnd>(float* a, nint aStride, PackedMatrix b, int firstPanel, int endPanel, float* bias,
        float* buffer, int rows, in TEnd end)
        where S : struct, ISimd<S, V>
        where V : struct
        where TEnd : struct, IPanelEnd
    {
        int width = 2 * S.Width, slice = SliceDepth(b.Inputs, width);
        for (int panel = firstPanel; panel < endPanel; panel++)
        {
            float* next = panel + 1 < endPanel ? b.Panel(panel + 1) : null;
            Strip<S, V, ByRow>(a, aStride, b.Panel(panel), Math.Min(slice, b.Inputs), bias + ((nint)panel * width), 0, buffer, width, rows,
                next, b.Inputs * width);
            for (int k = slice; k < b.Inputs; k += slice)
                Strip<S, V, ByRow>(a + k, aStride, b.Panel(panel) + ((nint)k * width), Math.Min(slice, b.Inputs - k), buffer, width, buffer,
                    width, rows, null, 0);
            end.Take<S, V>(buffer, panel * width, rows);
        }
    }

    /// <summary>One panel: <c>C[rows, 2W] = init + A[rows, depth] B[depth, 2W]</c>, A by row or by column.</summary>
    /// <param name="a">A(r, k) at a[r aStride + k] by row, at a[k aStride + r] by column.</param>
    /// <param name="aStride">Floats between rows (by row) or between steps of k (by column).</param>
    /// <param name="panel">[depth, 2W] dense.</param>
    /// <param name="depth">K.</param>
    /// <param name="init">[rows, 2W] start values.</param>
    /// <param name="initStride">Floats between their rows; 0 repeats one row.</param>
    /// <param name="c">[rows, 2W].</param>
    /// <param name="cStride">Floats between rows of C.</param>
    /// <param name="rows">Rows of A and C.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void OnePanel<S, V, TLayout>(float* a, nint aStride, float* panel, int depth, float* init, nint initStride, float* c,
        nint cStride, int rows)
        where S : struct, ISimd<S, V>
        where V : struct
        where TLayout : struct, ITileLayout => Strip<S, V, TLayout>(a, aStride, panel, depth, init, initStride, c, cStride, rows, null, 0);

    // Depth of a panel's slice, whole turns of the tile's loop. Sums continue from C, so slicing changes no bit.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int SliceDepth(int depth, int width)
    {
        int slices = ((depth * width * sizeof(float)) + SliceBytes - 1) / SliceBytes;
        return slices <= 1 ? Math.Max(depth, 1) : ((depth + slices - 1) / slices + 3) / 4 * 4;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Strip<S, V, TLayout>(float* a, nint aStride, float* panel, int depth, float* init, nint initStride, float* c,
        nint cStride, int rows, float* next, int nextLength)
        where S : struct, ISimd<S, V>
        where V : struct
        where TLayout : struct, ITileLayout
    {
        nint aStep = TLayout.ByRow ? aStride : 1;
        int ahead = next == null ? 0 : (nextLength * S.TileRows / Math.Max(rows, 1)) + LineFloats;
        if (S.TileRows == 12)
        {
            for (; rows >= 12; rows -= 12, a += 12 * aStep, init += 12 * initStride, c += 12 * cStride, next += ahead)
            {
                Fetch(next, ahead);
                RegisterTile.Call<S, V, Rows12, TLayout>(a, aStride, panel, depth, init, initStride, c, cStride);
            }
        }

        for (; rows >= 6; rows -= 6, a += 6 * aStep, init += 6 * initStride, c += 6 * cStride, next += ahead)
        {
            Fetch(next, ahead);
            RegisterTile.Call<S, V, Rows6, TLayout>(a, aStride, panel, depth, init, initStride, c, cStride);
        }

        for (; rows >= 4; rows -= 4, a += 4 * aStep, init += 4 * initStride, c += 4 * cStride)
            RegisterTile.Call<S, V, Rows4, TLayout>(a, aStride, panel, depth, init, initStride, c, cStride);
        for (; rows >= 2; rows -= 2, a += 2 * aStep, init += 2 * initStride, c += 2 * cStride)
            RegisterTile.Call<S, V, Rows2, TLayout>(a, aStride, panel, depth, init, initStride, c, cStride);
        if (rows > 0)
            RegisterTile.Call<S, V, Rows1, TLayout>(a, aStride, panel, depth, init, initStride, c, cStride);
    }

    // A share of the next panel into L2 beside every tile, so that its first use does not wait for L3. Never faults.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fetch(float* from, int length)
    {
        if (System.Runtime.Intrinsics.X86.Sse.IsSupported)
        {
            for (int i = 0; i < length; i += LineFloats)
                System.Runtime.Intrinsics.X86.Sse.Prefetch1(from + i);
        }
    }
}
