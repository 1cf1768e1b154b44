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
            using OpCall call = OpList.Bind(op, isa, n, x);
            call.Run();
            string? complaint = op.Complaint(n, x, call.Results());
            Assert.True(complaint is null, complaint);
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
