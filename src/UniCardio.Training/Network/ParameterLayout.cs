using UniCardio.Engine;
using UniCardio.Engine.Model;

namespace UniCardio.Training.Network;

/// <summary>Where each parameter stands in a flat vector: parameters, gradients and optimiser moments share it.</summary>
/// <remarks>Tensors follow the catalog's order, each row-major and starting on a 64-byte line; the floats between two tensors are zero and
/// stay so.</remarks>
public sealed class ParameterLayout
{
    private const int LineFloats = 16;
    private readonly Dictionary<string, int> _index = new(StringComparer.Ordinal);

    /// <summary>Lays out every live parameter of a configuration.</summary>
    /// <param name="configuration">The network's sizes.</param>
    /// <exception cref="ConfigurationException">The configuration does not hold together.</exception>
    public ParameterLayout(ModelConfiguration configuration)
    {
        Configuration = configuration;
        var slices = new List<ParameterSlice>();
        int offset = 0;
        foreach (ParameterShape shape in ParameterCatalog.For(configuration))
        {
            int count = checked((int)shape.Count);
            _index.Add(shape.Name, slices.Count);
            slices.Add(new ParameterSlice(shape.Name, shape.Shape, offset, count));
            offset = checked((offset + count + LineFloats - 1) / LineFloats * LineFloats);
        }

        Slices = slices;
        Length = offset;
        Network = ParameterCatalog.Network(configuration)
            .Select(p => new WeightAndBias<ParameterSlice>(this[p.Weight.Name], this[p.Bias.Name]));
    }

    /// <summary>The network's sizes.</summary>
    public ModelConfiguration Configuration { get; }

    /// <summary>The parameters in the catalog's order.</summary>
    public IReadOnlyList<ParameterSlice> Slices { get; }

    /// <summary>The same parameters in the structure of the network.</summary>
    public NetworkWeights<WeightAndBias<ParameterSlice>> Network { get; }

    /// <summary>Floats of the flat vector, gaps included.</summary>
    public int Length { get; }

    /// <summary>The slice of a parameter.</summary>
    /// <param name="name">Its name with the <c>diffmodel.</c> prefix.</param>
    /// <exception cref="KeyNotFoundException">No such parameter.</exception>
    public ParameterSlice this[string name] => Slices[_index[name]];

    /// <summary>Copies weights into a flat vector.</summary>
    /// <param name="weights">Weights of the same configuration.</param>
    /// <param name="flat">[<see cref="Length"/>]; gaps are set to zero.</param>
    /// <exception cref="ArgumentException">The configuration or the length differs.</exception>
    public void Read(ModelWeights weights, Span<float> flat)
    {
        ArgumentNullException.ThrowIfNull(weights);
        if (weights.Configuration != Configuration)
            throw new ArgumentException("the weights are of another configuration", nameof(weights));
        ReadTensors(weights, flat);
    }

    private void ReadTensors(ModelWeights weights, Span<float> flat)
    {
        Expect(flat.Length, nameof(flat));
        flat.Clear();
        for (int i = 0; i < Slices.Count; i++)
            weights.Tensors[i].Span.CopyTo(flat.Slice(Slices[i].Offset, Slices[i].Count));
    }

    /// <summary>Copies weights that may have been trained for another prediction into a flat vector.</summary>
    /// <param name="weights">Weights of the same sizes.</param>
    /// <param name="flat">[<see cref="Length"/>]; gaps are set to zero.</param>
    /// <exception cref="ArgumentException">A size or the length differs.</exception>
    internal void ReadAs(ModelWeights weights, Span<float> flat)
    {
        ArgumentNullException.ThrowIfNull(weights);
        if (weights.Configuration with { Prediction = Configuration.Prediction, OwnSampler = Configuration.OwnSampler,
            OwnTasks = Configuration.OwnTasks } != Configuration)
            throw new ArgumentException("the weights are of another configuration", nameof(weights));
        ReadTensors(weights, flat);
    }

    /// <summary>Weights that hold a copy of a flat vector.</summary>
    /// <param name="flat">[<see cref="Length"/>].</param>
    /// <exception cref="ArgumentException">The length differs.</exception>
    /// <exception cref="WeightsException">A value is not finite.</exception>
    public ModelWeights Write(ReadOnlySpan<float> flat)
    {
        Expect(flat.Length, nameof(flat));
        var tensors = new List<ParameterTensor>(Slices.Count);
        foreach (ParameterSlice slice in Slices)
            tensors.Add(new ParameterTensor(slice.Name, slice.Shape, flat.Slice(slice.Offset, slice.Count).ToArray()));
        return ModelWeights.Create(Configuration, tensors);
    }

    private void Expect(int length, string name)
    {
        if (length != Length)
            throw new ArgumentException($"{length} floats, the layout has {Length}", name);
    }
}

/// <summary>One parameter's place in the flat vector.</summary>
/// <param name="Name">Its name with the <c>diffmodel.</c> prefix.</param>
/// <param name="Shape">Dimensions, row-major.</param>
/// <param name="Offset">First float.</param>
/// <param name="Count">Floats.</param>
public sealed record ParameterSlice(string Name, IReadOnlyList<int> Shape, int Offset, int Count)
{
    /// <summary>Values along the first dimension: outputs of a map, elements of a bias.</summary>
    public int Rows => Shape[0];

    /// <summary>Values of a row: inputs of a map, 1 of a bias.</summary>
    public int Columns => Rows == 0 ? 0 : Count / Rows;

    /// <summary>What stands for a parameter that is kept elsewhere.</summary>
    internal static ParameterSlice None { get; } = new(string.Empty, [0], 0, 0);

    /// <summary>Some of the rows.</summary>
    public ParameterSlice Part(int firstRow, int rows) =>
        new(Name, [rows, .. Shape.Skip(1)], Offset + (firstRow * Columns), rows * Columns);

    /// <summary>This parameter's values in a flat vector.</summary>
    public Span<float> Of(float[] flat) => flat.AsSpan(Offset, Count);

    /// <summary>This parameter's values in a flat vector.</summary>
    public Span<float> Of(Span<float> flat) => flat.Slice(Offset, Count);

    /// <summary>This parameter's values in a flat vector.</summary>
    public ReadOnlySpan<float> Of(ReadOnlySpan<float> flat) => flat.Slice(Offset, Count);
}
