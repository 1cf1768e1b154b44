using UniCardio.Engine.Backends.Cpu;
using UniCardio.OpCases;

namespace UniCardio.Engine.Tests.Backends.Cpu;

/// <summary>Every op of the list at every size on every instruction set, against its twin in double.</summary>
public sealed class OpTests
{
    public static TheoryData<string, CpuInstructionSet> Cases
    {
        get
        {
            var cases = new TheoryData<string, CpuInstructionSet>();
            foreach (Op op in OpList.All)
            {
                foreach (CpuInstructionSet set in Enum.GetValues<CpuInstructionSet>().Where(s => s != CpuInstructionSet.Auto))
                    cases.Add(op.Name, set);
            }

            return cases;
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void OpMatchesItsTwin(string name, CpuInstructionSet isa)
    {
        Skip.IfNot(CpuInstructionSets.IsSupported(isa), $"this machine has no {isa}");
        Op op = OpList.Named(name);
        foreach (int[] n in op.Sizes)
        {
            float[][] x = op.Values(n);
            double[][] wide = Op.Doubles(x), expected = op.Twin(n, wide);
            using OpCall call = OpList.Bind(op, isa, n, x);
            call.Run();
            float[][] actual = call.Results();
            Assert.Equal(expected.Select(y => y.Length), actual.Select(y => y.Length));
            for (int output = 0; output < expected.Length; output++)
            {
                for (int i = 0; i < expected[output].Length; i++)
                {
                    double bound = op.Bound(n, wide, expected, output, i), error = Math.Abs(actual[output][i] - expected[output][i]);
                    Assert.True(
                        error <= bound,
                        $"{name} {Op.Text(n)}, output {output}, element {i}: {actual[output][i]:R}, expected {expected[output][i]:R}, "
                        + $"bound {bound:E2}");
                }
            }

            Assert.True(call.Memory.IsWhole, $"{name} {Op.Text(n)} writes past its buffers");
        }
    }

    [Fact]
    public void EveryOpStatesItsWork()
    {
        foreach (Op op in OpList.All)
        {
            Assert.All(op.Sizes.Concat(op.TimedSizes), n => Assert.True(op.Work(n) is (>= 0, >= 0), op.Name));
            Assert.True(op.Work(op.Sizes[^1]).Bytes > 0, op.Name);
        }
    }
}
