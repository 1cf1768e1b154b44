using UniCardio.Gpu.Kernels;

namespace UniCardio.Gpu.Types;

/// <summary>How many rows a strip may have: a constant of the compiled kernel, for shared memory of the strip in use.</summary>
internal interface IStripSize
{
    /// <summary>Most rows.</summary>
    static abstract int Rows { get; }

    /// <summary>Quads of the strip.</summary>
    static abstract int Quads { get; }
}

/// <summary>Up to 8 rows of 74 quads.</summary>
internal struct Strip8 : IStripSize
{
    /// <inheritdoc/>
    public static int Rows => 8;

    /// <inheritdoc/>
    public static int Quads => Strip.Capacity / 4;
}

/// <summary>Up to 32 rows of 74 quads, or fewer that are wider.</summary>
internal struct Strip32 : IStripSize
{
    /// <inheritdoc/>
    public static int Rows => Strip.MaxRows;

    /// <inheritdoc/>
    public static int Quads => Strip.Capacity;
}
