using ILGPU;
using ILGPU.Runtime;
using UniCardio.Engine.Backends;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Sampling;

namespace UniCardio.Kernels;

/// <summary>
/// One plan on a device. All work goes to one stream in order; the host waits only where it is given values, or hands over
/// explicit noise.
/// </summary>
internal sealed class GpuExecutor : IExecutor
{
    private readonly GpuDevice _device;
    private readonly DeviceNetwork _network;
    private readonly DeviceBuffers _buffers;
    private readonly NetworkPass _pass;
    private readonly AcceleratorStream _stream;
    private readonly int[] _windows;
    private bool _conditionsSet;
    private bool _windowsSet;
    private bool _disposed;

    // Step that the conditions' keys and values on the device are of; -1 for none.
    private int _conditionStep = -1;

    public GpuExecutor(GpuDevice device, DeviceNetwork network, InferencePlan plan, GpuOptions options)
    {
        _device = device;
        _network = network;
        _stream = device.Accelerator.DefaultStream;
        Plan = plan;
        _windows = new int[plan.Windows];
        _buffers = new DeviceBuffers(device.Accelerator, network.Layout, plan);
        try
        {
            _pass = new NetworkPass(device, network, _buffers, plan, options);
            UploadWindows();
            ((ArrayView<float>)_buffers.State.View).MemSetToZero(_stream);
            ((ArrayView<float>)_buffers.Noise.View).MemSetToZero(_stream);
            ClearHistory();
        }
        catch
        {
            _buffers.Dispose();
            throw;
        }
    }

    public InferencePlan Plan { get; }

    public long ArenaBytes => _buffers.Bytes;

    public void SetConditions(ReadOnlySpan<float> conditions)
    {
        Enter();
        Expect(conditions.Length, Plan.ConditionSamples, "[W, conditions, S]", nameof(conditions));
        _stream.Synchronize();
        conditions.CopyTo(_buffers.HostConditions.Span);
        _buffers.Conditions.View.CopyFromPageLockedAsync(_stream, _buffers.HostConditions);
        _conditionsSet = true;
        _conditionStep = -1;
    }

    public void SetState(ReadOnlySpan<float> state)
    {
        Enter();
        Expect(state.Length, Plan.StateSamples, "[W N, S]", nameof(state));
        Upload(state, _buffers.State);
        ClearHistory();
    }

    public void SetState(NoiseSource noise)
    {
        Enter();
        if (noise.IsExplicit)
        {
            Upload(Given(noise, 0), _buffers.State);
        }
        else
        {
            SetWindows(noise);
            StepValues values = default;
            Key(ref values, noise, 0);
            const int Threads = 64;
            _device.Kernels.Noise(_stream, new KernelConfig((Plan.StateSamples + Threads - 1) / Threads, Threads), values, Plan.Configuration.SlotSamples, _buffers.Windows.View, _buffers.State.View);
        }

        ClearHistory();
    }

    public void GetState(Span<float> state) => Download(_buffers.State, state, nameof(state));

    public void GetClean(Span<float> clean) => Download(_buffers.Clean[0], clean, nameof(clean));

    public void Predict(int t, Span<float> prediction)
    {
        Enter();
        Expect(prediction.Length, Plan.StateSamples, "[W N, S]", nameof(prediction));
        Evaluate(t);
        _pass.Decode(default);
        Download(_buffers.Prediction, prediction, nameof(prediction));
    }

    public void Step(in SamplerStep step, NoiseSource noise)
    {
        Enter();
        var values = new StepValues
        {
            Update = 1,
            CleanFromState = (float)step.CleanFromState,
            CleanFromPrediction = (float)step.CleanFromPrediction,
            State = (float)step.State,
            Clean0 = (float)step.Clean0,
            Clean1 = (float)step.Clean1,
            Clean2 = (float)step.Clean2,
            ClampLow = (float)step.ClampLow,
            ClampHigh = (float)step.ClampHigh,
        };
        if (step.Noise != 0)
        {
            values.Noise = (float)step.Noise;
            if (noise.IsExplicit)
            {
                Upload(Given(noise, step.NoiseIndex), _buffers.Noise);
                values.NoiseKind = 1;
            }
            else
            {
                SetWindows(noise);
                Key(ref values, noise, step.NoiseIndex);
                values.NoiseKind = 2;
            }
        }

        Evaluate(step.T);
        MemoryBuffer1D<float, Stride1D.Dense>[] clean = _buffers.Clean;
        (clean[0], clean[1], clean[2]) = (clean[2], clean[0], clean[1]);
        _pass.Decode(values);
    }

    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        _device.Accelerator.Bind();
        _stream.Synchronize();
        _buffers.Dispose();
    }

    private void Evaluate(int t)
    {
        if (!_conditionsSet)
            throw new InvalidOperationException("the conditions were not set; call SetConditions first");
        if (t < 0 || t >= Plan.Configuration.DiffusionSteps)
            throw new ArgumentOutOfRangeException(nameof(t), t, $"not a diffusion step, expected 0 to {Plan.Configuration.DiffusionSteps - 1}");
        _pass.Run(_network.Steps(t), withConditions: _conditionStep != t);
        _conditionStep = t;
    }

    private ReadOnlySpan<float> Given(NoiseSource noise, int index)
    {
        long at = (long)index * Plan.StateSamples;
        if (noise.Values.Length < at + Plan.StateSamples)
            throw new ArgumentException($"noise draw {index} was asked for, but {noise.Values.Length} values hold only {noise.Values.Length / Plan.StateSamples} of {Plan.StateSamples}", nameof(noise));
        return noise.Values.Slice((int)at, Plan.StateSamples);
    }

    private void Key(ref StepValues values, NoiseSource noise, int index)
    {
        values.NoiseIndex = index;
        values.SeedLow = (uint)noise.Seed;
        values.SeedHigh = (uint)(noise.Seed >> 32);
        values.Draws = Plan.Draws;
    }

    private void SetWindows(NoiseSource noise)
    {
        Expect(noise.Windows.Length, Plan.Windows, "[W]", nameof(noise));
        bool same = _windowsSet;
        for (int i = 0; i < _windows.Length; i++)
        {
            same &= _windows[i] == (int)noise.Windows[i];
            _windows[i] = (int)noise.Windows[i];
        }

        if (!same)
            UploadWindows();
    }

    private void UploadWindows()
    {
        ((ArrayView<int>)_buffers.Windows.View).CopyFromCPU(_stream, _windows);
        _windowsSet = true;
    }

    private void ClearHistory()
    {
        foreach (MemoryBuffer1D<float, Stride1D.Dense> clean in _buffers.Clean)
            ((ArrayView<float>)clean.View).MemSetToZero(_stream);
    }

    // The page-locked array may still be on its way from the copy before.
    private void Upload(ReadOnlySpan<float> values, MemoryBuffer1D<float, Stride1D.Dense> buffer)
    {
        _stream.Synchronize();
        values.CopyTo(_buffers.HostState.Span);
        buffer.View.CopyFromPageLockedAsync(_stream, _buffers.HostState);
    }

    private void Download(MemoryBuffer1D<float, Stride1D.Dense> buffer, Span<float> values, string argument)
    {
        Enter();
        Expect(values.Length, Plan.StateSamples, "[W N, S]", argument);
        buffer.View.CopyToPageLockedAsync(_stream, _buffers.HostState);
        _stream.Synchronize();
        _buffers.HostState.Span.CopyTo(values);
    }

    // The CUDA context belongs to a thread; the caller's may be another than last time.
    private void Enter()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _device.Accelerator.Bind();
    }

    private static void Expect(int length, int expected, string shape, string argument)
    {
        if (length != expected)
            throw new ArgumentException($"{argument} has {length} elements, its shape {shape} {expected}", argument);
    }
}
