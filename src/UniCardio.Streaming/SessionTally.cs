namespace UniCardio.Streaming;

/// <summary>The running counts of <see cref="SessionCounts"/>. The host's gate guards it.</summary>
internal struct SessionTally
{
    public long Hops, Frames, SkippedHops, LostHops, Windows, FailedWindows, DroppedFrames;

    /// <summary>All counts in the order in which a checkpoint holds them.</summary>
    public void Visit(ICountVisitor visitor)
    {
        visitor.Visit(ref Hops);
        visitor.Visit(ref Frames);
        visitor.Visit(ref SkippedHops);
        visitor.Visit(ref LostHops);
        visitor.Visit(ref Windows);
        visitor.Visit(ref FailedWindows);
        visitor.Visit(ref DroppedFrames);
    }

    public readonly SessionCounts ToCounts(int clockJumps) => new()
    {
        Hops = Hops,
        Frames = Frames,
        SkippedHops = SkippedHops,
        LostHops = LostHops,
        Windows = Windows,
        FailedWindows = FailedWindows,
        DroppedFrames = DroppedFrames,
        ClockJumps = clockJumps,
    };
}
