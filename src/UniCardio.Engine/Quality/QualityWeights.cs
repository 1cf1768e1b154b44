using UniCardio.Engine.Model;

namespace UniCardio.Engine.Quality;

/// <summary>All parameters of a QualityFM network, and of the heads that came with it, checked against the configuration.</summary>
/// <remarks>Immutable and safe to share between threads until disposed. Disposing releases a mapped file, if there is one.</remarks>
public sealed class QualityWeights : IDisposable
{
    private readonly IReadOnlyDictionary<string, ParameterTensor> _tensors;
    private readonly IDisposable? _owner;

    private QualityWeights(QualityConfiguration configuration, IReadOnlyList<ParameterTensor> ordered,
        IReadOnlyDictionary<string, ParameterTensor> tensors, IReadOnlyList<QualityHead> heads, IDisposable? owner)
    {
        Configuration = configuration;
        Tensors = ordered;
        Heads = heads;
        _tensors = tensors;
        _owner = owner;
    }

    /// <summary>The configuration that the tensors were checked against.</summary>
    public QualityConfiguration Configuration { get; }

    /// <summary>Every parameter in the catalog's order, heads last.</summary>
    public IReadOnlyList<ParameterTensor> Tensors { get; }

    /// <summary>The heads whose parameters are there.</summary>
    public IReadOnlyList<QualityHead> Heads { get; }

    /// <summary>A parameter by its name.</summary>
    /// <exception cref="WeightsException">There is none of this name.</exception>
    public ParameterTensor this[string name] =>
        _tensors.TryGetValue(name, out ParameterTensor? tensor) ? tensor : throw new WeightsException([$"{name}: missing"]);

    /// <summary>Checks tensors against a configuration and arranges them. A head is expected whole where one of its tensors is
    /// there.</summary>
    /// <param name="configuration">The network's sizes.</param>
    /// <param name="tensors">Tensors by name, in any order; position tables and batch-norm counters are ignored.</param>
    /// <param name="owner">What to dispose with the result, e.g. the mapped file behind the tensors. On failure the caller keeps
    /// it.</param>
    /// <exception cref="ConfigurationException">The configuration does not hold together.</exception>
    /// <exception cref="WeightsException">All missing, extra, duplicate, mis-shaped and non-finite tensors at once.</exception>
    public static QualityWeights Create(QualityConfiguration configuration, IEnumerable<ParameterTensor> tensors, IDisposable? owner = null)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(tensors);
        ParameterTensor[] given = [.. tensors];
        var names = new HashSet<string>(given.Select(t => t.Name), StringComparer.Ordinal);
        List<ParameterShape> expected = [.. QualityCatalog.For(configuration)];
        var heads = new List<QualityHead>();
        foreach (QualityHead head in Enum.GetValues<QualityHead>())
        {
            IReadOnlyList<ParameterShape> parameters = QualityCatalog.For(configuration, head);
            if (!parameters.Any(p => names.Contains(p.Name)))
                continue;
            heads.Add(head);
            expected.AddRange(parameters);
        }

        IReadOnlyDictionary<string, ParameterTensor> found = ParameterSet.Check(expected, given, QualityCatalog.IsKnownUnused);
        return new QualityWeights(configuration, [.. expected.Select(p => found[p.Name])], found, heads, owner);
    }

    /// <summary>Releases the mapped file behind the tensors, if there is one.</summary>
    public void Dispose() => _owner?.Dispose();
}
