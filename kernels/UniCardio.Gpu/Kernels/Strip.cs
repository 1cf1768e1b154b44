using ILGPU;

namespace UniCardio.Gpu.Kernels;

/// <summary>
/// The working form of every row kernel: a group holds a strip of rows in shared memory; thread (x, y) owns rows 4y to 4y+3 and
/// the 4 columns of quad x, x + DimX, ...
/// </summary>
/// <remarks>
/// A map's inner loop has no barrier: the weights of a thread's columns come from global memory (each once a group, 16 bytes a
/// load, neighbours side by side) and the inputs from the strip, where all threads of a warp read one address, or two. So no bank
/// serves two addresses. Rows are 8 banks (mod 32) apart, so that LayerNorm's reads of 4 rows by 8 lanes meet every bank once.
/// </remarks>
internal static class Strip
{
    /// <summary>Rows of a thread.</summary>
    public const int RowsPerThread = 4;

    /// <summary>Most threads of a group: with 80 registers, the most that any of these kernels takes, they fit a multiprocessor.</summary>
    public const int MaxThreads = 640;

    /// <summary>Most rows of a strip.</summary>
    public const int MaxRows = 32;

    /// <summary>Quads of a strip: 32 rows of 74.</summary>
    public const int Capacity = 2368;

    /// <summary>Quads of the feed-forward layer that are in shared memory at a time.</summary>
    public const int HiddenQuads = 16;

    /// <summary>Distance of two hidden rows in quads.</summary>
    public const int HiddenStride = 17;

    /// <summary>Most threads that share a row's sum.</summary>
    public const int Lanes = 8;

    /// <summary>Floats for the sums of all rows.</summary>
    public const int Sums = MaxRows * Lanes;

    /// <summary>The first row of this group's strip.</summary>
    public static int FirstRow(StripShape shape) => shape.FirstRow + (Grid.IdxX * Group.DimY * RowsPerThread);

    /// <summary>Fills the strip; rows after the end become 0. A barrier must follow.</summary>
    public static void Load(ArrayView<Float4> strip, StripShape shape, ArrayView<Float4> source, int width)
    {
        int first = FirstRow(shape), count = Group.DimY * RowsPerThread * width;
        for (int i = (Group.IdxY * Group.DimX) + Group.IdxX; i < count; i += Group.DimX * Group.DimY)
        {
            int row = i / width, quad = i - (row * width);
            Float4 value = default;
            if (first + row < shape.EndRow)
                value = source[((first + row) * width) + quad];
            strip[(row * shape.StripQuads) + quad] = value;
        }
    }

    /// <summary>Four rows of the strip times four columns of a matrix [inputs, columns].</summary>
    /// <param name="strip">Rows of inputs.</param>
    /// <param name="stride">Distance of two rows in quads.</param>
    /// <param name="row">First of the four rows.</param>
    /// <param name="inputs">Quads of inputs.</param>
    /// <param name="weights">The matrix, input-major.</param>
    /// <param name="columns">Quads of a row of the matrix.</param>
    /// <param name="column">The quad of columns.</param>
    /// <param name="tile">What the products are added to.</param>
    public static Tile Multiply(ArrayView<Float4> strip, int stride, int row, int inputs, ArrayView<Float4> weights, int columns,
        int column, Tile tile)
    {
        int at = row * stride, w = column;
        for (int k = 0; k < inputs; k++)
        {
            Float4 w0 = weights[w], w1 = weights[w + columns], w2 = weights[w + (2 * columns)], w3 = weights[w + (3 * columns)];
            tile.R0 = Step(strip[at + k], w0, w1, w2, w3, tile.R0);
            tile.R1 = Step(strip[at + stride + k], w0, w1, w2, w3, tile.R1);
            tile.R2 = Step(strip[at + (2 * stride) + k], w0, w1, w2, w3, tile.R2);
            tile.R3 = Step(strip[at + (3 * stride) + k], w0, w1, w2, w3, tile.R3);
            w += 4 * columns;
        }

        return tile;
    }

    /// <summary>One row of four inputs times a 4 x 4 piece of a matrix.</summary>
    public static Float4 Step(Float4 x, Float4 w0, Float4 w1, Float4 w2, Float4 w3, Float4 sum) =>
        Float4.MultiplyAdd(x.W, w3, Float4.MultiplyAdd(x.Z, w2, Float4.MultiplyAdd(x.Y, w1, Float4.MultiplyAdd(x.X, w0, sum))));

    /// <summary>The same four values in every row.</summary>
    public static Tile Splat(Float4 value)
    {
        Tile tile;
        tile.R0 = value;
        tile.R1 = value;
        tile.R2 = value;
        tile.R3 = value;
        return tile;
    }

    /// <summary>Reads four rows of the strip at one quad.</summary>
    public static Tile Read(ArrayView<Float4> strip, int stride, int row, int quad)
    {
        Tile tile;
        tile.R0 = strip[(row * stride) + quad];
        tile.R1 = strip[((row + 1) * stride) + quad];
        tile.R2 = strip[((row + 2) * stride) + quad];
        tile.R3 = strip[((row + 3) * stride) + quad];
        return tile;
    }

    /// <summary>Writes four rows of the strip at one quad.</summary>
    public static void Write(ArrayView<Float4> strip, int stride, int row, int quad, Tile tile)
    {
        strip[(row * stride) + quad] = tile.R0;
        strip[((row + 1) * stride) + quad] = tile.R1;
        strip[((row + 2) * stride) + quad] = tile.R2;
        strip[((row + 3) * stride) + quad] = tile.R3;
    }

    /// <summary>Reads four rows of a matrix in global memory at one quad; rows after the end are 0.</summary>
    public static Tile ReadRows(ArrayView<Float4> source, int width, int row, int end, int quad)
    {
        Tile tile = default;
        if (row < end)
            tile.R0 = source[(row * width) + quad];
        if (row + 1 < end)
            tile.R1 = source[((row + 1) * width) + quad];
        if (row + 2 < end)
            tile.R2 = source[((row + 2) * width) + quad];
        if (row + 3 < end)
            tile.R3 = source[((row + 3) * width) + quad];
        return tile;
    }

    /// <summary>Writes four rows of a matrix in global memory at one quad, but for rows before the first or after the end.</summary>
    public static void WriteRows(ArrayView<Float4> target, int width, int row, int first, int end, int quad, Tile tile)
    {
        if (row >= first && row < end)
            target[(row * width) + quad] = tile.R0;
        if (row + 1 >= first && row + 1 < end)
            target[((row + 1) * width) + quad] = tile.R1;
        if (row + 2 >= first && row + 2 < end)
            target[((row + 2) * width) + quad] = tile.R2;
        if (row + 3 >= first && row + 3 < end)
            target[((row + 3) * width) + quad] = tile.R3;
    }

    /// <summary>Sum of two tiles.</summary>
    public static Tile Add(Tile a, Tile b)
    {
        a.R0 = Float4.Add(a.R0, b.R0);
        a.R1 = Float4.Add(a.R1, b.R1);
        a.R2 = Float4.Add(a.R2, b.R2);
        a.R3 = Float4.Add(a.R3, b.R3);
        return a;
    }
}
