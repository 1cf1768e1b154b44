using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using UniCardio.Engine.Backends;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Sampling;
using UniCardio.Gpu.Devices;

namespace UniCardio.Gpu.Backend;

/// <summary>
/// One plan on a device. All work goes to one stream in order; the host waits only where it is given values, or hands over
/// explicit noise.
/// </summary>
/// <remarks>
/// Work is queued with the device's turn held, waited for without it, so that sessions on other threads get theirs. What the
/// device refuses leaves as <see cref="BackendUnavailableException"/>, and the device is not used for new backends any more.
/// </remarks>
internal sealed partial class GpuExecutor : IExecutor
{
    private readonly GpuDevice _device;
    private readonly DeviceNetwork _network;
    private readonly DeviceBuffers _buffers;
    private readonly NetworkPass _pass;
    private readonly AcceleratorStream _stream;
    private readonly Action _release;
    private readonly int[] _noiseKeys;
    private bool _conditionsSet;
    private bool _keysSet;
    private int _disposed;

    // Step that the conditions' keys and values on the device are of; -1 for none.
    private int _conditionStep = -1;
    private int _rotation;

    public GpuExecutor(GpuDevice device, DeviceNetwork network, InferencePlan plan, GpuOptions options, Action release)
    {
        _device = device;
        _network = network;
        _release = release;
        _stream = device.Stream;
        _recorder = options.Graphs ? device.Stream as CudaStream : null;
        Plan = plan;
        _noiseKeys = new int[3 * plan.Windows];
        network.PreparePositions(plan);
        lock (device.Turn)
        {
            DeviceBuffers? buffers = null;
            try
            {
                buffers = _buffers = new DeviceBuffers(device.Accelerator, network.Layout, plan,
                    NetworkPass.TakesFewRows(device, network, plan, options));
                _pass = new NetworkPass(device, network, _buffers, plan, options);
                UploadNoiseKeys();
                ((ArrayView<float>)_buffers.State.View).MemSetToZero(_stream);
                ((ArrayView<float>)_buffers.Noise.View).MemSetToZero(_stream);
                ClearHistory();
            }
            catch (Exception e)
            {
                buffers?.Dispose();
                if (e is AcceleratorException)
                    throw device.Failed("making a session", e);
                throw;
            }
        }
    }

    public InferencePlan Plan { get; }

    /// <summary>Bits of a weight of a block's large maps.</summary>
    public int WeightBits => _pass.WeightBits;

    public long ArenaBytes => _buffers.Bytes;

    /// <summary>Waits until the device has done everything that was asked of this.</summary>
    public void Synchronize() => Wait("the work before");

    /// <summary>Kernels and microseconds of what is asked of this meanwhile, by events of the device.</summary>
    public IReadOnlyList<(string Kernel, double Microseconds)> Timed(Action work)
    {
        Synchronize();
        using var clock = new LaunchClock(_stream);
        _pass.Clock = clock;
        try
        {
            work();
        }
        finally
        {
            _pass.Clock = null;
        }

        IReadOnlyList<(string, double)> times = [];
        Queue("reading events", (_, _) => times = clock.Take(), 0);
        return times;
    }

    public void SetConditions(ReadOnlySpan<float> conditions)
    {
        Expect(conditions.Length, Plan.ConditionSamples, "[W, conditions, S]", nameof(conditions));
        Upload(conditions, _buffers.HostConditions, _buffers.Conditions);
        _conditionsSet = true;
        _conditionStep = -1;
    }

    public void SetState(ReadOnlySpan<float> state)
    {
        Expect(state.Length, Plan.StateSamples, "[W N, S]", nameof(state));
        Upload(state, _buffers.HostState, _buffers.State);
        Queue("setting the state", static (e, _) => e.ClearHistory(), 0);
    }

    public void SetState(NoiseSource noise)
    {
        if (noise.IsExplicit)
        {
            SetState(Given(noise, 0));
            return;
        }

        SetNoiseKeys(noise);
        StepValues values = default;
        Key(ref values, noise, 0);
        Queue("drawing noise", static (e, values) => e.Draw(values), values);
    }

    public void GetState(Span<float> state) => Download(_buffers.State, state, nameof(state));

    public void GetClean(Span<float> clean) => Download(_buffers.Clean[0], clean, nameof(clean));

    public void Predict(int t, Span<float> prediction)
    {
        Expect(prediction.Length, Plan.StateSamples, "[W N, S]", nameof(prediction));
        CheckReady(t);
        Queue("a network call", static (e, t) => e.Evaluate(t, default), t);
        Download(_buffers.Prediction, prediction, nameof(prediction));
    }

    public void Step(in SamplerStep step, NoiseSource noise)
    {
        CheckReady(step.T);
        if (step.Noise != 0)
        {
            if (noise.IsExplicit)
                Upload(Given(noise, step.NoiseIndex), _buffers.HostState, _buffers.Noise);
            else
                SetNoiseKeys(noise);
        }

        Queue("a step", static (e, work) => e.Evaluate(work.T, work.Values), (step.T, Values: Values(step, noise)));
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        lock (_device.Turn)
        {
            try
            {
                _device.Accelerator.Bind();
                _stream.Synchronize();
            }
            catch (AcceleratorException)
            {
                // A device that failed has nothing under way.
            }

            DisposeGraphs();
            _buffers.Dispose();
        }

        _release();
    }

    // Gives the device work, in this thread's turn.
    private void Queue<TWork>(string what, Action<GpuExecutor, TWork> queue, TWork work)
    {
        lock (_device.Turn)
        {
            ObjectDisposedException.ThrowIf(_disposed != 0, this);
            try
            {
                // The CUDA context belongs to a thread; the caller's may be another than last time.
                _device.Accelerator.Bind();
                queue(this, work);
            }
            catch (AcceleratorException e)
            {
                throw _device.Failed(what, e);
            }
        }
    }

    private void Wait(string what)
    {
        try
        {
            _stream.Synchronize();
        }
        catch (AcceleratorException e)
        {
            throw _device.Failed(what, e);
        }
    }

    private void CheckReady(int t)
    {
        if (!_conditionsSet)
            throw new InvalidOperationException("the conditions were not set; call SetConditions first");
        if (t < 0 || t >= Plan.Configuration.DiffusionSteps)
            throw new ArgumentOutOfRangeException(
                nameof(t), t, $"not a diffusion step, expected 0 to {Plan.Configuration.DiffusionSteps - 1}");
    }

    private StepValues Values(in SamplerStep step, NoiseSource noise)
    {
        StepValues values = StepValues.Of(step);
        if (step.Noise == 0)
            return values;
        values.Noise = (float)step.Noise;
        values.NoiseKind = noise.IsExplicit ? 1 : 2;
        if (!noise.IsExplicit)
            Key(ref values, noise, step.NoiseIndex);
        return values;
    }

    private void Draw(StepValues values)
    {
        const int Threads = 64;
        _device.Kernels.Noise(_stream, new KernelConfig((Plan.StateSamples + Threads - 1) / Threads, Threads), values,
            Plan.Configuration.SlotSamples, _buffers.NoiseKeys.View, _buffers.State.View);
        ClearHistory();
    }

    private ReadOnlySpan<float> Given(NoiseSource noise, int index)
    {
        long at = (long)index * Plan.StateSamples;
        if (noise.Values.Length < at + Plan.StateSamples)
            throw new ArgumentException(
                $"noise draw {index} was asked for, but {noise.Values.Length} values hold only {noise.Values.Length / Plan.StateSamples} "
                + $"of {Plan.StateSamples}", nameof(noise));
        return noise.Values.Slice((int)at, Plan.StateSamples);
    }

    private void Key(ref StepValues values, NoiseSource noise, int index)
    {
        values.NoiseIndex = index;
        values.FirstDraw = (int)noise.FirstDraw;
        values.Draws = Plan.Draws;
    }

    private void SetNoiseKeys(NoiseSource noise)
    {
        Expect(noise.Windows.Length, Plan.Windows, "[W]", nameof(noise));
        bool same = _keysSet;
        for (int window = 0; window < Plan.Windows; window++)
        {
            ulong seed = noise.SeedOf(window);
            Span<int> now = [(int)noise.Windows[window], (int)(uint)seed, (int)(uint)(seed >> 32)], key = _noiseKeys.AsSpan(3 * window, 3);
            same &= key.SequenceEqual(now);
            now.CopyTo(key);
        }

        if (!same)
            Queue("handing over the keys of the noise", static (e, _) => e.UploadNoiseKeys(), 0);
    }

    private void UploadNoiseKeys()
    {
        ((ArrayView<int>)_buffers.NoiseKeys.View).CopyFromCPU(_stream, _noiseKeys);
        _keysSet = true;
    }

    // What was this row's clean signal is the row before's.
    private void Rotate()
    {
        MemoryBuffer1D<float, Stride1D.Dense>[] clean = _buffers.Clean;
        (clean[0], clean[1], clean[2]) = (clean[2], clean[0], clean[1]);
        _rotation = (_rotation + 1) % clean.Length;
    }

    // Every run begins with the buffers in one order, so that its steps are the ones that were recorded.
    private void ClearHistory()
    {
        while (_rotation != 0)
            Rotate();
        foreach (MemoryBuffer1D<float, Stride1D.Dense> clean in _buffers.Clean)
            ((ArrayView<float>)clean.View).MemSetToZero(_stream);
    }

    // The page-locked array may still be on its way from the copy before.
    private void Upload(ReadOnlySpan<float> values, PageLockedArray1D<float> host, MemoryBuffer1D<float, Stride1D.Dense> buffer)
    {
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        Wait("the work before");
        values.CopyTo(host.Span);
        Queue("a copy to the device", static (e, copy) => copy.buffer.View.CopyFromPageLockedAsync(e._stream, copy.host), (buffer, host));
    }

    private void Download(MemoryBuffer1D<float, Stride1D.Dense> buffer, Span<float> values, string argument)
    {
        Expect(values.Length, Plan.StateSamples, "[W N, S]", argument);
        Queue("a copy from the device", static (e, buffer) => buffer.View.CopyToPageLockedAsync(e._stream, e._buffers.HostState), buffer);
        Wait("the work before");
        _buffers.HostState.Span.CopyTo(values);
    }

    private static void Expect(int length, int expected, string shape, string argument)
    {
        if (length != expected)
            throw new ArgumentException($"{argument} has {length} elements, its shape {shape} {expected}", argument);
    }
}
