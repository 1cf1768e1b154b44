using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Weights.Safetensors;

namespace UniCardio.Weights;

/// <summary>Loads weights from a safetensors file, a torch checkpoint or a recipe text, and converts between them.</summary>
public static class WeightFile
{
    /// <summary>Metadata key that says how the weights were trained and what they can do.</summary>
    public const string DescriptionKey = "trained";

    /// <summary>Metadata key that names the recipe of untrained weights.</summary>
    public const string UntrainedKey = "untrained";

    /// <summary>Recipe weights in a file are recognised for seeds from 0 to one below this.</summary>
    public const int RecognisedSeeds = 1024;

    /// <summary>Loads weights.</summary>
    /// <param name="pathOrRecipe">A file, of whatever extension, or <c>recipe:SEED[,full|compact|tiny]</c>.</param>
    /// <param name="options">What the file cannot tell; the published network's conventions if null.</param>
    /// <exception cref="WeightFormatException">The file or the text cannot be read.</exception>
    /// <exception cref="WeightsException">All missing, extra, mis-shaped, mis-typed and non-finite tensors at once.</exception>
    /// <exception cref="ConfigurationException">The configuration does not hold together.</exception>
    /// <exception cref="IOException">The file cannot be opened (<see cref="FileNotFoundException"/> where it is not there).</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static LoadedWeights Load(string pathOrRecipe, WeightLoadOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(pathOrRecipe);
        options ??= new WeightLoadOptions();
        if (WeightRecipe.IsRecipe(pathOrRecipe))
            return LoadRecipe(pathOrRecipe, options);
        return Own(pathOrRecipe, WeightSource.Open(pathOrRecipe, options), options);
    }

    /// <summary>Loads weights from a stream, which is read to its end and not disposed: a resource, an upload, a blob.</summary>
    /// <param name="content">A safetensors file or torch checkpoint of at most 2 GiB.</param>
    /// <param name="name">What to call it in messages.</param>
    /// <param name="options">What the file cannot tell; the published network's conventions if null.</param>
    /// <exception cref="WeightFormatException">The content cannot be read.</exception>
    /// <exception cref="WeightsException">All missing, extra, mis-shaped, mis-typed and non-finite tensors at once.</exception>
    /// <exception cref="ConfigurationException">The configuration does not hold together.</exception>
    public static LoadedWeights Load(Stream content, string name, WeightLoadOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(content);
        ArgumentException.ThrowIfNullOrEmpty(name);
        options ??= new WeightLoadOptions();
        using var bytes = new MemoryStream();
        content.CopyTo(bytes);
        return Own(name, WeightSource.FromBytes(name, bytes.GetBuffer().AsSpan(0, (int)bytes.Length), options), options);
    }

    private static LoadedWeights Own(string name, WeightSource source, WeightLoadOptions options)
    {
        try
        {
            return Load(name, source, options);
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    /// <summary>Writes weights as safetensors: every live tensor bit for bit (or converted to float32), names as in the catalog, the
    /// configuration and the source's own pairs in the metadata.</summary>
    /// <param name="source">A file or a recipe text.</param>
    /// <param name="destination">The file to write; replaced if it exists.</param>
    /// <param name="options">What the source cannot tell.</param>
    /// <param name="metadata">Further pairs, e.g. <see cref="DescriptionKey"/>; they win over the source's.</param>
    /// <param name="type">F32; F16 or BF16 for half the size; I8 with a scale a row for a quarter.</param>
    /// <param name="cancellation">Asked between tensors.</param>
    /// <returns>The source's weights, still open, with notes on what was left out.</returns>
    /// <exception cref="WeightFormatException">The source cannot be read, or is the destination.</exception>
    /// <exception cref="WeightsException">The source's tensors do not make a network.</exception>
    /// <exception cref="ConfigurationException">The configuration does not hold together.</exception>
    /// <exception cref="IOException">A file cannot be opened or written.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; nothing was changed.</exception>
    public static LoadedWeights Convert(string source, string destination, WeightLoadOptions? options = null,
        IReadOnlyDictionary<string, string>? metadata = null, ElementType type = ElementType.F32,
        CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(destination);
        if (!WeightRecipe.IsRecipe(source) && Path.GetFullPath(source) == Path.GetFullPath(destination))
            throw new WeightFormatException(destination, "is both source and destination");
        LoadedWeights loaded = Load(source, options);
        try
        {
            SafetensorsWriter.Write(destination, loaded.Weights.Tensors, Metadata(loaded, metadata), type, cancellation);
            return loaded;
        }
        catch
        {
            loaded.Dispose();
            throw;
        }
    }

    private static Dictionary<string, string> Metadata(LoadedWeights loaded, IReadOnlyDictionary<string, string>? further)
    {
        var pairs = new Dictionary<string, string>(loaded.Metadata, StringComparer.Ordinal);
        foreach ((string key, string value) in loaded.Configuration.ToMetadata())
            pairs[key] = value;
        if (loaded.Recipe is not null)
            pairs[UntrainedKey] = loaded.Recipe;
        foreach ((string key, string value) in further ?? new Dictionary<string, string>())
            pairs[key] = value;
        return pairs;
    }

    private static LoadedWeights LoadRecipe(string text, WeightLoadOptions options)
    {
        WeightRecipe recipe = WeightRecipe.Parse(text, options.Fallback);
        ModelConfiguration told = recipe.Configuration;
        recipe = recipe with
        {
            Configuration = told with { Heads = options.Heads ?? told.Heads, Positions = options.Positions ?? told.Positions,
                Prediction = options.Prediction ?? told.Prediction },
        };
        return new LoadedWeights(text, WeightFormat.Recipe, recipe.Create()) { Recipe = $"{WeightRecipe.Prefix}{recipe.Seed}",
            Notes = ["untrained recipe weights: their output is noise, not a signal"] };
    }

    private static LoadedWeights Load(string path, WeightSource source, WeightLoadOptions options)
    {
        if (!source.Entries.Any(e => e.Parameter.Name.StartsWith(ParameterCatalog.Prefix, StringComparison.Ordinal)))
            throw new WeightFormatException(
                path,
                $"holds {source.Entries.Count} tensors, none of them of a UniCardio network: their names start with "
                + $"'{ParameterCatalog.Prefix}'", source.Entries.Count > 0 ? source.Entries[0].Parameter.Name : null);
        var notes = new List<string>();
        if (source.Skipped.Count > 0)
            notes.Add(
                $"left out what stands beside the tensors: "
                + $"{string.Join(", ", source.Skipped.Take(8).Select(WeightFormatException.Shorten))}"
                + (source.Skipped.Count > 8 ? ", ..." : ""));
        string[] dropped = [.. source.Entries.Select(e => e.Parameter.Name).Where(ParameterCatalog.IsKnownUnused)];
        if (dropped.Length > 0)
            notes.Add($"left out what the network never reads: {DescribeDropped(dropped)}");
        ModelConfiguration configuration =
            ConfigurationInference.Infer(path, source.Entries.Select(e => e.Parameter), source.Metadata, options, notes);
        CheckSchedule(source, configuration, notes);
        ModelWeights weights = Create(configuration, source, notes);
        string? recipe = Recognise(weights, source.Metadata);
        if (recipe is not null)
            notes.Add($"untrained weights of {recipe}: their output is noise, not a signal");
        return new LoadedWeights(path, source.Format, weights) { Recipe = recipe, Metadata = source.Metadata, Dropped = dropped,
            Notes = notes };
    }

    private static string DescribeDropped(string[] dropped)
    {
        int twins = dropped.Count(n => n != "alpha_torch");
        string[] parts = [.. dropped.Where(n => n == "alpha_torch"), .. twins > 0 ? new[] { $"{twins} tensors of feature_layer" } : []];
        return string.Join(" and ", parts);
    }

    // Types first and apart: a tensor of whole numbers has no float32 view to hand on. One list of problems comes out.
    private static ModelWeights Create(ModelConfiguration configuration, WeightSource source, List<string> notes)
    {
        var live = source.Entries.Where(e => !ParameterCatalog.IsKnownUnused(e.Parameter.Name)).ToList();
        Dictionary<string, ParameterShape> expected = ParameterCatalog.For(configuration).ToDictionary(p => p.Name, StringComparer.Ordinal);
        var problems = new List<string>();
        var tensors = new List<ParameterTensor>();
        foreach ((ParameterShape parameter, ElementType type) in live)
        {
            bool fits = expected.TryGetValue(parameter.Name, out ParameterShape? wanted) && wanted.Shape.SequenceEqual(parameter.Shape);
            if (!fits)
                problems.Add(wanted is null ? $"{WeightFormatException.Shorten(parameter.Name)}: not part of this model"
                    : $"{parameter.Name}: shape [{string.Join(", ", parameter.Shape)}], expected [{string.Join(", ", wanted.Shape)}]");
            if (!(source.HoldsWeights?.Invoke(parameter.Name) ?? type.IsConvertible()))
                problems.Add($"{WeightFormatException.Shorten(parameter.Name)}: type {type}, expected {ElementTypes.Stored}");
            else if (fits)
                tensors.Add(source.Tensor(parameter.Name));
        }

        foreach (IGrouping<ElementType, ElementType> type in live.Select(e => e.Type)
            .Where(t => t != ElementType.F32 && (t.IsConvertible() || t == ElementType.I8))
            .GroupBy(t => t))
            notes.Add($"converted {type.Count()} tensors from {type.Key} to float32");
        if (problems.Count == 0)
            return ModelWeights.Create(configuration, tensors, source);
        var present = new HashSet<string>(live.Select(e => e.Parameter.Name), StringComparer.Ordinal);
        try
        {
            ModelWeights.Create(configuration, tensors);
        }
        catch (WeightsException e)
        {
            // What is there in a wrong shape or type is listed above and is missing only from what was handed on.
            problems.AddRange(
                e.Problems.Where(p => !present.Contains(p[..p.IndexOf(':', StringComparison.Ordinal)])
                    || !p.Contains(": missing,", StringComparison.Ordinal)));
        }

        throw new WeightsException(problems);
    }

    /// <summary>alpha_torch is abar in float32: it shows whether the network was trained with this schedule.</summary>
    private static void CheckSchedule(WeightSource source, ModelConfiguration configuration, List<string> notes)
    {
        (ParameterShape Parameter, ElementType Type) entry = source.Entries.FirstOrDefault(e => e.Parameter.Name == "alpha_torch");
        if (entry.Parameter is null || !entry.Type.IsConvertible() || entry.Parameter.Count != configuration.DiffusionSteps)
            return;
        ParameterTensor stored = source.Tensor("alpha_torch");
        var schedule = new NoiseSchedule(configuration);
        // Half a float32 ulp at 1 is 6e-8; bfloat16 would need 4e-3, and is not looked at more closely.
        double tolerance = entry.Type is ElementType.F32 or ElementType.F64 ? 1e-6 : 1e-2;
        for (int t = 0; t < configuration.DiffusionSteps; t++)
        {
            if (!(Math.Abs(stored.Span[t] - schedule.AlphaBar[t]) <= tolerance))
            {
                notes.Add(
                    $"warning: the file's alpha_torch is {stored.Span[t]:g6} at t = {t}, the configured schedule gives "
                    + $"{schedule.AlphaBar[t]:g6}: the network was trained with another noise schedule");
                return;
            }
        }
    }

    private static string? Recognise(ModelWeights weights, IReadOnlyDictionary<string, string> metadata)
    {
        if (metadata.TryGetValue(UntrainedKey, out string? said))
            return WeightFormatException.Shorten(said);
        ParameterTensor sample = weights.Network.Decoders[0].Hidden.Bias;
        IEnumerable<ulong> seeds = Enumerable.Range(0, RecognisedSeeds).Select(s => (ulong)s);
        if (metadata.TryGetValue("seed", out string? text) && ulong.TryParse(text, out ulong named))
            seeds = seeds.Prepend(named);
        return WeightRecipe.FindSeed(sample, seeds) is ulong seed ? $"{WeightRecipe.Prefix}{seed}" : null;
    }
}
