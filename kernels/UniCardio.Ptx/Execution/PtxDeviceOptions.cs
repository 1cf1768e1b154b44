namespace UniCardio.Ptx.Execution;

/// <summary>How a simulated device behaves.</summary>
internal sealed record PtxDeviceOptions
{
    /// <summary>
    /// Checks every access: initialisation, races, bounds of each shared variable; runs groups one by one. Without it, bounds of
    /// allocations, alignment and barriers are checked all the same.
    /// </summary>
    public bool Sanitize { get; init; }

    /// <summary>Counts what each launch executes; see <see cref="PtxDevice.Launch"/>.</summary>
    public bool Profile { get; init; }

    /// <summary>Groups of a launch that a profile executes, spread evenly, its counts scaled; 0: all of them. Results are then
    /// incomplete.</summary>
    public int ProfiledGroups { get; init; }

    /// <summary>Threads of this process that execute groups; 0: one a processor. Results do not depend on it.</summary>
    public int Workers { get; init; }

    /// <summary>Whether a product and the sum that alone reads it are rounded once, as an assembler makes them.</summary>
    public bool Fuse { get; init; } = true;

    /// <summary>Bytes that can be allocated.</summary>
    public long MemoryBytes { get; init; } = 80L << 30;

    /// <summary>Shared memory that a group may have, in bytes.</summary>
    public int SharedBytes { get; init; } = 48 << 10;

    /// <summary>Threads that a group may have.</summary>
    public int GroupThreads { get; init; } = 1024;

    /// <summary>Instructions that one warp may execute in a launch.</summary>
    public long WarpInstructions { get; init; } = 1L << 33;
}
