using UniCardio.Engine.Model;
using UniCardio.Training.Network;

namespace UniCardio.Training.Differentiation;

/// <summary>
/// A network's parameters as one flat vector with a gradient of the same layout per lane, and their packed forms. Tapes of several lanes
/// read the same parameters; each adds to its own gradient, and gradients are summed in lane order.
/// </summary>
internal sealed unsafe class TapeParameters : IDisposable
{
    private const int LineFloats = 16;
    private readonly Dictionary<string, ParameterSlice> _slices = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TrainedMatrix> _packed = new(StringComparer.Ordinal);
    private readonly int _panel;

    /// <param name="shapes">Names and shapes.</param>
    /// <param name="panel">Columns of a panel of the packed maps.</param>
    public TapeParameters(IReadOnlyList<ParameterShape> shapes, int panel)
    {
        Shapes = shapes;
        _panel = panel;
        int offset = 0;
        foreach (ParameterShape shape in shapes)
        {
            int count = checked((int)shape.Count);
            _slices.Add(shape.Name, new ParameterSlice(shape.Name, shape.Shape, offset, count));
            offset = checked((offset + count + LineFloats - 1) / LineFloats * LineFloats);
        }

        Values = new float[offset];
    }

    /// <summary>Names and shapes, in the order of the flat vector.</summary>
    public IReadOnlyList<ParameterShape> Shapes { get; }

    /// <summary>[N] the flat vector; zero between tensors.</summary>
    public float[] Values { get; }

    /// <summary>Where a parameter stands.</summary>
    /// <exception cref="KeyNotFoundException">No such parameter.</exception>
    public ParameterSlice this[string name] => _slices[name];

    /// <summary>Where each parameter stands, in the order of the flat vector.</summary>
    public IReadOnlyList<ParameterSlice> Slices => [.. Shapes.Select(s => _slices[s.Name])];

    /// <summary>A parameter's values.</summary>
    public Span<float> Of(string name) => Values.AsSpan(_slices[name].Offset, _slices[name].Count);

    /// <summary>Copies tensors of these names into the flat vector.</summary>
    public void Read(IEnumerable<ParameterTensor> tensors)
    {
        foreach (ParameterTensor tensor in tensors)
        {
            if (_slices.TryGetValue(tensor.Name, out ParameterSlice? slice))
                tensor.Span.CopyTo(Values.AsSpan(slice.Offset, slice.Count));
        }
    }

    /// <summary>The parameters as tensors; copies.</summary>
    public IEnumerable<ParameterTensor> Write() => Shapes.Select(s => new ParameterTensor(s.Name, s.Shape, Of(s.Name).ToArray()));

    /// <summary>A map packed for products both ways. Packed once after each <see cref="Changed"/>, by whoever asks first.</summary>
    /// <param name="weight">Name of W; of a convolution, [outputs, inputs, k], which is packed tap-major.</param>
    /// <param name="bias">Name of b, or null.</param>
    public TrainedMatrix Packed(string weight, string? bias)
    {
        lock (_packed)
        {
            if (_packed.TryGetValue(weight, out TrainedMatrix? ready))
                return ready;
            ParameterSlice slice = _slices[weight];
            int outputs = slice.Shape[0], inputs = slice.Count / outputs;
            var matrix = new TrainedMatrix(outputs, inputs, _panel);
            ReadOnlySpan<float> values = Of(weight);
            matrix.Pack(slice.Shape.Count == 3 ? TapMajor(values, slice.Shape) : values, bias is null ? [] : Of(bias));
            _packed.Add(weight, matrix);
            return matrix;
        }
    }

    /// <summary>Says that values changed: maps are packed anew.</summary>
    public void Changed()
    {
        lock (_packed)
        {
            foreach (TrainedMatrix matrix in _packed.Values)
                matrix.Dispose();
            _packed.Clear();
        }
    }

    public void Dispose() => Changed();

    // [outputs, inputs, k] -> [outputs, k, inputs]: rows of time-major signals are contiguous in that order.
    private static float[] TapMajor(ReadOnlySpan<float> weight, IReadOnlyList<int> shape)
    {
        (int outputs, int inputs, int taps) = (shape[0], shape[1], shape[2]);
        float[] result = new float[weight.Length];
        for (int o = 0; o < outputs; o++)
        {
            for (int c = 0; c < inputs; c++)
            {
                for (int k = 0; k < taps; k++)
                    result[(((o * taps) + k) * inputs) + c] = weight[(((o * inputs) + c) * taps) + k];
            }
        }

        return result;
    }
}
