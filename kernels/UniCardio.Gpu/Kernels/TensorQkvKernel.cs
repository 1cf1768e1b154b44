using ILGPU;

namespace UniCardio.Gpu.Kernels;

/// <summary>qkv = W x + bias(t) on tensor cores: see <see cref="TensorTile"/> and <see cref="QkvKernel{TStrip}"/>.</summary>
/// <remarks>Grid (64 rows, 64 columns). Group of 128 threads.</remarks>
internal static class TensorQkvKernel
{
    /// <summary>The kernel.</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="x">Address of [rows, C].</param>
    /// <param name="weights">Address of [3 heads, C].</param>
    /// <param name="bias">[3 heads], with d(t) in it.</param>
    /// <param name="qkv">[blocks condition rows, then target rows; 3 heads].</param>
    /// <param name="blockIndex">Number of the block; in the last one condition rows need keys and values only.</param>
    public static void TensorQkv(StripShape shape, long x, long weights, ArrayView<Float4> bias, ArrayView<Float4> qkv, int blockIndex)
    {
        ArrayView<Float4> tile = SharedMemory.Allocate<Float4>(TensorTile.SharedQuads);
        int row = shape.FirstRow + (Grid.IdxX * TensorTile.Size), column = Grid.IdxY * TensorTile.Size, columns = 12 * shape.HeadQuads;
        if (blockIndex + 1 == shape.Blocks && row + TensorTile.Size <= shape.ConditionRows
            && column + TensorTile.Size <= 4 * shape.HeadQuads)
            return;
        TensorTile.Declare();
        TensorTile.SetA(x, row, shape.EndRow, shape.Quads);
        TensorTile.SetWeights(weights, column, columns, column + 32, columns, shape.Quads, shape.Weights);
        TensorTile.Run(shape.Quads, shape.Products, shape.Weights);
        int place = Group.IdxX & 15, quad = (column >> 2) + place, conditions = blockIndex * shape.ConditionRows,
            targets = (shape.Blocks - 1) * shape.ConditionRows;
        if (quad >= 3 * shape.HeadQuads)
            return;
        Float4 own = bias[quad];
        float scale = quad < shape.HeadQuads ? shape.QueryScale : 1f;
        for (int i = Group.IdxX >> 4; i < TensorTile.Size && row + i < shape.EndRow; i += TensorTile.Threads / 16)
        {
            // The conditions' are kept for every block.
            int at = row + i + (row + i < shape.ConditionRows ? conditions : targets);
            qkv[(at * 3 * shape.HeadQuads) + quad] = Float4.MultiplyAdd(scale, tile[(i * TensorTile.OutputStride) + place], own);
        }
    }
}
