using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Backends.Cpu.Kernels;
using UniCardio.Engine.Backends.Cpu.Simd;
using UniCardio.Engine.Model;

namespace UniCardio.Engine.Tests.Backends.Cpu;

/// <summary>The linear map over odd sizes on every instruction set, against the sum in double.</summary>
public sealed unsafe class MatrixProductTests
{
    private const double U = 1.0 / (1 << 24);

    // rows, outputs, depth: every tile height and its neighbours, vector widths and their neighbours, the network's own shapes.
    private static readonly (int Rows, int Outputs, int Depth)[] Sizes =
    [
        (0, 16, 8), (1, 1, 1), (2, 3, 5), (3, 7, 11), (4, 8, 12), (5, 9, 15), (6, 15, 36), (7, 16, 36), (11, 17, 30), (12, 31, 30),
        (13, 32, 64), (17, 33, 64), (23, 48, 48), (95, 60, 60), (96, 64, 288), (97, 180, 180), (100, 5, 180), (20, 864, 288),
    ];

    [SkippableTheory]
    [MemberData(nameof(KernelCase.All), MemberType = typeof(KernelCase))]
    public void Rows_match_the_sum_within_rounding(CpuInstructionSet isa) => KernelCase.Run(isa, new Case(byTokenBlocks: false));

    [SkippableTheory]
    [MemberData(nameof(KernelCase.All), MemberType = typeof(KernelCase))]
    public void Token_blocks_match_the_sum_within_rounding(CpuInstructionSet isa) => KernelCase.Run(isa, new Case(byTokenBlocks: true));

    [SkippableTheory]
    [MemberData(nameof(KernelCase.All), MemberType = typeof(KernelCase))]
    public void A_row_has_the_same_bits_wherever_the_tiles_fall(CpuInstructionSet isa) => KernelCase.Run(isa, new SplitCase());

    private sealed class Case(bool byTokenBlocks) : IKernelCase
    {
        public void Run<S, V>()
            where S : struct, ISimd<S, V>
            where V : struct
        {
            foreach ((int rows, int outputs, int depth) in Sizes)
                Check<S, V>(rows, outputs, depth);
        }

        private void Check<S, V>(int rows, int outputs, int depth)
            where S : struct, ISimd<S, V>
            where V : struct
        {
            int width = 2 * S.Width;
            float[] a = KernelCase.Values(rows * depth, 1), w = KernelCase.Values(outputs * depth, 2), init = KernelCase.Values(rows * outputs, 3);
            using var packed = new PackedMatrix(new LinearMap(KernelCase.Doubles(w), new double[outputs]), width);
            int stride = packed.PaddedOutputs;
            using AlignedBuffer start = KernelCase.Buffer(new float[rows * stride], fill: 0), c = KernelCase.Buffer(new float[rows * stride], fill: -7);
            for (int r = 0; r < rows; r++)
                init.AsSpan(r * outputs, outputs).CopyTo(start.Span[(r * stride)..]);
            if (byTokenBlocks)
            {
                using AlignedBuffer blocks = KernelCase.Buffer(Transposed(a, rows, depth, width), fill: 0);
                MatrixProduct.ByTokenBlocks<S, V>(blocks.Pointer, packed, start.Pointer, stride, c.Pointer, stride, rows);
            }
            else
            {
                using AlignedBuffer left = KernelCase.Buffer(a, fill: 0);
                MatrixProduct.ByRows<S, V>(left.Pointer, depth, packed, 0, packed.Panels, start.Pointer, stride, c.Pointer, stride, rows);
            }

            for (int r = 0; r < rows; r++)
            {
                for (int n = 0; n < outputs; n++)
                {
                    double exact = init[(r * outputs) + n], size = Math.Abs(exact);
                    for (int k = 0; k < depth; k++)
                    {
                        double term = (double)a[(r * depth) + k] * w[(n * depth) + k];
                        exact += term;
                        size += Math.Abs(term);
                    }

                    // One rounding a step, two where the machine has no fused multiply-add.
                    double bound = 2 * (depth + 1) * U * size;
                    double error = Math.Abs(c.Span[(r * stride) + n] - exact);
                    Assert.True(error <= bound, $"[{rows}, {outputs}, {depth}] row {r} column {n}: error {error:E2}, bound {bound:E2}");
                }
            }

            Assert.All(c.Span[(rows * stride)..].ToArray(), v => Assert.Equal(-7, v));
        }

        private static float[] Transposed(float[] a, int rows, int depth, int width)
        {
            int blocks = (rows + width - 1) / width;
            float[] result = new float[blocks * width * depth];
            for (int r = 0; r < rows; r++)
            {
                for (int k = 0; k < depth; k++)
                    result[(r / width * width * depth) + (k * width) + (r % width)] = a[(r * depth) + k];
            }

            return result;
        }
    }

    private sealed class SplitCase : IKernelCase
    {
        public void Run<S, V>()
            where S : struct, ISimd<S, V>
            where V : struct
        {
            const int Rows = 29, Outputs = 40, Depth = 36;
            float[] a = KernelCase.Values(Rows * Depth, 4), w = KernelCase.Values(Outputs * Depth, 5);
            using var packed = new PackedMatrix(new LinearMap(KernelCase.Doubles(w), [.. Enumerable.Range(0, Outputs).Select(n => (double)n)]), 2 * S.Width);
            int stride = packed.PaddedOutputs;
            using AlignedBuffer left = KernelCase.Buffer(a), whole = KernelCase.Buffer(new float[Rows * stride]), alone = KernelCase.Buffer(new float[stride]);
            MatrixProduct.ByRows<S, V>(left.Pointer, Depth, packed, 0, packed.Panels, packed.Bias, 0, whole.Pointer, stride, Rows);
            for (int r = 0; r < Rows; r++)
            {
                MatrixProduct.ByRows<S, V>(left.Pointer + (r * Depth), Depth, packed, 0, packed.Panels, packed.Bias, 0, alone.Pointer, stride, 1);
                Assert.True(alone.Span[..Outputs].SequenceEqual(whole.Span.Slice(r * stride, Outputs)), $"row {r}");
            }
        }
    }
}
