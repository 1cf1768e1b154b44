using ILGPU;
using ILGPU.Algorithms;
using ILGPU.Runtime.Cuda;

namespace UniCardio.Gpu.Kernels;

/// <summary>
/// g = sigmoid(a) tanh(b) with [a, b] = mid y + constant of the position, y = LN2(z + W2 gelu(W1 z + b1) + b2),
/// z = LN1(x + d(t) + Wo attention + bo): all from attention to the gates in one launch, for few rows, where launches and the wait for one
/// another cost more than work that is done twice. See <see cref="TensorRows"/>.
/// </summary>
/// <remarks>
/// Grid (8 rows, 2 halves of the channels). Group of 512 threads; both halves compute y of their rows, and half of the gates. A group
/// reads Wo, W1, W2 and half of mid, 390 KB at the compact size. FLOP of a row: twice 2 C (heads + 2 F), and 4 C C.
/// </remarks>
internal static class TensorGateRowsKernel
{
    /// <summary>The kernel.</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="at">Where the weights stand.</param>
    /// <param name="blockIndex">Number of the block.</param>
    /// <param name="weights">Address of the block's.</param>
    /// <param name="vectors">Its vectors.</param>
    /// <param name="bias">[C] bo + d(t).</param>
    /// <param name="table">[slots, blocks, T, 2C] constants of the positions.</param>
    /// <param name="slots">Which slot of the table the rows of slot instance i take.</param>
    /// <param name="attention">[rows, heads].</param>
    /// <param name="x">[rows, C].</param>
    /// <param name="gated">[rows, C].</param>
    public static void TensorGateRows(
        StripShape shape,
        RowsShape at,
        int blockIndex,
        long weights,
        ArrayView<Float4> vectors,
        ArrayView<Float4> bias,
        ArrayView<Float4> table,
        ArrayView<int> slots,
        ArrayView<Float4> attention,
        ArrayView<Float4> x,
        ArrayView<Float4> gated)
    {
        ArrayView<Float4> tile = SharedMemory.Allocate<Float4>(TensorRows.SharedQuads);
        CudaAsm.Emit(TensorRowsText.Declare);
        int warp = Group.IdxX >> 5, own = warp & 7, quads = shape.Quads, first = shape.FirstRow + (Grid.IdxX * TensorRows.Rows);
        int column = XMath.Min(warp, at.Tiles - 1);
        const int Step = TensorRows.StepBytes / 16;
        long lanes = weights + (16 * (Group.IdxX & 31));
        // Into the hidden layer: a quarter of the steps, of which there may be none, of 16 of the 64 columns.
        int quarter = (at.Steps + 3) >> 2, start = XMath.Min((warp >> 2) * quarter, at.Steps);
        int length = XMath.Min(quarter, at.Steps - start);
        long attentionOut = lanes + (16L * (at.AttentionOut + (Step * column * at.HeadSteps)));
        long into = lanes + (16L * (at.FeedForwardIn + (Step * (((warp & 3) * at.Steps) + XMath.Min(start, at.Steps - 1)))));
        long back = lanes + (16L * (at.FeedForwardOut + (2 * Step * column)));
        // Gates: 16 of this half's columns, of a or of b.
        int partTiles = (at.Tiles + TensorRows.Parts - 1) / TensorRows.Parts, firstTile = Grid.IdxY * partTiles;
        int gate = firstTile + (warp & 7);
        bool hasGate = (warp & 7) < partTiles && gate < at.Tiles;
        long mid = lanes + (16L * (at.MidProjection + (Step * ((((warp >> 3) * at.Tiles) + XMath.Min(gate, at.Tiles - 1)) * at.Steps))));
        CudaAsm.Emit(TensorRowsText.Fetch, attentionOut);
        // This thread's two gates: what is added to them is on its way from the beginning.
        int channel = (16 * firstTile) + (Group.IdxX & 63), gateRow = XMath.Min(first + (Group.IdxX >> 6), shape.EndRow - 1);
        int constants = Constants(shape, slots, blockIndex, gateRow), last = (4 * quads) - 1;
        int constant = constants + XMath.Min(channel, last), constant2 = constants + XMath.Min(channel + 64, last);
        float a = table.Cast<float>()[constant], b = table.Cast<float>()[constant + (4 * quads)];
        float a2 = table.Cast<float>()[constant2], b2 = table.Cast<float>()[constant2 + (4 * quads)];
        if (Group.IdxX < 3 * quads)
            tile[TensorRows.VectorsAt + Group.IdxX] = vectors[Group.IdxX];
        int row = XMath.Min(first + own, shape.EndRow - 1);
        if (warp < TensorRows.Rows)
            TensorRows.PutParts(tile, own, at.HeadSteps, TensorRows.Read(attention, row, shape.HeadQuads));
        else
            TensorRows.PutSums(tile, own, 4 * at.Tiles, Pair.Add(TensorRows.Read(x, row, quads), TensorRows.Read(bias, 0, quads)));
        Group.Barrier();
        if (warp < at.Tiles)
        {
            TensorRows.Multiply(0, TensorRows.Stride, attentionOut, at.HeadSteps, into);
            TensorRows.AddTo(TensorRows.SumAt + (4 * warp), TensorRows.SumStride);
        }
        else
            CudaAsm.Emit(TensorRowsText.Fetch, into);

        Group.Barrier();
        if (warp < TensorRows.Rows)
        {
            Pair z = Pair.MultiplyAdd(TensorRows.Normalise(TensorRows.Sums(tile, own, quads), shape),
                TensorRows.ReadAt(tile, TensorRows.VectorsAt, quads), TensorRows.ReadAt(tile, TensorRows.VectorsAt + quads, quads));
            TensorRows.PutParts(tile, own, at.Steps, z);
            TensorRows.PutSums(tile, own, 4 * at.Tiles, Pair.Add(z, TensorRows.ReadAt(tile, TensorRows.VectorsAt + (2 * quads), quads)));
        }

        Group.Barrier();
        TensorRows.Multiply(8 * start, TensorRows.Stride, into, length, back);
        if (length == 0)
            CudaAsm.Emit(TensorRowsText.Fetch, back);
        TensorRows.Store(TensorRows.PartialAt + ((warp >> 2) * TensorRows.Rows * TensorRows.HiddenSumStride) + (4 * (warp & 3)),
            TensorRows.HiddenSumStride);
        Group.Barrier();
        Activate(tile, vectors.Cast<float>()[(20 * quads) + (Group.IdxX & 63)]);
        Group.Barrier();
        if (warp < at.Tiles)
        {
            TensorRows.Multiply(TensorRows.HiddenAt, TensorRows.HiddenStride, back, TensorRows.Hidden / 32, mid);
            TensorRows.AddTo(TensorRows.SumAt + (4 * warp), TensorRows.SumStride);
        }
        else
            CudaAsm.Emit(TensorRowsText.Fetch, mid);

        Group.Barrier();
        if (warp < TensorRows.Rows)
            TensorRows.PutParts(tile, own, at.Steps, TensorRows.Normalise(TensorRows.Sums(tile, own, quads), shape));
        Group.Barrier();
        if (hasGate)
        {
            TensorRows.MultiplyLast(0, mid, at.Steps);
            TensorRows.Store(TensorRows.PartialAt + (32 * (warp >> 3)) + (4 * (warp & 7)), TensorRows.GateSumStride);
        }

        Group.Barrier();
        int target = first + (Group.IdxX >> 6), end = XMath.Min(4 * quads, 16 * (firstTile + partTiles));
        if (target >= shape.EndRow)
            return;
        ArrayView<float> sums = tile.Cast<float>(), result = gated.Cast<float>();
        int place = (4 * (TensorRows.PartialAt + ((Group.IdxX >> 6) * TensorRows.GateSumStride))) + (Group.IdxX & 63);
        if (channel < end)
            result[(target * 4 * quads) + channel] = Activation.Gate(sums[place] + a, sums[place + 128] + b);
        if (channel + 64 < end)
            result[(target * 4 * quads) + channel + 64] = Activation.Gate(sums[place + 64] + a2, sums[place + 64 + 128] + b2);
    }

    // A hidden value a thread: the sum of four parts, its bias, GELU.
    private static void Activate(ArrayView<Float4> tile, float bias)
    {
        ArrayView<float> floats = tile.Cast<float>();
        int row = Group.IdxX >> 6, column = Group.IdxX & 63;
        int from = (4 * (TensorRows.PartialAt + (row * TensorRows.HiddenSumStride))) + column;
        const int Part = 4 * TensorRows.Rows * TensorRows.HiddenSumStride;
        float v = Activation.Gelu(floats[from] + floats[from + Part] + (floats[from + (2 * Part)] + floats[from + (3 * Part)]) + bias);
        int to = (4 * (TensorRows.HiddenAt + (row * TensorRows.HiddenStride))) + column;
        float lead = TensorRows.Lead(v);
        floats[to] = lead;
        floats[to + (4 * TensorRows.RestAt)] = v - lead;
    }

    // Where the constants of a row are, in floats.
    private static int Constants(StripShape shape, ArrayView<int> slots, int block, int row)
    {
        int slot = row / shape.SlotTokens, token = row - (slot * shape.SlotTokens);
        return ((((slots[slot] * shape.Blocks) + block) * shape.SlotTokens) + token) * 8 * shape.Quads;
    }
}
