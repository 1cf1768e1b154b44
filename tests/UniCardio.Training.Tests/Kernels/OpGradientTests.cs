using System.Collections.Concurrent;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.OpCases;

namespace UniCardio.Training.Tests.Kernels;

/// <summary>Every backward kernel of the list of ops against finite differences of the op's twin, on every instruction set.</summary>
public sealed class OpGradientTests
{
    // Elements of an input that are moved; all where there are fewer.
    private const int Moved = 24;

    private static readonly ConcurrentDictionary<(string Op, string Size, int Input, int Element), double> Slopes = new();

    // Central difference in double: h^2 / 6 of a third derivative of order 1 to 100 is 2e-9, rounding 1e-16 / h of the loss 1e-11.
    private const double Step = 1e-5, StepError = 1e-8;

    public static TheoryData<string, CpuInstructionSet> Cases
    {
        get
        {
            var cases = new TheoryData<string, CpuInstructionSet>();
            foreach (Op op in OpList.All.Where(HasBackward))
            {
                foreach (CpuInstructionSet set in (CpuInstructionSet[])[CpuInstructionSet.Scalar, CpuInstructionSet.Vector128,
                    CpuInstructionSet.Avx2, CpuInstructionSet.Avx512])
                    cases.Add(op.Name, set);
            }

            return cases;
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void GradientsAreTheSlopesOfTheTwin(string name, CpuInstructionSet set)
    {
        Skip.IfNot(CpuInstructionSets.IsSupported(set), $"this machine has no {set}");
        Op op = OpList.Named(name);
        foreach (int[] n in op.Sizes)
        {
            float[][] x = op.Values(n), dy = Gradients(op.Twin(n, Op.Doubles(x)));
            using OpCall call = OpList.BindBackward(op, set, n, x, dy)!;
            call.Run();
            float[][] actual = call.Results();
            Assert.Equal(x.Select(v => v.Length), actual.Select(v => v.Length));
            for (int input = 0; input < x.Length; input++)
                Compare(op, n, x, dy, input, actual[input]);
            Assert.True(call.Memory.IsWhole, $"{name} {Op.Text(n)} writes past its buffers");
        }
    }

    private static void Compare(Op op, int[] n, float[][] x, float[][] dy, int input, float[] actual)
    {
        double largest = actual.Length == 0 ? 0 : actual.Max(v => Math.Abs((double)v));
        var random = new Random(input);
        IEnumerable<int> elements = actual.Length <= Moved ? Enumerable.Range(0, actual.Length)
            : Enumerable.Range(0, Moved).Select(_ => random.Next(actual.Length));
        double scale = dy.Sum(d => d.Sum(v => Math.Abs((double)v)));
        foreach (int i in elements)
        {
            // The slopes are the twin's: one set serves all instruction sets.
            double slope = Slopes.GetOrAdd((op.Name, Op.Text(n), input, i), _ => Slope(op, n, x, dy, input, i));
            double bound = (op.GradientBound(n) * Math.Max(largest, Math.Abs(slope))) + (StepError * Math.Max(1, scale / 100));
            Assert.True(Math.Abs(actual[i] - slope) <= bound,
                $"{op.Name} {Op.Text(n)}, d{op.Inputs(n)[input].Name}[{i}]: {actual[i]:R}, slope {slope:R}, bound {bound:E2}");
        }
    }

    private static double Slope(Op op, int[] n, float[][] x, float[][] dy, int input, int i)
    {
        double[][] ahead = Op.Doubles(x), back = Op.Doubles(x);
        ahead[input][i] += Step;
        back[input][i] -= Step;
        double[][] above = op.Twin(n, ahead), below = op.Twin(n, back);
        double slope = 0;
        for (int output = 0; output < dy.Length; output++)
        {
            for (int k = 0; k < dy[output].Length; k++)
                slope += dy[output][k] * (above[output][k] - below[output][k]);
        }

        return slope / (2 * Step);
    }

    private static float[][] Gradients(double[][] y)
    {
        var random = new Random(17);
        return [.. y.Select(v => v.Select(_ => (float)((2 * random.NextDouble()) - 1)).ToArray())];
    }

    private static bool HasBackward(Op op)
    {
        float[][] x = op.Values(op.Sizes[0]);
        using OpCall? call =
            OpList.BindBackward(op, CpuInstructionSet.Scalar, op.Sizes[0], x, Gradients(op.Twin(op.Sizes[0], Op.Doubles(x))));
        return call is not null;
    }
}
