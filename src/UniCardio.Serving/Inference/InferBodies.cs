namespace UniCardio.Serving.Inference;

/// <summary>What the server is.</summary>
internal sealed record ServerDescription(string Name, string Version, string[] Extensions, string[] Models, string Remark);

/// <summary>Answer of the liveness probe.</summary>
internal sealed record Liveness(bool Live);

/// <summary>Answer of the readiness probe.</summary>
internal sealed record Readiness(bool Live, bool Ready);

/// <summary>Whether a model is computed.</summary>
internal sealed record ModelReadiness(string Name, bool Ready);

/// <summary>A model of the repository.</summary>
internal sealed record IndexEntry(string Name, string Version, string State, string Reason);

/// <summary>Statistics of models.</summary>
internal sealed record StatisticsList(object[] ModelStats);

/// <summary>An infer request as JSON, for the description alone: <see cref="InferRequestReader"/> reads it.</summary>
internal sealed record InferRequestBody(string? Id, Dictionary<string, object>? Parameters, InputBody[] Inputs, OutputBody[]? Outputs);

/// <summary>An input: FP32, FP64, FP16 or BF16 of shape [windows, samples]; null in data is a missing sample.</summary>
internal sealed record InputBody(string Name, string Datatype, long[] Shape, Dictionary<string, object>? Parameters, float?[]? Data);

/// <summary>An output that is wanted.</summary>
internal sealed record OutputBody(string Name, Dictionary<string, object>? Parameters);

/// <summary>The answer to an infer request, for the description alone: <see cref="InferResponse"/> writes it.</summary>
internal sealed record InferBody(string ModelName, string ModelVersion, string? Id, Dictionary<string, object> Parameters,
    ResultBody[] Outputs);

/// <summary>A result tensor.</summary>
internal sealed record ResultBody(string Name, string Datatype, long[] Shape, Dictionary<string, object>? Parameters, float?[]? Data);
