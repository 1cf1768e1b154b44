using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Gpu.Devices;

namespace UniCardio.Gpu.Backend;

/// <summary>A network's weights on the device, uploaded once; the table of a slot's positions is filled when it first goes live.</summary>
/// <remarks>The weights themselves are not needed afterwards. Everything here is called with the device's turn held.</remarks>
internal sealed class DeviceNetwork : IDisposable
{
    private readonly DeviceMemory _memory;
    private readonly AcceleratorStream _stream;
    private readonly DeviceWeights _weights;
    private readonly MemoryBuffer1D<Float4, Stride1D.Dense>[] _blocks;
    private readonly MemoryBuffer1D<Float4, Stride1D.Dense>[] _tensorBlocks;
    private readonly MemoryBuffer1D<Float4, Stride1D.Dense>[] _rowBlocks;
    private readonly MemoryBuffer1D<Float4, Stride1D.Dense>[] _decoders;
    private readonly MemoryBuffer1D<Float4, Stride1D.Dense>[] _tensorDecoders;
    private readonly MemoryBuffer1D<Float4, Stride1D.Dense> _convolutions, _affine, _steps, _gate;
    private readonly bool[] _slotFilled;

    // Tables that are computed and not yet uploaded.
    private readonly float[]?[] _positions;

    public DeviceNetwork(GpuDevice device, DeviceLayout layout, ModelWeights weights, bool usesTensors = false, bool usesRows = false)
    {
        Layout = layout;
        ModelConfiguration m = weights.Configuration;
        _weights = new DeviceWeights(new FoldedNetwork(weights), Layout);
        _stream = device.Stream;
        _memory = new DeviceMemory(device.Accelerator);
        try
        {
            _blocks = [.. Enumerable.Range(0, m.Blocks).Select(i => Upload(_weights.Block(i)))];
            _tensorBlocks = usesTensors
                ? [.. Enumerable.Range(0, m.Blocks).Select(i => Upload(_weights.TensorBlock(i, weights.Network.Blocks[i])))] : [];
            _rowBlocks = usesRows && layout.HasRows ? [.. Enumerable.Range(0, m.Blocks).Select(i => Upload(_weights.Rows(i)))] : [];
            _tensorDecoders = usesTensors && layout.HasTensorDecoder
                ? [.. Enumerable.Range(0, 3).Select(i => Upload(_weights.TensorDecoder(i)))] : [];
            _decoders = [.. Enumerable.Range(0, 3).Select(i => Upload(_weights.Decoder(i)))];
            _convolutions = Upload(_weights.Convolutions());
            _affine = Upload(_weights.EncoderAffine());
            _steps = Upload(_weights.Steps());
            int slots = m.Positions == PositionKind.Slot ? 1 : ModelConfiguration.SlotCount;
            _gate = _memory.Take<Float4>((long)slots * m.Blocks * m.SlotTokens * 2 * Layout.Quads);
            _slotFilled = new bool[slots];
            _positions = new float[slots][];
        }
        catch
        {
            _memory.Dispose();
            throw;
        }
    }

    public DeviceLayout Layout { get; }

    public ArrayView<Float4> Convolutions => _convolutions.View;

    public ArrayView<Float4> Affine => _affine.View;

    /// <summary>[slots, blocks, T, 2C].</summary>
    public ArrayView<Float4> Gate => _gate.View;

    public ArrayView<Float4> Block(int i) => _blocks[i].View;

    /// <summary>Address of a matrix of <see cref="DeviceLayout.Tensor"/>.</summary>
    public long TensorMatrix(int block, int quad) => _tensorBlocks[block].NativePtr + (16L * quad);

    /// <summary>Whether there are weights for few rows.</summary>
    public bool HasRows => _rowBlocks.Length > 0;

    /// <summary>A block's weights for few rows.</summary>
    public MemoryBuffer1D<Float4, Stride1D.Dense> Rows(int block) => _rowBlocks[block];

    /// <summary>A block's vectors beside them.</summary>
    public ArrayView<Float4> RowVectors(int block) => ((ArrayView<Float4>)_rowBlocks[block].View).SubView(Layout.Rows.Vectors);

    public ArrayView<Float4> Decoder(int i) => _decoders[i].View;

    /// <summary>Whether there are decoders for tensor cores.</summary>
    public bool HasTensorDecoder => _tensorDecoders.Length > 0;

    /// <summary>Address of a decoder for tensor cores, where there is one.</summary>
    public long TensorDecoder(int i) => _tensorDecoders[i].NativePtr;

    /// <summary>[blocks, 3 heads + C] of one t.</summary>
    public ArrayView<Float4> Steps(int t)
    {
        ArrayView<Float4> all = _steps.View;
        long length = (long)Layout.Configuration.Blocks * Layout.StepQuads;
        return all.SubView(t * length, length);
    }

    /// <summary>Computes what the slots of a plan need of the gate's table, on the host: seconds at full size, so without the device's
    /// turn.</summary>
    public void PreparePositions(InferencePlan plan)
    {
        foreach (int slot in plan.Conditions.Select(m => (int)m).Append((int)plan.Target))
        {
            int index = _slotFilled.Length == 1 ? 0 : slot;
            lock (_positions)
            {
                if (!_slotFilled[index])
                    _positions[index] ??= _weights.GateConstants(index);
            }
        }
    }

    /// <summary>Which slot of the gate's table a slot takes; its rows are there when this returns.</summary>
    public int GateSlot(int slot)
    {
        // Positions within the slot are the same in every slot: one table serves all.
        int index = _slotFilled.Length == 1 ? 0 : slot;
        if (!_slotFilled[index])
        {
            long length = _gate.Length / _slotFilled.Length;
            ((ArrayView<Float4>)_gate.View).SubView(index * length, length).CopyFromCPU(_stream, Quads(Prepared(index)));
            _slotFilled[index] = true;
        }

        return index;
    }

    public void Dispose() => _memory.Dispose();

    private float[] Prepared(int index)
    {
        lock (_positions)
        {
            float[] values = _positions[index] ?? _weights.GateConstants(index);
            _positions[index] = null;
            return values;
        }
    }

    private MemoryBuffer1D<Float4, Stride1D.Dense> Upload(float[] values)
    {
        MemoryBuffer1D<Float4, Stride1D.Dense> buffer = _memory.Take<Float4>(values.Length / 4);
        ((ArrayView<Float4>)buffer.View).CopyFromCPU(_stream, Quads(values));
        return buffer;
    }

    private static Float4[] Quads(float[] values) => MemoryMarshal.Cast<float, Float4>(values).ToArray();
}
