namespace UniCardio.Ptx.Execution;

/// <summary>Sizes of a grid or a group.</summary>
/// <param name="X">Along x, from 1 on.</param>
/// <param name="Y">Along y, from 1 on.</param>
/// <param name="Z">Along z, from 1 on.</param>
internal readonly record struct PtxDim(int X, int Y = 1, int Z = 1)
{
    /// <summary>All of them.</summary>
    public long Count => (long)X * Y * Z;

    /// <summary>The place of an index that counts x first.</summary>
    internal (int X, int Y, int Z) Place(long index) => ((int)(index % X), (int)(index / X % Y), (int)(index / ((long)X * Y)));
}
