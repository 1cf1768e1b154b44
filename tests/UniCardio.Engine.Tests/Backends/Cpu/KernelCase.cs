using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Backends.Cpu.Simd;

namespace UniCardio.Engine.Tests.Backends.Cpu;

/// <summary>A check of a kernel, written once for every instruction set.</summary>
internal interface IKernelCase
{
    void Run<S, V>()
        where S : struct, ISimd<S, V>
        where V : struct;
}

/// <summary>Forces a case onto one instruction set; one that the machine lacks is skipped by name.</summary>
internal static class KernelCase
{
    public static TheoryData<CpuInstructionSet> All { get; } =
        [CpuInstructionSet.Scalar, CpuInstructionSet.Vector128, CpuInstructionSet.Avx2, CpuInstructionSet.Avx512];

    public static void Run(CpuInstructionSet isa, IKernelCase test)
    {
        Skip.IfNot(CpuInstructionSets.IsSupported(isa), $"this machine has no {isa}");
        CpuInstructionSets.Run<Checked, int>(isa, new Checked(test));
    }

    /// <summary>Reproducible values in [-scale, scale].</summary>
    public static float[] Values(int count, int seed, double scale = 1)
    {
        var random = new Random(seed);
        float[] values = new float[count];
        foreach (ref float v in values.AsSpan())
            v = (float)(((2 * random.NextDouble()) - 1) * scale);
        return values;
    }

    /// <summary>A copy in aligned memory with room after it, filled with a value that any use would show.</summary>
    public static AlignedBuffer Buffer(ReadOnlySpan<float> values, int padding = 64, float fill = float.NaN)
    {
        var buffer = new AlignedBuffer(values.Length + padding);
        buffer.Span.Fill(fill);
        values.CopyTo(buffer.Span);
        return buffer;
    }

    public static double[] Doubles(ReadOnlySpan<float> values)
    {
        double[] result = new double[values.Length];
        for (int i = 0; i < result.Length; i++)
            result[i] = values[i];
        return result;
    }

    private readonly struct Checked(IKernelCase test) : ISimdCode<int>
    {
        public int Run<S, V>()
            where S : struct, ISimd<S, V>
            where V : struct
        {
            test.Run<S, V>();
            return 0;
        }
    }
}
