namespace UniCardio.Streaming;

/// <summary>What a session has done since it was opened.</summary>
public readonly record struct SessionCounts
{
    /// <summary>Hops, which is frames delivered or to be delivered.</summary>
    public long Hops { get; init; }

    /// <summary>Frames delivered.</summary>
    public long Frames { get; init; }

    /// <summary>Hops that had something to compute and were skipped because the machine could not keep up.</summary>
    public long SkippedHops { get; init; }

    /// <summary>Skipped hops whose samples no later window covered, so that they went out without what was to be generated.</summary>
    public long LostHops { get; init; }

    /// <summary>Windows computed; one a hop and modality generated.</summary>
    public long Windows { get; init; }

    /// <summary>Windows whose computation failed.</summary>
    public long FailedWindows { get; init; }

    /// <summary>Frames dropped because nobody read them (<see cref="StreamingSession.ReadAllAsync"/> only).</summary>
    public long DroppedFrames { get; init; }

    /// <summary>Times the clock jumped.</summary>
    public int ClockJumps { get; init; }
}
