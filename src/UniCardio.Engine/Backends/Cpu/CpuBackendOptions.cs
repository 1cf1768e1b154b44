namespace UniCardio.Engine.Backends.Cpu;

/// <summary>How the CPU backend runs. Results do not depend on the number of threads, bit for bit.</summary>
public sealed record CpuBackendOptions
{
    /// <summary>Threads of the backend's own team, the caller included; 0 takes one a processor. 1 starts no thread: callers run side by
    /// side.</summary>
    public int Threads { get; init; }

    /// <summary>Vector instructions; the fastest by default, measured when the process first asks.</summary>
    public CpuInstructionSet InstructionSet { get; init; }

    /// <summary>
    /// Most tokens that a thread takes from attention to the next block's queries before it takes others, 32 to 4,096; 0 chooses by the
    /// machine's second-level cache. Results do not depend on it.
    /// </summary>
    public int StripRows { get; init; }

    /// <summary>Checks the numbers.</summary>
    /// <returns>These options.</returns>
    /// <exception cref="ConfigurationException">A number is out of range; it is named.</exception>
    public CpuBackendOptions Validate()
    {
        if (Threads is < 0 or > 1024)
            throw new ConfigurationException("threads", $"{Threads} is not between 0 and 1024");
        if (StripRows is not 0 and (< 32 or > 4096))
            throw new ConfigurationException("strip rows", $"{StripRows} is not 0 and not between 32 and 4096");
        return this;
    }

    /// <summary>Checks the numbers and resolves the defaults for this machine.</summary>
    /// <exception cref="ConfigurationException">A number is out of range or the instruction set is not available.</exception>
    public CpuBackendOptions Resolve()
    {
        Validate();
        return this with
        {
            Threads = Threads == 0 ? Environment.ProcessorCount : Threads,
            InstructionSet = CpuInstructionSets.Resolve(InstructionSet),
            StripRows = StripRows == 0 ? CacheSize.StripRows(CacheSize.Level2) : StripRows,
        };
    }
}
