namespace UniCardio.Ptx.Tests.Sanitizing;

/// <summary>The sanitizer finds each fault in a kernel that has it, and none in a sound one.</summary>
public class FaultTests
{
    private static readonly PtxDeviceOptions s_checked = new() { Sanitize = true, WarpInstructions = 1 << 20 };

    public static TheoryData<string, PtxFaultKind> Faults => new()
    {
        // Read by the thread's mirror before that one has written; sound values only by luck.
        { nameof(BrokenKernels.MissingBarrier), PtxFaultKind.Race },
        { nameof(BrokenKernels.MissingSecondBarrier), PtxFaultKind.Race },
        { nameof(BrokenKernels.RacingSum), PtxFaultKind.Race },
        { nameof(BrokenKernels.ReadsOutside), PtxFaultKind.Bounds },
        { nameof(BrokenKernels.WritesOutside), PtxFaultKind.Bounds },
        { nameof(BrokenKernels.OutsideShared), PtxFaultKind.Bounds },
        { nameof(BrokenKernels.OverrunsFirstShared), PtxFaultKind.Bounds },
        { nameof(BrokenKernels.DivergentBarrier), PtxFaultKind.Divergence },
        { nameof(BrokenKernels.DifferentBarriers), PtxFaultKind.Divergence },
        { nameof(BrokenKernels.EndsBeforeBarrier), PtxFaultKind.Divergence },
        { nameof(BrokenKernels.ReadsPoisonedShared), PtxFaultKind.Uninitialised },
        { nameof(BrokenKernels.HidesPoison), PtxFaultKind.Uninitialised },
        { nameof(BrokenKernels.LeavesHole), PtxFaultKind.Unwritten },
        { nameof(BrokenKernels.Misaligned), PtxFaultKind.Alignment },
        { nameof(BrokenKernels.TooMuchShared), PtxFaultKind.Resources },
        { nameof(BrokenKernels.RacingGroups), PtxFaultKind.Race },
        { nameof(BrokenKernels.ReadsOtherGroup), PtxFaultKind.Race },
        { nameof(BrokenKernels.NeverEnds), PtxFaultKind.Endless },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void FaultIsFound(string kernel, PtxFaultKind kind)
    {
        PtxFaultException fault = Assert.Throws<PtxFaultException>(() => Run(kernel, s_checked));
        Assert.True(fault.Kind == kind, fault.Message);
        if (kind is not (PtxFaultKind.Unwritten or PtxFaultKind.Resources))
        {
            Assert.Matches(@"group \(\d, 0, 0\), thread \(\d+, 0, 0\).*\[line \d+: ", fault.Message);
            Assert.True(fault.Line > 0);
        }
    }

    // What would stop a device, or crash this process, is found without the sanitizer too.
    [Theory]
    [InlineData(nameof(BrokenKernels.ReadsOutside), PtxFaultKind.Bounds)]
    [InlineData(nameof(BrokenKernels.WritesOutside), PtxFaultKind.Bounds)]
    [InlineData(nameof(BrokenKernels.OutsideShared), PtxFaultKind.Bounds)]
    [InlineData(nameof(BrokenKernels.DivergentBarrier), PtxFaultKind.Divergence)]
    [InlineData(nameof(BrokenKernels.DifferentBarriers), PtxFaultKind.Divergence)]
    [InlineData(nameof(BrokenKernels.EndsBeforeBarrier), PtxFaultKind.Divergence)]
    [InlineData(nameof(BrokenKernels.Misaligned), PtxFaultKind.Alignment)]
    [InlineData(nameof(BrokenKernels.TooMuchShared), PtxFaultKind.Resources)]
    [InlineData(nameof(BrokenKernels.NeverEnds), PtxFaultKind.Endless)]
    public void FatalFaultIsFoundUnchecked(string kernel, PtxFaultKind kind) =>
        Assert.Equal(kind, Assert.Throws<PtxFaultException>(() => Run(kernel, s_checked with { Sanitize = false })).Kind);

    [Theory]
    [InlineData(false, 8)]
    [InlineData(true, 8)]
    [InlineData(true, 4)]
    public void SoundKernelPasses(bool sanitize, int threads)
    {
        float[] y = Run(nameof(BrokenKernels.Sound), new PtxDeviceOptions { Sanitize = sanitize }, threads);
        // Sums of 1..8 and of 9..16, exact in float32; of four each with groups of 4.
        float[] sums = threads == 8 ? [36, 100] : [10, 26, 42, 58];
        Assert.Equal([.. sums.SelectMany(s => Enumerable.Repeat(s, threads))], y);
    }

    [Theory]
    [InlineData("add.s32 %r1, %r2, 1; ret;", true)]
    [InlineData("setp.eq.s32 %p1, %r0, 0; @%p1 bra Skip; mov.b32 %r2, 1; Skip: add.s32 %r1, %r2, 1; ret;", true)]
    [InlineData("setp.eq.s32 %p1, %r0, 0; mov.b32 %r2, 1; @%p1 bra Skip; mov.b32 %r2, 2; Skip: add.s32 %r1, %r2, 1; ret;", false)]
    public void RegisterThatNothingWroteIsFound(string body, bool isFault)
    {
        using var device = new PtxDevice(s_checked);
        PtxKernel kernel = PtxModule.Parse(OneInstruction.Kernel(".reg .pred %p<2>; .reg .b32 %r<3>; mov.b32 %r0, %tid.x; " + body,
            "")).Find("k")!;
        PtxFaultException? fault = Record.Exception(() =>
            { device.Launch(kernel, new PtxDim(1), new PtxDim(32), []); }) as PtxFaultException;
        Assert.Equal(isFault ? PtxFaultKind.Uninitialised : null, fault?.Kind);
    }

    [Fact]
    public void FirstFaultIsTheSameForAnyNumberOfWorkers()
    {
        string One(int workers) => Assert.Throws<PtxFaultException>(() =>
            Run(nameof(BrokenKernels.ReadsOutside), new PtxDeviceOptions { Workers = workers }, threads: 1)).Message;
        Assert.Equal(One(1), One(4));
    }

    [Fact]
    public void FreedMemoryIsOutOfBounds()
    {
        using var device = new PtxDevice();
        ulong address = device.Allocate(64);
        device.Free(address);
        Assert.Equal(PtxFaultKind.Bounds, Assert.Throws<PtxFaultException>(() => device.Read(address, new byte[4])).Kind);
        Assert.Equal(PtxFaultKind.Bounds, Assert.Throws<PtxFaultException>(() => device.Free(address)).Kind);
    }

    [Fact]
    public void FreshMemoryCannotBeReadByTheHost()
    {
        using var device = new PtxDevice(s_checked);
        ulong address = device.Allocate(16);
        device.Write(address, new byte[12]);
        device.Read(address, new byte[12]);
        Assert.Equal(PtxFaultKind.Unwritten, Assert.Throws<PtxFaultException>(() => device.Read(address, new byte[16])).Kind);
        device.Fill(address, 0, 16);
        device.Read(address, new byte[16]);
    }

    [Fact]
    public void MemoryHasAnEnd()
    {
        using var device = new PtxDevice(new PtxDeviceOptions { MemoryBytes = 1000 });
        ulong first = device.Allocate(600);
        Assert.Equal(PtxFaultKind.Resources, Assert.Throws<PtxFaultException>(() => device.Allocate(600)).Kind);
        device.Free(first);
        device.Allocate(1000);
    }

    [Fact]
    public void LaunchesThatADeviceRefusesAreRefused()
    {
        using var device = new PtxDevice();
        PtxKernel kernel = PtxModule.Parse(".version 7.0\n.target sm_80\n.entry k() .maxntid 64, 1, 1 { ret; }").Find("k")!;
        device.Launch(kernel, new PtxDim(1), new PtxDim(64), []);
        foreach ((PtxDim grid, PtxDim group) in ((PtxDim, PtxDim)[])[(new(1), new(65)), (new(0), new(1)), (new(1, 65536), new(1)),
            (new(1), new(0))])
            Assert.Equal(PtxFaultKind.Resources, Assert.Throws<PtxFaultException>(() => device.Launch(kernel, grid, group, [])).Kind);
        Assert.Throws<ArgumentException>(() => device.Launch(kernel, new PtxDim(1), new PtxDim(1), new byte[4]));
    }

    private static float[] Run(string kernel, PtxDeviceOptions options, int threads = CompiledKernel.Threads)
    {
        float[] values = [.. Enumerable.Range(1, CompiledKernel.Threads * CompiledKernel.Groups).Select(i => (float)i)];
        return CompiledKernel.Run(typeof(BrokenKernels).GetMethod(kernel)!, values, options, threads);
    }
}
