using ILGPU;

namespace UniCardio.Gpu.Kernels;

/// <summary>x = x / sqrt 2 + residual and skip += s with [residual, s] = output g, on tensor cores: see <see cref="TensorTile"/>.</summary>
/// <remarks>Grid (64 rows, tiles of 64 columns of the residual, then of the skip). Group of 128 threads.</remarks>
internal static class TensorOutputKernel
{
    private const float InverseSqrt2 = 0.70710678f;

    /// <summary>The kernel.</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="gated">Address of [rows, C].</param>
    /// <param name="weights">Address of [2C, C].</param>
    /// <param name="bias">[2C].</param>
    /// <param name="x">[rows, C], replaced.</param>
    /// <param name="skip">[target rows, C], replaced.</param>
    /// <param name="firstBlock">1: the skip is set, not added to.</param>
    public static void TensorOutput(StripShape shape, long gated, long weights, ArrayView<Float4> bias, ArrayView<Float4> x,
        ArrayView<Float4> skip, int firstBlock)
    {
        ArrayView<Float4> tile = SharedMemory.Allocate<Float4>(TensorTile.SharedQuads);
        int tiles = ((4 * shape.Quads) + TensorTile.Size - 1) / TensorTile.Size, half = Grid.IdxY / tiles;
        int row = shape.FirstRow + (Grid.IdxX * TensorTile.Size), column = (Grid.IdxY - (half * tiles)) * TensorTile.Size;
        if (half == 1 && row + TensorTile.Size <= shape.ConditionRows)
            return;
        int first = half * 4 * shape.Quads, end = first + (4 * shape.Quads);
        TensorTile.Declare();
        TensorTile.SetA(gated, row, shape.EndRow, shape.Quads);
        TensorTile.SetWeights(weights, first + column, end, first + column + 32, end, shape.Quads, shape.Weights);
        TensorTile.Run(shape.Quads, shape.Products, shape.Weights);
        int place = Group.IdxX & 15, quad = (column >> 2) + place, r = row + (Group.IdxX >> 4), conditions = half * shape.ConditionRows;
        // Condition rows need no skip.
        while (r < conditions)
            r += TileRows.Step;
        int count = (row + TensorTile.Size < shape.EndRow ? row + TensorTile.Size : shape.EndRow) - r;
        if (quad >= shape.Quads || count < 1)
            return;
        Float4 own = bias[(half * shape.Quads) + quad];
        TileRows rows = TileRows.Read(tile, ((r - row) * TensorTile.OutputStride) + place, TensorTile.OutputStride, count);
        // In the weights otherwise.
        if (half == 0 && shape.Weights != 0)
            rows = TileRows.Scale(rows, InverseSqrt2);
        rows = TileRows.Add(rows, own);
        int at = ((r - conditions) * shape.Quads) + quad;
        if (half == 0)
            TileRows.Write(x, TileRows.Add(TileRows.Scale(TileRows.Read(x, at, shape.Quads, count), InverseSqrt2), rows), at, shape.Quads,
                count);
        else if (firstBlock == 0)
            TileRows.Write(skip, TileRows.Add(TileRows.Read(skip, at, shape.Quads, count), rows), at, shape.Quads, count);
        else
            TileRows.Write(skip, rows, at, shape.Quads, count);
    }
}
