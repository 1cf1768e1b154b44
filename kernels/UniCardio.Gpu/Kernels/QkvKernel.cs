using ILGPU;

namespace UniCardio.Gpu.Kernels;

/// <summary>qkv = W x + bias(t): queries, keys and values of all heads, each head padded to whole quads.</summary>
/// <remarks>Grid: strips. Group (quads of channels, rows / 4).</remarks>
/// <typeparam name="TStrip">How many rows a strip may have.</typeparam>
internal static class QkvKernel<TStrip>
    where TStrip : struct, IStripSize
{
    /// <summary>The kernel.</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="layout">Where the weights are.</param>
    /// <param name="block">The block's weights.</param>
    /// <param name="bias">[3 heads], with d(t) in it.</param>
    /// <param name="x">[rows, C].</param>
    /// <param name="qkv">[blocks condition rows, then target rows; 3 heads].</param>
    /// <param name="blockIndex">Number of the block.</param>
    public static void Qkv(StripShape shape, BlockLayout layout, ArrayView<Float4> block, ArrayView<Float4> bias, ArrayView<Float4> x,
        ArrayView<Float4> qkv, int blockIndex)
    {
        ArrayView<Float4> strip = SharedMemory.Allocate<Float4>(TStrip.Quads);
        Strip.Load(strip, shape, x, shape.Quads);
        Group.Barrier();
        BlockStages.Qkv(strip, shape, block.SubView(layout.AttentionIn), bias, qkv, blockIndex);
    }
}
