using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;
using UniCardio.CheckingDevice;
using UniCardio.Engine.Backends;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Weights;

namespace UniCardio.Kernels.Tests.Checking;

/// <summary>A device and its kernels serve the whole process: shared, in turns, and replaced when they failed.</summary>
public sealed class SharedDeviceTests : IDisposable
{
    private const string Kind = "checking";

    private static readonly ModelConfiguration s_model = new() { Channels = 12, Heads = 2, Blocks = 2, FeedForward = 4, Embedding = 8, SlotSamples = 6 };
    private static readonly InferencePlan s_plan = new(s_model, CardioTask.Parse("ppg->ecg", null));

    private readonly ModelWeights _weights = new WeightRecipe(1, s_model).Create();
    private readonly List<GpuDevice> _opened = [];
    private readonly DeviceCache _devices;
    private string? _refusedKernel;

    public SharedDeviceTests()
    {
        _devices = new DeviceCache(_ =>
        {
            _opened.Add(TestDevices.OpenOwn(thorough: false, _refusedKernel));
            return _opened[^1];
        });
    }

    [Fact]
    public void BackendsShareTheDeviceAndItsKernels()
    {
        float[] first = Predict(Start());
        int compiled = _opened[0].Accelerator.Context.Compiled;
        using GpuBackend one = Start(), two = Start();
        Assert.Equal(first, Predict(one));
        Assert.Equal(first, Predict(two));
        Assert.Single(_opened);
        // Two encoder kernels, first Qkv, attention of one width, block tail, decoder, noise.
        Assert.Equal(7, compiled);
        Assert.Equal(compiled, _opened[0].Accelerator.Context.Compiled);
    }

    [Fact]
    public void DeviceStaysWithoutBackends()
    {
        Start().Dispose();
        Start().Dispose();
        GpuDevice device = Assert.Single(_opened);
        Assert.False(device.Accelerator.IsDisposed);
        Assert.Equal(0, device.Accelerator.AllocatedBytes);
        _devices.Dispose();
        Assert.True(device.Accelerator.IsDisposed);
    }

    [Fact]
    public void FailedCompilationIsNamedAndTheNextBackendGetsAFreshDevice()
    {
        _refusedKernel = nameof(BlockTailKernel);
        GpuBackend separate = Start(fused: false);
        float[] expected = Predict(separate);
        Assert.Contains(nameof(BlockTailKernel), Assert.Throws<BackendUnavailableException>(() => Start()).Message, StringComparison.Ordinal);
        Assert.True(_opened[0].Accelerator.Context.IsSpoiled);

        // Whoever has what it needs goes on; a new backend starts afresh.
        Assert.Equal(expected, Predict(separate));
        _refusedKernel = null;
        using GpuBackend fused = Start();
        Assert.Equal(2, _opened.Count);
        Assert.Equal(expected, Predict(fused));

        // The failed device goes with its last backend.
        Assert.False(_opened[0].Accelerator.IsDisposed);
        separate.Dispose();
        Assert.True(_opened[0].Accelerator.IsDisposed);
        Assert.False(_opened[1].Accelerator.IsDisposed);
        Assert.Equal(0, _opened[0].Accelerator.AllocatedBytes);
    }

    [Fact]
    public void LostDeviceIsReplaced()
    {
        GpuBackend backend = Start();
        IExecutor executor = backend.CreateExecutor(s_plan);
        executor.SetConditions(new float[6]);
        _opened[0].Accelerator.IsLost = true;
        float[] result = new float[6];
        Assert.Contains("answers no more", Assert.Throws<BackendUnavailableException>(() => executor.Predict(3, result)).Message, StringComparison.Ordinal);
        Assert.Throws<BackendUnavailableException>(() => backend.CreateExecutor(s_plan));
        using GpuBackend next = Start();
        Assert.Equal(2, _opened.Count);
        Predict(next);
        executor.Dispose();
        backend.Dispose();
        Assert.Equal(0, _opened[0].Accelerator.AllocatedBytes);
        Assert.True(_opened[0].Accelerator.IsDisposed);
    }

    [Fact]
    public void FullDeviceIsSaidAndLeavesNothingBehind()
    {
        using GpuBackend backend = Start();
        Accelerator accelerator = _opened[0].Accelerator;
        long before = accelerator.AllocatedBytes;
        // Room for half of the weights, then for half of a session.
        accelerator.MemoryLimit = before + (before / 2);
        Assert.Contains("room", Assert.Throws<BackendUnavailableException>(() => Start()).Message, StringComparison.Ordinal);
        Assert.Equal(before, accelerator.AllocatedBytes);
        using (IExecutor executor = backend.CreateExecutor(s_plan))
            accelerator.MemoryLimit = before + ((accelerator.AllocatedBytes - before) / 2);
        Assert.Throws<BackendUnavailableException>(() => backend.CreateExecutor(s_plan));
        Assert.Equal(before, accelerator.AllocatedBytes);

        // A full device is not a broken one.
        accelerator.MemoryLimit = long.MaxValue;
        Start().Dispose();
        Predict(backend);
        Assert.Single(_opened);
    }

    [Fact]
    public void NextKindServesWhereTheFirstFails()
    {
        using var devices = new DeviceCache(kind => kind == Kind ? TestDevices.OpenOwn(thorough: false) : throw new BackendUnavailableException("gpu", $"{kind}: no device found"));
        using GpuBackend backend = devices.Start(["cuda", Kind], l => new GpuBackend(l.Device, _weights, lease: l));
        Predict(backend);
        BackendUnavailableException refusal = Assert.Throws<BackendUnavailableException>(() => devices.Start(["cuda", "opencl"], l => l));
        Assert.Contains("cuda: no device found; opencl: no device found", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OverlappingLaunchesAreFound()
    {
        using GpuDevice device = TestDevices.OpenOwn(thorough: false);
        Accelerator accelerator = device.Accelerator;
        using MemoryBuffer1D<float, Stride1D.Dense> y = accelerator.Allocate1D<float>(1);
        using var inside = new ManualResetEventSlim();
        using var leave = new ManualResetEventSlim();
        WaitingKernel.Meet = (inside, leave);
        Action<AcceleratorStream, KernelConfig, ArrayView<float>> launch = accelerator.LoadKernel<ArrayView<float>>(WaitingKernel.Run);
        var other = new Thread(() => launch(accelerator.DefaultStream, new KernelConfig(1, 1), y.View));
        other.Start();
        inside.Wait();
        try
        {
            Assert.Equal(FaultKind.Concurrency, Assert.Throws<KernelFault>(() => launch(accelerator.DefaultStream, new KernelConfig(1, 1), y.View)).Kind);
        }
        finally
        {
            leave.Set();
            other.Join();
        }
    }

    [Fact]
    public void ExecutorsOutliveTheirBackend()
    {
        GpuBackend backend = Start();
        IExecutor executor = backend.CreateExecutor(s_plan);
        float[] expected = Predict(backend);
        backend.Dispose();
        backend.Dispose();
        Assert.Throws<ObjectDisposedException>(() => backend.CreateExecutor(s_plan));
        Assert.Equal(expected, Predict(executor));
        executor.Dispose();
        executor.Dispose();
        Assert.Equal(0, _opened[0].Accelerator.AllocatedBytes);
    }

    [Fact]
    public void WeightsAreNotNeededAfterwards()
    {
        using GpuBackend kept = Start(), own = Start();
        float[] expected = Predict(kept);
        // What a mapped file leaves when it is closed would end the process; ruined values show the same reading.
        foreach (ParameterTensor tensor in _weights.Tensors)
            MemoryMarshal.AsMemory(tensor.Data).Span.Fill(float.NaN);
        Assert.Equal(expected, Predict(own));
    }

    public void Dispose()
    {
        _devices.Dispose();
        _weights.Dispose();
    }

    private GpuBackend Start(bool fused = true) =>
        _devices.Start([Kind], lease => new GpuBackend(lease.Device, _weights, new GpuOptions { FuseBlocks = fused }, lease));

    private static float[] Predict(GpuBackend backend)
    {
        using IExecutor executor = backend.CreateExecutor(s_plan);
        return Predict(executor);
    }

    private static float[] Predict(IExecutor executor)
    {
        float[] result = [0.1f, 0.9f, -0.4f, 0, 1, -1];
        executor.SetConditions(result);
        executor.SetState(result);
        executor.Predict(9, result);
        return result;
    }

    private static class WaitingKernel
    {
        public static (ManualResetEventSlim Inside, ManualResetEventSlim Leave) Meet { get; set; }

        public static void Run(ArrayView<float> y)
        {
            Meet.Inside.Set();
            Meet.Leave.Wait();
            y[0] = 1;
        }
    }
}
