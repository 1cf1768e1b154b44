using ILGPU;
using ILGPU.Algorithms;
using ILGPU.Runtime.Cuda;

namespace UniCardio.Gpu.Kernels;

/// <summary>
/// x' = x / sqrt 2 + residual, skip += s with [residual, s] = output g, and the next block's queries, keys and values of x': in one launch,
/// for few rows. See <see cref="TensorRows"/>.
/// </summary>
/// <remarks>
/// Grid (8 rows, parts). Group of 512 threads. Parts 0 and 1 compute x' and of it half of the queries, keys and values, part 2 the skip. x'
/// has a buffer of its own, since two groups read x. A group reads half of the output map and of the next, 370 KB at the compact size.
/// FLOP of a row: 8 C C, and 6 C heads.
/// </remarks>
internal static class TensorOutputRowsKernel
{
    private const float InverseSqrt2 = 0.70710678f;

    /// <summary>The kernel.</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="at">Where the weights stand.</param>
    /// <param name="blockIndex">Number of the block; -1: there is none before the first, and x' is x.</param>
    /// <param name="firstPart">2 in the last block, of which nothing but the skip is needed; else 0.</param>
    /// <param name="weights">Address of the block's.</param>
    /// <param name="nextWeights">Address of the next block's.</param>
    /// <param name="vectors">The block's vectors.</param>
    /// <param name="bias">[3 heads] of the next block, with d(t) in it.</param>
    /// <param name="gated">[rows, C].</param>
    /// <param name="x">[rows, C].</param>
    /// <param name="next">[rows, C] takes x'.</param>
    /// <param name="skip">[target rows, C], replaced.</param>
    /// <param name="qkv">[blocks condition rows, then target rows; 3 heads].</param>
    public static void TensorOutputRows(
        StripShape shape,
        RowsShape at,
        int blockIndex,
        int firstPart,
        long weights,
        long nextWeights,
        ArrayView<Float4> vectors,
        ArrayView<Float4> bias,
        ArrayView<Float4> gated,
        ArrayView<Float4> x,
        ArrayView<Float4> next,
        ArrayView<Float4> skip,
        ArrayView<Float4> qkv)
    {
        ArrayView<Float4> tile = SharedMemory.Allocate<Float4>(TensorRows.SharedQuads);
        int warp = Group.IdxX >> 5, own = warp & 7, quads = shape.Quads, part = firstPart + Grid.IdxY;
        int first = shape.FirstRow + (Grid.IdxX * TensorRows.Rows), half = part == TensorRows.Parts ? 1 : 0;
        // Condition rows need no skip.
        if (half == 1 && first + TensorRows.Rows <= shape.ConditionRows)
            return;
        CudaAsm.Emit(TensorRowsText.Declare);
        const int Step = TensorRows.StepBytes / 16;
        int lanes = Group.IdxX & 31;
        int outputTile = (half * at.Tiles) + XMath.Min(warp, at.Tiles - 1);
        long output = weights + (16L * (lanes + at.OutputProjection + (Step * outputTile * at.Steps)));
        // Queries, keys and values: this part's columns, up to two times 16 a warp.
        int partTiles = (at.AttentionTiles + 1) >> 1, firstTile = half == 1 ? 0 : part * partTiles;
        int tiles = XMath.Min(partTiles, at.AttentionTiles - firstTile);
        long following = nextWeights + (16L * (lanes + at.AttentionIn + (Step * (firstTile + XMath.Min(warp, tiles - 1)) * at.Steps)));
        long round = 16L * Step * TensorRows.Warps * at.Steps;
        // And this warp's share of a row of them, up to two quads a lane.
        int from = 4 * firstTile, count = XMath.Min(4 * tiles, (3 * shape.HeadQuads) - from), quad = (Group.IdxX & 31) + (32 * (warp >> 3));
        Float4 bias0 = bias[from + XMath.Min(quad, count - 1)], bias1 = bias[from + XMath.Min(quad + 64, count - 1)];
        int row = XMath.Min(first + own, shape.EndRow - 1), skipRow = XMath.Max(row - shape.ConditionRows, 0);
        bool isThere = first + own < shape.EndRow;
        if (blockIndex < 0)
        {
            CudaAsm.Emit(TensorRowsText.Fetch, following);
            if (warp < TensorRows.Rows)
                TensorRows.PutParts(tile, own, at.Steps, TensorRows.Read(x, row, quads));
            Group.Barrier();
        }
        else
        {
            CudaAsm.Emit(TensorRowsText.Fetch, output);
            Pair constant = TensorRows.Read(vectors, 3 + half, quads);
            if (warp < TensorRows.Rows)
                TensorRows.PutParts(tile, own, at.Steps, TensorRows.Read(gated, row, quads));
            else if (half == 0)
                TensorRows.PutSums(tile, own, 4 * at.Tiles, Pair.MultiplyAdd(InverseSqrt2, TensorRows.Read(x, row, quads), constant));
            else if (blockIndex == 0)
                TensorRows.PutSums(tile, own, 4 * at.Tiles, constant);
            else
                TensorRows.PutSums(tile, own, 4 * at.Tiles, Pair.Add(TensorRows.Read(skip, skipRow, quads), constant));
            Group.Barrier();
            if (warp < at.Tiles)
            {
                TensorRows.Multiply(0, TensorRows.Stride, output, at.Steps, following);
                TensorRows.AddTo(TensorRows.SumAt + (4 * warp), TensorRows.SumStride);
            }
            else
                CudaAsm.Emit(TensorRowsText.Fetch, following);

            Group.Barrier();
            if (warp < TensorRows.Rows)
            {
                Pair sums = TensorRows.Sums(tile, own, quads);
                if (half == 1)
                {
                    if (isThere && row >= shape.ConditionRows)
                        TensorRows.Write(skip, skipRow * quads, quads, sums);
                }
                else
                {
                    TensorRows.PutParts(tile, own, at.Steps, sums);
                    if (part == 0 && isThere)
                        TensorRows.Write(next, row * quads, quads, sums);
                }
            }

            if (half == 1)
                return;
            Group.Barrier();
        }

        for (int i = warp; i < tiles; i += TensorRows.Warps)
        {
            if (i + TensorRows.Warps < tiles)
                TensorRows.Multiply(0, TensorRows.Stride, following, at.Steps, following + round);
            else
                TensorRows.MultiplyLast(0, following, at.Steps);
            following += round;
            TensorRows.Store(TensorRows.SumAt + (4 * i), TensorRows.AttentionSumStride);
        }

        Group.Barrier();
        if (!isThere)
            return;
        // The conditions' are kept for every block.
        int target = row + ((row < shape.ConditionRows ? blockIndex + 1 : shape.Blocks - 1) * shape.ConditionRows);
        int to = (target * 3 * shape.HeadQuads) + from, place = TensorRows.SumAt + (own * TensorRows.AttentionSumStride);
        if (quad < count)
            qkv[to + quad] = Float4.Add(tile[place + quad], bias0);
        if (quad + 64 < count)
            qkv[to + quad + 64] = Float4.Add(tile[place + quad + 64], bias1);
    }
}
