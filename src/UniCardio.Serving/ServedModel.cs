using UniCardio.Engine.Sessions;
using UniCardio.Weights;

namespace UniCardio.Serving;

/// <summary>The network that a server serves, with what must be said of it.</summary>
public sealed class ServedModel : IDisposable
{
    private readonly LoadedWeights? _weights;
    private readonly bool _isBorrowed;

    /// <summary>Takes an engine.</summary>
    /// <param name="engine">The engine; disposed with this.</param>
    /// <param name="name">What the weights are called, e.g. their file's name without its folder: clients see it.</param>
    /// <param name="description">What the weights can do, to be shown beside results; null if nothing is known.</param>
    /// <param name="isUntrained">Whether what comes out is noise.</param>
    public ServedModel(InferenceEngine engine, string name, string? description, bool isUntrained)
    {
        ArgumentNullException.ThrowIfNull(engine);
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        Engine = engine;
        Name = name;
        Description = isUntrained ? "Untrained weights: what is generated is noise." : description;
        IsUntrained = isUntrained;
    }

    private ServedModel(InferenceEngine engine, string name, string? description, bool isUntrained, bool isBorrowed)
        : this(engine, name, description, isUntrained) => _isBorrowed = isBorrowed;

    /// <summary>Takes an engine that stays the caller's.</summary>
    internal static ServedModel Borrow(InferenceEngine engine, string name, string? description, bool isUntrained) =>
        new(engine, name, description, isUntrained, isBorrowed: true);

    /// <summary>Packs loaded weights.</summary>
    /// <param name="weights">The weights; disposed with this.</param>
    /// <param name="engine">Makes an engine of them; null for the CPU with all threads.</param>
    public ServedModel(LoadedWeights weights, Func<LoadedWeights, InferenceEngine>? engine = null)
        : this(Pack(weights, engine), Path.GetFileName(weights.Source), weights.Description, weights.IsUntrained) => _weights = weights;

    /// <summary>The engine.</summary>
    public InferenceEngine Engine { get; }

    /// <summary>What the weights are called.</summary>
    public string Name { get; }

    /// <summary>What the weights can do.</summary>
    public string? Description { get; }

    /// <summary>Whether what comes out is noise.</summary>
    public bool IsUntrained { get; }

    /// <summary>Frees engine and weights.</summary>
    public void Dispose()
    {
        if (!_isBorrowed)
            Engine.Dispose();
        _weights?.Dispose();
    }

    private static InferenceEngine Pack(LoadedWeights weights, Func<LoadedWeights, InferenceEngine>? engine)
    {
        ArgumentNullException.ThrowIfNull(weights);
        return engine is null ? new InferenceEngine(weights.Weights) : engine(weights);
    }
}
