using UniCardio.Engine.Model;
using UniCardio.Weights.Safetensors;
using UniCardio.Weights.Torch;

namespace UniCardio.Weights;

/// <summary>What the two file formats have in common.</summary>
internal sealed record WeightSource(
    WeightFormat Format,
    IReadOnlyList<(ParameterShape Parameter, ElementType Type)> Entries,
    IReadOnlyDictionary<string, string> Metadata,
    Func<string, ParameterTensor> Tensor,
    IDisposable Owner) : IDisposable
{
    /// <summary>What the file holds beside the tensors, passed over.</summary>
    public IReadOnlyList<string> Skipped { get; init; } = [];

    /// <summary>Whether a tensor is of a type in which weights are stored; null where the type alone says it.</summary>
    public Func<string, bool>? HoldsWeights { get; init; }

    public static WeightSource Open(string path, WeightLoadOptions options)
    {
        FileContent content = FileContent.Open(path, options.MemoryMap);
        return ShardedIndex.IsIndex(content) ? ShardedIndex.Open(content, options) : Open(content, options);
    }

    /// <summary>Opens a file that may not be an index: none leads to another.</summary>
    public static WeightSource OpenSingle(string path, WeightLoadOptions options) => Open(FileContent.Open(path, options.MemoryMap),
        options);

    /// <summary>A file that is already in memory and is no index; the bytes are copied.</summary>
    public static WeightSource FromBytes(string name, ReadOnlySpan<byte> bytes, WeightLoadOptions options) =>
        Open(FileContent.Copy(name, bytes), options);

    private static WeightSource Open(FileContent content, WeightLoadOptions options)
    {
        // By content, not by name: a zip archive or a pickle is torch's, everything else is held to be safetensors.
        // (The '{' of a safetensors header tells it from a pickle whose first bytes look like a header length.)
        ReadOnlySpan<byte> start = content.Slice(0, (int)Math.Min(9, content.Length));
        bool isTorch = start.StartsWith("PK"u8) || (start.Length == 9 && start[0] == 0x80 && start[1] is >= 2 and <= 5 && start[8] != '{');
        return isTorch ? Of(TorchCheckpoint.Open(content, options.VerifyChecksums)) : Of(SafetensorsFile.Open(content));
    }

    public void Dispose() => Owner.Dispose();

    private static WeightSource Of(SafetensorsFile file)
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (SafetensorsEntry entry in file.Entries)
        {
            if (!names.TryAdd(TensorNames.Strip(entry.Name), entry.Name))
            {
                using (file)
                    throw new WeightFormatException(file.Path, "is there twice, with and without 'module.'", TensorNames.Strip(entry.Name));
            }
        }
        ParameterTensor Tensor(string name)
        {
            ParameterTensor stored = file.Tensor(names.GetValueOrDefault(name, name));
            return stored.Name == name ? stored : new ParameterTensor(name, stored.Shape, stored.Data);
        }

        return new(WeightFormat.Safetensors,
            [.. file.Entries.Where(e => !file.IsScale(e.Name))
                .Select(e => (new ParameterShape(TensorNames.Strip(e.Name), e.Shape), e.Type))],
            file.Metadata, Tensor, file) { HoldsWeights = name => file.HoldsWeights(names.GetValueOrDefault(name, name)) };
    }

    private static WeightSource Of(TorchCheckpoint file) => new(
        WeightFormat.TorchCheckpoint,
        [.. file.Entries.Select(e => (new ParameterShape(e.Name, e.Shape), e.Type))],
        new Dictionary<string, string>(),
        file.Tensor,
        file) { Skipped = file.Skipped };
}
