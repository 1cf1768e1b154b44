using ILGPU;

namespace UniCardio.Gpu.Kernels;

/// <summary>y = f(W a + b + residual) for rows of several windows: linear maps, and convolutions over time, whose rows overlap.</summary>
/// <remarks>
/// Grid (32 rows, 32 columns, windows x parts). Group (8, 8): thread (x, y) owns rows 4y to 4y + 3 and columns x, x + 8, x + 16, x + 24.
/// Inputs go through shared memory 32 at a time, rows 9 quads apart, so that 8 neighbouring rows meet all banks: 8 loads of 16 bytes to 64
/// multiply-adds. FLOP: 2 rows inputs outputs. Error: that of a sum in order, inputs x 2^-24 of the sum of magnitudes.
/// </remarks>
internal static class RowProductKernel
{
    /// <summary>Rows and columns of a tile.</summary>
    public const int Size = 32;

    /// <summary>Threads of a group along x and along y.</summary>
    public const int Threads = 8;

    private const int Step = 8;
    private const int Stride = Step + 1;

    /// <summary>The kernel.</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="a">Rows of inputs, or a signal [time, channels] between its zeros.</param>
    /// <param name="weights">[outputs, inputs].</param>
    /// <param name="bias">[outputs].</param>
    /// <param name="residual">[rows, outputs].</param>
    /// <param name="output">[parts, windows, rows, outputs].</param>
    public static void RowProduct(ProductShape shape, ArrayView<Float4> a, ArrayView<Float4> weights, ArrayView<Float4> bias,
        ArrayView<float> residual, ArrayView<float> output)
    {
        ArrayView<Float4> rows = SharedMemory.Allocate<Float4>(Size * Stride);
        ArrayView<Float4> columns = SharedMemory.Allocate<Float4>(Size * Stride);
        int x = Group.IdxX, y = Group.IdxY, part = Grid.IdxZ / shape.Windows, window = Grid.IdxZ - (part * shape.Windows);
        int firstRow = Grid.IdxX * Size, firstColumn = Grid.IdxY * Size, outputs = 4 * shape.OutputQuads;
        int from = part * shape.PartQuads, to = from + shape.PartQuads < shape.InputQuads ? from + shape.PartQuads : shape.InputQuads;
        int signal = shape.First + (window * shape.WindowQuads);
        Tile sums = default;
        for (int step = from; step < to; step += Step)
        {
            int quad = step + x;
            for (int i = y; i < Size; i += Threads)
            {
                Float4 value = default, weight = default;
                if (quad < to && firstRow + i < shape.Rows)
                    value = a[signal + ((firstRow + i) * shape.RowQuads) + quad];
                if (quad < to && firstColumn + i < outputs)
                    weight = weights[((firstColumn + i) * shape.InputQuads) + quad];
                rows[(i * Stride) + x] = value;
                columns[(i * Stride) + x] = weight;
            }

            Group.Barrier();
            sums = AttentionTile.AddScores(sums, rows, columns, Stride, Step, x, y);
            Group.Barrier();
        }

        int row = firstRow + (4 * y), column = firstColumn + x;
        Store(shape, bias, residual, output, window, row, column, sums.R0);
        Store(shape, bias, residual, output, window, row, column + 8, sums.R1);
        Store(shape, bias, residual, output, window, row, column + 16, sums.R2);
        Store(shape, bias, residual, output, window, row, column + 24, sums.R3);
    }

    // Four rows of one column.
    private static void Store(ProductShape shape, ArrayView<Float4> bias, ArrayView<float> residual, ArrayView<float> output, int window,
        int row, int column, Float4 sums)
    {
        if (column >= 4 * shape.OutputQuads)
            return;
        float own = shape.Activation < 0 ? 0f : bias.Cast<float>()[column];
        int at = (4 * Grid.IdxZ * shape.OutputWindowQuads) + column, other = (4 * window * shape.ResidualWindowQuads) + column;
        StoreOne(shape, residual, output, at, other, row, sums.X + own);
        StoreOne(shape, residual, output, at, other, row + 1, sums.Y + own);
        StoreOne(shape, residual, output, at, other, row + 2, sums.Z + own);
        StoreOne(shape, residual, output, at, other, row + 3, sums.W + own);
    }

    private static void StoreOne(ProductShape shape, ArrayView<float> residual, ArrayView<float> output, int at, int other, int row,
        float value)
    {
        if (row >= shape.Rows)
            return;
        int place = row * 4 * shape.OutputQuads;
        if (shape.ResidualWindowQuads >= 0)
            value += residual[other + place];
        output[at + place] = Activation.Apply(value, shape.Activation);
    }
}
