using ILGPU;
using ILGPU.Algorithms;

namespace UniCardio.Gpu.Kernels;

/// <summary>What a thread of <see cref="TensorTile"/> adds its outputs to: a quad of 8 rows, 8 apart, read together so that they are waited
/// for once.</summary>
/// <remarks>Rows after the last take the last's place, without a branch, which would wait for each load; they are not written.</remarks>
internal struct TileRows
{
    /// <summary>Rows from one of a thread's to the next.</summary>
    public const int Step = TensorTile.Threads / 16;

    private Float4 _r0;
    private Float4 _r1;
    private Float4 _r2;
    private Float4 _r3;
    private Float4 _r4;
    private Float4 _r5;
    private Float4 _r6;
    private Float4 _r7;

    /// <summary>Reads the rows.</summary>
    /// <param name="source">The matrix.</param>
    /// <param name="at">Quad of the first row.</param>
    /// <param name="quads">Quads of a row.</param>
    /// <param name="count">Rows of the matrix from the first on, at least 1.</param>
    public static TileRows Read(ArrayView<Float4> source, int at, int quads, int count)
    {
        TileRows rows;
        int last = (count - 1) & ~(Step - 1);
        rows._r0 = source[at];
        rows._r1 = source[at + (XMath.Min(Step, last) * quads)];
        rows._r2 = source[at + (XMath.Min(2 * Step, last) * quads)];
        rows._r3 = source[at + (XMath.Min(3 * Step, last) * quads)];
        rows._r4 = source[at + (XMath.Min(4 * Step, last) * quads)];
        rows._r5 = source[at + (XMath.Min(5 * Step, last) * quads)];
        rows._r6 = source[at + (XMath.Min(6 * Step, last) * quads)];
        rows._r7 = source[at + (XMath.Min(7 * Step, last) * quads)];
        return rows;
    }

    /// <summary>Writes the rows that there are.</summary>
    /// <param name="target">The matrix.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="at">Quad of the first row.</param>
    /// <param name="quads">Quads of a row.</param>
    /// <param name="count">Rows of the matrix from the first on, at least 1.</param>
    public static void Write(ArrayView<Float4> target, TileRows rows, int at, int quads, int count)
    {
        target[at] = rows._r0;
        if (count > Step)
            target[at + (Step * quads)] = rows._r1;
        if (count > 2 * Step)
            target[at + (2 * Step * quads)] = rows._r2;
        if (count > 3 * Step)
            target[at + (3 * Step * quads)] = rows._r3;
        if (count > 4 * Step)
            target[at + (4 * Step * quads)] = rows._r4;
        if (count > 5 * Step)
            target[at + (5 * Step * quads)] = rows._r5;
        if (count > 6 * Step)
            target[at + (6 * Step * quads)] = rows._r6;
        if (count > 7 * Step)
            target[at + (7 * Step * quads)] = rows._r7;
    }

    /// <summary>Adds the same to each.</summary>
    public static TileRows Add(TileRows rows, Float4 value)
    {
        rows._r0 = Float4.Add(rows._r0, value);
        rows._r1 = Float4.Add(rows._r1, value);
        rows._r2 = Float4.Add(rows._r2, value);
        rows._r3 = Float4.Add(rows._r3, value);
        rows._r4 = Float4.Add(rows._r4, value);
        rows._r5 = Float4.Add(rows._r5, value);
        rows._r6 = Float4.Add(rows._r6, value);
        rows._r7 = Float4.Add(rows._r7, value);
        return rows;
    }

    /// <summary>Adds other rows.</summary>
    public static TileRows Add(TileRows rows, TileRows others)
    {
        rows._r0 = Float4.Add(rows._r0, others._r0);
        rows._r1 = Float4.Add(rows._r1, others._r1);
        rows._r2 = Float4.Add(rows._r2, others._r2);
        rows._r3 = Float4.Add(rows._r3, others._r3);
        rows._r4 = Float4.Add(rows._r4, others._r4);
        rows._r5 = Float4.Add(rows._r5, others._r5);
        rows._r6 = Float4.Add(rows._r6, others._r6);
        rows._r7 = Float4.Add(rows._r7, others._r7);
        return rows;
    }

    /// <summary>Scales each.</summary>
    public static TileRows Scale(TileRows rows, float factor)
    {
        rows._r0 = Float4.Scale(factor, rows._r0);
        rows._r1 = Float4.Scale(factor, rows._r1);
        rows._r2 = Float4.Scale(factor, rows._r2);
        rows._r3 = Float4.Scale(factor, rows._r3);
        rows._r4 = Float4.Scale(factor, rows._r4);
        rows._r5 = Float4.Scale(factor, rows._r5);
        rows._r6 = Float4.Scale(factor, rows._r6);
        rows._r7 = Float4.Scale(factor, rows._r7);
        return rows;
    }
}
