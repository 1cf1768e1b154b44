using ILGPU;
using ILGPU.Runtime.Cuda;

namespace UniCardio.Gpu.Kernels;

/// <summary>
/// Attention of one head on tensor cores, in float32's precision (three products of tf32 parts): the slot rule and the running softmax of
/// <see cref="AttentionKernel{TWidth}"/>, all tokens seen, heads of up to 40.
/// </summary>
/// <remarks>
/// Grid (tiles of 64 queries of all slots of the launch, heads). Group of 128 threads; each of the 4 warps owns 16 queries, split and kept
/// in registers. K and V of 64 tokens lie in shared memory in rows of 44 floats (ldmatrix reads 8 rows of K, a load 4 pairs of rows of V by
/// 8 columns: every bank once), two stages of 22 KB, so that a tile is on its way while the one before is worked on. Probabilities stay in
/// the registers of their scores. A tile of 64 keys: 240 matrix instructions a warp, bound by the tensor cores.
/// </remarks>
internal static class TensorAttentionKernel
{
    /// <summary>Queries and keys of a tile.</summary>
    public const int Tile = 64;

    /// <summary>Threads of a group.</summary>
    public const int Threads = 128;

    /// <summary>Quads of the widest head.</summary>
    public const int MaxHeadQuads = 10;

    private const int RowBytes = 176;
    private const int Values = Tile * RowBytes;
    private const int Stage = 2 * Values;

    /// <summary>The kernel.</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="qkv">Address of [blocks condition rows, then target rows; 3 heads].</param>
    /// <param name="output">Address of [rows, heads].</param>
    public static void TensorAttention(AttentionShape shape, long qkv, long output)
    {
        CudaAsm.Emit(TensorAttentionText.Declare);
        int tiles = (shape.SlotTokens + Tile - 1) >> 6, lane = Group.IdxX & 31, warp = Group.IdxX >> 5;
        int slot = shape.FirstSlot + (Grid.IdxX / tiles), firstQuery = (Grid.IdxX - ((slot - shape.FirstSlot) * tiles)) * Tile;
        int own = slot < shape.ConditionSlots ? 0 : 1, head = Grid.IdxY * shape.HeadDimQuads;
        int window = own == 0 ? slot / shape.Conditions : (slot - shape.ConditionSlots) / shape.Draws;
        int width = 48 * shape.HeadQuads;
        Place(shape);
        // The queries go through the second stage, before it is needed.
        CudaAsm.Emit(TensorAttentionText.LoadQueries, Address(shape, qkv, slot, firstQuery, head), Stage,
            (shape.SlotTokens - firstQuery) * width);
        int first = shape.Conditions == 0 ? slot : window * shape.Conditions, keys = shape.HeadQuads + head;
        long values = 16L * shape.HeadQuads;
        CudaAsm.Emit(TensorAttentionText.Load, Address(shape, qkv, first, 0, keys), 0,
            shape.SlotTokens * width, values);
        CudaAsm.Emit("cp.async.wait_all;");
        Group.Barrier();
        CudaAsm.Emit(TensorAttentionText.Queries, Stage + (((16 * warp) + (lane & 15)) * RowBytes) + (16 * (lane >> 4)));
        int k = (((lane & 7) + (8 * (lane >> 4))) * RowBytes) + (16 * ((lane >> 3) & 1));
        int v = Values + (2 * (lane & 3) * RowBytes) + (4 * (lane >> 2));
        int stored = (16 * warp) + (lane >> 2), firstKey = 0, i = 0, stage = 0;
        for (int left = (shape.Conditions + own) * tiles; left > 0; left--)
        {
            // This tile is there; and whoever read the stage that is written next has done so.
            CudaAsm.Emit("cp.async.wait_all;");
            Group.Barrier();
            int here = shape.SlotTokens - firstKey;
            firstKey += Tile;
            if (firstKey >= shape.SlotTokens)
            {
                firstKey = 0;
                i++;
            }

            if (left > 1)
            {
                int next = i == shape.Conditions ? slot : (window * shape.Conditions) + i;
                CudaAsm.Emit(TensorAttentionText.Load, Address(shape, qkv, next, firstKey, keys), Stage - stage,
                    (shape.SlotTokens - firstKey) * width, values);
            }

            CudaAsm.Emit(TensorAttentionText.Scores, stage + k);
            if (here < Tile)
                CudaAsm.Emit(TensorAttentionText.Mask, here - (2 * (lane & 3)));
            CudaAsm.Emit(TensorAttentionText.Softmax);
            CudaAsm.Emit(TensorAttentionText.Values, stage + v);
            stage = Stage - stage;
        }

        int query = firstQuery + stored, columns = (4 * shape.HeadDimQuads) - (2 * (lane & 3));
        long at = output + ((((((long)slot * shape.SlotTokens) + query) * shape.HeadQuads) + head) * 16) + (8 * (lane & 3));
        CudaAsm.Emit(
            TensorAttentionText.Finish, at, at + (128L * shape.HeadQuads), query < shape.SlotTokens ? columns : 0,
            query + 8 < shape.SlotTokens ? columns : 0);
    }

    // Where a row of one head is: the conditions of every block come first, then the targets of this one.
    private static long Address(AttentionShape shape, long qkv, int slot, int first, int where)
    {
        int moved = (slot < shape.ConditionSlots ? shape.Block : shape.Blocks - 1) * shape.ConditionSlots * shape.SlotTokens;
        return qkv + ((((long)(moved + (slot * shape.SlotTokens) + first) * 3 * shape.HeadQuads) + where) * 16);
    }

    // This thread's 5 of the 64 x 10 quads that every tile has: offset from its first row, place in the stage. Quads beyond the head have
    // an offset beyond every slot, and become zeros.
    private static void Place(AttentionShape shape)
    {
        CudaAsm.Emit("mov.b32 %%co0, %0; add.u32 %%ct0, %%sp, %1;", Offset(shape, 0), Target(0));
        CudaAsm.Emit("mov.b32 %%co1, %0; add.u32 %%ct1, %%sp, %1;", Offset(shape, 1), Target(1));
        CudaAsm.Emit("mov.b32 %%co2, %0; add.u32 %%ct2, %%sp, %1;", Offset(shape, 2), Target(2));
        CudaAsm.Emit("mov.b32 %%co3, %0; add.u32 %%ct3, %%sp, %1;", Offset(shape, 3), Target(3));
        CudaAsm.Emit("mov.b32 %%co4, %0; add.u32 %%ct4, %%sp, %1;", Offset(shape, 4), Target(4));
    }

    private static int Offset(AttentionShape shape, int j) =>
        Quad(j) < shape.HeadDimQuads ? (TileRow(j) * 48 * shape.HeadQuads) + (16 * Quad(j)) : int.MaxValue;

    private static int Target(int j) => (TileRow(j) * RowBytes) + (16 * Quad(j));

    // i / 10 for i below 640.
    private static int TileRow(int j) => ((Group.IdxX + (j * Threads)) * 6554) >> 16;

    private static int Quad(int j) => Group.IdxX + (j * Threads) - (TileRow(j) * MaxHeadQuads);
}
