using ILGPU;

namespace UniCardio.Gpu.Kernels;

/// <summary>y = LN2(z + W2 gelu(W1 z + b1) + b2) with z = LN1(y), without LN2's gamma and beta.</summary>
/// <remarks>Grid: strips. Group (quads of channels, rows / 4).</remarks>
internal static class NormFeedForwardKernel
{
    /// <summary>The kernel.</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="layout">Where the weights are.</param>
    /// <param name="block">The block's weights.</param>
    /// <param name="y">[rows, C], replaced.</param>
    public static void NormFeedForward(StripShape shape, BlockLayout layout, ArrayView<Float4> block, ArrayView<Float4> y)
    {
        ArrayView<Float4> strip = SharedMemory.Allocate<Float4>(Strip.Capacity);
        ArrayView<Float4> hidden = SharedMemory.Allocate<Float4>(Strip.MaxRows * Strip.HiddenStride);
        ArrayView<float> sums = SharedMemory.Allocate<float>(2 * Strip.Sums);
        Strip.Load(strip, shape, y, shape.Quads);
        Group.Barrier();
        LayerNormStage.Run(strip, sums, shape, block.SubView(layout.Norm1Gamma), block.SubView(layout.Norm1Beta), 1);
        BlockStages.FeedForward(strip, hidden, sums, shape, layout, block);
        RowStore.Run(strip, shape, y);
    }
}
