namespace UniCardio.Gpu.Types;

/// <summary>What is done to a map's outputs.</summary>
internal enum RowActivation
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>x (1 + erf(x / sqrt 2)) / 2.</summary>
    Gelu,

    /// <summary>max(x, 0).</summary>
    Relu,

    /// <summary>tanh x.</summary>
    Tanh,
}

/// <summary>
/// A map of rows of several windows, a convolution over time among them: rows of A overlap where they are nearer than they are long.
/// Distances are in quads, groups of 4 floats, with zeros up to the next quad.
/// </summary>
internal struct ProductShape
{
    /// <summary>Windows.</summary>
    public int Windows;

    /// <summary>Rows of a window.</summary>
    public int Rows;

    /// <summary>Quads of a row of A and of W.</summary>
    public int InputQuads;

    /// <summary>Where A's first row begins.</summary>
    public int First;

    /// <summary>From one row of A to the next.</summary>
    public int RowQuads;

    /// <summary>From one window of A to the next.</summary>
    public int WindowQuads;

    /// <summary>Quads of a row of outputs, which lie side by side, as those of the residual do.</summary>
    public int OutputQuads;

    /// <summary>From one window of outputs to the next, and from the last of a part to the first of the next.</summary>
    public int OutputWindowQuads;

    /// <summary>From one window of the residual, which is added before the activation, to the next; -1: there is none.</summary>
    public int ResidualWindowQuads;

    /// <summary>Input quads of a part, a multiple of 8. Each part has outputs of its own, to be added by whoever reads them.</summary>
    public int PartQuads;

    /// <summary><see cref="RowActivation"/>; -1: neither that nor bias, as of one part of several.</summary>
    public int Activation;

    /// <summary>As <see cref="StripShape.Products"/>.</summary>
    public int Products;
}

/// <summary>A norm over all values of a unit: a row (LayerNorm), or all rows of a window (GroupNorm with one group).</summary>
internal struct NormShape
{
    /// <summary>Rows of a unit.</summary>
    public int Rows;

    /// <summary>Channels of a row.</summary>
    public int Channels;

    /// <summary>Quads of a row.</summary>
    public int Quads;

    /// <summary>Parts that are added first, with a bias; at 1 there is none.</summary>
    public int Parts;

    /// <summary>From one part to the next in quads.</summary>
    public int PartQuads;

    /// <summary>1: GELU after the norm.</summary>
    public int HasGelu;

    /// <summary>1: a row each of an addend, the same in every unit, is added at the end.</summary>
    public int HasAddend;

    /// <summary>Where the first unit's result begins, in quads.</summary>
    public int TargetFirst;

    /// <summary>From one unit's result to the next in quads.</summary>
    public int TargetQuads;
}
