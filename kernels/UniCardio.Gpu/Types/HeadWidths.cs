namespace UniCardio.Gpu.Types;

/// <summary>How wide a head may be: a constant of the compiled attention kernel, so that its accumulators stay in registers.</summary>
internal interface IHeadWidth
{
    /// <summary>Columns of the output that a thread accumulates; 8 threads share a row.</summary>
    static abstract int Columns { get; }

    /// <summary>Distance of two rows of Q or K in quads: odd, so that 8 neighbouring rows meet all banks.</summary>
    static abstract int Stride { get; }

    /// <summary>Whether the values take the keys' place once the scores are there: shared memory of both would be more than 48
    /// KB.</summary>
    static virtual bool SharesKeys => false;
}

/// <summary>Heads of up to 16.</summary>
internal struct HeadWidth16 : IHeadWidth
{
    /// <inheritdoc/>
    public static int Columns => 2;

    /// <inheritdoc/>
    public static int Stride => 5;
}

/// <summary>Heads of up to 32.</summary>
internal struct HeadWidth32 : IHeadWidth
{
    /// <inheritdoc/>
    public static int Columns => 4;

    /// <inheritdoc/>
    public static int Stride => 9;
}

/// <summary>Heads of up to 40.</summary>
internal struct HeadWidth40 : IHeadWidth
{
    /// <inheritdoc/>
    public static int Columns => 5;

    /// <inheritdoc/>
    public static int Stride => 11;
}

/// <summary>Heads of up to 64.</summary>
internal struct HeadWidth64 : IHeadWidth
{
    /// <inheritdoc/>
    public static int Columns => 8;

    /// <inheritdoc/>
    public static int Stride => 17;
}

/// <summary>Heads of up to 128.</summary>
internal struct HeadWidth128 : IHeadWidth
{
    /// <inheritdoc/>
    public static int Columns => 16;

    /// <inheritdoc/>
    public static int Stride => 33;

    /// <inheritdoc/>
    public static bool SharesKeys => true;
}
