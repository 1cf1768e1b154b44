using ILGPU;

namespace UniCardio.Gpu.Kernels;

/// <summary><see cref="RowProductKernel"/> in tiles of 64 x 64, on tensor cores or in float32: see <see cref="TensorTile"/>.</summary>
/// <remarks>Grid (64 rows, 64 columns, windows x parts). Group of 128 threads.</remarks>
internal static class TensorRowProductKernel
{
    /// <summary>The kernel.</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="a">Address of rows of inputs, or of a signal [time, channels] between its zeros.</param>
    /// <param name="weights">Address of [outputs, inputs].</param>
    /// <param name="bias">[outputs].</param>
    /// <param name="residual">[rows, outputs].</param>
    /// <param name="output">[parts, windows, rows, outputs].</param>
    public static void TensorRowProduct(ProductShape shape, long a, long weights, ArrayView<Float4> bias, ArrayView<Float4> residual,
        ArrayView<Float4> output)
    {
        ArrayView<Float4> tile = SharedMemory.Allocate<Float4>(TensorTile.SharedQuads);
        int part = Grid.IdxZ / shape.Windows, window = Grid.IdxZ - (part * shape.Windows), outputs = 4 * shape.OutputQuads;
        int row = Grid.IdxX * TensorTile.Size, column = Grid.IdxY * TensorTile.Size;
        int from = part * shape.PartQuads, quads = shape.InputQuads - from < shape.PartQuads ? shape.InputQuads - from : shape.PartQuads;
        TensorTile.Declare();
        TensorTile.SetA(a + (16L * (shape.First + (window * shape.WindowQuads) + from)), row, shape.Rows, quads, shape.RowQuads);
        TensorTile.SetB(weights + (16L * from), column, outputs, column + 32, outputs, quads, shape.InputQuads);
        TensorTile.Run(quads, shape.Products, 0);
        int place = Group.IdxX & 15, quad = (column >> 2) + place, first = row + (Group.IdxX >> 4);
        int count = (row + TensorTile.Size < shape.Rows ? row + TensorTile.Size : shape.Rows) - first;
        if (quad >= shape.OutputQuads || count < 1)
            return;
        int inner = (first * shape.OutputQuads) + quad, at = inner + (Grid.IdxZ * shape.OutputWindowQuads),
            other = inner + (window * shape.ResidualWindowQuads);
        tile = tile.SubView(((first - row) * TensorTile.OutputStride) + place);
        if (shape.Activation > 0)
        {
            // One row after the other: eight activations side by side would take too many registers.
            Float4 own = bias[quad];
            for (int i = 0; i < count; i += TileRows.Step)
            {
                Float4 value = Float4.Add(tile[i * TensorTile.OutputStride], own);
                if (shape.ResidualWindowQuads >= 0)
                    value = Float4.Add(value, residual[other + (i * shape.OutputQuads)]);
                output[at + (i * shape.OutputQuads)] = Activation.Apply(value, shape.Activation);
            }

            return;
        }

        TileRows rows = TileRows.Read(tile, 0, TensorTile.OutputStride, count);
        if (shape.Activation == 0)
            rows = TileRows.Add(rows, bias[quad]);
        if (shape.ResidualWindowQuads >= 0)
            rows = TileRows.Add(rows, TileRows.Read(residual, other, shape.OutputQuads, count));
        TileRows.Write(output, rows, at, shape.OutputQuads, count);
    }
}
