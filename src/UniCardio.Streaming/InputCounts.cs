namespace UniCardio.Streaming;

/// <summary>What a session has seen of one modality since it was opened.</summary>
public readonly record struct InputCounts
{
    /// <summary>Blocks pushed.</summary>
    public long Blocks { get; init; }

    /// <summary>Samples pushed.</summary>
    public long Samples { get; init; }

    /// <summary>Blocks that held nothing new: every sample's place was taken, as it is where a block is sent twice.</summary>
    public long DuplicateBlocks { get; init; }

    /// <summary>Blocks that held something new and something old.</summary>
    public long OverlappingBlocks { get; init; }

    /// <summary>Samples whose place was taken; the first wins.</summary>
    public long RepeatedSamples { get; init; }

    /// <summary>Blocks that came after a block that starts later.</summary>
    public long ReorderedBlocks { get; init; }

    /// <summary>Samples that came after their place had been given up as missing.</summary>
    public long LateSamples { get; init; }

    /// <summary>Samples dropped for a time stamp far from all others that nothing confirmed.</summary>
    public long StraySamples { get; init; }

    /// <summary>Samples that came as NaN or infinite.</summary>
    public long NonFiniteSamples { get; init; }

    /// <summary>Samples out of the plausible range.</summary>
    public long ImplausibleSamples { get; init; }

    /// <summary>Gaps longer than the bridged ones, the one that is open included.</summary>
    public long Gaps { get; init; }

    /// <summary>
    /// Samples at the channel's rate that are missing between first and newest: never sent, late, NaN or implausible, and not bridged.
    /// </summary>
    public long MissingSamples { get; init; }
}
