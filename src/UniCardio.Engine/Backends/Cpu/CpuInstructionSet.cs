using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using UniCardio.Engine.Backends.Cpu.Simd;

namespace UniCardio.Engine.Backends.Cpu;

/// <summary>Which vector instructions the CPU backend's kernels use.</summary>
public enum CpuInstructionSet
{
    /// <summary>The widest that the machine has.</summary>
    Auto,

    /// <summary>One lane.</summary>
    Scalar,

    /// <summary>128 bits: SSE, NEON.</summary>
    Vector128,

    /// <summary>256 bits: AVX2 with FMA.</summary>
    Avx2,

    /// <summary>512 bits: AVX-512F.</summary>
    Avx512,
}

/// <summary>What this machine can run.</summary>
public static class CpuInstructionSets
{
    /// <summary>The sets that can run here, narrowest first.</summary>
    public static IReadOnlyList<CpuInstructionSet> Supported { get; } =
        [.. Enum.GetValues<CpuInstructionSet>().Where(set => set != CpuInstructionSet.Auto && IsSupported(set))];

    /// <summary>Whether a set can run here.</summary>
    public static bool IsSupported(CpuInstructionSet set) => set switch
    {
        CpuInstructionSet.Auto or CpuInstructionSet.Scalar => true,
        CpuInstructionSet.Vector128 => Vector128.IsHardwareAccelerated,
        CpuInstructionSet.Avx2 => Avx2.IsSupported && Fma.IsSupported,
        CpuInstructionSet.Avx512 => Avx512F.IsSupported && Vector512.IsHardwareAccelerated,
        _ => false,
    };

    /// <summary>The set that <paramref name="requested"/> stands for here.</summary>
    /// <exception cref="ConfigurationException">The machine does not have it.</exception>
    public static CpuInstructionSet Resolve(CpuInstructionSet requested)
    {
        if (requested == CpuInstructionSet.Auto)
            return Supported[^1];
        return IsSupported(requested)
            ? requested
            : throw new ConfigurationException("isa", $"{Name(requested)} is not available on this machine; it has {string.Join(", ", Supported.Select(Name))}");
    }

    /// <summary>Float32 lanes of a vector; one for what is no vector set.</summary>
    internal static int Lanes(CpuInstructionSet set) => set switch
    {
        CpuInstructionSet.Avx512 => Avx512Simd.Width,
        CpuInstructionSet.Avx2 => Avx2Simd.Width,
        CpuInstructionSet.Vector128 => Vector128Simd.Width,
        _ => ScalarSimd.Width,
    };

    /// <summary>The lower-case name used in options and reports: <c>avx512</c>, <c>avx2</c>, <c>vector128</c>, <c>scalar</c>.</summary>
    public static string Name(CpuInstructionSet set) => set.ToString().ToLowerInvariant();
}
