using UniCardio.Engine.Backends;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Model;
using UniCardio.Engine.Reference;

namespace UniCardio.Engine.Sessions;

/// <summary>The backends that come with the engine.</summary>
public enum BackendKind
{
    /// <summary>Vectorised float32 on the CPU.</summary>
    Cpu,

    /// <summary>Plain double, the twin that everything is checked against; slow.</summary>
    Reference,
}

/// <summary>How an engine computes. Checked when the engine is made.</summary>
public sealed record EngineOptions
{
    /// <summary>Most threads that can be asked for.</summary>
    public const int MaxThreads = 1024;

    /// <summary>Threads of a call, 1 to <see cref="MaxThreads"/>; 0 for as many as the machine has. Results do not depend on it.</summary>
    public int Threads { get; init; }

    /// <summary>What computes. For a backend from elsewhere hand it to <see cref="InferenceEngine(IBackend, bool)"/>.</summary>
    public BackendKind Backend { get; init; } = BackendKind.Cpu;

    /// <summary>Vector instructions of the CPU backend; the fastest that the machine has by default.</summary>
    public CpuInstructionSet InstructionSet { get; init; }

    /// <summary>Checks every number.</summary>
    /// <returns>These options.</returns>
    /// <exception cref="ConfigurationException">A number is out of range; it is named.</exception>
    public EngineOptions Validate()
    {
        if (Threads is < 0 or > MaxThreads)
            throw new ConfigurationException("threads", $"{Threads} is not between 0 and {MaxThreads}");
        if (!Enum.IsDefined(Backend))
            throw new ConfigurationException("backend", $"{(int)Backend} is not a backend");
        return this;
    }

    internal IBackend CreateBackend(ModelWeights weights) => Backend switch
    {
        BackendKind.Reference => new ReferenceBackend(weights, Threads),
        _ => new CpuBackend(weights, new CpuBackendOptions { Threads = Threads, InstructionSet = InstructionSet }),
    };
}
