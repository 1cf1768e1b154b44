using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Backends.Cpu.Simd;
using UniCardio.Training.Kernels;
using UniCardio.Training.Network;

namespace UniCardio.Training.Differentiation;

/// <summary>A matrix on a tape and its gradient, both [rows, stride] with zeros past the columns.</summary>
internal sealed unsafe class TapeMatrix
{
    internal TapeMatrix(int rows, int columns, int stride, AlignedBuffer value, AlignedBuffer gradient)
    {
        Rows = rows;
        Columns = columns;
        Stride = stride;
        ValueBuffer = value;
        GradientBuffer = gradient;
    }

    public int Rows { get; }

    public int Columns { get; }

    /// <summary>Floats between rows: columns rounded up to whole panels.</summary>
    public int Stride { get; }

    public float* Value => ValueBuffer.Pointer;

    public float* Gradient => GradientBuffer.Pointer;

    internal AlignedBuffer ValueBuffer { get; }

    internal AlignedBuffer GradientBuffer { get; }

    /// <summary>One row's values.</summary>
    public Span<float> Row(int row) => new(Value + ((nint)row * Stride), Columns);

    /// <summary>One row's gradient.</summary>
    public Span<float> GradientRow(int row) => new(Gradient + ((nint)row * Stride), Columns);

    /// <summary>The values, dense.</summary>
    public float[] ToArray()
    {
        float[] dense = new float[Rows * Columns];
        for (int row = 0; row < Rows; row++)
            Row(row).CopyTo(dense.AsSpan(row * Columns));
        return dense;
    }
}

/// <summary>
/// Reverse-mode differentiation over a handful of matrix ops (Linnainmaa 1976): ops run at once and are noted; <see cref="Backward"/> goes
/// through the notes from the last to the first and adds each op's share to the gradients of what it read.
/// </summary>
/// <remarks>
/// For networks whose step is small beside UniCardio's, which has a hand-fitted backward pass: one thread a tape, one tape a lane. The ops
/// are in the other part of this class, each with its formula; products are the CPU backend's register tiles. Memory is kept from step to
/// step.
/// </remarks>
internal sealed unsafe partial class Tape<S, V> : IDisposable
    where S : struct, ISimd<S, V>
    where V : struct
{
    private readonly List<Action> _backward = [];
    private readonly Dictionary<long, Stack<AlignedBuffer>> _free = [];
    private readonly List<AlignedBuffer> _used = [];
    private readonly TapeParameters _parameters;

    /// <param name="parameters">What maps and norms read; may be shared by tapes of other threads.</param>
    public Tape(TapeParameters parameters)
    {
        _parameters = parameters;
        Gradients = new float[parameters.Values.Length];
    }

    /// <summary>[N] gradient of the parameters, added to by <see cref="Backward"/>; cleared by <see cref="Begin"/>.</summary>
    public float[] Gradients { get; }

    /// <summary>Starts a step: everything made before is gone.</summary>
    public void Begin()
    {
        _backward.Clear();
        Array.Clear(Gradients);
        foreach (AlignedBuffer buffer in _used)
        {
            if (!_free.TryGetValue(buffer.Length, out Stack<AlignedBuffer>? stack))
                _free[buffer.Length] = stack = [];
            stack.Push(buffer);
        }

        _used.Clear();
    }

    /// <summary>A matrix of given values, row-major.</summary>
    public TapeMatrix Constant(ReadOnlySpan<float> values, int rows, int columns)
    {
        if (values.Length != (long)rows * columns)
            throw new ArgumentException($"{values.Length} values, expected [{rows}, {columns}]", nameof(values));
        TapeMatrix matrix = New(rows, columns);
        for (int row = 0; row < rows; row++)
            values.Slice(row * columns, columns).CopyTo(matrix.Row(row));
        return matrix;
    }

    /// <summary>Adds every op's share to the gradients of what it read. The gradient of the result was set by the caller.</summary>
    public void Backward()
    {
        for (int i = _backward.Count - 1; i >= 0; i--)
            _backward[i]();
    }

    public void Dispose()
    {
        foreach (AlignedBuffer buffer in _used.Concat(_free.Values.SelectMany(s => s)))
            buffer.Dispose();
        foreach (AttentionScratch scratch in _scratch.Values)
            scratch.Dispose();
        _used.Clear();
        _free.Clear();
        _scratch.Clear();
    }

    private static int Width => 2 * S.Width;

    private static int RoundUp(int value) => (value + Width - 1) / Width * Width;

    private TapeMatrix New(int rows, int columns)
    {
        int stride = RoundUp(columns);
        return new TapeMatrix(rows, columns, stride, Buffer((long)rows * stride), Buffer((long)rows * stride));
    }

    // Zeroed; a panel's width of room past the end, since tiles and vectors may reach that far.
    private AlignedBuffer Buffer(long length)
    {
        length += Width;
        AlignedBuffer buffer;
        if (_free.TryGetValue(length, out Stack<AlignedBuffer>? stack) && stack.TryPop(out AlignedBuffer? old))
        {
            buffer = old;
            buffer.Span.Clear();
        }
        else
        {
            buffer = new AlignedBuffer(length);
        }

        _used.Add(buffer);
        return buffer;
    }

    private Span<float> GradientOf(string name)
    {
        ParameterSlice slice = _parameters[name];
        return Gradients.AsSpan(slice.Offset, slice.Count);
    }
}
