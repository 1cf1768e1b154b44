using ILGPU;
using ILGPU.Runtime;
using UniCardio.Engine;
using UniCardio.Engine.Plan;
using UniCardio.Gpu.Devices;

namespace UniCardio.Gpu.Backend;

/// <summary>Everything that one plan needs on the device, allocated once.</summary>
internal sealed class DeviceBuffers : IDisposable
{
    private readonly DeviceMemory _memory;

    public DeviceBuffers(Accelerator accelerator, DeviceLayout layout, InferencePlan plan, bool usesRows = false)
    {
        int t = plan.TargetTokens;
        long conditionRows = (long)plan.Windows * plan.ConditionTokens, targetRows = (long)plan.BatchDraws * t,
            rows = conditionRows + targetRows;
        long qkvRows = (plan.Configuration.Blocks * conditionRows) + targetRows;
        // Kernels index with 32 bits, floats in the widest case.
        if (qkvRows * 12 * layout.HeadQuads > int.MaxValue)
            throw new ConfigurationException(
                "draws", $"{plan.Windows} windows x {plan.Draws} draws are more than one batch on the GPU can index; run fewer at a time");
        _memory = new DeviceMemory(accelerator);
        try
        {
            _memory.Require((4L * (plan.ConditionSamples + (6L * plan.StateSamples)))
                + (16 * ((rows * (((usesRows ? 3 : 2) * layout.Quads) + layout.HeadQuads)) + (qkvRows * 3 * layout.HeadQuads)
                    + (targetRows * layout.Quads))));
            Conditions = _memory.Take<float>(plan.ConditionSamples);
            State = _memory.Take<float>(plan.StateSamples);
            Prediction = _memory.Take<float>(plan.StateSamples);
            Noise = _memory.Take<float>(plan.StateSamples);
            Clean = [_memory.Take<float>(plan.StateSamples), _memory.Take<float>(plan.StateSamples),
                _memory.Take<float>(plan.StateSamples)];
            int slots = (plan.Windows * plan.Conditions.Count) + plan.BatchDraws;
            EncoderSlots = _memory.Take<int>(slots);
            GateSlots = _memory.Take<int>(slots);
            NoiseKeys = _memory.Take<int>(3 * plan.Windows);
            Statistics = _memory.Take<Float4>((long)slots * layout.Chunks);
            X = _memory.Take<Float4>(rows * layout.Quads);
            Y = _memory.Take<Float4>(rows * layout.Quads);
            Attention = _memory.Take<Float4>(rows * layout.HeadQuads);
            Qkv = _memory.Take<Float4>(qkvRows * 3 * layout.HeadQuads);
            Gated = _memory.Take<Float4>(usesRows ? rows * layout.Quads : 1);
            Skip = _memory.Take<Float4>(targetRows * layout.Quads);
            HostConditions = _memory.Pin(plan.ConditionSamples);
            HostState = _memory.Pin(plan.StateSamples);
        }
        catch
        {
            _memory.Dispose();
            throw;
        }
    }

    public MemoryBuffer1D<float, Stride1D.Dense> Conditions { get; }

    public MemoryBuffer1D<float, Stride1D.Dense> State { get; }

    public MemoryBuffer1D<float, Stride1D.Dense> Prediction { get; }

    public MemoryBuffer1D<float, Stride1D.Dense> Noise { get; }

    /// <summary>Clean signals of this row and of the two before, rotated by the executor.</summary>
    public MemoryBuffer1D<float, Stride1D.Dense>[] Clean { get; }

    public MemoryBuffer1D<int, Stride1D.Dense> EncoderSlots { get; }

    public MemoryBuffer1D<int, Stride1D.Dense> GateSlots { get; }

    public MemoryBuffer1D<int, Stride1D.Dense> NoiseKeys { get; }

    public MemoryBuffer1D<Float4, Stride1D.Dense> Statistics { get; }

    public MemoryBuffer1D<Float4, Stride1D.Dense> X { get; }

    public MemoryBuffer1D<Float4, Stride1D.Dense> Y { get; }

    public MemoryBuffer1D<Float4, Stride1D.Dense> Attention { get; }

    public MemoryBuffer1D<Float4, Stride1D.Dense> Qkv { get; }

    /// <summary>Gates where few rows are computed, whose groups still read what attention left; else a quad.</summary>
    public MemoryBuffer1D<Float4, Stride1D.Dense> Gated { get; }

    public MemoryBuffer1D<Float4, Stride1D.Dense> Skip { get; }

    /// <summary>Page-locked, for copies to and from the device.</summary>
    public PageLockedArray1D<float> HostConditions { get; }

    /// <summary>Page-locked, for copies to and from the device.</summary>
    public PageLockedArray1D<float> HostState { get; }

    public long Bytes => _memory.Bytes;

    public void Dispose() => _memory.Dispose();
}
