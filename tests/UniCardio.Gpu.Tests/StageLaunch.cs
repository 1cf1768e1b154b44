using ILGPU;
using ILGPU.Runtime;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.OpCases;

namespace UniCardio.Gpu.Tests;

/// <summary>The buffers of a stage's one window on the device: rows are uploaded, a kernel runs as the backend runs it, rows are
/// read.</summary>
internal sealed class StageLaunch : IDisposable
{
    // Rows / 4 of a strip that takes the kernels for many rows.
    private const int LargeStrip = 3;

    private readonly int[] _n;
    private float[]? _gain;
    private readonly ModelWeights _weights;
    private readonly InferencePlan _plan;
    private readonly DeviceLease _lease;

    public StageLaunch(int[] n, bool usesTensors, bool widened = false)
    {
        _n = n;
        _plan = Stage.Plan(n);
        _weights = Stage.Weights(n);
        _lease = TestDevices.Open();
        WeightKind kind = usesTensors && !widened && n.Length > 5 && n[5] < 0 ? WeightKinds.Of(_weights) : WeightKind.Single;
        Network = new DeviceNetwork(_lease.Device, new DeviceLayout(_plan.Configuration, kind), _weights, usesTensors, usesTensors);
        Buffers = new DeviceBuffers(_lease.Device.Accelerator, Layout, _plan, usesTensors);
        // Read whole, though a kernel writes some blocks' rows alone: what of the others is taken for a result is NaN.
        ((ArrayView<Float4>)Buffers.Qkv.View).Cast<float>()
            .CopyFromCPU([.. Enumerable.Repeat(float.NaN, 4 * (int)Buffers.Qkv.Length)]);
        Pass = new NetworkPass(_lease.Device, Network, Buffers, _plan,
            new GpuOptions { GroupRows = n[2] % 4 == 0 ? TestDevices.GroupRows : LargeStrip });
        Shape = Pass.Shape(0);
        GroupRows = Pass.Strips(Shape).GroupDim.Y;
    }

    public CompiledKernels Kernels => _lease.Device.Kernels;

    public AcceleratorStream Stream => _lease.Device.Stream;

    public DeviceNetwork Network { get; }

    public DeviceLayout Layout => Network.Layout;

    public DeviceBuffers Buffers { get; }

    public NetworkPass Pass { get; }

    public StripShape Shape { get; }

    /// <summary>Rows / 4 of the stage's strips: few or many, by the size, so that both kernels of a strip run.</summary>
    public int GroupRows { get; }

    public int Rows => Shape.EndRow;

    /// <summary>[blocks, 3 heads + C] biases of the stages' t.</summary>
    public ArrayView<Float4> Steps => Network.Steps(Stage.Step);

    /// <summary>d(t) with the attention's output bias.</summary>
    public ArrayView<Float4> OutBias => Steps.SubView(3 * Layout.HeadQuads, Layout.Quads);

    /// <summary>Address of a matrix of block 0 for tensor cores.</summary>
    public long Matrix(Func<TensorLayout, int> which) => Network.TensorMatrix(0, which(Layout.Tensor));

    /// <summary>Rows of C channels into quads, zeros after them.</summary>
    public StageLaunch Put(MemoryBuffer1D<Float4, Stride1D.Dense> buffer, float[] values) => Put(buffer, values, Layout.Quads, c => c);

    /// <summary>Rows of heads, each padded to quads.</summary>
    public StageLaunch PutHeads(MemoryBuffer1D<Float4, Stride1D.Dense> buffer, float[] values) =>
        Put(buffer, values, Layout.HeadQuads, Layout.HeadColumn);

    public StageLaunch Put(MemoryBuffer1D<float, Stride1D.Dense> buffer, float[] values)
    {
        ((ArrayView<float>)buffer.View).CopyFromCPU(values);
        return this;
    }

    /// <summary>The rows, LN2's gain on them where it is not in the weights.</summary>
    public float[] WithGain(float[] rows) => IsHalf ? [.. rows.Select((v, i) => v * Gain[i % _n[2]])] : rows;

    /// <summary>The rows without that gain.</summary>
    public float[] WithoutGain(float[] rows) => IsHalf ? [.. rows.Select((v, i) => v / Gain[i % _n[2]])] : rows;

    private float[] Gain => _gain ??= Stage.Gain(_n);

    private bool IsHalf => Layout.Weights != WeightKind.Single;

    /// <summary>Runs a kernel.</summary>
    public StageLaunch Run(Action<StageLaunch> kernel)
    {
        kernel(this);
        Stream.Synchronize();
        return this;
    }

    /// <summary>[rows, C] of a buffer.</summary>
    public float[] Get(MemoryBuffer1D<Float4, Stride1D.Dense> buffer, int rows) => Get(buffer, rows, _n[2], Layout.Quads, c => c);

    public static float[] Get(MemoryBuffer1D<float, Stride1D.Dense> buffer)
    {
        float[] values = new float[buffer.Length];
        ((ArrayView<float>)buffer.View).CopyToCPU(values);
        return values;
    }

    /// <summary>[rows, 3C] of the queries, keys and values of a block: every block's conditions come first, then the targets.</summary>
    public float[] GetQkv(int block)
    {
        int c = _n[2], conditions = Shape.ConditionRows;
        float[] all = Get(Buffers.Qkv, Rows + (conditions * (Shape.Blocks - 1)), 3 * c, 3 * Layout.HeadQuads,
            column => (column / c * 4 * Layout.HeadQuads) + Layout.HeadColumn(column % c));
        return [.. all.AsSpan(block * conditions * 3 * c, conditions * 3 * c), .. all.AsSpan(Shape.Blocks * conditions * 3 * c)];
    }

    public void Dispose()
    {
        Buffers.Dispose();
        Network.Dispose();
        _lease.Dispose();
        _weights.Dispose();
    }

    private StageLaunch Put(MemoryBuffer1D<Float4, Stride1D.Dense> buffer, float[] values, int quads, Func<int, int> column)
    {
        int columns = _n[2];
        float[] padded = new float[values.Length / columns * 4 * quads];
        for (int i = 0; i < values.Length; i++)
            padded[(i / columns * 4 * quads) + column(i % columns)] = values[i];
        ((ArrayView<Float4>)buffer.View).Cast<float>().SubView(0, padded.Length).CopyFromCPU(padded);
        return this;
    }

    private static float[] Get(MemoryBuffer1D<Float4, Stride1D.Dense> buffer, int rows, int columns, int quads, Func<int, int> column)
    {
        float[] padded = new float[rows * 4 * quads], values = new float[rows * columns];
        ((ArrayView<Float4>)buffer.View).Cast<float>().SubView(0, padded.Length).CopyToCPU(padded);
        for (int i = 0; i < values.Length; i++)
            values[i] = padded[(i / columns * 4 * quads) + column(i % columns)];
        return values;
    }
}
