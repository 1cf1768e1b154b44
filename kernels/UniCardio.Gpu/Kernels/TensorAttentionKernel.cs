using ILGPU;
using ILGPU.Runtime.Cuda;

namespace UniCardio.Gpu.Kernels;

/// <summary>
/// Attention of one head on tensor cores, in float32's precision (three products of tf32 parts): the slot rule and the running softmax of
/// <see cref="AttentionKernel{TWidth}"/>, all tokens seen, heads of up to 40.
/// </summary>
/// <remarks>
/// Grid (tiles of 64 queries of all slots of the launch, heads). Group of 128 threads; each of the 4 warps owns 16 queries. Q, K and V of
/// 64 tokens lie in shared memory in rows of 44, 44 and 40 floats (ldmatrix reads 8 rows of K, a load 4 rows of V by 8 columns: every bank
/// once), probabilities beside them in rows of 64 with quads swizzled, 48 KB together. A tile of 64 keys: 240 matrix instructions a warp.
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
    private const int ValueBytes = 160;
    private const int Keys = Tile * RowBytes;
    private const int Values = 2 * Tile * RowBytes;
    private const int Probabilities = Values + (Tile * ValueBytes);

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
        Load(shape, qkv, slot, firstQuery, head, 0, RowBytes);
        int q = (((16 * warp) + (lane & 15)) * RowBytes) + (16 * (lane >> 4));
        int k = Keys + (((lane & 7) + (8 * (lane >> 4))) * RowBytes) + (16 * ((lane >> 3) & 1));
        int v = Values + ((lane & 3) * ValueBytes) + (4 * (lane >> 2));
        int row = (16 * warp) + (lane & 15), stored = (16 * warp) + (lane >> 2);
        int read = Probabilities + (row * 256) + (((lane >> 4) ^ (row & 7)) * 16);
        int write = Probabilities + (stored * 256) + ((((lane >> 1) & 1) ^ (stored & 7)) * 16) + (8 * (lane & 1));
        for (int i = 0; i < shape.Conditions + own; i++)
        {
            int keySlot = i == shape.Conditions ? slot : (window * shape.Conditions) + i;
            for (int firstKey = 0; firstKey < shape.SlotTokens; firstKey += Tile)
            {
                Group.Barrier();
                Load(shape, qkv, keySlot, firstKey, shape.HeadQuads + head, Keys, RowBytes);
                Load(shape, qkv, keySlot, firstKey, (2 * shape.HeadQuads) + head, Values, ValueBytes);
                CudaAsm.Emit("cp.async.wait_all;");
                Group.Barrier();
                CudaAsm.Emit(TensorAttentionText.ClearScores);
                for (int j = 0; j < 160; j += 32)
                    CudaAsm.Emit(TensorAttentionText.Scores, q + j, k + j);
                CudaAsm.Emit(TensorAttentionText.Join);
                if (firstKey + Tile > shape.SlotTokens)
                    CudaAsm.Emit(TensorAttentionText.Mask, shape.SlotTokens - firstKey - (2 * (lane & 3)));
                CudaAsm.Emit(TensorAttentionText.Softmax, write);
                for (int j = 0; j < 8; j++)
                    CudaAsm.Emit(TensorAttentionText.Values, read ^ (32 * j), v + (8 * ValueBytes * j));
                CudaAsm.Emit(TensorAttentionText.Flush);
            }
        }

        int query = firstQuery + stored, columns = (4 * shape.HeadDimQuads) - (2 * (lane & 3));
        long at = output + ((((((long)slot * shape.SlotTokens) + query) * shape.HeadQuads) + head) * 16) + (8 * (lane & 3));
        CudaAsm.Emit(
            TensorAttentionText.Finish, at, at + (128L * shape.HeadQuads), query < shape.SlotTokens ? columns : 0,
            query + 8 < shape.SlotTokens ? columns : 0);
    }

    // 64 rows of one head, 10 quads each; rows beyond the slot's end and quads beyond the head become 0.
    private static void Load(AttentionShape shape, long qkv, int slot, int first, int where, int target, int rowBytes)
    {
        // The conditions of every block come first, then the targets of this one.
        int moved = (slot < shape.ConditionSlots ? shape.Block : shape.Blocks - 1) * shape.ConditionSlots * shape.SlotTokens;
        long from = qkv + ((((long)(moved + (slot * shape.SlotTokens) + first) * 3 * shape.HeadQuads) + where) * 16);
        int width = 48 * shape.HeadQuads;
        for (int i = Group.IdxX; i < Tile * MaxHeadQuads; i += Threads)
        {
            // i / 10 for i below 640.
            int row = (i * 6554) >> 16, quad = i - (row * MaxHeadQuads);
            bool isThere = quad < shape.HeadDimQuads && first + row < shape.SlotTokens;
            int offset = isThere ? (row * width) + (16 * quad) : 0;
            CudaAsm.Emit("{ .reg .b32 %%to; add.u32 %%to, %%sp, %0; cp.async.cg.shared.global [%%to], [%1], 16, %2; }",
                target + (row * rowBytes) + (16 * quad), from + offset, isThere ? 16 : 0);
        }
    }
}
