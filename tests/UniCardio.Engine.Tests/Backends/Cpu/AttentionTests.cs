using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Backends.Cpu.Kernels;
using UniCardio.Engine.Backends.Cpu.Simd;
using UniCardio.Engine.Reference;

namespace UniCardio.Engine.Tests.Backends.Cpu;

/// <summary>One head's attention over one and two segments of keys, against the reference.</summary>
public sealed unsafe class AttentionTests
{
    private const double U = 1.0 / (1 << 24);

    // First segment, second segment, head dim, size of the scores: blocks of keys and their neighbours, odd head dims, scores far apart.
    private static readonly (int First, int Second, int HeadDim, double Scale)[] Sizes =
    [
        (1, 0, 12, 1), (5, 3, 15, 1), (12, 12, 12, 1), (13, 20, 30, 2), (100, 100, 30, 1), (251, 1, 36, 1), (252, 252, 36, 3),
        (253, 0, 36, 1), (500, 500, 36, 1), (20, 20, 64, 1), (40, 300, 7, 8), (300, 40, 6, 8),
    ];

    [SkippableTheory]
    [MemberData(nameof(KernelCase.All), MemberType = typeof(KernelCase))]
    public void Output_matches_the_reference(CpuInstructionSet isa) => KernelCase.Run(isa, new Case());

    private sealed class Case : IKernelCase
    {
        public void Run<S, V>()
            where S : struct, ISimd<S, V>
            where V : struct
        {
            foreach ((int first, int second, int headDim, double scale) in Sizes)
                Check<S, V>(first, second, headDim, scale);
        }

        private static void Check<S, V>(int first, int second, int d, double size)
            where S : struct, ISimd<S, V>
            where V : struct
        {
            int width = 2 * S.Width, keys = first + second;
            float[] q = KernelCase.Values(width * d, 1, size), k = KernelCase.Values(keys * d, 2, size), v = KernelCase.Values(keys * d, 3);

            // The kernel takes scores in powers of two: the reference's scale and log2(e) go into its queries.
            float[] transposed = new float[d * width];
            double queryScale = 1 / (Math.Sqrt(d) * Math.Log(2));
            double[] exactQ = new double[width * d];
            for (int lane = 0; lane < width; lane++)
            {
                for (int i = 0; i < d; i++)
                {
                    transposed[(i * width) + lane] = (float)(q[(lane * d) + i] * queryScale);
                    exactQ[(lane * d) + i] = transposed[(i * width) + lane] / queryScale;
                }
            }

            double[] expected = new double[width * d];
            ReferenceAttention.Forward(exactQ, KernelCase.Doubles(k), KernelCase.Doubles(v), default, 1, d, expected);

            // Readable padding behind the keys holds large finite values: using them would show.
            int padding = Attention.KeyPadding * d;
            using AlignedBuffer queries = KernelCase.Buffer(transposed);
            using AlignedBuffer k1 = KernelCase.Buffer(k.AsSpan(0, first * d), padding, 50), v1 = KernelCase.Buffer(v.AsSpan(0, first * d), padding, 50);
            using AlignedBuffer k2 = KernelCase.Buffer(k.AsSpan(first * d), padding, 50), v2 = KernelCase.Buffer(v.AsSpan(first * d), padding, 50);
            using var scratch = new AlignedBuffer(Attention.ScratchLength(d, S.Width));
            using AlignedBuffer output = KernelCase.Buffer(new float[d * width], 64, -7);
            Attention.Run<S, V>(
                queries.Pointer,
                d,
                new KeySegment { Keys = k1.Pointer, Values = v1.Pointer, Count = first },
                new KeySegment { Keys = k2.Pointer, Values = v2.Pointer, Count = second },
                scratch.Pointer,
                output.Pointer);

            // A score's error is at most (d + 1) u sum|q k| <= (d + 1) u d size^2 |scale|; it scales a weight by as much, and the
            // weighted mean of |v| <= 1 by twice that; sums of positive terms add keys u, the exponential 2 ulp.
            double score = (d + 1) * U * d * size * size * queryScale;
            double bound = (2 * score) + ((keys + 16) * U);
            for (int lane = 0; lane < width; lane++)
            {
                for (int i = 0; i < d; i++)
                {
                    double error = Math.Abs(output.Span[(i * width) + lane] - expected[(lane * d) + i]);
                    Assert.True(error <= bound, $"{first}+{second} keys, head dim {d}, query {lane}, channel {i}: error {error:E2}, bound {bound:E2}");
                }
            }

            Assert.All(output.Span[(d * width)..].ToArray(), x => Assert.Equal(-7, x));
        }
    }
}
