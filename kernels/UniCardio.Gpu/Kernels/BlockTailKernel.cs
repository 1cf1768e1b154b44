using ILGPU;

namespace UniCardio.Gpu.Kernels;

/// <summary>
/// All of a residual block after attention, and the next block's queries, keys and values, in one launch: a strip stays in
/// shared memory from attention's output to the next block's input. The same stages as <see cref="AttentionOutKernel"/>,
/// <see cref="FeedForwardKernel"/>, <see cref="GateKernel"/> and <see cref="QkvKernel{TStrip}"/>, so the same bits.
/// </summary>
/// <remarks>Grid: strips. Group (quads of channels, rows / 4). 13,696 bytes of shared memory for 8 rows, 48,640 for 32.</remarks>
/// <typeparam name="TStrip">How many rows a strip may have.</typeparam>
internal static class BlockTailKernel<TStrip>
    where TStrip : struct, IStripSize
{
    /// <summary>The kernel.</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="layout">Where the weights are.</param>
    /// <param name="block">The block's weights.</param>
    /// <param name="blockIndex">Number of the block.</param>
    /// <param name="next">The next block's weights; not read in the last block.</param>
    /// <param name="steps">[blocks, 3 heads + C] biases of this t.</param>
    /// <param name="table">[slots, blocks, T, 2C] constants of the positions.</param>
    /// <param name="slots">Which slot of the table the rows of slot instance i take.</param>
    /// <param name="attention">[rows, heads].</param>
    /// <param name="x">[rows, C], replaced.</param>
    /// <param name="skip">[target rows, C], replaced.</param>
    /// <param name="qkv">Queries, keys and values of the next block; not written in the last block.</param>
    public static void BlockTail(
        StripShape shape,
        BlockLayout layout,
        ArrayView<Float4> block,
        int blockIndex,
        ArrayView<Float4> next,
        ArrayView<Float4> steps,
        ArrayView<Float4> table,
        ArrayView<int> slots,
        ArrayView<Float4> attention,
        ArrayView<Float4> x,
        ArrayView<Float4> skip,
        ArrayView<Float4> qkv)
    {
        ArrayView<Float4> strip = SharedMemory.Allocate<Float4>(TStrip.Quads);
        ArrayView<Float4> hidden = SharedMemory.Allocate<Float4>(TStrip.Rows * Strip.HiddenStride);
        ArrayView<float> sums = SharedMemory.Allocate<float>(2 * Strip.Sums);
        int stepQuads = (3 * shape.HeadQuads) + shape.Quads;
        Strip.Load(strip, shape, attention, shape.HeadQuads);
        Group.Barrier();
        BlockStages.AttentionOut(strip, sums, shape, layout, block, steps.SubView((blockIndex * stepQuads) + (3 * shape.HeadQuads)), x);
        BlockStages.FeedForward(strip, hidden, sums, shape, layout, block);
        BlockStages.Gate(strip, shape, layout, block, blockIndex, table, slots);
        Tile output = BlockStages.Output(strip, shape, layout, block, x, skip, blockIndex == 0 ? 1 : 0);
        if (blockIndex + 1 < shape.Blocks)
        {
            Group.Barrier();
            if (Group.IdxX < shape.Quads)
                Strip.Write(strip, shape.StripQuads, Group.IdxY * Strip.RowsPerThread, Group.IdxX, output);
            Group.Barrier();
            BlockStages.Qkv(strip, shape, next.SubView(layout.AttentionIn), steps.SubView((blockIndex + 1) * stepQuads), qkv,
                blockIndex + 1);
        }
    }
}
