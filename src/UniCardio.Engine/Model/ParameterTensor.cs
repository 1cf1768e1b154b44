namespace UniCardio.Engine.Model;

/// <summary>Name and shape of one parameter, as in the official checkpoint without the <c>module.</c> prefix.</summary>
/// <param name="Name">For example <c>diffmodel.residual_layers.0.mid_projection.weight</c>.</param>
/// <param name="Shape">Dimensions, row-major.</param>
internal sealed record ParameterShape(string Name, IReadOnlyList<int> Shape)
{
    /// <summary>Number of elements.</summary>
    public long Count => Shape.Aggregate(1L, (product, d) => product * d);
}

/// <summary>A named float32 tensor, row-major and dense.</summary>
public sealed class ParameterTensor
{
    /// <summary>Creates the tensor over existing memory, which it does not copy.</summary>
    /// <param name="name">The parameter's name without the <c>module.</c> prefix.</param>
    /// <param name="shape">Dimensions; their product is the length of <paramref name="data"/>.</param>
    /// <param name="data">Row-major elements.</param>
    /// <exception cref="WeightsException">Shape and length disagree.</exception>
    public ParameterTensor(string name, IReadOnlyList<int> shape, ReadOnlyMemory<float> data)
    {
        Name = name;
        Shape = shape;
        Data = data;
        long count = new ParameterShape(name, shape).Count;
        if (count != data.Length)
            throw new WeightsException([$"{name}: shape [{string.Join(", ", shape)}] has {count} elements, the data {data.Length}"]);
    }

    /// <summary>The parameter's name.</summary>
    public string Name { get; }

    /// <summary>Dimensions, row-major.</summary>
    public IReadOnlyList<int> Shape { get; }

    /// <summary>Row-major elements; may be a view of a mapped file that lives as long as the <see cref="ModelWeights"/> that owns
    /// it.</summary>
    public ReadOnlyMemory<float> Data { get; }

    /// <summary>Row-major elements.</summary>
    public ReadOnlySpan<float> Span => Data.Span;
}
