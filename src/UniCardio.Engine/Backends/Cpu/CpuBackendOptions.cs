namespace UniCardio.Engine.Backends.Cpu;

/// <summary>How the CPU backend runs. Results do not depend on the number of threads, bit for bit.</summary>
public sealed record CpuBackendOptions
{
    /// <summary>Threads of the backend's own team, the caller included; 0 takes one a processor. 1 starts no thread: callers run side by side.</summary>
    public int Threads { get; init; }

    /// <summary>Vector instructions; the widest by default.</summary>
    public CpuInstructionSet InstructionSet { get; init; }

    /// <summary>Checks the numbers and resolves the defaults for this machine.</summary>
    /// <exception cref="ConfigurationException">A number is out of range or the instruction set is not available.</exception>
    public CpuBackendOptions Resolve()
    {
        if (Threads is < 0 or > 1024)
            throw new ConfigurationException("threads", $"{Threads} is not between 0 and 1024");
        return this with
        {
            Threads = Threads == 0 ? Environment.ProcessorCount : Threads,
            InstructionSet = CpuInstructionSets.Resolve(InstructionSet),
        };
    }
}
