using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;
using UniCardio.Engine.Model;

namespace UniCardio.Kernels;

/// <summary>A network's weights on the device, uploaded once; tables of a step t or a slot are filled on first use.</summary>
internal sealed class DeviceNetwork : IDisposable
{
    private readonly Accelerator _accelerator;
    private readonly FoldedWeights _folded;
    private readonly MemoryBuffer1D<Float4, Stride1D.Dense>[] _blocks;
    private readonly MemoryBuffer1D<Float4, Stride1D.Dense>[] _decoders;
    private readonly MemoryBuffer1D<Float4, Stride1D.Dense> _convolutions, _affine, _steps, _gate;
    private readonly bool[] _stepFilled, _slotFilled;
    private readonly Lock _filling = new();

    public DeviceNetwork(Accelerator accelerator, ModelWeights weights)
    {
        _accelerator = accelerator;
        Layout = new DeviceLayout(weights.Configuration);
        ModelConfiguration m = weights.Configuration;
        _folded = new FoldedWeights(weights, Layout);
        accelerator.Bind();
        _blocks = [.. Enumerable.Range(0, m.Blocks).Select(i => Upload(_folded.Block(i)))];
        _decoders = [.. Enumerable.Range(0, 3).Select(i => Upload(_folded.Decoder(i)))];
        _convolutions = Upload(_folded.Convolutions());
        _affine = Upload(_folded.EncoderAffine());
        _steps = accelerator.Allocate1D<Float4>((long)m.DiffusionSteps * m.Blocks * Layout.StepQuads);
        int slots = m.Positions == PositionKind.Slot ? 1 : ModelConfiguration.SlotCount;
        _gate = accelerator.Allocate1D<Float4>((long)slots * m.Blocks * m.SlotTokens * 2 * Layout.Quads);
        _stepFilled = new bool[m.DiffusionSteps];
        _slotFilled = new bool[slots];
    }

    public DeviceLayout Layout { get; }

    public ArrayView<Float4> Convolutions => _convolutions.View;

    public ArrayView<Float4> Affine => _affine.View;

    /// <summary>[slots, blocks, T, 2C].</summary>
    public ArrayView<Float4> Gate => _gate.View;

    public ArrayView<Float4> Block(int i) => _blocks[i].View;

    public ArrayView<Float4> Decoder(int i) => _decoders[i].View;

    /// <summary>[blocks, 3 heads + C] of one t.</summary>
    public ArrayView<Float4> Steps(int t)
    {
        ArrayView<Float4> all = _steps.View;
        long length = (long)Layout.Configuration.Blocks * Layout.StepQuads;
        ArrayView<Float4> view = all.SubView(t * length, length);
        lock (_filling)
        {
            if (!_stepFilled[t])
            {
                view.CopyFromCPU(_accelerator.DefaultStream, Quads(_folded.Step(t)));
                _stepFilled[t] = true;
            }
        }

        return view;
    }

    /// <summary>Which slot of the gate's table a slot takes; its rows are there when this returns.</summary>
    public int GateSlot(int slot)
    {
        // Positions within the slot are the same in every slot: one table serves all.
        int index = _slotFilled.Length == 1 ? 0 : slot;
        lock (_filling)
        {
            if (!_slotFilled[index])
            {
                long length = _gate.Length / _slotFilled.Length;
                ((ArrayView<Float4>)_gate.View).SubView(index * length, length).CopyFromCPU(_accelerator.DefaultStream, Quads(_folded.GateTable(index)));
                _slotFilled[index] = true;
            }
        }

        return index;
    }

    public void Dispose()
    {
        foreach (MemoryBuffer1D<Float4, Stride1D.Dense> buffer in (MemoryBuffer1D<Float4, Stride1D.Dense>[])[.. _blocks, .. _decoders, _convolutions, _affine, _steps, _gate])
            buffer.Dispose();
    }

    private MemoryBuffer1D<Float4, Stride1D.Dense> Upload(float[] values)
    {
        MemoryBuffer1D<Float4, Stride1D.Dense> buffer = _accelerator.Allocate1D<Float4>(values.Length / 4);
        ((ArrayView<Float4>)buffer.View).CopyFromCPU(_accelerator.DefaultStream, Quads(values));
        return buffer;
    }

    private static Float4[] Quads(float[] values) => MemoryMarshal.Cast<float, Float4>(values).ToArray();
}
