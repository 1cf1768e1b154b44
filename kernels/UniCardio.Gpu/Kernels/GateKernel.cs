using ILGPU;

namespace UniCardio.Gpu.Kernels;

/// <summary>g = sigmoid(a) tanh(b) with [a, b] = mid y + constant of the position; x = (x + residual) / sqrt 2 and skip += s with
/// [residual, s] = output g.</summary>
/// <remarks>Grid: strips. Group (quads of channels, rows / 4).</remarks>
internal static class GateKernel
{
    /// <summary>The kernel.</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="layout">Where the weights are.</param>
    /// <param name="block">The block's weights.</param>
    /// <param name="blockIndex">Number of the block.</param>
    /// <param name="table">[slots, blocks, T, 2C] constants of the positions.</param>
    /// <param name="slots">Which slot of the table the rows of slot instance i take.</param>
    /// <param name="y">[rows, C], the feed-forward layer's output.</param>
    /// <param name="x">[rows, C], replaced.</param>
    /// <param name="skip">[target rows, C], replaced.</param>
    public static void Gate(
        StripShape shape,
        BlockLayout layout,
        ArrayView<Float4> block,
        int blockIndex,
        ArrayView<Float4> table,
        ArrayView<int> slots,
        ArrayView<Float4> y,
        ArrayView<Float4> x,
        ArrayView<Float4> skip)
    {
        ArrayView<Float4> strip = SharedMemory.Allocate<Float4>(Strip.Capacity);
        Strip.Load(strip, shape, y, shape.Quads);
        Group.Barrier();
        BlockStages.Gate(strip, shape, layout, block, blockIndex, table, slots);
        BlockStages.Output(strip, shape, layout, block, x, skip, blockIndex == 0 ? 1 : 0);
    }
}
