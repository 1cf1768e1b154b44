using System.Runtime.InteropServices;
using UniCardio.Engine.Backends;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Ptx.Cuda;
using UniCardio.Weights;

namespace UniCardio.Gpu.Tests;

/// <summary>A device and its kernels serve the whole process: shared, in turns, and replaced when they failed. On ILGPU's CUDA
/// accelerator.</summary>
public sealed class SharedDeviceTests : DeviceTests, IDisposable
{
    private static readonly DeviceSelector s_kind = new("cuda");
    private static readonly ModelConfiguration s_model =
        new() { Channels = 12, Heads = 2, Blocks = 2, FeedForward = 4, Embedding = 8, SlotSamples = 6 };
    private static readonly InferencePlan s_plan = new(s_model, CardioTask.Parse("ppg->ecg", null));

    private readonly SimulatedDriver _driver;
    private readonly ModelWeights _weights = new WeightRecipe(1, s_model).Create();
    private readonly List<GpuDevice> _opened = [];
    private readonly DeviceCache _devices;
    private readonly long _before;

    public SharedDeviceTests()
        : base(TestDevice.Simulated)
    {
        // Only what these tests allocate counts: other tests' devices stay open.
        if (TestDevices.HasDriver)
            (_driver, _before) = (TestDevices.Driver, TestDevices.Driver.AllocatedBytes);
        else
            _driver = null!;
        _devices = new DeviceCache(_ =>
        {
            _opened.Add(GpuDevices.Open(s_kind));
            return _opened[^1];
        });
    }

    private long Allocated => _driver.AllocatedBytes - _before;

    [SkippableFact]
    public void BackendsShareTheDeviceAndItsKernels()
    {
        _ = TestDevices.Driver;
        int start = _driver.ModulesLoaded;
        using GpuBackend zero = Start();
        float[] first = Predict(zero);
        int compiled = _driver.ModulesLoaded - start;
        using GpuBackend one = Start(), two = Start();
        Assert.Equal(first, Predict(one));
        Assert.Equal(first, Predict(two));
        Assert.Single(_opened);
        // Two encoder kernels, attention of one width, noise; first Qkv, block tail and decoder for strips of few and of many rows.
        Assert.Equal(10, compiled);
        Assert.Equal(compiled, _driver.ModulesLoaded - start);
    }

    [SkippableFact]
    public void DeviceStaysWithoutBackends()
    {
        _ = TestDevices.Driver;
        Start().Dispose();
        Start().Dispose();
        GpuDevice device = Assert.Single(_opened);
        Assert.False(device.Accelerator.IsDisposed);
        Assert.Equal(0, Allocated);
        _devices.Dispose();
        Assert.True(device.Accelerator.IsDisposed);
    }

    [SkippableFact]
    public void FailedCompilationIsNamedAndTheNextBackendGetsAFreshDevice()
    {
        TestDevices.Driver.RefusedKernel = "Kernel_BlockTail";
        GpuBackend separate = Start(fused: false);
        float[] expected = Predict(separate);
        Assert.Contains(nameof(BlockTailKernel<Strip8>), Assert.Throws<BackendUnavailableException>(() => Start()).Message,
            StringComparison.Ordinal);

        // Whoever has what it needs continues; a new backend starts afresh.
        Assert.Equal(expected, Predict(separate));
        _driver.RefusedKernel = null;
        using GpuBackend fused = Start();
        Assert.Equal(2, _opened.Count);
        Assert.Equal(expected, Predict(fused));

        // The failed device goes with its last backend.
        Assert.False(_opened[0].Accelerator.IsDisposed);
        separate.Dispose();
        Assert.True(_opened[0].Accelerator.IsDisposed);
        Assert.False(_opened[1].Accelerator.IsDisposed);
    }

    [SkippableFact]
    public void LostDeviceIsReplaced()
    {
        _ = TestDevices.Driver;
        GpuBackend backend = Start();
        IExecutor executor = backend.CreateExecutor(s_plan);
        executor.SetConditions(new float[6]);
        // Only this test's: other tests' devices stay open, and run after it in some orders.
        _driver.LoseNewest();
        float[] result = new float[6];
        Assert.Throws<BackendUnavailableException>(() => executor.Predict(3, result));
        Assert.Throws<BackendUnavailableException>(() => backend.CreateExecutor(s_plan));
        using GpuBackend next = Start();
        Assert.Equal(2, _opened.Count);
        Predict(next);
        executor.Dispose();
        // What a lost context does not free any more goes with the process; nothing of it reaches the caller, nor the next device.
        backend.Dispose();
        Predict(next);
    }

    // What a server sees: the run that met the failure is lost, the session's next one is not.
    [SkippableFact]
    public void SessionsOfARecoveringBackendOutliveTheirDevice()
    {
        _ = TestDevices.Driver;
        using var backend = new RecoveringGpuBackend(() => Start());
        using IExecutor one = backend.CreateExecutor(s_plan), two = backend.CreateExecutor(s_plan);
        float[] expected = Predict(one);
        _driver.LoseNewest();
        Assert.Throws<BackendUnavailableException>(() => Predict(one));
        Assert.Equal(expected, Predict(one));
        Assert.Equal(expected, Predict(two));
        using IExecutor three = backend.CreateExecutor(s_plan);
        Assert.Equal(expected, Predict(three));
        Assert.Equal(2, _opened.Count);
    }

    [SkippableFact]
    public void FullDeviceIsSaidAndLeavesNothingBehind()
    {
        _ = TestDevices.Driver;
        using GpuBackend backend = Start();
        long weights = Allocated;
        // Room for half of the weights, then for half of a session.
        _driver.FreeBytes = weights / 2;
        Assert.Contains("room", Assert.Throws<BackendUnavailableException>(() => Start()).Message, StringComparison.Ordinal);
        Assert.Equal(weights, Allocated);
        _driver.FreeBytes = long.MaxValue;
        using (IExecutor executor = backend.CreateExecutor(s_plan))
            _driver.FreeBytes = (Allocated - weights) / 2;
        // Asked before anything is taken: how much, and how much is free.
        string refusal = Assert.Throws<BackendUnavailableException>(() => backend.CreateExecutor(s_plan)).Message;
        Assert.Contains($"{_driver.FreeBytes} of ", refusal, StringComparison.Ordinal);
        Assert.Equal(weights, Allocated);

        // A full device is not a broken one.
        _driver.FreeBytes = long.MaxValue;
        Start().Dispose();
        Predict(backend);
        Assert.Single(_opened);
    }

    [SkippableFact]
    public void NextKindServesWhereTheFirstFails()
    {
        _ = TestDevices.Driver;
        using var devices =
            new DeviceCache(d => d.Index == 0 ? GpuDevices.Open(d) : throw new BackendUnavailableException("gpu", $"{d}: no device found"));
        using GpuBackend backend =
            devices.Start([new DeviceSelector("cuda", 1), s_kind], l => new GpuBackend(l.Device, _weights, lease: l));
        Predict(backend);
        BackendUnavailableException refusal = Assert.Throws<BackendUnavailableException>(() =>
            devices.Start([new DeviceSelector("cuda", 1), new DeviceSelector("cuda", 2)], l => l));
        Assert.Contains("cuda:1: no device found; cuda:2: no device found", refusal.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void ExecutorsOutliveTheirBackend()
    {
        _ = TestDevices.Driver;
        GpuBackend backend = Start();
        IExecutor executor = backend.CreateExecutor(s_plan);
        float[] expected = Predict(backend);
        backend.Dispose();
        backend.Dispose();
        Assert.Throws<ObjectDisposedException>(() => backend.CreateExecutor(s_plan));
        Assert.Equal(expected, Predict(executor));
        executor.Dispose();
        executor.Dispose();
        Assert.Equal(0, Allocated);
    }

    [SkippableFact]
    public void WeightsAreNotNeededAfterwards()
    {
        _ = TestDevices.Driver;
        using GpuBackend kept = Start(), own = Start();
        float[] expected = Predict(kept);
        // What a mapped file leaves when it is closed would end the process; ruined values show the same reading.
        foreach (ParameterTensor tensor in _weights.Tensors)
            MemoryMarshal.AsMemory(tensor.Data).Span.Fill(float.NaN);
        Assert.Equal(expected, Predict(own));
    }

    public void Dispose()
    {
        if (_driver is not null)
            (_driver.RefusedKernel, _driver.FreeBytes) = (null, long.MaxValue);
        _devices.Dispose();
        _weights.Dispose();
    }

    private GpuBackend Start(bool fused = true) =>
        _devices.Start([s_kind], lease =>
            new GpuBackend(lease.Device, _weights, new GpuOptions { FuseBlocks = fused, Precision = GpuPrecision.Single }, lease));

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
}
