using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;

namespace UniCardio.Cli.Bench;

/// <summary>One configuration to measure.</summary>
/// <param name="Name">What it shows.</param>
/// <param name="Weights">A recipe or a file.</param>
internal sealed record BenchCase(string Name, string Weights)
{
    /// <summary>The task; it decides how many condition slots are live.</summary>
    public CardioTask Task { get; init; } = CardioTask.Translate(ModalitySet.Ppg, Modality.Ecg);

    public int Windows { get; init; } = 1;

    public int Draws { get; init; } = 1;

    public int Threads { get; init; }

    public CpuInstructionSet Isa { get; init; }

    public SamplerOptions Sampler { get; init; } = SamplerOptions.Default;

    /// <summary>Calls at one t, which share the condition rows, instead of a new t each.</summary>
    public bool TargetOnly { get; init; }

    /// <summary>Calls to time; null for as many as <see cref="Budget"/> holds, from 3 to 500.</summary>
    public int? Calls { get; init; }

    /// <summary>Time for the calls where <see cref="Calls"/> is null.</summary>
    public TimeSpan Budget { get; init; } = TimeSpan.FromSeconds(6);

    /// <summary>Also times the kernels, in a second pass of a few calls.</summary>
    public bool Profiled { get; init; }

    /// <summary>Also times loading the weights from a safetensors file, packing them and the first call.</summary>
    public bool Loaded { get; init; }
}
