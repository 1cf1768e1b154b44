using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Backends.Cpu.Kernels;
using UniCardio.Engine.Backends.Cpu.Simd;
using UniCardio.Engine.Model;

namespace UniCardio.Engine.Tests.Backends.Cpu;

/// <summary>Where a tile falls changes no bit of a row; that the sums are right is among the op cases.</summary>
public sealed unsafe class MatrixProductTests
{
    [SkippableTheory]
    [MemberData(nameof(KernelCase.All), MemberType = typeof(KernelCase))]
    public void ARowHasTheSameBitsWhereverTheTilesFall(CpuInstructionSet isa) => KernelCase.Run(isa, new SplitCase());

    private sealed class SplitCase : IKernelCase
    {
        public void Run<S, V>()
            where S : struct, ISimd<S, V>
            where V : struct
        {
            const int Rows = 29, Outputs = 40, Depth = 36;
            float[] a = KernelCase.Values(Rows * Depth, 4), w = KernelCase.Values(Outputs * Depth, 5);
            using var packed = new PackedMatrix(
                new LinearMap(KernelCase.Doubles(w), [.. Enumerable.Range(0, Outputs).Select(n => (double)n)]), 2 * S.Width);
            int stride = packed.PaddedOutputs;
            using AlignedBuffer left = KernelCase.Buffer(a), whole = KernelCase.Buffer(new float[Rows * stride]),
                alone = KernelCase.Buffer(new float[stride]);
            MatrixProduct.ByRows<S, V>(left.Pointer, Depth, packed, 0, packed.Panels, packed.Bias, 0, whole.Pointer, stride, Rows);
            for (int r = 0; r < Rows; r++)
            {
                MatrixProduct.ByRows<S, V>(left.Pointer + (r * Depth), Depth, packed, 0, packed.Panels, packed.Bias, 0,
                    alone.Pointer, stride, 1);
                Assert.True(alone.Span[..Outputs].SequenceEqual(whole.Span.Slice(r * stride, Outputs)), $"row {r}");
            }
        }
    }
}
