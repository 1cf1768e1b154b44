namespace UniCardio.Serving.Inference;

/// <summary>An input tensor, FP32.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Shape">Its shape; the product is the length of <paramref name="Values"/>.</param>
/// <param name="Values">Row-major, NaN where missing, else finite.</param>
internal sealed record InferTensor(string Name, long[] Shape, float[] Values);

/// <summary>An output that is wanted.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IsBinary">Whether it goes after the JSON; null for what the request says of all.</param>
internal sealed record InferOutput(string Name, bool? IsBinary);

/// <summary>A request of the Open Inference Protocol, parsed but not yet held against a model.</summary>
internal sealed record InferRequest
{
    public string? Id { get; init; }

    /// <summary>Texts, whole numbers (<see cref="decimal"/>), numbers (<see cref="double"/>) and truth values.</summary>
    public required IReadOnlyDictionary<string, object> Parameters { get; init; }

    public required IReadOnlyList<InferTensor> Inputs { get; init; }

    /// <summary>Null for all.</summary>
    public IReadOnlyList<InferOutput>? Outputs { get; init; }
}
