using ILGPU;

namespace UniCardio.Gpu.Kernels;

/// <summary>What a thread of the attention kernel accumulates: four rows (elements) of up to eight columns.</summary>
/// <remarks>Heads of more than 64 take two of these. The number of columns is a constant of the compiled kernel, so the tests on
/// it cost nothing there.</remarks>
internal struct Columns8
{
    private Float4 _c0;
    private Float4 _c1;
    private Float4 _c2;
    private Float4 _c3;
    private Float4 _c4;
    private Float4 _c5;
    private Float4 _c6;
    private Float4 _c7;

    /// <summary>Scales each row.</summary>
    public static Columns8 Scale(Columns8 s, Float4 rows, int columns)
    {
        s._c0 = Float4.Multiply(s._c0, rows);
        s._c1 = Float4.Multiply(s._c1, rows);
        if (columns > 2)
        {
            s._c2 = Float4.Multiply(s._c2, rows);
            s._c3 = Float4.Multiply(s._c3, rows);
        }

        if (columns > 4)
            s._c4 = Float4.Multiply(s._c4, rows);
        if (columns > 5)
        {
            s._c5 = Float4.Multiply(s._c5, rows);
            s._c6 = Float4.Multiply(s._c6, rows);
            s._c7 = Float4.Multiply(s._c7, rows);
        }

        return s;
    }

    /// <summary>Adds a tile's probabilities times values.</summary>
    /// <param name="s">The sums.</param>
    /// <param name="p">[keys, stride] probabilities, a quad being four queries.</param>
    /// <param name="v">[keys, 8 columns].</param>
    /// <param name="columns">Columns of a thread.</param>
    /// <param name="stride">Distance of two keys in quads of p.</param>
    /// <param name="keys">Keys of a tile.</param>
    /// <param name="x">First column.</param>
    /// <param name="y">Quad of queries.</param>
    public static Columns8 AddTile(Columns8 s, ArrayView<Float4> p, ArrayView<float> v, int columns, int stride, int keys, int x, int y)
    {
        int at = x;
        for (int key = 0; key < keys; key++)
        {
            Float4 rows = p[(key * stride) + y];
            s._c0 = Float4.MultiplyAdd(v[at], rows, s._c0);
            s._c1 = Float4.MultiplyAdd(v[at + 8], rows, s._c1);
            if (columns > 2)
            {
                s._c2 = Float4.MultiplyAdd(v[at + 16], rows, s._c2);
                s._c3 = Float4.MultiplyAdd(v[at + 24], rows, s._c3);
            }

            if (columns > 4)
                s._c4 = Float4.MultiplyAdd(v[at + 32], rows, s._c4);
            if (columns > 5)
            {
                s._c5 = Float4.MultiplyAdd(v[at + 40], rows, s._c5);
                s._c6 = Float4.MultiplyAdd(v[at + 48], rows, s._c6);
                s._c7 = Float4.MultiplyAdd(v[at + 56], rows, s._c7);
            }

            at += 8 * columns;
        }

        return s;
    }

    /// <summary>Writes the columns of a head that exist.</summary>
    public static void Store(Columns8 s, int columns, AttentionShape shape, ArrayView<float> output, int slot, int query, int head, int x)
    {
        StoreColumn(s._c0, shape, output, slot, query, head, x);
        StoreColumn(s._c1, shape, output, slot, query, head, x + 8);
        if (columns > 2)
        {
            StoreColumn(s._c2, shape, output, slot, query, head, x + 16);
            StoreColumn(s._c3, shape, output, slot, query, head, x + 24);
        }

        if (columns > 4)
            StoreColumn(s._c4, shape, output, slot, query, head, x + 32);
        if (columns > 5)
        {
            StoreColumn(s._c5, shape, output, slot, query, head, x + 40);
            StoreColumn(s._c6, shape, output, slot, query, head, x + 48);
            StoreColumn(s._c7, shape, output, slot, query, head, x + 56);
        }
    }

    private static void StoreColumn(Float4 rows, AttentionShape shape, ArrayView<float> output, int slot, int query, int head, int column)
    {
        if (column >= 4 * shape.HeadDimQuads)
            return;
        int stride = 4 * shape.HeadQuads, at = (((slot * shape.SlotTokens) + query) * stride) + head + column;
        if (query < shape.SlotTokens)
            output[at] = rows.X;
        if (query + 1 < shape.SlotTokens)
            output[at + stride] = rows.Y;
        if (query + 2 < shape.SlotTokens)
            output[at + (2 * stride)] = rows.Z;
        if (query + 3 < shape.SlotTokens)
            output[at + (3 * stride)] = rows.W;
    }
}
