using ILGPU;
using ILGPU.Algorithms;

namespace UniCardio.Gpu.Kernels;

/// <summary>The parts of the attention kernel that know no head width.</summary>
internal static class AttentionTile
{
    /// <summary>Whether no query of a tile sees a key of another: both outside the window and neither with a global token.</summary>
    public static bool IsHidden(AttentionShape shape, int firstQuery, int firstKey, int tokens) =>
        shape.Window >= 0
        && firstKey >= shape.GlobalTokens
        && firstQuery >= shape.GlobalTokens
        && (firstKey - (firstQuery + tokens - 1) > shape.Window || firstQuery - (firstKey + tokens - 1) > shape.Window);

    /// <summary>Copies 32 rows of one head; rows after the slot's end and quads after the head's become 0.</summary>
    public static void Load(ArrayView<Float4> target, int stride, AttentionShape shape, ArrayView<Float4> qkv, int slot, int first,
        int where, int quads)
    {
        // The conditions of every block come first, then the targets of this one.
        int moved = (slot < shape.ConditionSlots ? shape.Block : shape.Blocks - 1) * shape.ConditionSlots * shape.SlotTokens;
        int firstRow = moved + (slot * shape.SlotTokens) + first;
        // 8 threads a row, so that no quad needs a division.
        for (int row = Group.IdxY; row < 32; row += 8)
        {
            int at = ((firstRow + row) * 3 * shape.HeadQuads) + where;
            bool isRow = first + row < shape.SlotTokens;
            for (int quad = Group.IdxX; quad < stride; quad += 8)
            {
                Float4 value = default;
                if (isRow && quad < quads)
                    value = qkv[at + quad];
                target[(row * stride) + quad] = value;
            }
        }
    }

    /// <summary>Scores of four queries (elements) by four keys (rows of the tile).</summary>
    public static Tile Scores(ArrayView<Float4> q, ArrayView<Float4> k, int stride, int quads, int x, int y) =>
        AddScores(default, q, k, stride, quads, x, y);

    /// <summary>The same, added to others.</summary>
    public static Tile AddScores(Tile s, ArrayView<Float4> q, ArrayView<Float4> k, int stride, int quads, int x, int y)
    {
        int row = 4 * y * stride, key = x * stride;
        for (int i = 0; i < quads; i++)
        {
            Float4 q0 = q[row + i], q1 = q[row + stride + i], q2 = q[row + (2 * stride) + i], q3 = q[row + (3 * stride) + i];
            s.R0 = Dots(q0, q1, q2, q3, k[key + i], s.R0);
            s.R1 = Dots(q0, q1, q2, q3, k[key + (8 * stride) + i], s.R1);
            s.R2 = Dots(q0, q1, q2, q3, k[key + (16 * stride) + i], s.R2);
            s.R3 = Dots(q0, q1, q2, q3, k[key + (24 * stride) + i], s.R3);
        }

        return s;
    }

    /// <summary>Puts <paramref name="masked"/> where a query may not see a key.</summary>
    public static Tile Mask(Tile scores, AttentionShape shape, int query, int key, float masked)
    {
        scores.R0 = Mask(scores.R0, shape, query, key, masked);
        scores.R1 = Mask(scores.R1, shape, query, key + 8, masked);
        scores.R2 = Mask(scores.R2, shape, query, key + 16, masked);
        scores.R3 = Mask(scores.R3, shape, query, key + 24, masked);
        return scores;
    }

    /// <summary>The larger of each pair of elements.</summary>
    public static Float4 Max(Float4 a, Float4 b) => new(XMath.Max(a.X, b.X), XMath.Max(a.Y, b.Y), XMath.Max(a.Z, b.Z), XMath.Max(a.W, b.W));

    /// <summary>2^(a - b), element by element.</summary>
    public static Float4 Power(Float4 a, Float4 b) =>
        new(XMath.Exp2(a.X - b.X), XMath.Exp2(a.Y - b.Y), XMath.Exp2(a.Z - b.Z), XMath.Exp2(a.W - b.W));

    private static Float4 Dots(Float4 q0, Float4 q1, Float4 q2, Float4 q3, Float4 k, Float4 sum) =>
        new(Float4.Dot(q0, k, sum.X), Float4.Dot(q1, k, sum.Y), Float4.Dot(q2, k, sum.Z), Float4.Dot(q3, k, sum.W));

    private static Float4 Mask(Float4 scores, AttentionShape shape, int query, int key, float masked)
    {
        if (key >= shape.SlotTokens)
            return new Float4(masked, masked, masked, masked);
        if (shape.Window < 0 || key < shape.GlobalTokens)
            return scores;
        return new Float4(
            Sees(shape, query, key) ? scores.X : masked,
            Sees(shape, query + 1, key) ? scores.Y : masked,
            Sees(shape, query + 2, key) ? scores.Z : masked,
            Sees(shape, query + 3, key) ? scores.W : masked);
    }

    private static bool Sees(AttentionShape shape, int query, int key) =>
        query < shape.GlobalTokens || (query - key <= shape.Window && key - query <= shape.Window);
}
