using ILGPU;

namespace UniCardio.Gpu.Kernels;

/// <summary>y = x + d(t) + Wo a + bo on tensor cores, before LN1: see <see cref="TensorTile"/>.</summary>
/// <remarks>Grid (64 rows, 64 columns). Group of 128 threads.</remarks>
internal static class TensorAttentionOutKernel
{
    /// <summary>The kernel.</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="attention">Address of [rows, heads].</param>
    /// <param name="weights">Address of [C, heads].</param>
    /// <param name="bias">[C] bo + d(t).</param>
    /// <param name="x">[rows, C].</param>
    /// <param name="y">[rows, C].</param>
    public static void TensorAttentionOut(StripShape shape, long attention, long weights, ArrayView<Float4> bias, ArrayView<Float4> x,
        ArrayView<Float4> y)
    {
        ArrayView<Float4> tile = SharedMemory.Allocate<Float4>(TensorTile.SharedQuads);
        int row = shape.FirstRow + (Grid.IdxX * TensorTile.Size), column = Grid.IdxY * TensorTile.Size, columns = 4 * shape.Quads;
        TensorTile.Declare();
        TensorTile.SetA(attention, row, shape.EndRow, shape.HeadQuads);
        TensorTile.SetWeights(weights, column, columns, column + 32, columns, shape.HeadQuads, shape.Weights);
        TensorTile.Run(shape.HeadQuads, shape.Products, shape.Weights);
        int place = Group.IdxX & 15, quad = (column >> 2) + place, first = row + (Group.IdxX >> 4);
        int count = (row + TensorTile.Size < shape.EndRow ? row + TensorTile.Size : shape.EndRow) - first;
        if (quad >= shape.Quads || count < 1)
            return;
        int at = (first * shape.Quads) + quad;
        TileRows rows = TileRows.Add(TileRows.Read(x, at, shape.Quads, count), bias[quad]);
        TileRows products = TileRows.Read(tile, ((first - row) * TensorTile.OutputStride) + place, TensorTile.OutputStride, count);
        TileRows.Write(y, TileRows.Add(rows, products), at, shape.Quads, count);
    }
}
