using System.Runtime.InteropServices;

namespace UniCardio.Ptx.Tests.Profiling;

/// <summary>Counts of kernels whose accesses are known on paper.</summary>
public class CountTests
{
    private const string Head = """
        .shared .align 128 .b8 block[16384];
        .reg .pred %p<2>; .reg .b32 %r<8>; .reg .f32 %f<8>; .reg .b64 %rd<8>;
        ld.param.b64 %rd0, [from]; mov.b64 %rd1, block; mov.b32 %r0, %tid.x;
        """;

    // Bytes between two lanes' words, and the pieces of 32 bytes that a warp then touches.
    [Theory]
    [InlineData("ld.global.f32 %f0", 4, 4)]
    [InlineData("ld.global.f32 %f0", 0, 1)]
    [InlineData("ld.global.f32 %f0", 8, 8)]
    [InlineData("ld.global.f32 %f0", 32, 32)]
    [InlineData("ld.global.f32 %f0", 128, 32)]
    [InlineData("ld.global.v4.f32 {%f0, %f1, %f2, %f3}", 16, 16)]
    [InlineData("ld.global.v4.f32 {%f0, %f1, %f2, %f3}", 64, 32)]
    public void SectorsAreThoseOnPaper(string load, int stride, int sectors)
    {
        LaunchCounts counts = Run($"mul.wide.u32 %rd2, %r0, {stride}; add.u64 %rd2, %rd0, %rd2; {load}, [%rd2]; ret;");
        Assert.Equal((1, sectors, 32.0 * sectors), (counts.GlobalRequests, counts.GlobalSectors, counts.CacheBytes));
        Assert.Equal(32.0 * sectors, counts.UniqueBytes);
        LineCounts line = counts.Lines.Single(l => l.Class == InstructionClass.Global);
        Assert.Equal((1, 1, sectors), (line.Executed, line.LaneShare, line.Sectors));
        Assert.Contains(load, line.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("st.shared.f32 [%rd2], 0f00000000", 4, 1, 1)]
    [InlineData("st.shared.f32 [%rd2], 0f00000000", 8, 2, 1)]
    [InlineData("st.shared.f32 [%rd2], 0f00000000", 128, 32, 1)]
    [InlineData("st.shared.f32 [%rd2], 0f00000000", 132, 1, 1)]
    [InlineData("st.shared.f32 [%rd2], 0f00000000", 0, 1, 1)]
    [InlineData("st.shared.v4.f32 [%rd2], {%f0, %f0, %f0, %f0}", 16, 4, 4)]
    [InlineData("st.shared.v4.f32 [%rd2], {%f0, %f0, %f0, %f0}", 128, 32, 4)]
    [InlineData("st.shared.v4.f32 [%rd2], {%f0, %f0, %f0, %f0}", 0, 1, 1)]
    public void PassesAreThoseOnPaper(string store, int stride, int passes, int ideal)
    {
        LaunchCounts counts = Run($"mov.f32 %f0, 0f00000000; mul.wide.u32 %rd2, %r0, {stride}; add.u64 %rd2, %rd1, %rd2; {store}; ret;");
        Assert.Equal((passes, ideal), (counts.SharedPasses, counts.IdealSharedPasses));
        Assert.Equal((double)passes / ideal, counts.BankConflictWays);
    }

    // A piece that a group reads again before its next barrier comes from the first-level cache.
    [Theory]
    [InlineData("", 128)]
    [InlineData("bar.sync 0;", 256)]
    public void RepeatsCountOncePerInterval(string between, int bytes)
    {
        LaunchCounts counts = Run(
            $"mul.wide.u32 %rd2, %r0, 4; add.u64 %rd2, %rd0, %rd2; ld.global.f32 %f0, [%rd2]; {between} ld.global.f32 %f1, [%rd2]; ret;");
        Assert.Equal((2, 8, bytes, 128),
            ((int)counts.GlobalRequests, (int)counts.GlobalSectors, (int)counts.CacheBytes, (int)counts.UniqueBytes));
    }

    [Fact]
    public void PartedLanesAreCounted()
    {
        LaunchCounts counts =
            Run("setp.lt.u32 %p0, %r0, 8; @%p0 bra Few; add.s32 %r1, %r0, 1; bra Meet; Few: add.s32 %r1, %r0, 2; Meet: ret;");
        Assert.Equal(1, counts.Parted);
        Assert.Equal([0.25, 0.75, 1], counts.Lines.Select(l => l.LaneShare).Distinct().Order());
    }

    [Fact]
    public void FusedProductsAreOneSlotAndTwoOperations()
    {
        LaunchCounts counts = Run("mov.f32 %f0, 0f3f800000; mul.f32 %f1, %f0, %f0; add.f32 %f2, %f1, %f0; neg.f32 %f3, %f2; ret;");
        Assert.Equal((1, 64), (counts.FloatSlots, counts.FloatOperations));
        // The product and sum, and the return; copies and parameters are free.
        Assert.Equal(2, counts.IssueSlots);
    }

    [Fact]
    public void SampleIsScaled()
    {
        const string Body =
            "mov.b32 %r1, %ctaid.x; mad.lo.s32 %r2, %r1, 32, %r0; mul.wide.u32 %rd2, %r2, 4; add.u64 %rd2, %rd0, %rd2; ld.global.f32 "
            + "%f0, [%rd2]; ld.global.f32 %f1, [%rd0]; ret;";
        LaunchCounts all = Run(Body, groups: 64), some = Run(Body, groups: 64, sampled: 8);
        Assert.Equal((all.IssueSlots, all.GlobalSectors), (some.IssueSlots, some.GlobalSectors));
        // The group that owns the shared piece reads it once less, and is 1 of 8 here, not of 64.
        Assert.InRange(some.CacheBytes, 0.97 * all.CacheBytes, all.CacheBytes);
        // All groups share the first piece; the others are one group's each.
        Assert.Equal(64 * 128, all.UniqueBytes);
        Assert.InRange(some.UniqueBytes, 0.95 * all.UniqueBytes, 1.05 * all.UniqueBytes);
    }

    [Fact]
    public void CountsDoNotDependOnWorkers()
    {
        const string Body =
            "mov.b32 %r1, %ctaid.x; mad.lo.s32 %r2, %r1, 32, %r0; mul.wide.u32 %rd2, %r2, 4; add.u64 %rd2, %rd0, %rd2; ld.global.f32 "
            + "%f0, [%rd2]; ret;";
        LaunchCounts one = Run(Body, groups: 64), four = Run(Body, groups: 64, workers: 4);
        Assert.Equal(one.Lines, four.Lines);
        Assert.Equal((one.UniqueBytes, one.CacheBytes), (four.UniqueBytes, four.CacheBytes));
    }

    internal static LaunchCounts Run(string body, int groups = 1, int sampled = 0, int workers = 1, int threads = 32)
    {
        using var device = new PtxDevice(new PtxDeviceOptions { Profile = true, ProfiledGroups = sampled, Workers = workers });
        PtxKernel kernel = PtxModule.Parse(OneInstruction.Kernel(Head + body, ".param .b64 from")).Find("k")!;
        ulong[] parameters = [device.Allocate(16384)];
        return device.Launch(kernel, new PtxDim(groups), new PtxDim(threads), MemoryMarshal.AsBytes<ulong>(parameters))!;
    }
}
