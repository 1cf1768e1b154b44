using System.Text.Json;
using UniCardio.Engine.Model;

namespace UniCardio.Weights;

/// <summary>
/// The index of weights that are spread over several files (<c>model.safetensors.index.json</c>): a JSON object whose <c>weight_map</c>
/// says
/// which file of its folder holds which tensor.
/// </summary>
internal static class ShardedIndex
{
    private const int MaxBytes = 16 << 20, MaxFiles = 1024;

    /// <summary>Whether a file is such an index, by its first bytes: a JSON object, where a safetensors file has the length of its
    /// header.</summary>
    public static bool IsIndex(FileContent content)
    {
        ReadOnlySpan<byte> start = content.Slice(0, (int)Math.Min(64, content.Length)).TrimStart(" \t\r\n"u8);
        // A header of a length that begins with a brace is over the format's limit unless zeros follow.
        return start.Length > 8 && start[0] == (byte)'{' && start[1..8].IndexOf((byte)0) < 0;
    }

    /// <summary>Opens all files that the index names.</summary>
    /// <exception cref="WeightFormatException">It is no index, or a file is missing or lacks a tensor.</exception>
    public static WeightSource Open(FileContent content, WeightLoadOptions options)
    {
        Dictionary<string, string> map;
        using (content)
            map = Read(content);
        string folder = Path.GetDirectoryName(Path.GetFullPath(content.Name)) ?? "";
        var sources = new Dictionary<string, WeightSource>(StringComparer.Ordinal);
        var owner = new Owners(sources.Values);
        try
        {
            foreach (string file in map.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
                sources.Add(file, Shard(content.Name, folder, file, options));
            var places = new Dictionary<string, WeightSource>(StringComparer.Ordinal);
            var entries = new List<(ParameterShape, ElementType)>();
            var known = sources.ToDictionary(s => s.Key, s => s.Value.Entries.ToDictionary(e => e.Parameter.Name, StringComparer.Ordinal),
                StringComparer.Ordinal);
            foreach ((string name, string file) in map)
            {
                if (!known[file].TryGetValue(TensorNames.Strip(name), out (ParameterShape Parameter, ElementType Type) entry))
                    throw new WeightFormatException(content.Name,
                        $"says that '{WeightFormatException.Shorten(file)}' holds it, which it does not", name);
                if (places.TryAdd(entry.Parameter.Name, sources[file]))
                    entries.Add(entry);
            }
            WeightSource first = sources.Values.First();
            return new WeightSource(first.Format, entries, first.Metadata, name => places[name].Tensor(name), owner);
        }
        catch
        {
            owner.Dispose();
            throw;
        }
    }

    private static WeightSource Shard(string index, string folder, string file, WeightLoadOptions options)
    {
        bool plain = file.Length is > 0 and <= 255 && file == Path.GetFileName(file) && file is not ("." or "..")
            && !file.Contains('\\', StringComparison.Ordinal);
        if (!plain || file.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
            throw new WeightFormatException(index,
                $"names '{WeightFormatException.Shorten(file)}', which is not a plain name of a file of weights in its folder");
        string path = Path.Combine(folder, file);
        return File.Exists(path) ? WeightSource.OpenSingle(path, options) : throw new WeightFormatException(index,
            $"is the index of weights in several files, and '{WeightFormatException.Shorten(file)}' is not beside it");
    }

    private static Dictionary<string, string> Read(FileContent content)
    {
        if (content.Length > MaxBytes)
            throw new WeightFormatException(content.Name,
                $"begins as JSON and has {content.Length} bytes; an index of weights has at most {MaxBytes}");
        var map = new Dictionary<string, string>(StringComparer.Ordinal);
        try
        {
            using JsonDocument document = JsonDocument.Parse(content.Slice(0, (int)content.Length).ToArray(),
                new JsonDocumentOptions { MaxDepth = 4 });
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("weight_map",
                out JsonElement weights) || weights.ValueKind != JsonValueKind.Object)
                throw new WeightFormatException(content.Name,
                    "is JSON, but neither weights nor the index of weights in several files (it has no 'weight_map')", offset: 0);
            foreach (JsonProperty property in weights.EnumerateObject())
            {
                if (property.Value.ValueKind != JsonValueKind.String)
                    throw new WeightFormatException(content.Name, "is not mapped to the name of a file", property.Name);
                map[property.Name] = property.Value.GetString()!;
            }
        }
        catch (JsonException e)
        {
            throw new WeightFormatException(content.Name, $"begins as JSON but is none: {e.Message}", inner: e);
        }
        catch (InvalidOperationException e)
        {
            throw new WeightFormatException(content.Name, "holds half of a surrogate pair", inner: e);
        }
        if (map.Count is 0 or > Safetensors.SafetensorsFile.MaxTensors || map.Values.Distinct(StringComparer.Ordinal).Count() > MaxFiles)
            throw new WeightFormatException(content.Name,
                $"maps {map.Count} tensors; expected 1 to {Safetensors.SafetensorsFile.MaxTensors} in up to {MaxFiles} files");
        return map;
    }

    private sealed class Owners(IReadOnlyCollection<WeightSource> sources) : IDisposable
    {
        public void Dispose()
        {
            foreach (WeightSource source in sources)
                source.Dispose();
        }
    }
}
