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
        options ??= new CpuBackendOptions();
        CpuInstructionSet set = CpuInstructionSets.Resolve(options.InstructionSet);
        int threads = options.Threads == 0 ? Environment.ProcessorCount : options.Threads;
        string name = $"cpu {CpuInstructionSets.Name(set)}";
        return set switch
        {
            CpuInstructionSet.Avx512 => new CpuQualityNetwork<Avx512Simd, System.Runtime.Intrinsics.Vector512<float>>(weights, name, threads),
            CpuInstructionSet.Avx2 => new CpuQualityNetwork<Avx2Simd, System.Runtime.Intrinsics.Vector256<float>>(weights, name, threads),
            CpuInstructionSet.Vector128 => new CpuQualityNetwork<Vector128Simd, System.Runtime.Intrinsics.Vector128<float>>(weights, name, threads),
            _ => new CpuQualityNetwork<ScalarSimd, float>(weights, name, threads),
        };
    }
}
