using ILGPU;

namespace UniCardio.Gpu.Kernels;

/// <summary>g = sigmoid(a) tanh(b) with [a, b] = mid y + constant of the position, on tensor cores: see <see cref="TensorTile"/>.</summary>
/// <remarks>
/// Grid (64 rows, 32 channels). Group of 128 threads. A tile's columns are 32 of a and the same 32 of b, so that a gate finds both in its
/// group.
/// </remarks>
internal static class TensorGateKernel
{
    private const int Step = TensorTile.Threads / 8;

    /// <summary>The kernel.</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="blockIndex">Number of the block.</param>
    /// <param name="y">Address of [rows, C], the feed-forward layer's output.</param>
    /// <param name="weights">Address of [2C, C].</param>
    /// <param name="table">[slots, blocks, T, 2C] constants of the positions.</param>
    /// <param name="slots">Which slot of the table the rows of slot instance i take.</param>
    /// <param name="gated">[rows, C].</param>
    public static void TensorGate(StripShape shape, int blockIndex, long y, long weights, ArrayView<Float4> table, ArrayView<int> slots,
        ArrayView<Float4> gated)
    {
        ArrayView<Float4> tile = SharedMemory.Allocate<Float4>(TensorTile.SharedQuads);
        int row = shape.FirstRow + (Grid.IdxX * TensorTile.Size), column = Grid.IdxY * 32, columns = 4 * shape.Quads;
        TensorTile.Declare();
        TensorTile.SetA(y, row, shape.EndRow, shape.Quads);
        TensorTile.SetWeights(weights, column, columns, columns + column, 2 * columns, shape.Quads, shape.Weights);
        TensorTile.Run(shape.Quads, shape.Products, shape.Weights);
        int place = Group.IdxX & 7, quad = (column >> 2) + place, r = row + (Group.IdxX >> 3);
        int end = row + TensorTile.Size < shape.EndRow ? row + TensorTile.Size : shape.EndRow;
        if (quad >= shape.Quads || r >= end)
            return;
        // The constants of all four rows are on their way before the first is needed.
        int c0 = Constants(shape, slots, blockIndex, r, end) + quad, c1 = Constants(shape, slots, blockIndex, r + Step, end) + quad,
            c2 = Constants(shape, slots, blockIndex, r + (2 * Step), end) + quad,
            c3 = Constants(shape, slots, blockIndex, r + (3 * Step), end) + quad;
        Float4 a0 = table[c0], a1 = table[c1], a2 = table[c2], a3 = table[c3];
        Float4 b0 = table[c0 + shape.Quads], b1 = table[c1 + shape.Quads], b2 = table[c2 + shape.Quads], b3 = table[c3 + shape.Quads];
        int at = (r * shape.Quads) + quad, next = Step * shape.Quads;
        tile = tile.SubView(((r - row) * TensorTile.OutputStride) + place);
        Put(gated, tile, 0, at, a0, b0);
        if (r + Step < end)
            Put(gated, tile, 1, at + next, a1, b1);
        if (r + (2 * Step) < end)
            Put(gated, tile, 2, at + (2 * next), a2, b2);
        if (r + (3 * Step) < end)
            Put(gated, tile, 3, at + (3 * next), a3, b3);
    }

    // Where the constants of a row are; after the end those of the last row.
    private static int Constants(StripShape shape, ArrayView<int> slots, int block, int row, int end)
    {
        row = row < end ? row : end - 1;
        int slot = row / shape.SlotTokens, token = row - (slot * shape.SlotTokens);
        return ((((slots[slot] * shape.Blocks) + block) * shape.SlotTokens) + token) * 2 * shape.Quads;
    }

    private static void Put(ArrayView<Float4> gated, ArrayView<Float4> tile, int i, int at, Float4 a, Float4 b)
    {
        int output = i * Step * TensorTile.OutputStride;
        gated[at] = Activation.Gate(Float4.Add(tile[output], a), Float4.Add(tile[output + 8], b));
    }
}
