using System.Globalization;
using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Engine.Quality;
using UniCardio.Weights.Safetensors;

namespace UniCardio.Weights.Quality;

/// <summary>Loads QualityFM weights from a safetensors file, the author's torch checkpoint or a recipe text.</summary>
public static class QualityWeightFile
{
    /// <summary>What a file says of its training.</summary>
    private const string TrainedKey = "trained";

    private const string FirstTensor = "encoder.patch_embed.conv1.weight";

    /// <summary>What a recipe's text may name: <c>recipe:SEED,quality-base</c>.</summary>
    public static IReadOnlyDictionary<string, QualityConfiguration> Sizes { get; } =
        new Dictionary<string, QualityConfiguration>(StringComparer.OrdinalIgnoreCase)
    {
        ["quality-tiny"] = QualityConfiguration.Tiny,
        ["quality-small"] = QualityConfiguration.Small,
        ["quality-base"] = QualityConfiguration.Base,
        ["quality-large"] = QualityConfiguration.Large,
        ["quality-huge"] = QualityConfiguration.Huge,
    };

    /// <summary>Loads weights.</summary>
    /// <param name="pathOrRecipe">A file, of whatever extension, or
    /// <c>recipe:SEED,quality-tiny|quality-small|quality-base|quality-large|quality-huge</c>.</param>
    /// <param name="known">What the file does not tell (heads, window, strides, samples); the base model's if null. A recipe without a size
    /// takes it.</param>
    /// <exception cref="WeightFormatException">The file or the text cannot be read.</exception>
    /// <exception cref="WeightsException">All missing, extra, mis-shaped, mis-typed and non-finite tensors at once.</exception>
    /// <exception cref="ConfigurationException">The configuration does not hold together.</exception>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static QualityWeights Load(string pathOrRecipe, QualityConfiguration? known = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(pathOrRecipe);
        if (WeightRecipe.IsRecipe(pathOrRecipe))
            return LoadRecipe(pathOrRecipe, known);
        WeightSource source = WeightSource.Open(pathOrRecipe, new WeightLoadOptions());
        try
        {
            QualityConfiguration configuration =
                FromShapes(pathOrRecipe, source, QualityConfiguration.FromMetadata(source.Metadata, known));
            IEnumerable<ParameterTensor> tensors = source.Entries
                .Where(e => !QualityCatalog.IsKnownUnused(e.Parameter.Name))
                .Select(e => source.Tensor(e.Parameter.Name));
            return QualityWeights.Create(configuration, tensors, source);
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    /// <summary>Whether a recipe's text or a file's tensors are of this family.</summary>
    /// <param name="pathOrRecipe">A file, of whatever extension, or a recipe.</param>
    /// <exception cref="WeightFormatException">The file cannot be read.</exception>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    public static bool IsQuality(string pathOrRecipe)
    {
        ArgumentException.ThrowIfNullOrEmpty(pathOrRecipe);
        if (WeightRecipe.IsRecipe(pathOrRecipe))
            return Sizes.Keys.Any(size => pathOrRecipe.EndsWith("," + size, StringComparison.OrdinalIgnoreCase));
        using WeightSource source = WeightSource.Open(pathOrRecipe, new WeightLoadOptions());
        return source.Entries.Any(e => e.Parameter.Name == FirstTensor);
    }

    /// <summary>Writes weights as safetensors: every parameter bit for bit (as F32), the configuration in the metadata; position tables and
    /// counters are left out.</summary>
    /// <param name="source">A file or a recipe text.</param>
    /// <param name="destination">The file to write; replaced if it exists.</param>
    /// <param name="known">What the source cannot tell; see <see cref="Load"/>.</param>
    /// <param name="type">F32; F16 or BF16 for half the size; I8 with a scale a row for a quarter.</param>
    /// <param name="cancellation">Asked between tensors.</param>
    /// <returns>The source's weights, still open.</returns>
    /// <exception cref="WeightFormatException">The source cannot be read, or is the destination.</exception>
    /// <exception cref="WeightsException">The source's tensors do not make a network.</exception>
    /// <exception cref="IOException">A file cannot be opened or written.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; nothing was changed.</exception>
    public static QualityWeights Convert(string source, string destination, QualityConfiguration? known = null,
        ElementType type = ElementType.F32, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(destination);
        if (!WeightRecipe.IsRecipe(source) && Path.GetFullPath(source) == Path.GetFullPath(destination))
            throw new WeightFormatException(destination, "is both source and destination");
        QualityWeights weights = Load(source, known);
        try
        {
            var metadata = weights.Configuration.ToMetadata().ToDictionary(StringComparer.Ordinal);
            if (WeightRecipe.IsRecipe(source))
                metadata[WeightFile.UntrainedKey] = source.Split(',')[0];
            else if (TrainedHow(source) is string how)
                metadata[TrainedKey] = how;
            SafetensorsWriter.Write(destination, weights.Tensors, metadata, type, cancellation);
            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    private static string? TrainedHow(string path)
    {
        using WeightSource source = WeightSource.Open(path, new WeightLoadOptions());
        return source.Metadata.TryGetValue(TrainedKey, out string? how) ? how : null;
    }

    private static QualityWeights LoadRecipe(string text, QualityConfiguration? known)
    {
        string expected = $"expected recipe:SEED,{string.Join('|', Sizes.Keys)}";
        string[] parts = text[WeightRecipe.Prefix.Length..].Split(',', StringSplitOptions.TrimEntries);
        if (parts.Length > 2 || !ulong.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out ulong seed))
            throw new WeightFormatException(WeightFormatException.Shorten(text),
                $"{expected} with a whole SEED from 0 to 18446744073709551615");
        QualityConfiguration configuration = known ?? QualityConfiguration.Base;
        if (parts.Length == 2 && !Sizes.TryGetValue(parts[1], out configuration!))
            throw new WeightFormatException(WeightFormatException.Shorten(text),
                $"unknown size '{WeightFormatException.Shorten(parts[1])}', {expected}");
        IEnumerable<ParameterShape> parameters = QualityCatalog.For(configuration)
            .Concat(Enum.GetValues<QualityHead>().SelectMany(head => QualityCatalog.For(configuration, head)));
        return QualityWeights.Create(configuration, parameters.Select(p => WeightRecipe.Tensor(seed, p)));
    }

    // The shapes say what the metadata may leave out: d, layers, feed-forward, channels, kernels. Heads, window and strides leave no trace
    // in them.
    private static QualityConfiguration FromShapes(string path, WeightSource source, QualityConfiguration told)
    {
        var shapes = source.Entries.ToDictionary(e => e.Parameter.Name, e => e.Parameter.Shape, StringComparer.Ordinal);
        IReadOnlyList<int> Shape(string name, int dimensions) =>
            shapes.TryGetValue(name, out IReadOnlyList<int>? shape) && shape.Count == dimensions
                ? shape
                : throw new WeightFormatException(path, $"missing or not of {dimensions} dimensions: not a QualityFM network", name);
        IReadOnlyList<int>[] convolutions =
            [.. Enumerable.Range(1, QualityConfiguration.TokeniserStages).Select(i => Shape($"encoder.patch_embed.conv{i}.weight", 3))];
        int layers = 0;
        while (shapes.ContainsKey($"encoder.longformer_encoder.layers.{layers}.linear1.weight"))
            layers++;
        return told with
        {
            Channels = convolutions[0][1],
            Width = convolutions[2][0],
            Layers = layers,
            FeedForward = layers == 0 ? told.FeedForward : Shape("encoder.longformer_encoder.layers.0.linear1.weight", 2)[0],
            TokeniserChannels = (convolutions[0][0], convolutions[1][0]),
            Kernels = [.. convolutions.Select(c => c[2])],
        };
    }
}
