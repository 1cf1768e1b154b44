using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Backends.Cpu.Kernels;
using UniCardio.Engine.Backends.Cpu.Simd;
using UniCardio.Engine.Reference;

namespace UniCardio.Engine.Tests.Backends.Cpu;

/// <summary>Largest error in ulp of each vectorised function over its range, against double; the bounds are those that Elementary
/// states.</summary>
public sealed unsafe class ElementaryTests
{
    private const int Points = 200_003;

    public enum Function
    {
        Exp2,
        Exp2FromTable,
        Exp,
        Sigmoid,
        Tanh,
        Erf,
        Gelu,
    }

    public static TheoryData<CpuInstructionSet, Function, double, double, double> Ranges
    {
        get
        {
            var data = new TheoryData<CpuInstructionSet, Function, double, double, double>();
            foreach (CpuInstructionSet isa in (CpuInstructionSet[])[CpuInstructionSet.Scalar, CpuInstructionSet.Vector128,
                CpuInstructionSet.Avx2, CpuInstructionSet.Avx512])
            {
                data.Add(isa, Function.Exp2, -126, 127, 3);
                data.Add(isa, Function.Exp2, -1, 0, 3);
                data.Add(isa, Function.Exp2FromTable, -126, 126, 3);
                data.Add(isa, Function.Exp, -87, 88, 2);
                data.Add(isa, Function.Sigmoid, -80, 88, 3);
                data.Add(isa, Function.Tanh, -12, 12, 4);
                data.Add(isa, Function.Tanh, -1e-3, 1e-3, 4);
                data.Add(isa, Function.Erf, -6, 6, 3);
                data.Add(isa, Function.Erf, -1e-3, 1e-3, 3);
                data.Add(isa, Function.Gelu, -8, 8, 2);
            }

            return data;
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Ranges))]
    public void ErrorStaysWithinTheStatedUlp(CpuInstructionSet isa, Function function, double low, double high, double bound)
    {
        var test = new Case(function, low, high);
        KernelCase.Run(isa, test);
        Assert.True(test.Worst <= bound, $"{function} on {isa}: {test.Worst:F2} ulp at {test.At:R}, stated {bound}");
    }

    [SkippableTheory]
    [MemberData(nameof(KernelCase.All), MemberType = typeof(KernelCase))]
    public void SoftmaxPowerIsFiniteAndSmallFarBelowZero(CpuInstructionSet isa) => KernelCase.Run(isa, new FarBelow());

    private sealed class FarBelow : IKernelCase
    {
        public void Run<S, V>()
            where S : struct, ISimd<S, V>
            where V : struct
        {
            float* y = stackalloc float[16], table = stackalloc float[Elementary.Exp2Vectors * 16];
            Elementary.FillExp2<S, V>(table);
            foreach (float x in (float[])[-127, -1000, -1e30f, float.NegativeInfinity])
            {
                S.Store(y, Elementary.Exp2OfNegative<S, V>(S.Set(x)));
                Assert.InRange(y[0], 0, 1.2e-38f);
                S.Store(y, S.Exp2(S.Set(x), table));
                Assert.InRange(y[0], 0, 1.2e-38f);
            }

            // Far above, the sum that a softmax takes of it must show that it left the range; NaN stays what it is.
            foreach (float x in (float[])[126.2f, 127, 128, 1000, 1e30f, float.PositiveInfinity])
            {
                S.Store(y, S.Exp2(S.Set(x), table));
                Assert.True(y[0] >= 8.5e37f, $"2^{x}: {y[0]}");
            }

            S.Store(y, S.Exp2(S.Set(float.NaN), table));
            Assert.Equal(float.NaN, y[0]);
        }
    }

    private sealed class Case(Function function, double low, double high) : IKernelCase
    {
        public double Worst { get; private set; }

        public float At { get; private set; }

        public void Run<S, V>()
            where S : struct, ISimd<S, V>
            where V : struct
        {
            float* x = stackalloc float[16], y = stackalloc float[16], table = stackalloc float[Elementary.Exp2Vectors * 16];
            Elementary.FillExp2<S, V>(table);
            for (int i = 0; i < Points; i += S.Width)
            {
                for (int lane = 0; lane < S.Width; lane++)
                    x[lane] = (float)(low + ((high - low) * Math.Min(i + lane, Points - 1) / (Points - 1)));
                V v = S.Load(x);
                S.Store(y, function switch
                {
                    Function.Exp2 => Elementary.Exp2<S, V>(v),
                    Function.Exp2FromTable => S.Exp2(v, table),
                    Function.Exp => Elementary.Exp<S, V>(v),
                    Function.Sigmoid => Elementary.Sigmoid<S, V>(v),
                    Function.Tanh => Elementary.Tanh<S, V>(v),
                    Function.Erf => Elementary.Erf<S, V>(v),
                    _ => Elementary.Gelu<S, V>(v),
                });
                for (int lane = 0; lane < S.Width; lane++)
                    Note(x[lane], y[lane]);
            }
        }

        private void Note(float x, float y)
        {
            double exact = function switch
            {
                Function.Exp2 or Function.Exp2FromTable => Math.Pow(2, x),
                Function.Exp => Math.Exp(x),
                Function.Sigmoid => 1 / (1 + Math.Exp(-(double)x)),
                Function.Tanh => Math.Tanh(x),
                Function.Erf => 1 - ReferenceErf.Erfc(Math.Abs(x)) is double e && Math.Abs(x) > 0.5 ? Math.CopySign(e, x) : SmallErf(x),
                _ => ReferenceGelu.Value(x),
            };

            // GELU's error is stated in ulp of |x|, for its own tail is e^(-x^2/2).
            float scale = function == Function.Gelu ? Math.Abs(x) : (float)Math.Abs(exact);
            double ulp = Math.Max(MathF.BitIncrement(scale) - scale, 1.4e-45);
            double error = Math.Abs(y - exact) / ulp;
            if (!(error <= Worst))
                (Worst, At) = (double.IsNaN(error) ? double.PositiveInfinity : error, x);
        }

        // Taylor series of erf about 0; below 1/2 its twentieth term is under 1e-26.
        private static double SmallErf(double x)
        {
            double sum = 0, term = x;
            for (int n = 0; n < 20; n++)
            {
                sum += term / ((2 * n) + 1);
                term *= -x * x / (n + 1);
            }

            return 2 / Math.Sqrt(Math.PI) * sum;
        }
    }
}
