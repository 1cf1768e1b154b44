using ILGPU;

namespace UniCardio.Gpu.Kernels;

/// <summary>y = LN1(x + d(t) + Wo a + bo).</summary>
/// <remarks>Grid: strips. Group (quads of channels, rows / 4).</remarks>
internal static class AttentionOutKernel
{
    /// <summary>The kernel.</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="layout">Where the weights are.</param>
    /// <param name="block">The block's weights.</param>
    /// <param name="bias">[C] bo + d(t).</param>
    /// <param name="attention">[rows, heads].</param>
    /// <param name="x">[rows, C].</param>
    /// <param name="y">[rows, C].</param>
    public static void AttentionOut(
        StripShape shape, BlockLayout layout, ArrayView<Float4> block, ArrayView<Float4> bias, ArrayView<Float4> attention,
        ArrayView<Float4> x, ArrayView<Float4> y)
    {
        ArrayView<Float4> strip = SharedMemory.Allocate<Float4>(Strip.Capacity);
        ArrayView<float> sums = SharedMemory.Allocate<float>(2 * Strip.Sums);
        Strip.Load(strip, shape, attention, shape.HeadQuads);
        Group.Barrier();
        BlockStages.AttentionOut(strip, sums, shape, layout, block, bias, x);
        RowStore.Run(strip, shape, y);
    }
}
