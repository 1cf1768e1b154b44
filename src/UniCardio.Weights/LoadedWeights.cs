using UniCardio.Engine.Model;

namespace UniCardio.Weights;

/// <summary>Where weights came from.</summary>
public enum WeightFormat
{
    /// <summary>The untrained recipe.</summary>
    Recipe,

    /// <summary>A safetensors file.</summary>
    Safetensors,

    /// <summary>A torch checkpoint.</summary>
    TorchCheckpoint,
}

/// <summary>Weights with what is known about them. Disposing releases the mapped file.</summary>
public sealed class LoadedWeights : IDisposable
{
    internal LoadedWeights(string source, WeightFormat format, ModelWeights weights)
    {
        Source = source;
        Format = format;
        Weights = weights;
    }

    /// <summary>The path or the recipe text.</summary>
    public string Source { get; }

    /// <summary>Where the weights came from.</summary>
    public WeightFormat Format { get; }

    /// <summary>The weights, checked against <see cref="Configuration"/>.</summary>
    public ModelWeights Weights { get; }

    /// <summary>The network's sizes and conventions.</summary>
    public ModelConfiguration Configuration => Weights.Configuration;

    /// <summary>
    /// The recipe that made the weights (<c>recipe:SEED</c>), null for trained ones. Files that hold recipe weights are known by their
    /// values for seeds below <see cref="WeightFile.RecognisedSeeds"/> and for the seed that their metadata names. Such weights make noise:
    /// never show their output as a signal.
    /// </summary>
    public string? Recipe { get; internal init; }

    /// <summary>Whether the weights are a recipe's and were never trained.</summary>
    public bool IsUntrained => Recipe is not null;

    /// <summary>What the file says of its weights (metadata <c>trained</c>); to be shown beside results. Null where it says
    /// nothing.</summary>
    public string? Description => Metadata.GetValueOrDefault(WeightFile.DescriptionKey);

    /// <summary>The file's own string pairs.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; internal init; } = new Dictionary<string, string>();

    /// <summary>Tensors of the file that the network never reads and that were left out.</summary>
    public IReadOnlyList<string> Dropped { get; internal init; } = [];

    /// <summary>Lines for a person: what was left out, converted, assumed or overruled.</summary>
    public IReadOnlyList<string> Notes { get; internal init; } = [];

    /// <summary>Releases the mapped file, if there is one.</summary>
    public void Dispose() => Weights.Dispose();
}
