using System.Text.Json;
using UniCardio.Serving.Hosting;

namespace UniCardio.Serving.Inference;

/// <summary>
/// Reads the body of an infer request: JSON, or JSON with tensors after it (binary tensor data extension). Fields that the protocol does
/// not know are skipped, as extensions may add some; everything else that does not fit is refused with its place.
/// </summary>
internal ref struct InferRequestReader
{
    private const int MaxDepth = 16, MaxInputs = 16, MaxParameters = 64, MaxIdLength = 1024;
    private readonly int _maxValues;
    private Utf8JsonReader _json;

    private InferRequestReader(ReadOnlySpan<byte> json, int maxValues)
    {
        _json = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
        _maxValues = maxValues;
    }

    /// <summary>Reads a body.</summary>
    /// <param name="body">The body.</param>
    /// <param name="jsonLength">Bytes of JSON; null if all of it is.</param>
    /// <param name="maxValues">Most values of a tensor.</param>
    /// <exception cref="RequestException">It is not a request.</exception>
    public static InferRequest Read(ReadOnlySpan<byte> body, int? jsonLength, int maxValues)
    {
        if (jsonLength is int length && (uint)length > (uint)body.Length)
            throw RequestException.Bad($"Inference-Header-Content-Length is {length}, but the body has {body.Length} bytes");
        int json = jsonLength ?? body.Length;
        var reader = new InferRequestReader(body[..json], maxValues);
        try
        {
            return reader.Read(body[json..]);
        }
        catch (JsonException problem)
        {
            ReadOnlySpan<byte> rest = body[(int)reader._json.BytesConsumed..json].TrimStart(" \t\r\n,:["u8);
            if (rest.StartsWith("NaN"u8) || rest.StartsWith("Infinity"u8) || rest.StartsWith("-Infinity"u8))
                throw RequestException.Bad("JSON has no NaN and no Infinity: write null where a sample is missing", problem);
            throw RequestException.Bad($"the request is not JSON: {problem.Message}", problem);
        }
        catch (InvalidOperationException problem)
        {
            // What the reader throws for text that is no UTF-8.
            throw RequestException.Bad("the request holds text that is not UTF-8", problem);
        }
    }

    private InferRequest Read(ReadOnlySpan<byte> tensors)
    {
        if (!_json.Read() || _json.TokenType != JsonTokenType.StartObject)
            throw RequestException.Bad("expected a JSON object with 'inputs'");
        string? id = null;
        Dictionary<string, object>? parameters = null;
        List<PartialTensor>? inputs = null;
        List<InferOutput>? outputs = null;
        while (NextProperty() is string name)
        {
            switch (name)
            {
                case "id":
                    id = Text("id", MaxIdLength);
                    break;
                case "parameters":
                    parameters = ReadParameters("parameters");
                    break;
                case "inputs":
                    inputs = ReadInputs();
                    break;
                case "outputs":
                    outputs = ReadOutputs();
                    break;
                default:
                    _json.Skip();
                    break;
            }
        }
        if (_json.Read())
            throw RequestException.Bad("there is something after the JSON object");
        if (inputs is null)
            throw RequestException.Bad("'inputs' is missing");
        return new InferRequest { Id = id, Parameters = parameters ?? [], Inputs = Complete(inputs, tensors), Outputs = outputs };
    }

    private static List<InferTensor> Complete(List<PartialTensor> inputs, ReadOnlySpan<byte> tensors)
    {
        var complete = new List<InferTensor>(inputs.Count);
        foreach (PartialTensor input in inputs)
        {
            float[] values = input.BinarySize is long size ? FromBytes(input, size, ref tensors)
                : input.Values ?? throw RequestException.Bad($"input '{input.Name}' has neither 'data' nor 'binary_data_size'");
            if (input.Count != values.Length)
                throw RequestException.Bad(
                    $"input '{input.Name}' has {values.Length} values; its shape [{string.Join(", ", input.Shape)}] has room for "
                    + $"{input.Count}");
            complete.Add(new InferTensor(input.Name, input.Shape, values));
        }
        if (tensors.Length > 0)
            throw RequestException.Bad($"{tensors.Length} bytes come after the last tensor");
        return complete;
    }

    private static float[] FromBytes(PartialTensor input, long size, ref ReadOnlySpan<byte> tensors)
    {
        if (input.Values is not null)
            throw RequestException.Bad($"input '{input.Name}' has both 'data' and 'binary_data_size'");
        int width = InferTensors.Width(input.Type);
        if (size != (long)width * input.Count || size > tensors.Length)
            throw RequestException.Bad(
                $"input '{input.Name}': binary_data_size is {size}; its shape takes {width * (decimal)input.Count} bytes, and "
                + $"{tensors.Length} are left of the body");
        float[] values = InferTensors.FromBytes(input.Name, input.Type, input.Count, tensors);
        tensors = tensors[(int)size..];
        return values;
    }

    private List<PartialTensor> ReadInputs()
    {
        var inputs = new List<PartialTensor>();
        Begin(JsonTokenType.StartArray, "inputs");
        while (_json.Read() && _json.TokenType != JsonTokenType.EndArray)
        {
            if (inputs.Count == MaxInputs)
                throw RequestException.Bad($"there are more than {MaxInputs} inputs");
            PartialTensor input = ReadInput(inputs.Count);
            if (inputs.Exists(i => i.Name == input.Name))
                throw RequestException.Bad($"input '{input.Name}' is a duplicate");
            inputs.Add(input);
        }
        return inputs;
    }

    private PartialTensor ReadInput(int index)
    {
        Here(JsonTokenType.StartObject, $"input {index}");
        string? name = null, type = null;
        long[]? shape = null;
        float[]? values = null;
        Dictionary<string, object>? parameters = null;
        while (NextProperty() is string property)
        {
            switch (property)
            {
                case "name":
                    name = Text("name", MaxIdLength);
                    break;
                case "datatype":
                    type = Text("datatype", MaxIdLength);
                    break;
                case "shape":
                    shape = ReadShape(index);
                    break;
                case "parameters":
                    parameters = ReadParameters($"parameters of input {index}");
                    break;
                case "data":
                    values = ReadData(index);
                    break;
                default:
                    _json.Skip();
                    break;
            }
        }
        if (name is null || type is null || shape is null)
            throw RequestException.Bad($"input {index} lacks 'name', 'shape' or 'datatype'");
        InferTensors.RequireType(name, type);
        long? size = parameters?.GetValueOrDefault("binary_data_size") switch
        {
            null => null,
            decimal bytes when bytes >= 0 && bytes <= long.MaxValue => (long)bytes,
            _ => throw RequestException.Bad($"input '{name}': binary_data_size should be a whole number of bytes"),
        };
        return new PartialTensor(name, type, shape, InferTensors.Count(name, shape, _maxValues), values, size);
    }

    private long[] ReadShape(int index)
    {
        const int MaxDimensions = 8;
        var shape = new List<long>();
        Begin(JsonTokenType.StartArray, $"shape of input {index}");
        while (_json.Read() && _json.TokenType != JsonTokenType.EndArray)
        {
            if (shape.Count == MaxDimensions || _json.TokenType != JsonTokenType.Number || !_json.TryGetInt64(out long extent))
                throw RequestException.Bad($"shape of input {index}: expected at most {MaxDimensions} whole numbers");
            shape.Add(extent);
        }
        return [.. shape];
    }

    // Flat or nested, as the protocol allows both; null is a missing value.
    private float[] ReadData(int index)
    {
        Begin(JsonTokenType.StartArray, $"data of input {index}");
        var values = new float[Math.Min(_maxValues, 512)];
        int count = 0;
        for (int depth = 1; depth > 0 && _json.Read();)
        {
            switch (_json.TokenType)
            {
                case JsonTokenType.StartArray:
                    depth++;
                    break;
                case JsonTokenType.EndArray:
                    depth--;
                    break;
                case JsonTokenType.Number or JsonTokenType.Null:
                    if (count == _maxValues)
                        throw RequestException.Bad(
                            $"data of input {index} has more than {_maxValues} values, which is as many as this server takes");
                    if (count == values.Length)
                        Array.Resize(ref values, Math.Min(_maxValues, 2 * count));
                    values[count] = Value(index, count);
                    count++;
                    break;
                default:
                    throw RequestException.Bad(
                        $"data of input {index}, value {count}: expected a number, or null where a sample is missing");
            }
        }
        return values.AsSpan(0, count).ToArray();
    }

    private readonly float Value(int index, int count)
    {
        if (_json.TokenType == JsonTokenType.Null)
            return float.NaN;
        return _json.TryGetSingle(out float value) && float.IsFinite(value) ? value
            : throw RequestException.Bad($"data of input {index}, value {count} is not a float32");
    }

    private List<InferOutput> ReadOutputs()
    {
        var outputs = new List<InferOutput>();
        Begin(JsonTokenType.StartArray, "outputs");
        while (_json.Read() && _json.TokenType != JsonTokenType.EndArray)
        {
            if (outputs.Count == MaxInputs)
                throw RequestException.Bad($"there are more than {MaxInputs} outputs");
            Here(JsonTokenType.StartObject, $"output {outputs.Count}");
            string? name = null;
            Dictionary<string, object>? parameters = null;
            while (NextProperty() is string property)
            {
                if (property == "name")
                    name = Text("name", MaxIdLength);
                else if (property == "parameters")
                    parameters = ReadParameters($"parameters of output {outputs.Count}");
                else
                    _json.Skip();
            }
            outputs.Add(new InferOutput(name ?? throw RequestException.Bad($"output {outputs.Count} lacks 'name'"),
                parameters?.GetValueOrDefault("binary_data") switch
            {
                null => null,
                bool binary => binary,
                _ => throw RequestException.Bad($"output '{name}': binary_data should be true or false"),
            }));
        }
        return outputs;
    }

    private Dictionary<string, object> ReadParameters(string what)
    {
        Begin(JsonTokenType.StartObject, what);
        var parameters = new Dictionary<string, object>(StringComparer.Ordinal);
        while (NextProperty() is string name)
        {
            _json.Read();
            object value = _json.TokenType switch
            {
                JsonTokenType.String => _json.GetString()!,
                JsonTokenType.True => true,
                JsonTokenType.False => false,
                JsonTokenType.Number when _json.TryGetInt64(out long whole) => (decimal)whole,
                JsonTokenType.Number when _json.TryGetUInt64(out ulong whole) => (decimal)whole,
                JsonTokenType.Number => _json.GetDouble(),
                _ => throw RequestException.Bad($"{what}: '{name}' should be a text, a number, true or false"),
            };
            if (parameters.Count == MaxParameters)
                throw RequestException.Bad($"{what}: there are more than {MaxParameters}");
            if (!parameters.TryAdd(name, value))
                throw RequestException.Bad($"{what}: '{name}' is a duplicate");
        }
        return parameters;
    }

    private string? NextProperty() => _json.Read() && _json.TokenType == JsonTokenType.PropertyName ? _json.GetString() : null;

    private string Text(string what, int max)
    {
        _json.Read();
        if (_json.TokenType != JsonTokenType.String || _json.ValueSpan.Length > max)
            throw RequestException.Bad($"'{what}' should be a text of at most {max} bytes");
        return _json.GetString()!;
    }

    private void Begin(JsonTokenType token, string what)
    {
        _json.Read();
        Here(token, what);
    }

    private readonly void Here(JsonTokenType token, string what)
    {
        if (_json.TokenType != token)
            throw RequestException.Bad($"{what} should be {(token == JsonTokenType.StartArray ? "a list" : "an object")}");
    }

    private sealed record PartialTensor(string Name, string Type, long[] Shape, int Count, float[]? Values, long? BinarySize);
}
