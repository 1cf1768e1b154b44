using UniCardio.Engine.Model;

namespace UniCardio.Weights.Onnx;

/// <summary>
/// An ONNX graph under construction (github.com/onnx/onnx, onnx.proto, IR version 8): operators of opset 17 by name, constants with their
/// values. Values are known by the texts that the methods give back.
/// </summary>
internal sealed class OnnxGraph
{
    /// <summary>The operator set; the first with LayerNormalization.</summary>
    public const int Opset = 17;

    private const int Float = 1, Int64 = 7;

    private readonly List<ProtobufMessage> _nodes = [], _constants = [], _inputs = [], _outputs = [];
    private readonly Dictionary<string, int> _names = new(StringComparer.Ordinal);

    /// <summary>An input of floats.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="shape">Numbers, or names of dimensions that a caller chooses.</param>
    /// <param name="meaning">Units and range.</param>
    public string Input(string name, object[] shape, string meaning) => Declare(_inputs, name, Float, shape, meaning);

    /// <summary>An input of whole numbers.</summary>
    public string Index(string name, object[] shape, string meaning) => Declare(_inputs, name, Int64, shape, meaning);

    /// <summary>Says that a value is the graph's output.</summary>
    public void Output(string name, object[] shape, string meaning) => Declare(_outputs, name, Float, shape, meaning);

    /// <summary>A constant, each value rounded to float32 once.</summary>
    public string Constant(string name, ReadOnlySpan<double> values, params long[] shape)
    {
        float[] rounded = new float[values.Length];
        for (int i = 0; i < rounded.Length; i++)
            rounded[i] = (float)values[i];
        return Tensor(name, Float, shape, t => t.Add(9, rounded));
    }

    /// <summary>A list of whole numbers: a shape.</summary>
    public string Indices(string name, params long[] values) => Tensor(name, Int64, [values.Length], t =>
    {
        foreach (long value in values)
            t.Add(7, value);
    });

    /// <summary>A weight [outputs, inputs], some of its rows, transposed to what MatMul takes: [inputs, outputs].</summary>
    public string Weight(string name, LinearMap map, int firstOutput, int outputs)
    {
        int inputs = map.Inputs;
        double[] transposed = new double[outputs * inputs];
        for (int n = 0; n < outputs; n++)
        {
            for (int k = 0; k < inputs; k++)
                transposed[(k * outputs) + n] = map.Weight[((firstOutput + n) * inputs) + k];
        }

        return Constant(name, transposed, inputs, outputs);
    }

    /// <summary>One operator.</summary>
    /// <param name="type">Its name.</param>
    /// <param name="result">Name of its output; a number is added where it is taken.</param>
    /// <param name="inputs">Its inputs.</param>
    /// <param name="attributes">Whole numbers (<see cref="long"/>), lists of them or floats by name.</param>
    public string Node(string type, string result, ReadOnlySpan<string> inputs, params (string Name, object Value)[] attributes)
    {
        string output = Unique(result);
        var node = new ProtobufMessage();
        foreach (string input in inputs)
            node.Add(1, input);
        node.Add(2, output).Add(3, output).Add(4, type);
        foreach ((string name, object value) in attributes)
            node.Add(5, Attribute(name, value));
        _nodes.Add(node);
        return output;
    }

    /// <summary>The whole file's message.</summary>
    /// <param name="name">The graph's name.</param>
    /// <param name="description">For a person.</param>
    /// <param name="metadata">String pairs, written sorted by key.</param>
    public ProtobufMessage Model(string name, string description, IReadOnlyDictionary<string, string> metadata)
    {
        var graph = new ProtobufMessage();
        Each(graph, 1, _nodes);
        graph.Add(2, name);
        Each(graph, 5, _constants);
        graph.Add(10, description);
        Each(graph, 11, _inputs);
        Each(graph, 12, _outputs);
        string version = typeof(OnnxGraph).Assembly.GetName().Version!.ToString(3);
        ProtobufMessage model = new ProtobufMessage().Add(1, 8L).Add(2, "UniCardio.Engine").Add(3, version).Add(6, description)
            .Add(7, graph).Add(8, new ProtobufMessage().Add(1, "").Add(2, (long)Opset));
        foreach ((string key, string value) in metadata.OrderBy(p => p.Key, StringComparer.Ordinal))
            model.Add(14, new ProtobufMessage().Add(1, key).Add(2, value));
        return model;
    }

    private static void Each(ProtobufMessage target, int number, List<ProtobufMessage> messages)
    {
        foreach (ProtobufMessage message in messages)
            target.Add(number, message);
    }

    private string Unique(string name)
    {
        int taken = _names.GetValueOrDefault(name);
        _names[name] = taken + 1;
        return taken == 0 ? name : $"{name}_{taken + 1}";
    }

    private string Tensor(string name, int type, long[] shape, Action<ProtobufMessage> data)
    {
        string unique = Unique(name);
        var tensor = new ProtobufMessage();
        foreach (long dimension in shape)
            tensor.Add(1, dimension);
        tensor.Add(2, (long)type).Add(8, unique);
        data(tensor);
        _constants.Add(tensor);
        return unique;
    }

    private string Declare(List<ProtobufMessage> list, string name, int type, object[] shape, string meaning)
    {
        var dimensions = new ProtobufMessage();
        foreach (object dimension in shape)
            dimensions.Add(1, dimension is string free ? new ProtobufMessage().Add(2, free)
                : new ProtobufMessage().Add(1, Convert.ToInt64(dimension, System.Globalization.CultureInfo.InvariantCulture)));
        ProtobufMessage tensor = new ProtobufMessage().Add(1, (long)type).Add(2, dimensions);
        _names.TryAdd(name, 1);
        list.Add(new ProtobufMessage().Add(1, name).Add(2, new ProtobufMessage().Add(1, tensor)).Add(3, meaning));
        return name;
    }

    private static ProtobufMessage Attribute(string name, object value)
    {
        ProtobufMessage attribute = new ProtobufMessage().Add(1, name);
        switch (value)
        {
            case float number:
                return attribute.Add(2, number).Add(20, 1L);
            case long number:
                return attribute.Add(3, number).Add(20, 2L);
            case long[] numbers:
                foreach (long number in numbers)
                    attribute.Add(8, number);
                return attribute.Add(20, 7L);
            default:
                throw new ArgumentException($"{value.GetType()} is no kind of attribute", nameof(value));
        }
    }
}
