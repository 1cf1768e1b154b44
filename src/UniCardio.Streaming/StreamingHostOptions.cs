using UniCardio.Engine;

namespace UniCardio.Streaming;

/// <summary>How a host shares its engine between sessions. Checked when the host is made.</summary>
public sealed record StreamingHostOptions
{
    /// <summary>Most windows of a batch, 1 to 64; batches have a power of two of them.</summary>
    public int MaxBatch { get; init; } = 4;

    /// <summary>Most sessions that can be open at once, 1 to 65536.</summary>
    public int MaxSessions { get; init; } = 1024;

    /// <summary>
    /// Hops of one session that wait for computing or delivery, 8 to 1024. Beyond that the oldest go out without what was to be generated.
    /// </summary>
    public int MaxWaitingHops { get; init; } = 64;

    /// <summary>
    /// Bytes of working memory for computing, beyond which the sessions of the engine that were not used for longest are freed; at least
    /// 16 MiB.
    /// </summary>
    public long MaxComputeBytes { get; init; } = 1L << 30;

    /// <summary>
    /// Whether the host computes on a thread of its own. If not, <see cref="StreamingHost.RunPending"/> does, on the thread that calls it:
    /// for hosts that have a loop of their own, faster than real time, and for tests.
    /// </summary>
    public bool OwnThread { get; init; } = true;

    /// <summary>Checks every setting.</summary>
    /// <returns>These options.</returns>
    /// <exception cref="ConfigurationException">A setting is out of range; it is named.</exception>
    public StreamingHostOptions Validate()
    {
        if (MaxBatch is < 1 or > 64)
            throw new ConfigurationException("max batch", $"{MaxBatch} is not between 1 and 64");
        if (MaxSessions is < 1 or > 65536)
            throw new ConfigurationException("max sessions", $"{MaxSessions} is not between 1 and 65536");
        if (MaxWaitingHops is < 8 or > 1024)
            throw new ConfigurationException("max waiting hops", $"{MaxWaitingHops} is not between 8 and 1024");
        if (MaxComputeBytes < 16L << 20)
            throw new ConfigurationException("max compute bytes", $"{MaxComputeBytes} is less than 16 MiB");
        return this;
    }
}
