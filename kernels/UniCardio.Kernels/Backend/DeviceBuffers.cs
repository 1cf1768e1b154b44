using ILGPU;
using ILGPU.Runtime;
using UniCardio.Engine;
using UniCardio.Engine.Plan;

namespace UniCardio.Kernels;

/// <summary>Everything that one plan needs on the device, allocated once.</summary>
internal sealed class DeviceBuffers : IDisposable
{
    private readonly List<(IDisposable Buffer, long Bytes)> _all = [];
    private readonly Accelerator _accelerator;

    public DeviceBuffers(Accelerator accelerator, DeviceLayout layout, InferencePlan plan)
    {
        _accelerator = accelerator;
        accelerator.Bind();
        int t = plan.TargetTokens;
        long conditionRows = (long)plan.Windows * plan.ConditionTokens, targetRows = (long)plan.Streams * t, rows = conditionRows + targetRows;
        long qkvRows = (plan.Configuration.Blocks * conditionRows) + targetRows;
        // Kernels index with 32 bits, floats in the widest case.
        if (qkvRows * 12 * layout.HeadQuads > int.MaxValue)
            throw new ConfigurationException("draws", $"{plan.Windows} windows x {plan.Draws} draws are more than one batch on the GPU can index; run fewer at a time");
        Conditions = Take<float>(plan.ConditionSamples);
        State = Take<float>(plan.StateSamples);
        Prediction = Take<float>(plan.StateSamples);
        Noise = Take<float>(plan.StateSamples);
        Clean = [Take<float>(plan.StateSamples), Take<float>(plan.StateSamples), Take<float>(plan.StateSamples)];
        int slots = (plan.Windows * plan.Conditions.Count) + plan.Streams;
        EncoderSlots = Take<int>(slots);
        GateSlots = Take<int>(slots);
        Windows = Take<int>(plan.Windows);
        Statistics = Take<Float4>((long)slots * layout.Chunks);
        X = Take<Float4>(rows * layout.Quads);
        Y = Take<Float4>(rows * layout.Quads);
        Attention = Take<Float4>(rows * layout.HeadQuads);
        Qkv = Take<Float4>(qkvRows * 3 * layout.HeadQuads);
        Skip = Take<Float4>(targetRows * layout.Quads);
        HostConditions = Pin(plan.ConditionSamples);
        HostState = Pin(plan.StateSamples);
    }

    public MemoryBuffer1D<float, Stride1D.Dense> Conditions { get; }

    public MemoryBuffer1D<float, Stride1D.Dense> State { get; }

    public MemoryBuffer1D<float, Stride1D.Dense> Prediction { get; }

    public MemoryBuffer1D<float, Stride1D.Dense> Noise { get; }

    /// <summary>Clean signals of this row and of the two before, rotated by the executor.</summary>
    public MemoryBuffer1D<float, Stride1D.Dense>[] Clean { get; }

    public MemoryBuffer1D<int, Stride1D.Dense> EncoderSlots { get; }

    public MemoryBuffer1D<int, Stride1D.Dense> GateSlots { get; }

    public MemoryBuffer1D<int, Stride1D.Dense> Windows { get; }

    public MemoryBuffer1D<Float4, Stride1D.Dense> Statistics { get; }

    public MemoryBuffer1D<Float4, Stride1D.Dense> X { get; }

    public MemoryBuffer1D<Float4, Stride1D.Dense> Y { get; }

    public MemoryBuffer1D<Float4, Stride1D.Dense> Attention { get; }

    public MemoryBuffer1D<Float4, Stride1D.Dense> Qkv { get; }

    public MemoryBuffer1D<Float4, Stride1D.Dense> Skip { get; }

    /// <summary>Page-locked, for copies to and from the device.</summary>
    public PageLockedArray1D<float> HostConditions { get; }

    /// <summary>Page-locked, for copies to and from the device.</summary>
    public PageLockedArray1D<float> HostState { get; }

    public long Bytes => _all.Sum(b => b.Bytes);

    public void Dispose()
    {
        foreach ((IDisposable buffer, _) in _all)
            buffer.Dispose();
    }

    private unsafe MemoryBuffer1D<T, Stride1D.Dense> Take<T>(long length)
        where T : unmanaged
    {
        MemoryBuffer1D<T, Stride1D.Dense> buffer = _accelerator.Allocate1D<T>(length);
        _all.Add((buffer, length * sizeof(T)));
        return buffer;
    }

    private PageLockedArray1D<float> Pin(int length)
    {
        PageLockedArray1D<float> array = _accelerator.AllocatePageLocked1D<float>(length, false);
        _all.Add((array, sizeof(float) * (long)length));
        return array;
    }
}
