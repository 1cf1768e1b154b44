using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using UniCardio.Engine.Backends.Cpu.Simd;

namespace UniCardio.Engine.Backends.Cpu;

/// <summary>Which vector instructions the CPU backend's kernels use.</summary>
public enum CpuInstructionSet
{
    /// <summary>The fastest that the machine has, by a measured burst: see <see cref="CpuInstructionSets.Fastest"/>.</summary>
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

    /// <summary>
    /// What <see cref="CpuInstructionSet.Auto"/> stands for here: the widest set, or AVX2 on hosts where AVX-512 multiplies and adds less a
    /// second than nine tenths of what AVX2 does. Measured once a process, at its first use, in some 40 ms: the best of five bursts each.
    /// Bits differ between sets, so pin one where results have to be the same on any host.
    /// </summary>
    public static CpuInstructionSet Fastest => Measured.Value;

    private static readonly Lazy<CpuInstructionSet> Measured =
        new(() => Supported[^1] == CpuInstructionSet.Avx512 && IsSupported(CpuInstructionSet.Avx2)
        ? Measure()
        : Supported[^1]);

    /// <summary>The choice between the two by their peaks. A tenth must be between them, so that noise does not decide.</summary>
    internal static CpuInstructionSet Faster(double avx512, double avx2) =>
        avx512 < 0.9 * avx2 ? CpuInstructionSet.Avx2 : CpuInstructionSet.Avx512;

    // In turn, the best of each: a neighbour takes time from some bursts, and processes of one host should agree.
    private static CpuInstructionSet Measure()
    {
        double wide = 0, narrow = 0;
        for (int turn = 0; turn < 5; turn++)
        {
            wide = Math.Max(wide, Burst(CpuInstructionSet.Avx512));
            narrow = Math.Max(narrow, Burst(CpuInstructionSet.Avx2));
        }

        return Faster(wide, narrow);
    }

    private static double Burst(CpuInstructionSet set) => Diagnostics.MachinePeak.FmaGflops(set, 1, TimeSpan.FromMilliseconds(4));

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
            return Fastest;
        return IsSupported(requested)
            ? requested
            : throw new ConfigurationException(
                "isa", $"{Name(requested)} is not available on this machine; it has {string.Join(", ", Supported.Select(Name))}");
    }

    /// <summary>Float32 lanes of a vector; one for what is no vector set.</summary>
    internal static int Lanes(CpuInstructionSet set) => Run<LaneCount, int>(set, default);

    /// <summary>Runs code that is generic over the lanes with those of an instruction set: the only place that tells them apart.</summary>
    /// <param name="set">One that the machine has.</param>
    /// <param name="code">What to run.</param>
    internal static TResult Run<TCode, TResult>(CpuInstructionSet set, TCode code)
        where TCode : ISimdCode<TResult> => set switch
        {
            CpuInstructionSet.Avx512 => code.Run<Avx512Simd, Vector512<float>>(),
            CpuInstructionSet.Avx2 => code.Run<Avx2Simd, Vector256<float>>(),
            CpuInstructionSet.Vector128 => code.Run<Vector128Simd, Vector128<float>>(),
            _ => code.Run<ScalarSimd, float>(),
        };

    /// <summary>The lower-case name used in options and reports: <c>avx512</c>, <c>avx2</c>, <c>vector128</c>, <c>scalar</c>.</summary>
    public static string Name(CpuInstructionSet set) => set.ToString().ToLowerInvariant();

    private readonly struct LaneCount : ISimdCode<int>
    {
        public int Run<S, V>()
            where S : struct, ISimd<S, V>
            where V : struct => S.Width;
    }
}

/// <summary>Code that is generic over an instruction set's lanes; see <see cref="CpuInstructionSets.Run"/>.</summary>
internal interface ISimdCode<TResult>
{
    /// <summary>Runs on one set of lanes.</summary>
    TResult Run<S, V>()
        where S : struct, ISimd<S, V>
        where V : struct;
}
