using ILGPU;
using ILGPU.Algorithms;

namespace UniCardio.Gpu.Kernels;

/// <summary>
/// Attention of one head over the slots that a query's slot may read, without a mask matrix: key tiles follow the slot rule (a
/// condition reads the conditions of its window, a target reads itself and them), tiles outside the window are skipped, and
/// the softmax is kept up to date while tiles go by (Milakov and Gimelshein, arXiv 1805.02867; Dao, arXiv 2205.14135).
/// </summary>
/// <remarks>
/// Grid (query tiles of all slots of the launch, heads), group (8, 8). A tile is 32 queries by 32 keys. Thread (x, y) owns
/// queries 4y to 4y+3, keys x, x+8, x+16, x+24 of the tile, and columns x, x+8, ... of the output: 16 scores and up to 64 sums in
/// registers. Rows of K are an odd number of quads apart and the 8 threads of a quarter warp read 8 neighbouring rows, so they
/// meet all 32 banks; rows of probabilities are 9 quads apart for the same reason; V is read 8 neighbours at a time, Q and
/// probabilities as broadcasts. Scores are powers of 2: Q carries log2(e) / sqrt(head dim).
/// </remarks>
/// <typeparam name="TWidth">How wide a head may be.</typeparam>
internal static class AttentionKernel<TWidth>
    where TWidth : struct, IHeadWidth
{
    /// <summary>Queries and keys of a tile.</summary>
    public const int TileTokens = 32;

    /// <summary>Threads of a group along x and along y.</summary>
    public const int Threads = 8;

    private const int ProbabilityStride = 9;
    private const float MinScore = -1e30f;
    private const float Masked = -3e38f;

    /// <summary>The kernel.</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="qkv">[blocks condition rows, then target rows; 3 heads].</param>
    /// <param name="output">[rows, heads].</param>
    public static void Attention(AttentionShape shape, ArrayView<Float4> qkv, ArrayView<float> output)
    {
        ArrayView<Float4> q = SharedMemory.Allocate<Float4>(TileTokens * TWidth.Stride);
        ArrayView<Float4> k = SharedMemory.Allocate<Float4>(TileTokens * TWidth.Stride);
        ArrayView<Float4> v = TWidth.SharesKeys ? k : SharedMemory.Allocate<Float4>(TileTokens * TWidth.Columns * 2);
        ArrayView<Float4> p = SharedMemory.Allocate<Float4>(TileTokens * ProbabilityStride);
        ArrayView<Float4> largest = SharedMemory.Allocate<Float4>(Threads * Threads);
        int tiles = (shape.SlotTokens + TileTokens - 1) / TileTokens, x = Group.IdxX, y = Group.IdxY;
        int slot = shape.FirstSlot + (Grid.IdxX / tiles), firstQuery = (Grid.IdxX % tiles) * TileTokens,
            head = Grid.IdxY * shape.HeadDimQuads;
        int own = slot < shape.ConditionSlots ? 0 : 1;
        int window = own == 0 ? slot / shape.Conditions : (slot - shape.ConditionSlots) / shape.Draws;
        AttentionTile.Load(q, TWidth.Stride, shape, qkv, slot, firstQuery, head, shape.HeadDimQuads);

        Float4 top = new Float4(MinScore, MinScore, MinScore, MinScore), total = default;
        Columns8 sum = default, upper = default;
        for (int i = 0; i < shape.Conditions + own; i++)
        {
            int keySlot = i == shape.Conditions ? slot : (window * shape.Conditions) + i;
            for (int firstKey = 0; firstKey < shape.SlotTokens; firstKey += TileTokens)
            {
                // Every thread decides alike: nothing but the tile's place is asked.
                if (AttentionTile.IsHidden(shape, firstQuery, firstKey, TileTokens))
                    continue;
                Group.Barrier();
                AttentionTile.Load(k, TWidth.Stride, shape, qkv, keySlot, firstKey, shape.HeadQuads + head, shape.HeadDimQuads);
                if (!TWidth.SharesKeys)
                    LoadValues(v, shape, qkv, keySlot, firstKey, head);
                Group.Barrier();
                Tile scores = AttentionTile.Scores(q, k, TWidth.Stride, shape.HeadDimQuads, x, y);
                scores = AttentionTile.Mask(scores, shape, firstQuery + (4 * y), firstKey + x, Masked);
                largest[(y * Threads) + x] =
                    AttentionTile.Max(AttentionTile.Max(scores.R0, scores.R1), AttentionTile.Max(scores.R2, scores.R3));
                Group.Barrier();
                // Everybody has the scores: the keys are not needed any more.
                if (TWidth.SharesKeys)
                    LoadValues(v, shape, qkv, keySlot, firstKey, head);
                Float4 before = top;
                for (int j = 0; j < Threads; j++)
                    top = AttentionTile.Max(top, largest[(y * Threads) + j]);
                Float4 fade = AttentionTile.Power(before, top);
                scores.R0 = AttentionTile.Power(scores.R0, top);
                scores.R1 = AttentionTile.Power(scores.R1, top);
                scores.R2 = AttentionTile.Power(scores.R2, top);
                scores.R3 = AttentionTile.Power(scores.R3, top);
                total = Float4.MultiplyAdd(total, fade, Float4.Add(Float4.Add(scores.R0, scores.R1), Float4.Add(scores.R2, scores.R3)));
                p[(x * ProbabilityStride) + y] = scores.R0;
                p[((x + 8) * ProbabilityStride) + y] = scores.R1;
                p[((x + 16) * ProbabilityStride) + y] = scores.R2;
                p[((x + 24) * ProbabilityStride) + y] = scores.R3;
                sum = Columns8.Scale(sum, fade, TWidth.Columns);
                if (TWidth.Columns > 8)
                    upper = Columns8.Scale(upper, fade, 8);
                Group.Barrier();
                sum = Columns8.AddTile(sum, p, v.Cast<float>(), TWidth.Columns, ProbabilityStride, TileTokens, x, y);
                if (TWidth.Columns > 8)
                    upper = Columns8.AddTile(upper, p, v.Cast<float>(), TWidth.Columns, ProbabilityStride, TileTokens, x + 64, y);
            }
        }

        // Each thread summed the probabilities of its own keys; the row's total is theirs together.
        Group.Barrier();
        largest[(y * Threads) + x] = total;
        Group.Barrier();
        Float4 row = default;
        for (int j = 0; j < Threads; j++)
            row = Float4.Add(row, largest[(y * Threads) + j]);
        row = new Float4(1f / row.X, 1f / row.Y, 1f / row.Z, 1f / row.W);
        Columns8.Store(Columns8.Scale(sum, row, TWidth.Columns), TWidth.Columns, shape, output, slot, firstQuery + (4 * y), head * 4, x);
        if (TWidth.Columns > 8)
            Columns8.Store(Columns8.Scale(upper, row, 8), 8, shape, output, slot, firstQuery + (4 * y), head * 4, x + 64);
    }

    private static void LoadValues(ArrayView<Float4> v, AttentionShape shape, ArrayView<Float4> qkv, int slot, int first, int head) =>
        AttentionTile.Load(v, TWidth.Columns * 2, shape, qkv, slot, first, (2 * shape.HeadQuads) + head, shape.HeadDimQuads);
}
