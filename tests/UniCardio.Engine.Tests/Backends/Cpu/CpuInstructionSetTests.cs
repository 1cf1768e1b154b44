using UniCardio.Engine.Backends.Cpu;

namespace UniCardio.Engine.Tests.Backends.Cpu;

/// <summary>The choice of an instruction set.</summary>
public sealed class CpuInstructionSetTests
{
    [Theory]
    [InlineData(176, 95, CpuInstructionSet.Avx512)]
    [InlineData(118, 119, CpuInstructionSet.Avx512)]
    [InlineData(91, 100, CpuInstructionSet.Avx512)]
    [InlineData(89, 100, CpuInstructionSet.Avx2)]
    public void TheWiderSetIsLeftOnlyWhereItIsClearlySlower(double avx512, double avx2, CpuInstructionSet chosen) =>
        Assert.Equal(chosen, CpuInstructionSets.Faster(avx512, avx2));

    [Fact]
    public void AutoIsOneSupportedSetForTheWholeProcess()
    {
        CpuInstructionSet set = CpuInstructionSets.Resolve(CpuInstructionSet.Auto);
        Assert.Contains(set, CpuInstructionSets.Supported);
        Assert.Equal(set, CpuInstructionSets.Fastest);
        Assert.True(set is CpuInstructionSet.Avx2 or CpuInstructionSet.Avx512 || set == CpuInstructionSets.Supported[^1], set.ToString());
    }
}
