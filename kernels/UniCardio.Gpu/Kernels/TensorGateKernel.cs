using ILGPU;

namespace UniCardio.Gpu.Kernels;

/// <summary>g = sigmoid(a) tanh(b) with [a, b] = mid y + constant of the position, on tensor cores: see <see cref="TensorTile"/>.</summary>
/// <remarks>
/// Grid (64 rows, 32 channels). Group of 128 threads. A tile's columns are 32 of a and the same 32 of b, so that a gate finds both in its
/// group.
/// </remarks>
internal static class TensorGateKernel
{
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
        TensorTile.SetB(weights, column, columns, columns + column, 2 * columns, shape.Quads);
        TensorTile.Run(shape.Quads, shape.Products);
        int place = Group.IdxX & 7, quad = (column >> 2) + place, own = row + (Group.IdxX >> 3);
        if (quad >= shape.Quads)
            return;
        int slot = own / shape.SlotTokens, token = own - (slot * shape.SlotTokens);
        for (int i = Group.IdxX >> 3; i < TensorTile.Size && row + i < shape.EndRow; i += TensorTile.Threads / 8)
        {
            while (token >= shape.SlotTokens)
            {
                token -= shape.SlotTokens;
                slot++;
            }

            int at = (((((slots[slot] * shape.Blocks) + blockIndex) * shape.SlotTokens) + token) * 2 * shape.Quads) + quad;
            Float4 a = Float4.Add(tile[(i * TensorTile.OutputStride) + place], table[at]);
            Float4 b = Float4.Add(tile[(i * TensorTile.OutputStride) + 8 + place], table[at + shape.Quads]);
            gated[((row + i) * shape.Quads) + quad] = Activation.Gate(a, b);
            token += TensorTile.Threads / 8;
        }
    }
}
