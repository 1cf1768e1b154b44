using ILGPU;
using ILGPU.Algorithms;

namespace UniCardio.Gpu.Kernels;

/// <summary>The parts of a residual block that work row by row, on a strip in shared memory. Each starts after a barrier.</summary>
internal static class BlockStages
{
    private const float InverseSqrt2 = 0.70710678f;

    /// <summary>strip &lt;- LN1(x + d + Wo strip + bo); ends with a barrier.</summary>
    /// <param name="strip">Attention's output, then C channels.</param>
    /// <param name="sums">See <see cref="LayerNormStage"/>.</param>
    /// <param name="shape">Sizes.</param>
    /// <param name="layout">Where the weights are.</param>
    /// <param name="block">The block's weights.</param>
    /// <param name="bias">[C] bo + d(t).</param>
    /// <param name="x">[rows, C].</param>
    public static void AttentionOut(
        ArrayView<Float4> strip, ArrayView<float> sums, StripShape shape, BlockLayout layout, ArrayView<Float4> block,
        ArrayView<Float4> bias, ArrayView<Float4> x)
    {
        int q = Group.IdxX, row = Group.IdxY * Strip.RowsPerThread;
        Tile sum = default;
        if (q < shape.Quads)
        {
            sum = Strip.Add(Strip.Splat(bias[q]), Strip.ReadRows(x, shape.Quads, Strip.FirstRow(shape) + row, shape.EndRow, q));
            sum = Strip.Multiply(strip, shape.StripQuads, row, shape.HeadQuads, block.SubView(layout.AttentionOut), shape.Quads, q, sum);
        }

        Group.Barrier();
        if (q < shape.Quads)
            Strip.Write(strip, shape.StripQuads, row, q, sum);
        Group.Barrier();
        LayerNormStage.Run(strip, sums, shape, block.SubView(layout.Norm1Gamma), block.SubView(layout.Norm1Beta), 1);
    }

    /// <summary>strip &lt;- LN2(strip + W2 gelu(W1 strip + b1) + b2), without LN2's gamma and beta; ends with a barrier.</summary>
    /// <remarks>The hidden layer goes through shared memory 64 channels at a time, so it may have any width.</remarks>
    public static void FeedForward(ArrayView<Float4> strip, ArrayView<Float4> hidden, ArrayView<float> sums, StripShape shape,
        BlockLayout layout, ArrayView<Float4> block)
    {
        int q = Group.IdxX, row = Group.IdxY * Strip.RowsPerThread;
        Tile sum = default;
        if (q < shape.Quads)
            sum = Strip.Add(Strip.Splat(block[layout.FeedForwardOutBias + q]), Strip.Read(strip, shape.StripQuads, row, q));
        for (int chunk = 0; chunk < shape.FeedForwardQuads; chunk += Strip.HiddenQuads)
        {
            int width = XMath.Min(Strip.HiddenQuads, shape.FeedForwardQuads - chunk);
            Hidden(strip, hidden, shape, layout, block, chunk, width);
            Group.Barrier();
            if (q < shape.Quads)
                sum = Strip.Multiply(hidden, Strip.HiddenStride, row, width,
                    block.SubView(layout.FeedForwardOut + (4 * chunk * shape.Quads)), shape.Quads, q, sum);
            Group.Barrier();
        }

        if (q < shape.Quads)
            Strip.Write(strip, shape.StripQuads, row, q, sum);
        Group.Barrier();
        LayerNormStage.Run(strip, sums, shape, block, block, 0);
    }

    /// <summary>strip &lt;- sigmoid(a) tanh(b) with [a, b] = mid strip + constant of the position; ends with a barrier.</summary>
    /// <param name="strip">The strip.</param>
    /// <param name="shape">Sizes.</param>
    /// <param name="layout">Where the weights are.</param>
    /// <param name="block">The block's weights.</param>
    /// <param name="blockIndex">Number of the block.</param>
    /// <param name="table">[slots, blocks, T, 2C] cond(pe) and every constant of mid.</param>
    /// <param name="slots">Which slot of the table the rows of slot instance i take.</param>
    public static void Gate(
        ArrayView<Float4> strip, StripShape shape, BlockLayout layout, ArrayView<Float4> block, int blockIndex, ArrayView<Float4> table,
        ArrayView<int> slots)
    {
        int q = Group.IdxX, row = Group.IdxY * Strip.RowsPerThread;
        Tile gated = default;
        if (q < shape.Quads)
        {
            int first = Strip.FirstRow(shape) + row, columns = 2 * shape.Quads;
            int p0 = Position(shape, slots, blockIndex, first), p1 = Position(shape, slots, blockIndex, first + 1);
            int p2 = Position(shape, slots, blockIndex, first + 2), p3 = Position(shape, slots, blockIndex, first + 3);
            Tile a = Rows(table, p0 + q, p1 + q, p2 + q, p3 + q),
                b = Rows(table, p0 + shape.Quads + q, p1 + shape.Quads + q, p2 + shape.Quads + q, p3 + shape.Quads + q);
            ArrayView<Float4> mid = block.SubView(layout.MidProjection);
            a = Strip.Multiply(strip, shape.StripQuads, row, shape.Quads, mid, columns, q, a);
            b = Strip.Multiply(strip, shape.StripQuads, row, shape.Quads, mid, columns, shape.Quads + q, b);
            gated.R0 = Activation.Gate(a.R0, b.R0);
            gated.R1 = Activation.Gate(a.R1, b.R1);
            gated.R2 = Activation.Gate(a.R2, b.R2);
            gated.R3 = Activation.Gate(a.R3, b.R3);
        }

        Group.Barrier();
        if (q < shape.Quads)
            Strip.Write(strip, shape.StripQuads, row, q, gated);
        Group.Barrier();
    }

    /// <summary>x &lt;- x / sqrt 2 + residual, skip &lt;- skip + s with [residual, s] = output strip; no barrier follows.</summary>
    /// <param name="strip">The gate's output.</param>
    /// <param name="shape">Sizes.</param>
    /// <param name="layout">Where the weights are.</param>
    /// <param name="block">The block's weights.</param>
    /// <param name="x">[rows, C].</param>
    /// <param name="skip">[target rows, C]; condition rows have none.</param>
    /// <param name="firstBlock">1: the skip is set, not added to.</param>
    /// <returns>This thread's part of the new x.</returns>
    public static Tile Output(
        ArrayView<Float4> strip, StripShape shape, BlockLayout layout, ArrayView<Float4> block, ArrayView<Float4> x, ArrayView<Float4> skip,
        int firstBlock)
    {
        int q = Group.IdxX, row = Group.IdxY * Strip.RowsPerThread, first = Strip.FirstRow(shape) + row, columns = 2 * shape.Quads;
        Tile next = default;
        if (q >= shape.Quads)
            return next;
        ArrayView<Float4> output = block.SubView(layout.OutputProjection);
        next = Strip.ReadRows(x, shape.Quads, first, shape.EndRow, q);
        next.R0 = Float4.Scale(InverseSqrt2, next.R0);
        next.R1 = Float4.Scale(InverseSqrt2, next.R1);
        next.R2 = Float4.Scale(InverseSqrt2, next.R2);
        next.R3 = Float4.Scale(InverseSqrt2, next.R3);
        next = Strip.Add(Strip.Splat(block[layout.OutputProjectionBias + q]), next);
        next = Strip.Multiply(strip, shape.StripQuads, row, shape.Quads, output, columns, q, next);
        Strip.WriteRows(x, shape.Quads, first, 0, shape.EndRow, q, next);

        // A strip of condition rows alone needs no skip.
        int groupEnd = Strip.FirstRow(shape) + (Group.DimY * Strip.RowsPerThread);
        if (groupEnd > shape.ConditionRows && shape.EndRow > shape.ConditionRows)
        {
            int target = first - shape.ConditionRows, end = shape.EndRow - shape.ConditionRows;
            Tile sum = Strip.Splat(block[layout.OutputProjectionBias + shape.Quads + q]);
            sum = Strip.Multiply(strip, shape.StripQuads, row, shape.Quads, output, columns, shape.Quads + q, sum);
            if (firstBlock == 0)
                sum = Strip.Add(sum, TargetRows(skip, shape.Quads, target, end, q));
            Strip.WriteRows(skip, shape.Quads, target, 0, end, q, sum);
        }

        return next;
    }

    /// <summary>qkv &lt;- W strip + bias; no barrier follows.</summary>
    /// <param name="strip">x.</param>
    /// <param name="shape">Sizes.</param>
    /// <param name="weights">[C, 3 heads].</param>
    /// <param name="bias">[3 heads], with d(t) in it.</param>
    /// <param name="qkv">[blocks condition rows, then target rows; 3 heads]: the conditions' are kept for every block, as the next call at
    /// this t reads them too.</param>
    /// <param name="blockIndex">Number of the block; in the last one condition rows need keys and values only.</param>
    public static void Qkv(ArrayView<Float4> strip, StripShape shape, ArrayView<Float4> weights, ArrayView<Float4> bias,
        ArrayView<Float4> qkv, int blockIndex)
    {
        int row = Group.IdxY * Strip.RowsPerThread, first = Strip.FirstRow(shape) + row, columns = 3 * shape.HeadQuads;
        int groupEnd = Strip.FirstRow(shape) + (Group.DimY * Strip.RowsPerThread), skipped = 0;
        if (blockIndex + 1 == shape.Blocks && groupEnd <= shape.ConditionRows)
            skipped = shape.HeadQuads;
        int split = shape.ConditionRows < shape.EndRow ? shape.ConditionRows : shape.EndRow;
        int conditions = blockIndex * shape.ConditionRows, targets = (shape.Blocks - 1) * shape.ConditionRows;
        for (int q = skipped + Group.IdxX; q < columns; q += Group.DimX)
        {
            Tile sum = Strip.Multiply(strip, shape.StripQuads, row, shape.Quads, weights, columns, q, Strip.Splat(bias[q]));
            if (first < split)
                Strip.WriteRows(qkv, columns, conditions + first, 0, conditions + split, q, sum);
            if (groupEnd > shape.ConditionRows)
                Strip.WriteRows(qkv, columns, targets + first, targets + shape.ConditionRows, targets + shape.EndRow, q, sum);
        }
    }

    // hidden[row, j] = gelu(W1 strip + b1) of one chunk: a thread takes one row's quad, 16 neighbours a row.
    private static void Hidden(ArrayView<Float4> strip, ArrayView<Float4> hidden, StripShape shape, BlockLayout layout,
        ArrayView<Float4> block, int chunk, int width)
    {
        int count = Group.DimY * Strip.RowsPerThread * width;
        for (int i = (Group.IdxY * Group.DimX) + Group.IdxX; i < count; i += Group.DimX * Group.DimY)
        {
            int row = i / width, j = i - (row * width), w = layout.FeedForwardIn + chunk + j, columns = shape.FeedForwardQuads;
            Float4 sum = block[layout.FeedForwardInBias + chunk + j];
            // The weights of the next inputs are on their way while these are multiplied.
            int at = row * shape.StripQuads, end = at + shape.Quads;
            Float4 w0 = block[w], w1 = block[w + columns], w2 = block[w + (2 * columns)], w3 = block[w + (3 * columns)];
            for (; at + 1 < end; at++)
            {
                w += 4 * columns;
                Float4 n0 = block[w], n1 = block[w + columns], n2 = block[w + (2 * columns)], n3 = block[w + (3 * columns)];
                sum = Strip.Step(strip[at], w0, w1, w2, w3, sum);
                w0 = n0;
                w1 = n1;
                w2 = n2;
                w3 = n3;
            }

            sum = Strip.Step(strip[at], w0, w1, w2, w3, sum);
            hidden[(row * Strip.HiddenStride) + j] = Activation.Gelu(sum);
        }
    }

    private static Tile Rows(ArrayView<Float4> table, int p0, int p1, int p2, int p3)
    {
        Tile tile;
        tile.R0 = table[p0];
        tile.R1 = table[p1];
        tile.R2 = table[p2];
        tile.R3 = table[p3];
        return tile;
    }

    // Where the constants of a row start in the table; rows after the end take the last row's.
    private static int Position(StripShape shape, ArrayView<int> slots, int block, int row)
    {
        row = XMath.Min(row, shape.EndRow - 1);
        int slot = row / shape.SlotTokens, token = row - (slot * shape.SlotTokens);
        return ((((slots[slot] * shape.Blocks) + block) * shape.SlotTokens) + token) * 2 * shape.Quads;
    }

    // Like Strip.ReadRows, for a first row that may be negative.
    private static Tile TargetRows(ArrayView<Float4> source, int width, int row, int end, int quad)
    {
        Tile tile = default;
        if (row >= 0 && row < end)
            tile.R0 = source[(row * width) + quad];
        if (row + 1 >= 0 && row + 1 < end)
            tile.R1 = source[((row + 1) * width) + quad];
        if (row + 2 >= 0 && row + 2 < end)
            tile.R2 = source[((row + 2) * width) + quad];
        if (row + 3 >= 0 && row + 3 < end)
            tile.R3 = source[((row + 3) * width) + quad];
        return tile;
    }
}
