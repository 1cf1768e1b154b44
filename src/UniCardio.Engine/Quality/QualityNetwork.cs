using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Backends.Cpu.Quality;
using UniCardio.Engine.Backends.Cpu.Simd;
using UniCardio.Engine.Reference;

namespace UniCardio.Engine.Quality;

/// <summary>Makes QualityFM networks.</summary>
public static class QualityNetwork
{
    /// <summary>The double-precision reference, which every backend is held to.</summary>
    /// <param name="weights">The weights; they stay the caller's.</param>
    public static IQualityNetwork Reference(QualityWeights weights) => new ReferenceQualityNetwork(weights);

    /// <summary>The network on this machine's CPU.</summary>
    /// <param name="weights">The weights; they stay the caller's and are read until the network is disposed.</param>
    /// <param name="options">Threads and instruction set; as many and as wide as the machine has if null.</param>
    /// <exception cref="ConfigurationException">An option is out of range, or the machine lacks the instruction set.</exception>
    public static IQualityNetwork Cpu(QualityWeights weights, CpuBackendOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(weights);
        CpuBackendOptions resolved = (options ?? new CpuBackendOptions()).Resolve();
        return CpuInstructionSets.Run<Code, IQualityNetwork>(resolved.InstructionSet, new Code(weights, resolved));
    }

    private readonly struct Code(QualityWeights weights, CpuBackendOptions options) : ISimdCode<IQualityNetwork>
    {
        public IQualityNetwork Run<S, V>()
            where S : struct, ISimd<S, V>
            where V : struct =>
                new CpuQualityNetwork<S, V>(weights, $"cpu {CpuInstructionSets.Name(options.InstructionSet)}", options.Threads);
    }
}
