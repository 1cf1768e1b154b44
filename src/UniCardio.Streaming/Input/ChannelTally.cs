namespace UniCardio.Streaming.Input;

/// <summary>The running counts of <see cref="InputCounts"/>; they outlive segments.</summary>
internal sealed class ChannelTally
{
    public long Blocks, Samples, DuplicateBlocks, OverlappingBlocks, RepeatedSamples, ReorderedBlocks, LateSamples, StraySamples,
        NonFiniteSamples, ImplausibleSamples, Gaps, MissingSamples;

    /// <summary>All counts in the order in which a checkpoint holds them.</summary>
    public void Visit(ICountVisitor visitor)
    {
        visitor.Visit(ref Blocks);
        visitor.Visit(ref Samples);
        visitor.Visit(ref DuplicateBlocks);
        visitor.Visit(ref OverlappingBlocks);
        visitor.Visit(ref RepeatedSamples);
        visitor.Visit(ref ReorderedBlocks);
        visitor.Visit(ref LateSamples);
        visitor.Visit(ref StraySamples);
        visitor.Visit(ref NonFiniteSamples);
        visitor.Visit(ref ImplausibleSamples);
        visitor.Visit(ref Gaps);
        visitor.Visit(ref MissingSamples);
    }

    public InputCounts ToCounts(long gaps, long missing) => new()
    {
        Blocks = Blocks,
        Samples = Samples,
        DuplicateBlocks = DuplicateBlocks,
        OverlappingBlocks = OverlappingBlocks,
        RepeatedSamples = RepeatedSamples,
        ReorderedBlocks = ReorderedBlocks,
        LateSamples = LateSamples,
        StraySamples = StraySamples,
        NonFiniteSamples = NonFiniteSamples,
        ImplausibleSamples = ImplausibleSamples,
        Gaps = Gaps + gaps,
        MissingSamples = MissingSamples + missing,
    };
}

/// <summary>Writes counts to a checkpoint, or reads them from one.</summary>
internal interface ICountVisitor
{
    void Visit(ref long count);
}
