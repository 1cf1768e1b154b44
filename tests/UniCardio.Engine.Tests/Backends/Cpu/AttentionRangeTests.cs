using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Backends.Cpu.Kernels;
using UniCardio.Engine.Backends.Cpu.Simd;

namespace UniCardio.Engine.Tests.Backends.Cpu;

/// <summary>
/// The lazy softmax where its reference is far below later scores: at and past the total that moves it (2^40) and the one that sends a
/// block of keys to the online form (2^100).
/// </summary>
public sealed unsafe class AttentionRangeTests
{
    private const int HeadDim = 12, First = 310, Second = 101, Keys = First + Second;
    private const double U = 1.0 / (1 << 24);

    [SkippableTheory]
    [MemberData(nameof(KernelCase.All), MemberType = typeof(KernelCase))]
    public void OneKeyFarAboveTheFirstBlock(CpuInstructionSet isa)
    {
        // The total is 2^growth and the other keys' few hundred: the first growth past the end of the range is 100 itself.
        foreach (int at in (int[])[Attention.FirstBlock, 200, First - 1, First, Keys - 1])
        {
            foreach (double growth in (double[])[1, 39, 40, 41, 60, 93, 99, 100, 101, 125, 126, 127, 128, 129, 250, 1000, 30000])
                KernelCase.Run(isa, new Case((lane, key) => lane == 3 && key == at ? growth : 0, growth < 100 ? 0 : 1));
        }
    }

    [SkippableTheory]
    [MemberData(nameof(KernelCase.All), MemberType = typeof(KernelCase))]
    public void SeveralKeysThatLeaveTheRangeTogether(CpuInstructionSet isa)
    {
        KernelCase.Run(isa, new Case((_, key) => key is 120 or 121 ? 98.5 : 0, 0));
        KernelCase.Run(isa, new Case((_, key) => key is >= 120 and < 124 ? 98.5 : 0, 1));
    }

    [SkippableTheory]
    [MemberData(nameof(KernelCase.All), MemberType = typeof(KernelCase))]
    public void ScoresThatRiseFromKeyToKey(CpuInstructionSet isa)
    {
        // Half a power of two a key: the reference moves with every block, and no block of at most 132 keys grows by 100.
        KernelCase.Run(isa, new Case((lane, key) => (lane % 3) * 0.25 * key, 0));
        KernelCase.Run(isa, new Case((_, key) => 4.0 * key, null));
    }

    [SkippableTheory]
    [MemberData(nameof(KernelCase.All), MemberType = typeof(KernelCase))]
    public void ScoresFarBelowTheFirstBlock(CpuInstructionSet isa)
    {
        foreach (double fall in (double[])[40, 100, 125, 126, 127, 150, 1000])
            KernelCase.Run(isa, new Case((_, key) => key < Attention.FirstBlock ? 0 : -fall, 0));
        KernelCase.Run(isa, new Case((_, key) => -3.0 * key, 0));
    }

    [SkippableTheory]
    [MemberData(nameof(KernelCase.All), MemberType = typeof(KernelCase))]
    public void LargeValuesDoNotOverflowUnderTheEndOfTheRange(CpuInstructionSet isa)
    {
        foreach (double growth in (double[])[39, 41, 99, 101])
            KernelCase.Run(isa, new Case((_, key) => key == 250 ? growth : 0, growth < 100 ? 0 : 1, 1e8));
    }

    [SkippableTheory]
    [MemberData(nameof(KernelCase.All), MemberType = typeof(KernelCase))]
    public void AKeyThatIsNoNumberGivesNone(CpuInstructionSet isa)
    {
        foreach (double bad in (double[])[double.NaN, double.PositiveInfinity])
        {
            foreach (int at in (int[])[0, Attention.FirstBlock + 1, First, Keys - 1])
                KernelCase.Run(isa, new Case((_, key) => key == at ? bad : 0, null));
        }
    }

    private sealed class Case(Func<int, int, double> score, int? repeats, double size = 1) : IKernelCase
    {
        public void Run<S, V>()
            where S : struct, ISimd<S, V>
            where V : struct
        {
            // Lane i reads channel i mod 4 of the keys, so scores are what the keys hold: exact in float32.
            int width = 2 * S.Width, lanes = Math.Min(width, 4);
            float[] q = new float[HeadDim * width], k = new float[Keys * HeadDim], v = KernelCase.Values(Keys * HeadDim, 3, size);
            for (int lane = 0; lane < lanes; lane++)
            {
                q[(lane * width) + lane] = 1;
                for (int key = 0; key < Keys; key++)
                    k[(key * HeadDim) + lane] = (float)score(lane, key);
            }

            int padding = Attention.KeyPadding * HeadDim;
            using AlignedBuffer queries = KernelCase.Buffer(q);
            using AlignedBuffer k1 = KernelCase.Buffer(k.AsSpan(0, First * HeadDim), padding, 50),
                v1 = KernelCase.Buffer(v.AsSpan(0, First * HeadDim), padding, 50);
            using AlignedBuffer k2 = KernelCase.Buffer(k.AsSpan(First * HeadDim), padding, 50),
                v2 = KernelCase.Buffer(v.AsSpan(First * HeadDim), padding, 50);
            using var scratch = new AlignedBuffer(Attention.ScratchLength(HeadDim, S.Width));
            using AlignedBuffer output = KernelCase.Buffer(new float[HeadDim * width]);
            int repeated = Attention.Run<S, V>(
                queries.Pointer,
                HeadDim,
                new KeySegment { Keys = k1.Pointer, Values = v1.Pointer, Count = First },
                new KeySegment { Keys = k2.Pointer, Values = v2.Pointer, Count = Second },
                scratch.Pointer,
                output.Pointer);
            if (repeats is { } expected && lanes == 4)
                Assert.Equal(expected, repeated);
            for (int lane = 0; lane < lanes; lane++)
                Check(lane, width, v, output.Span);
        }

        private void Check(int lane, int width, float[] v, ReadOnlySpan<float> output)
        {
            double[] scores = [.. Enumerable.Range(0, Keys).Select(key => score(lane, key))];
            bool finite = scores.All(double.IsFinite);
            double top = scores.Max(), total = scores.Sum(s => Math.Pow(2, s - top));
            for (int d = 0; d < HeadDim; d++)
            {
                float actual = output[(d * width) + lane];
                if (!finite)
                {
                    Assert.True(float.IsNaN(actual), $"query {lane}: {actual}");
                    continue;
                }

                double exact = Enumerable.Range(0, Keys).Sum(key => Math.Pow(2, scores[key] - top) * v[(key * HeadDim) + d]) / total;

                // Exact scores: sums of positive terms add keys u, the exponential 3 ulp, weights kept at 2^-126 of the reference nothing.
                double bound = (Keys + 16) * U * size;
                Assert.True(Math.Abs(actual - exact) <= bound, $"query {lane}, channel {d}: {actual} is not {exact}");
            }
        }
    }
}
