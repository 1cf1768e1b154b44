using ILGPU;

namespace UniCardio.Gpu.Kernels;

/// <summary>y = LN2(y + W2 gelu(W1 y + b1) + b2), without LN2's gamma and beta, which the next map holds.</summary>
/// <remarks>Grid: strips. Group (quads of channels, rows / 4).</remarks>
internal static class FeedForwardKernel
{
    /// <summary>The kernel.</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="layout">Where the weights are.</param>
    /// <param name="block">The block's weights.</param>
    /// <param name="y">[rows, C], replaced.</param>
    public static void FeedForward(StripShape shape, BlockLayout layout, ArrayView<Float4> block, ArrayView<Float4> y)
    {
        ArrayView<Float4> strip = SharedMemory.Allocate<Float4>(Strip.Capacity);
        ArrayView<Float4> hidden = SharedMemory.Allocate<Float4>(Strip.MaxRows * Strip.HiddenStride);
        ArrayView<float> sums = SharedMemory.Allocate<float>(2 * Strip.Sums);
        Strip.Load(strip, shape, y, shape.Quads);
        Group.Barrier();
        BlockStages.FeedForward(strip, hidden, sums, shape, layout, block);
        RowStore.Run(strip, shape, y);
    }
}
