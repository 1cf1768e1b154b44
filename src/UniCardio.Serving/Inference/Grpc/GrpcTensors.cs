using Google.Protobuf;
using Google.Protobuf.Collections;
using UniCardio.Serving.Hosting;

namespace UniCardio.Serving.Inference.Grpc;

/// <summary>Messages of the protocol as requests, and answers as messages.</summary>
internal static class GrpcTensors
{
    private const int MaxInputs = 16, MaxParameters = 64;

    /// <summary>Reads a request.</summary>
    /// <param name="message">The message.</param>
    /// <param name="maxValues">Most values of a tensor.</param>
    /// <exception cref="RequestException">It is not one that can be computed.</exception>
    public static InferRequest Read(ModelInferRequest message, int maxValues)
    {
        if (message.Inputs.Count > MaxInputs || message.Outputs.Count > MaxInputs)
            throw RequestException.Bad($"there are more than {MaxInputs} inputs or outputs");
        bool isRaw = message.RawInputContents.Count > 0;
        if (isRaw && message.RawInputContents.Count != message.Inputs.Count)
            throw RequestException.Bad(
                $"raw_input_contents has {message.RawInputContents.Count} entries for {message.Inputs.Count} inputs");
        var inputs = new List<InferTensor>(message.Inputs.Count);
        for (int i = 0; i < message.Inputs.Count; i++)
        {
            ModelInferRequest.Types.InferInputTensor input = message.Inputs[i];
            if (inputs.Exists(t => t.Name == input.Name))
                throw RequestException.Bad($"input '{input.Name}' is a duplicate");
            inputs.Add(Read(input, isRaw ? message.RawInputContents[i].Span : default, isRaw, maxValues));
        }
        Dictionary<string, object> parameters = Parameters(message.Parameters);
        // Results go the way the inputs came, unless the request says otherwise.
        parameters.TryAdd("binary_data_output", isRaw);
        return new InferRequest
        {
            Id = message.Id.Length > 0 ? message.Id : null,
            Parameters = parameters,
            Inputs = inputs,
            Outputs = message.Outputs.Count == 0 ? null : [.. message.Outputs.Select(o => new InferOutput(o.Name, null))],
        };
    }

    /// <summary>Makes the answer.</summary>
    public static ModelInferResponse Write(InferAnswer answer)
    {
        var message = new ModelInferResponse
        {
            ModelName = answer.Family.Name,
            ModelVersion = ModelFamily.Version,
            Id = answer.Request.Id ?? "",
        };
        foreach ((string name, object value) in answer.Parameters())
            message.Parameters.Add(name, Parameter(value));
        foreach (InferOutput output in answer.Wanted)
        {
            float[] values = answer.Values(output.Name);
            var tensor = new ModelInferResponse.Types.InferOutputTensor { Name = output.Name, Datatype = "FP32" };
            tensor.Shape.AddRange(answer.Shape(output.Name));
            message.Outputs.Add(tensor);
            if (answer.Job.Parameters.BinaryOutput)
            {
                var bytes = new byte[sizeof(float) * values.Length];
                for (int i = 0; i < values.Length; i++)
                    System.Buffers.Binary.BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(sizeof(float) * i), values[i]);
                message.RawOutputContents.Add(UnsafeByteOperations.UnsafeWrap(bytes));
            }
            else
            {
                tensor.Contents = new InferTensorContents();
                tensor.Contents.Fp32Contents.AddRange(values);
            }
        }
        return message;
    }

    private static InferTensor Read(ModelInferRequest.Types.InferInputTensor input, ReadOnlySpan<byte> raw, bool isRaw, int maxValues)
    {
        InferTensors.RequireType(input.Name, input.Datatype);
        long[] shape = [.. input.Shape];
        int count = InferTensors.Count(input.Name, shape, maxValues);
        if (isRaw)
        {
            if (input.Contents is not null)
                throw RequestException.Bad($"input '{input.Name}' has contents beside raw_input_contents");
            long size = (long)InferTensors.Width(input.Datatype) * count;
            return raw.Length == size ? new InferTensor(input.Name, shape, InferTensors.FromBytes(input.Name, input.Datatype, count, raw))
                : throw RequestException.Bad($"input '{input.Name}' has {raw.Length} raw bytes; its shape takes {size}");
        }
        float[] values = input.Datatype switch
        {
            "FP32" => [.. input.Contents?.Fp32Contents ?? []],
            "FP64" => [.. (input.Contents?.Fp64Contents ?? []).Select((x, i) => InferTensors.Exact(input.Name, i, x))],
            _ => throw RequestException.Bad($"input '{input.Name}': {input.Datatype} comes in raw_input_contents only"),
        };
        if (values.Length != count)
            throw RequestException.Bad(
                $"input '{input.Name}' has {values.Length} values; its shape [{string.Join(", ", shape)}] has room for {count}");
        for (int i = 0; i < values.Length; i++)
        {
            if (float.IsInfinity(values[i]))
                throw RequestException.Bad($"input '{input.Name}', value {i} is infinite; expected finite numbers, NaN where missing");
        }
        return new InferTensor(input.Name, shape, values);
    }

    private static Dictionary<string, object> Parameters(MapField<string, InferParameter> parameters)
    {
        if (parameters.Count > MaxParameters)
            throw RequestException.Bad($"parameters: there are more than {MaxParameters}");
        return parameters.ToDictionary(p => p.Key, p => p.Value.ParameterChoiceCase switch
        {
            InferParameter.ParameterChoiceOneofCase.BoolParam => p.Value.BoolParam,
            InferParameter.ParameterChoiceOneofCase.Int64Param => (decimal)p.Value.Int64Param,
            InferParameter.ParameterChoiceOneofCase.Uint64Param => (decimal)p.Value.Uint64Param,
            InferParameter.ParameterChoiceOneofCase.DoubleParam => p.Value.DoubleParam,
            InferParameter.ParameterChoiceOneofCase.StringParam => (object)p.Value.StringParam,
            _ => throw RequestException.Bad($"parameter '{p.Key}' has no value"),
        }, StringComparer.Ordinal);
    }

    private static InferParameter Parameter(object value) => value switch
    {
        bool truth => new InferParameter { BoolParam = truth },
        int whole => new InferParameter { Int64Param = whole },
        double number => new InferParameter { DoubleParam = number },
        _ => new InferParameter { StringParam = (string)value },
    };
}
