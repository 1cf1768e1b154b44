using System.Globalization;
using UniCardio.Engine;
using UniCardio.Engine.Model;

namespace UniCardio.Weights;

/// <summary>Deduces a network's sizes from the shapes of its tensors.</summary>
/// <remarks>
/// Each number is read from every tensor that shows it and the most frequent value is taken, so that one mis-shaped tensor is reported as
/// itself and does not change what is expected of all others. Heads, positions and prediction leave no trace in shapes.
/// </remarks>
internal static class ConfigurationInference
{
    /// <summary>The numbers that the shapes show, by the keys of <see cref="ModelConfiguration.ToMetadata"/>: channels, layers,
    /// feed_forward, embedding, slot, samples_per_token, and steps where <c>alpha_torch</c> is there.</summary>
    public static IReadOnlyDictionary<string, int> Deduce(IEnumerable<ParameterShape> shapes)
    {
        ArgumentNullException.ThrowIfNull(shapes);
        var votes = new Dictionary<string, Dictionary<int, int>>(StringComparer.Ordinal);
        var blocks = new HashSet<int>();
        foreach (ParameterShape shape in shapes)
            Read(shape, votes, blocks);
        var found = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach ((string key, Dictionary<int, int> counts) in votes)
            found[key] = counts.MaxBy(c => c.Value).Key;
        if (blocks.Count > 0)
            found["layers"] = blocks.Count;
        if (found.Remove(Tokens, out int tokens))
            found["slot"] = (int)Math.Min(int.MaxValue, (long)tokens * found.GetValueOrDefault("samples_per_token", 1));
        return found;
    }

    /// <summary>The whole configuration: shapes first, then <paramref name="options"/>, then <paramref name="metadata"/>, then the
    /// fallback.</summary>
    /// <param name="file">The file's name, for messages.</param>
    /// <param name="shapes">Names and shapes of the file's tensors.</param>
    /// <param name="metadata">The file's own string pairs, if it has any.</param>
    /// <param name="options">What was told.</param>
    /// <param name="notes">Receives a line on what was assumed or overruled.</param>
    /// <exception cref="WeightFormatException">Shapes and metadata contradict each other, or the metadata does not parse.</exception>
    /// <exception cref="ConfigurationException">The numbers do not hold together, e.g. the heads do not divide the channels.</exception>
    public static ModelConfiguration Infer(string file, IEnumerable<ParameterShape> shapes, IReadOnlyDictionary<string, string> metadata,
        WeightLoadOptions options, ICollection<string> notes)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(notes);
        SortedDictionary<string, string> told = Told(options);
        var values = new Dictionary<string, string>((options.Fallback ?? ModelConfiguration.Full).ToMetadata(), StringComparer.Ordinal);
        foreach (string key in values.Keys.Where(metadata.ContainsKey).ToList())
        {
            if (told.TryGetValue(key, out string? other) && !string.Equals(other, metadata[key].Trim(), StringComparison.OrdinalIgnoreCase))
                notes.Add($"{key} {other} as told, though the file's metadata says {WeightFormatException.Shorten(metadata[key])}");
            values[key] = metadata[key];
        }

        foreach (string key in (string[])[ModelConfiguration.OwnSamplerKey, ModelConfiguration.OwnTasksKey])
        {
            if (metadata.TryGetValue(key, out string? own))
                values[key] = own;
        }

        foreach ((string key, int value) in Deduce(shapes))
        {
            string text = value.ToString(CultureInfo.InvariantCulture);
            if (metadata.TryGetValue(key, out string? claimed) && claimed != text)
                throw new WeightFormatException(file,
                    $"{key} is {WeightFormatException.Shorten(claimed)} by the metadata and {text} by the tensors' shapes", MetadataEntry);
            values[key] = text;
        }

        foreach ((string key, string value) in told)
            values[key] = value;
        string[] assumed = [.. Untold.Where(k => !told.ContainsKey(k) && !metadata.ContainsKey(k) && options.Fallback is null)];
        if (assumed.Length > 0)
            notes.Add(
                $"{string.Join(", ", assumed.Select(k => $"{k} {values[k]}"))} assumed: the shapes do not show "
                + $"{(assumed.Length == 1 ? "it" : "them")}");
        return Combine(file, values, metadata, assumed);
    }

    private const string MetadataEntry = Safetensors.SafetensorsFile.MetadataKey;
    private const string Tokens = "slot tokens";
    private static readonly string[] Untold = ["heads", "positions", "prediction"];

    private static SortedDictionary<string, string> Told(WeightLoadOptions options)
    {
        var told = new SortedDictionary<string, string>(StringComparer.Ordinal);
        if (options.Heads is int heads)
            told["heads"] = heads.ToString(CultureInfo.InvariantCulture);
        if (options.Positions is PositionKind positions)
            told["positions"] = positions.ToString().ToLowerInvariant();
        if (options.Prediction is PredictionKind prediction)
            told["prediction"] = prediction.ToString().ToLowerInvariant();
        return told;
    }

    private static ModelConfiguration Combine(string file, Dictionary<string, string> values, IReadOnlyDictionary<string, string> metadata,
        string[] assumed)
    {
        try
        {
            return ModelConfiguration.FromMetadata(values);
        }
        catch (ConfigurationException e) when (metadata.ContainsKey(e.Setting))
        {
            throw new WeightFormatException(file, e.Message, MetadataEntry, inner: e);
        }
        catch (ConfigurationException e) when (assumed.Contains("heads") && e.Message.Contains("heads", StringComparison.Ordinal))
        {
            throw new ConfigurationException(
                "heads", $"{file}: {e.Message}. Shapes do not show the number of heads and {values["heads"]} was assumed; tell it");
        }
    }

    private static void Read(ParameterShape parameter, Dictionary<string, Dictionary<int, int>> votes, HashSet<int> blocks)
    {
        IReadOnlyList<int> shape = parameter.Shape;
        if (parameter.Name == "alpha_torch" && shape.Count > 0)
            Vote("steps", 0);
        if (!parameter.Name.StartsWith(ParameterCatalog.Prefix, StringComparison.Ordinal) || ParameterCatalog.IsKnownUnused(parameter.Name))
            return;
        string[] path = parameter.Name[ParameterCatalog.Prefix.Length..].Split('.');
        if (path.Length > 2 && path[0] == "residual_layers"
            && int.TryParse(path[1], NumberStyles.None, CultureInfo.InvariantCulture, out int block))
            blocks.Add(block);
        if (path.Length < 2 || path[^1] is not ("weight" or "in_proj_weight") || shape.Count < 2)
            return;
        // [outputs, inputs, ...] of the maps that show a number, and [C, S/p] of the norm planes.
        switch (path[^1] == "weight" ? path[^2] : path[^1])
        {
            case "in_proj_weight": Vote("channels", 1); break;
            case "out_proj" or "output_projection1_1" or "output_projection2_1" or "output_projection3_1": Vote("channels", 0); break;
            case "output_projection1_2" or "output_projection2_2" or "output_projection3_2": Vote("samples_per_token", 0); break;
            case "projection1" or "projection2": Vote("embedding", 0); break;
            case "diffusion_projection": Vote("channels", 0); Vote("embedding", 1); break;
            case "linear1": Vote("feed_forward", 0); break;
            case "linear2": Vote("feed_forward", 1); break;
            case "norm1" or "norm2" or "norm3" or "norm4" when path.Length == 2: Vote("channels", 0); Vote(Tokens, 1); break;
        }

        void Vote(string key, int dimension)
        {
            if (!votes.TryGetValue(key, out Dictionary<int, int>? counts))
                votes[key] = counts = [];
            counts[shape[dimension]] = counts.GetValueOrDefault(shape[dimension]) + 1;
        }
    }
}
