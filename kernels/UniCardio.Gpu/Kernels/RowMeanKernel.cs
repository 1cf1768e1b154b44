using ILGPU;

namespace UniCardio.Gpu.Kernels;

/// <summary>The mean of a window's rows.</summary>
/// <remarks>Grid (32 quads, windows). Group of 32 threads, a quad each: neighbours read neighbouring quads. Sums in order.</remarks>
internal static class RowMeanKernel
{
    /// <summary>Threads of a group.</summary>
    public const int Threads = 32;

    /// <summary>The kernel.</summary>
    /// <param name="rows">Rows of a window.</param>
    /// <param name="quads">Quads of a row.</param>
    /// <param name="first">Where the first window begins in quads.</param>
    /// <param name="windowQuads">From one window to the next.</param>
    /// <param name="x">[windows, rows, C].</param>
    /// <param name="mean">[windows, C].</param>
    public static void RowMean(int rows, int quads, int first, int windowQuads, ArrayView<Float4> x, ArrayView<Float4> mean)
    {
        int quad = (Grid.IdxX * Threads) + Group.IdxX, at = first + (Grid.IdxY * windowQuads) + quad;
        if (quad >= quads)
            return;
        Float4 sum = default;
        for (int row = 0; row < rows; row++)
            sum = Float4.Add(sum, x[at + (row * quads)]);
        mean[(Grid.IdxY * quads) + quad] = Float4.Scale(1f / rows, sum);
    }
}
