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
        Network = ParameterCatalog.Network(configuration)
            .Select(p => new WeightAndBias<ParameterTensor>(tensors[p.Weight.Name], tensors[p.Bias.Name]));
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
    /// <param name="owner">What to dispose with the result, e.g. the mapped file behind the tensors. On failure the caller keeps
    /// it.</param>
    /// <exception cref="ConfigurationException">The configuration does not hold together.</exception>
    /// <exception cref="WeightsException">All missing, extra, duplicate, mis-shaped and non-finite tensors at once.</exception>
    public static ModelWeights Create(ModelConfiguration configuration, IEnumerable<ParameterTensor> tensors, IDisposable? owner = null)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        return new ModelWeights(
            configuration, ParameterSet.Check(ParameterCatalog.For(configuration), tensors, ParameterCatalog.IsKnownUnused), owner);
    }

    /// <summary>Releases the mapped file behind the tensors, if there is one.</summary>
    public void Dispose() => _owner?.Dispose();
}
