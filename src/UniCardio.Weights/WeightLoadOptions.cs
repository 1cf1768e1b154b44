using UniCardio.Engine.Model;

namespace UniCardio.Weights;

/// <summary>What a weight file cannot tell about its network, and how it is opened.</summary>
/// <remarks>Order of belief: the tensors' shapes; what is told here (<see cref="Heads"/>, <see cref="Positions"/>,
/// <see cref="Prediction"/>); the file's metadata; <see cref="Fallback"/>; the published network.</remarks>
public sealed record WeightLoadOptions
{
    /// <summary>Attention heads, where they are told; shapes do not show them.</summary>
    public int? Heads { get; init; }

    /// <summary>Kind of position code, where it is told.</summary>
    public PositionKind? Positions { get; init; }

    /// <summary>What the network predicts, where it is told.</summary>
    public PredictionKind? Prediction { get; init; }

    /// <summary>A configuration known from elsewhere, e.g. from a golden file's header: used for what neither the shapes nor the file's
    /// metadata tell, and as the size of a recipe whose text names none.</summary>
    public ModelConfiguration? Fallback { get; init; }

    /// <summary>Whether files are mapped (default) or read into memory of their own.</summary>
    public bool MemoryMap { get; init; } = true;

    /// <summary>Whether the CRC-32 of a torch checkpoint's entries is checked.</summary>
    public bool VerifyChecksums { get; init; } = true;
}
