using ILGPU;

namespace UniCardio.Gpu.Kernels;

/// <summary>Writes a strip of C channels back to global memory.</summary>
internal static class RowStore
{
    /// <summary>Writes this thread's rows and quad.</summary>
    public static void Run(ArrayView<Float4> strip, StripShape shape, ArrayView<Float4> target)
    {
        int row = Group.IdxY * Strip.RowsPerThread, q = Group.IdxX;
        if (q < shape.Quads)
            Strip.WriteRows(target, shape.Quads, Strip.FirstRow(shape) + row, 0, shape.EndRow, q,
                Strip.Read(strip, shape.StripQuads, row, q));
    }
}
