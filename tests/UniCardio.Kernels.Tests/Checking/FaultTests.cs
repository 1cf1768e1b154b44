using ILGPU;
using ILGPU.Runtime;
using UniCardio.CheckingDevice;

namespace UniCardio.Kernels.Tests.Checking;

/// <summary>The checking device finds each fault in a kernel that has it, and none in a sound one.</summary>
public sealed class FaultTests : IDisposable
{
    private const int Threads = 8;
    private const int Groups = 2;

    private readonly Context _context = Context.Create(b => b.Default());
    private readonly Accelerator _accelerator;

    public FaultTests()
    {
        TestKernels.RegisterCoroutines();
        _accelerator = _context.Devices[0].CreateAccelerator(_context);
    }

    public static TheoryData<string, FaultKind> Faults => new()
    {
        { nameof(BrokenKernels.MissingBarrier), FaultKind.Uninitialised },
        { nameof(BrokenKernels.MissingSecondBarrier), FaultKind.Race },
        { nameof(BrokenKernels.RacingSum), FaultKind.Race },
        { nameof(BrokenKernels.ReadsOutside), FaultKind.Bounds },
        { nameof(BrokenKernels.WritesOutside), FaultKind.Bounds },
        { nameof(BrokenKernels.OutsideShared), FaultKind.Bounds },
        { nameof(BrokenKernels.DivergentBarrier), FaultKind.Divergence },
        { nameof(BrokenKernels.DifferentBarriers), FaultKind.Divergence },
        { nameof(BrokenKernels.ReadsPoisonedShared), FaultKind.Uninitialised },
        { nameof(BrokenKernels.HidesPoison), FaultKind.Uninitialised },
        { nameof(BrokenKernels.LeavesHole), FaultKind.Unwritten },
        { nameof(BrokenKernels.Misaligned), FaultKind.Alignment },
        { nameof(BrokenKernels.TooMuchShared), FaultKind.Resources },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void FaultIsFound(string kernel, FaultKind kind)
    {
        foreach (bool asCompiled in new[] { false, true })
        {
            BarrierRewriter.Disabled = asCompiled;
            KernelFault fault = Assert.Throws<KernelFault>(() => Run(kernel));
            Assert.Equal(kind, fault.Kind);
            if (kind is FaultKind.Bounds or FaultKind.Divergence or FaultKind.Alignment)
                Assert.Matches(@"BrokenKernels, group \(\d, 0, 0\), thread \(\d, 0, 0\)", fault.Message);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void SoundKernelPasses(bool asCompiled)
    {
        BarrierRewriter.Disabled = asCompiled;
        float[] y = Run(nameof(BrokenKernels.Sound));
        // Sums of 1..8 and of 9..16, exact in float32.
        Assert.Equal([.. Enumerable.Repeat(36f, Threads), .. Enumerable.Repeat(100f, Threads)], y);
    }

    [Fact]
    public void UseAfterDisposeIsFound()
    {
        MemoryBuffer1D<float, Stride1D.Dense> x = _accelerator.Allocate1D<float>(4);
        ArrayView<float> view = x.View;
        x.Dispose();
        Assert.Equal(FaultKind.Disposed, Assert.Throws<KernelFault>(() => view[0]).Kind);
    }

    [Fact]
    public void FreshBufferCannotBeReadByTheHost()
    {
        using MemoryBuffer1D<float, Stride1D.Dense> x = _accelerator.Allocate1D<float>(4);
        ((ArrayView<float>)x.View).SubView(0, 3).CopyFromCPU([1f, 2f, 3f]);
        Assert.Equal(FaultKind.Unwritten, Assert.Throws<KernelFault>(() => ((ArrayView<float>)x.View).CopyToCPU(new float[4])).Kind);
    }

    public void Dispose()
    {
        BarrierRewriter.Disabled = false;
        _accelerator.Dispose();
        _context.Dispose();
    }

    private float[] Run(string kernel)
    {
        using MemoryBuffer1D<float, Stride1D.Dense> x = _accelerator.Allocate1D<float>(Threads * Groups), y = _accelerator.Allocate1D<float>(Threads * Groups);
        // Large and small values in turn, so that the order of a sum shows in its rounding.
        float[] values = [.. Enumerable.Range(1, Threads * Groups).Select(i => kernel == nameof(BrokenKernels.RacingSum) && i % 2 == 0 ? i * 1e7f : i)];
        ((ArrayView<float>)x.View).CopyFromCPU(values);
        var method = typeof(BrokenKernels).GetMethod(kernel)!.CreateDelegate<Action<ArrayView<float>, ArrayView<float>>>();
        Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>> launch = _accelerator.LoadKernel(method);
        launch(_accelerator.DefaultStream, new KernelConfig(Groups, Threads), x.View, y.View);
        float[] result = new float[Threads * Groups];
        ((ArrayView<float>)y.View).CopyToCPU(result);
        return result;
    }
}
