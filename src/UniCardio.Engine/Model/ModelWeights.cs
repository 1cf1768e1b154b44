namespace UniCardio.Engine.Model;

/// <summary>All parameters of a network as one typed structure that mirrors it, checked against the configuration.</summary>
/// <remarks>Immutable and safe to share between threads until disposed. Disposing releases a mapped file, if there is one.</remarks>
public sealed class ModelWeights : IDisposable
{
    private readonly IDisposable? _owner;

    private ModelWeights(ModelConfiguration configuration, IReadOnlyDictionary<string, ParameterTensor> tensors, IDisposable? owner)
    {
        Configuration = configuration;
        _owner = owner;
        Tensors = [.. ParameterCatalog.For(configuration).Select(p => tensors[p.Name])];
        Network = ParameterCatalog.Network(configuration).Select(p => new WeightAndBias<ParameterTensor>(tensors[p.Weight.Name], tensors[p.Bias.Name]));
    }

    /// <summary>The configuration that the tensors were checked against.</summary>
    public ModelConfiguration Configuration { get; }

    /// <summary>Every live tensor in the catalog's order.</summary>
    public IReadOnlyList<ParameterTensor> Tensors { get; }

    /// <summary>The same tensors in the structure of the network.</summary>
    public NetworkWeights<WeightAndBias<ParameterTensor>> Network { get; }

    /// <summary>Checks tensors against a configuration and arranges them.</summary>
    /// <param name="configuration">The network's sizes.</param>
    /// <param name="tensors">Tensors by name, in any order; the known unused ones of the official checkpoint are ignored.</param>
    /// <param name="owner">What to dispose with the result, e.g. the mapped file behind the tensors. On failure the caller keeps it.</param>
    /// <exception cref="ConfigurationException">The configuration does not hold together.</exception>
    /// <exception cref="WeightsException">All missing, extra, duplicate, mis-shaped and non-finite tensors at once.</exception>
    public static ModelWeights Create(ModelConfiguration configuration, IEnumerable<ParameterTensor> tensors, IDisposable? owner = null)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        IReadOnlyList<ParameterShape> expected = ParameterCatalog.For(configuration);
        var problems = new List<string>();
        var found = new Dictionary<string, ParameterTensor>(StringComparer.Ordinal);
        foreach (ParameterTensor tensor in tensors)
        {
            if (!found.TryAdd(tensor.Name, tensor))
                problems.Add($"{tensor.Name}: there twice");
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (ParameterShape parameter in expected)
        {
            names.Add(parameter.Name);
            if (!found.TryGetValue(parameter.Name, out ParameterTensor? tensor))
                problems.Add($"{parameter.Name}: missing, expected [{string.Join(", ", parameter.Shape)}]");
            else if (!tensor.Shape.SequenceEqual(parameter.Shape))
                problems.Add($"{parameter.Name}: shape [{string.Join(", ", tensor.Shape)}], expected [{string.Join(", ", parameter.Shape)}]");
            else if (FiniteScan.FirstNonFinite(tensor.Span) is int at and >= 0)
                problems.Add($"{parameter.Name}: element {at} is {tensor.Span[at]}");
        }

        problems.AddRange(found.Keys.Where(n => !names.Contains(n) && !ParameterCatalog.IsKnownUnused(n)).Order(StringComparer.Ordinal).Select(n => $"{n}: not part of this model"));
        return problems.Count == 0 ? new ModelWeights(configuration, found, owner) : throw new WeightsException(problems);
    }

    /// <summary>Releases the mapped file behind the tensors, if there is one.</summary>
    public void Dispose() => _owner?.Dispose();
}
