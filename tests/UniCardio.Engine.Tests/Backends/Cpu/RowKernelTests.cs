using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Backends.Cpu.Kernels;
using UniCardio.Engine.Backends.Cpu.Simd;
using UniCardio.Engine.Reference;
using UniCardio.Engine.Sampling;

namespace UniCardio.Engine.Tests.Backends.Cpu;

/// <summary>The row passes and rearrangements on every instruction set, against their reference twins.</summary>
public sealed unsafe class RowKernelTests
{
    private const double U = 1.0 / (1 << 24);

    private static readonly int[] Channels = [6, 12, 15, 16, 17, 30, 31, 33, 48, 60, 180, 288];

    [SkippableTheory]
    [MemberData(nameof(KernelCase.All), MemberType = typeof(KernelCase))]
    public void LayerNorm_matches_and_ignores_padding(CpuInstructionSet isa) => KernelCase.Run(isa, new NormCase());

    [SkippableTheory]
    [MemberData(nameof(KernelCase.All), MemberType = typeof(KernelCase))]
    public void Plane_moments_combine_to_the_planes_norm(CpuInstructionSet isa) => KernelCase.Run(isa, new PlaneCase());

    [SkippableTheory]
    [MemberData(nameof(KernelCase.All), MemberType = typeof(KernelCase))]
    public void Gate_matches(CpuInstructionSet isa) => KernelCase.Run(isa, new GateCase());

    [SkippableTheory]
    [MemberData(nameof(KernelCase.All), MemberType = typeof(KernelCase))]
    public void Residual_and_skip_match(CpuInstructionSet isa) => KernelCase.Run(isa, new ResidualCase());

    [SkippableTheory]
    [MemberData(nameof(KernelCase.All), MemberType = typeof(KernelCase))]
    public void Gelu_and_relu_match(CpuInstructionSet isa) => KernelCase.Run(isa, new PointCase());

    [SkippableTheory]
    [MemberData(nameof(KernelCase.All), MemberType = typeof(KernelCase))]
    public void Heads_are_moved_bit_for_bit(CpuInstructionSet isa) => KernelCase.Run(isa, new ScatterCase());

    [SkippableTheory]
    [MemberData(nameof(KernelCase.All), MemberType = typeof(KernelCase))]
    public void Sampler_rows_match_at_every_length(CpuInstructionSet isa) => KernelCase.Run(isa, new SamplerCase());

    private static int RoundUp(int value, int multiple) => (value + multiple - 1) / multiple * multiple;

    private static AlignedBuffer Mask(int channels, int padded)
    {
        var mask = new AlignedBuffer(padded);
        mask.Span[..channels].Fill(1);
        return mask;
    }

    private static float[] Strided(float[] rows, int count, int columns, int stride, float fill)
    {
        float[] result = new float[count * stride];
        Array.Fill(result, fill);
        for (int r = 0; r < count; r++)
            rows.AsSpan(r * columns, columns).CopyTo(result.AsSpan(r * stride));
        return result;
    }

    private static void Close(double expected, float actual, double bound, string what) =>
        Assert.True(Math.Abs(actual - expected) <= bound, $"{what}: {actual:R}, expected {expected:R}, bound {bound:E2}");

    private sealed class NormCase : IKernelCase
    {
        public void Run<S, V>()
            where S : struct, ISimd<S, V>
            where V : struct
        {
            const int Rows = 5;
            foreach (int c in Channels)
            {
                foreach (bool affine in (bool[])[true, false])
                {
                    int padded = RoundUp(c, S.Width), stride = RoundUp(c, 2 * S.Width);
                    float[] x = KernelCase.Values(Rows * c, 1, 3), bias = KernelCase.Values(c, 2), gamma = KernelCase.Values(c, 3), beta = KernelCase.Values(c, 4);
                    double[] sum = new double[Rows * c], y = new double[Rows * c], ones = new double[c];
                    Array.Fill(ones, 1);
                    for (int i = 0; i < sum.Length; i++)
                        sum[i] = (double)x[i] + bias[i % c];
                    ReferenceLayerNorm.Forward(sum, affine ? KernelCase.Doubles(gamma) : ones, affine ? KernelCase.Doubles(beta) : new double[c], 1e-5, y);
                    using AlignedBuffer rows = KernelCase.Buffer(Strided(x, Rows, c, stride, 1e3f)), b = KernelCase.Buffer(bias, 64, 5), mask = Mask(c, stride), g = KernelCase.Buffer(gamma, 64, 5), t = KernelCase.Buffer(beta, 64, 5);
                    LayerNorm.Rows<S, V>(rows.Pointer, stride, Rows, c, padded, b.Pointer, mask.Pointer, affine ? g.Pointer : null, affine ? t.Pointer : null);

                    // Inputs to 4, deviations of order 1 and more: sums of c terms cost at most c u of each, a result is below 4.
                    double bound = 4 * (c + 16) * U * 4;
                    for (int i = 0; i < y.Length; i++)
                        Close(y[i], rows.Span[(i / c * stride) + (i % c)], bound, $"C {c}, element {i}");
                }
            }
        }
    }

    private sealed class PlaneCase : IKernelCase
    {
        public void Run<S, V>()
            where S : struct, ISimd<S, V>
            where V : struct
        {
            const int Rows = 21, C = 30;
            int padded = RoundUp(C, S.Width), stride = RoundUp(C, 2 * S.Width);
            float[] x = KernelCase.Values(Rows * C, 1, 3), gamma = KernelCase.Values(Rows * C, 2), beta = KernelCase.Values(Rows * C, 3);
            for (int i = 0; i < x.Length; i++)
                x[i] += 50;
            double[] y = new double[Rows * C];
            ReferenceLayerNorm.Forward(KernelCase.Doubles(x), KernelCase.Doubles(gamma), KernelCase.Doubles(beta), 1e-5, y);
            using AlignedBuffer rows = KernelCase.Buffer(Strided(x, Rows, C, stride, 9)), mask = Mask(C, stride), zero = new(stride), moments = new(2 * Rows);
            using AlignedBuffer g = KernelCase.Buffer(Strided(gamma, Rows, C, stride, 0)), b = KernelCase.Buffer(Strided(beta, Rows, C, stride, 0));
            LayerNorm.Moments<S, V>(rows.Pointer, stride, Rows, C, padded, zero.Pointer, mask.Pointer, moments.Pointer);
            (float mean, float scale) = LayerNorm.Combine(moments.Pointer, Rows, C);
            PlaneRows.Run<S, V>(rows.Pointer, g.Pointer, b.Pointer, Rows * stride, mean, scale);

            // Means of values near 50 are good to (C + 2) u 50, divided by a deviation of 1.7.
            double bound = (C + 8) * U * 53 / 1.5;
            for (int i = 0; i < y.Length; i++)
                Close(y[i], rows.Span[(i / C * stride) + (i % C)], bound, $"element {i}");
        }
    }

    private sealed class GateCase : IKernelCase
    {
        public void Run<S, V>()
            where S : struct, ISimd<S, V>
            where V : struct
        {
            const int Rows = 3;
            foreach (int c in Channels)
            {
                foreach (double size in (double[])[0.01, 3, 100])
                {
                    int wide = RoundUp(2 * c, 2 * S.Width), stride = RoundUp(c, 2 * S.Width);
                    float[] m = KernelCase.Values(Rows * 2 * c, 1, size);
                    double[] y = new double[Rows * c];
                    ReferenceGate.Forward(KernelCase.Doubles(m), c, y);
                    using AlignedBuffer source = KernelCase.Buffer(Strided(m, Rows, 2 * c, wide, 1), fill: 1), g = KernelCase.Buffer(new float[Rows * stride]);
                    GateRows.Run<S, V>(source.Pointer, wide, g.Pointer, stride, Rows, c);

                    // Six roundings of the value, and nothing below 1e-26.
                    for (int i = 0; i < y.Length; i++)
                        Close(y[i], g.Span[(i / c * stride) + (i % c)], (12 * U * Math.Abs(y[i])) + 1e-25, $"C {c}, size {size}, element {i}");
                }
            }
        }
    }

    private sealed class ResidualCase : IKernelCase
    {
        public void Run<S, V>()
            where S : struct, ISimd<S, V>
            where V : struct
        {
            const int Rows = 4;
            foreach (int c in Channels)
            {
                foreach ((bool first, bool skips) in ((bool, bool)[])[(true, true), (false, true), (false, false)])
                {
                    int wide = RoundUp(2 * c, 2 * S.Width), stride = RoundUp(c, 2 * S.Width);
                    float[] m = KernelCase.Values(Rows * 2 * c, 1), x = KernelCase.Values(Rows * c, 2), skip = KernelCase.Values(Rows * c, 3);
                    using AlignedBuffer source = KernelCase.Buffer(Strided(m, Rows, 2 * c, wide, 1), fill: 1), a = KernelCase.Buffer(Strided(x, Rows, c, stride, 0)), s = KernelCase.Buffer(Strided(skip, Rows, c, stride, 0));
                    ResidualRows.Run<S, V>(source.Pointer, wide, a.Pointer, skips ? s.Pointer : null, stride, Rows, c, first);
                    for (int i = 0; i < Rows * c; i++)
                    {
                        int row = i / c, channel = i % c, at = (row * stride) + channel;
                        Close((x[i] / Math.Sqrt(2)) + m[(row * 2 * c) + channel], a.Span[at], 4 * U, $"x, C {c}, element {i}");
                        double expected = skips ? m[(row * 2 * c) + c + channel] + (first ? 0 : (double)skip[i]) : skip[i];
                        Close(expected, s.Span[at], 2 * U, $"skip, C {c}, element {i}");
                    }
                }
            }
        }
    }

    private sealed class PointCase : IKernelCase
    {
        public void Run<S, V>()
            where S : struct, ISimd<S, V>
            where V : struct
        {
            float[] x = KernelCase.Values(7 * S.Width, 1, 5);
            double[] y = new double[x.Length];
            ReferenceGelu.Forward(KernelCase.Doubles(x), y);
            using AlignedBuffer gelu = KernelCase.Buffer(x, 64, -7), relu = KernelCase.Buffer(x, 64, -7);
            GeluRows.Run<S, V>(gelu.Pointer, x.Length);
            ReluRows.Run<S, V>(relu.Pointer, x.Length);
            for (int i = 0; i < x.Length; i++)
            {
                Close(y[i], gelu.Span[i], 4 * U * Math.Abs(x[i]), $"gelu({x[i]})");
                Assert.Equal(Math.Max(x[i], 0), relu.Span[i]);
            }

            Assert.Equal(-7, gelu.Span[x.Length]);
            Assert.Equal(-7, relu.Span[x.Length]);
        }
    }

    private sealed class ScatterCase : IKernelCase
    {
        public void Run<S, V>()
            where S : struct, ISimd<S, V>
            where V : struct
        {
            int width = 2 * S.Width;
            foreach ((int rows, int heads, int headDim) in ((int, int, int)[])[(1, 1, 6), (3, 2, 15), (37, 4, 12), (40, 3, 30), (96, 2, 36), (33, 1, 17)])
            {
                int c = heads * headDim, stride = RoundUp(3 * c, width), capacity = rows + 12;
                float[] x = KernelCase.Values(rows * stride, 1);
                using AlignedBuffer source = KernelCase.Buffer(x);
                using AlignedBuffer keys = KernelCase.Buffer(new float[heads * capacity * headDim], 64, -7);
                new Span<float>(keys.Pointer, heads * capacity * headDim).Fill(-7);
                HeadScatter.KeysOrValues<S, V>(source.Pointer + c, stride, keys.Pointer, capacity * headDim, rows, heads, headDim);
                using AlignedBuffer queries = KernelCase.Buffer(new float[RoundUp(rows, width) * c], 64, -7);
                HeadScatter.Queries<S, V>(source.Pointer, stride, queries.Pointer, rows, c);
                for (int head = 0; head < heads; head++)
                {
                    for (int d = 0; d < headDim; d++)
                    {
                        for (int row = 0; row < rows; row++)
                        {
                            Assert.Equal(x[(row * stride) + c + (head * headDim) + d], keys.Span[(((head * capacity) + row) * headDim) + d]);
                            Assert.Equal(x[(row * stride) + (head * headDim) + d], queries.Span[(row / width * width * c) + (((head * headDim) + d) * width) + (row % width)]);
                        }

                        for (int row = rows; row < RoundUp(rows, width); row++)
                            Assert.Equal(0, queries.Span[(row / width * width * c) + (((head * headDim) + d) * width) + (row % width)]);
                    }

                    // Rows past the strip belong to another thread.
                    Assert.Equal(-7, keys.Span[((head * capacity) + rows) * headDim]);
                }
            }
        }
    }

    private sealed class SamplerCase : IKernelCase
    {
        public void Run<S, V>()
            where S : struct, ISimd<S, V>
            where V : struct
        {
            SamplerStep[] steps =
            [
                new(3, 1.5, -0.7, 0.4, 0.6),
                new(3, 0.9, 0.2, 0, 1, 0.5, -0.25, 0, 0, -0.3, 0.4),
                new(3, 1.1, -0.3, 0.9, 0.1, 0, 0, 0.8, 1),
            ];
            foreach (SamplerStep step in steps)
            {
                foreach (int n in (int[])[0, 1, 3, 4, 7, 8, 9, 15, 16, 17, 31, 33, 100, 500])
                    Check<S, V>(step, n);
            }
        }

        private static void Check<S, V>(SamplerStep step, int n)
            where S : struct, ISimd<S, V>
            where V : struct
        {
            float[][] v = [.. Enumerable.Range(0, 5).Select(i => KernelCase.Values(n, i + 1))];
            double[] state = KernelCase.Doubles(v[0]), clean = new double[n];
            ReferenceSamplerUpdate.Forward(step, KernelCase.Doubles(v[1]), state, clean, KernelCase.Doubles(v[2]), KernelCase.Doubles(v[3]), KernelCase.Doubles(v[4]));
            AlignedBuffer[] b = [.. v.Select(a => KernelCase.Buffer(a, 64, -7)), KernelCase.Buffer(new float[n], 64, -7)];
            SamplerUpdate.Run<S, V>(step, b[0].Pointer, b[1].Pointer, b[5].Pointer, b[2].Pointer, b[3].Pointer, b[4].Pointer, n);
            for (int i = 0; i < n; i++)
            {
                Close(clean[i], b[5].Span[i], 8 * U, $"clean {i} of {n}");
                Close(state[i], b[0].Span[i], 16 * U, $"state {i} of {n}");
            }

            Assert.Equal(-7, b[0].Span[n]);
            Assert.Equal(-7, b[5].Span[n]);
            foreach (AlignedBuffer buffer in b)
                buffer.Dispose();
        }
    }
}
