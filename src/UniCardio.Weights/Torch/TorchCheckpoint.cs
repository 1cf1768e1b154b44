using System.Collections.Concurrent;
using System.Text;
using UniCardio.Engine.Model;

namespace UniCardio.Weights.Torch;

/// <summary>One tensor of a torch checkpoint.</summary>
/// <param name="Name">The tensor's name, without what wrappers put before it (<c>module.</c> of nn.DataParallel, <c>_orig_mod.</c> of
/// torch.compile, <c>model.</c>).</param>
/// <param name="Type">Type of its elements.</param>
/// <param name="Shape">Dimensions.</param>
internal sealed record TorchEntry(string Name, ElementType Type, IReadOnlyList<int> Shape);

/// <summary>A checkpoint that torch.save wrote from a state dict (a zip archive with a pickle and raw storages), read without running the
/// pickle.</summary>
/// <remarks>
/// The pickle may hold what a state dict needs, and plain values beside it, which are passed over; any other opcode or name is refused. In
/// a training checkpoint the state dict is looked for under <c>state_dict</c>, <c>model</c> and the like. Contiguous float32 tensors are
/// views of the mapped file, with the same rules as in <see cref="Safetensors.SafetensorsFile"/>; other strides and types become copies.
/// </remarks>
internal sealed class TorchCheckpoint : IDisposable
{
    private readonly FileContent _content;
    private readonly ZipDirectory _archive;
    private readonly string _root;
    private readonly bool _verifyChecksums;
    private readonly Dictionary<string, TensorReference> _tensors = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> _verified = new(StringComparer.Ordinal);

    private TorchCheckpoint(FileContent content, bool verifyChecksums)
    {
        _content = content;
        _verifyChecksums = verifyChecksums;
        ForeignContent.Refuse(content);
        RefuseOtherFormats(content);
        _archive = ZipDirectory.Read(content);
        _root = FindRoot();
        CheckByteOrder();
        ZipEntry pickle = _archive.Entries[_root + "data.pkl"];
        if (pickle.Length > PickleReader.MaxLength)
            throw new WeightFormatException(Path, $"has {pickle.Length} bytes, over {PickleReader.MaxLength}", pickle.Name);
        Entries = ReadStateDict(PickleReader.Read(Path, pickle.Name, Bytes(pickle)), pickle.Name);
        CheckStorages();
        Dropped = [.. Entries.Select(e => e.Name).Where(ParameterCatalog.IsKnownUnused)];
    }

    /// <summary>The file as it was named.</summary>
    public string Path => _content.Name;

    /// <summary>The tensors in the order of the state dict, the unused ones included.</summary>
    public IReadOnlyList<TorchEntry> Entries { get; }

    /// <summary>Keys beside the tensors that hold none (an epoch) or were not chosen (an optimiser's state); passed over.</summary>
    public IReadOnlyList<string> Skipped { get; private set; } = [];

    /// <summary>Tensors that the network never reads (<c>feature_layer</c>, <c>alpha_torch</c>).</summary>
    public IReadOnlyList<string> Dropped { get; }

    /// <summary>Opens and checks a checkpoint.</summary>
    /// <param name="path">The file.</param>
    /// <param name="memoryMap">False reads the file into memory of its own.</param>
    /// <param name="verifyChecksums">Whether the CRC-32 of each entry is checked when it is first used.</param>
    /// <exception cref="WeightFormatException">The file is not a sound state dict, or its pickle names anything else.</exception>
    /// <exception cref="IOException">The file cannot be opened (<see cref="FileNotFoundException"/> where it is not there).</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static TorchCheckpoint Open(string path, bool memoryMap = true, bool verifyChecksums = true) =>
        Open(FileContent.Open(path, memoryMap), verifyChecksums);

    /// <summary>Checks a checkpoint that is already in memory; the bytes are copied.</summary>
    /// <param name="name">What to call it in messages.</param>
    /// <param name="bytes">The whole file.</param>
    /// <param name="verifyChecksums">Whether the CRC-32 of each entry is checked when it is first used.</param>
    /// <exception cref="WeightFormatException">The bytes are not a sound state dict.</exception>
    public static TorchCheckpoint FromBytes(string name, ReadOnlySpan<byte> bytes, bool verifyChecksums = true) =>
        Open(FileContent.Copy(name, bytes), verifyChecksums);

    /// <summary>Whether the checkpoint holds a tensor of this name.</summary>
    public bool Contains(string name) => _tensors.ContainsKey(name);

    /// <summary>A tensor's elements as float32, row-major: a view where they lie so, else a converted copy.</summary>
    /// <param name="name">Name without <c>module.</c>.</param>
    /// <exception cref="WeightFormatException">There is no such tensor, its type is not one that weights are stored in, or its storage is
    /// damaged.</exception>
    /// <exception cref="ObjectDisposedException">The checkpoint was disposed.</exception>
    public ReadOnlyMemory<float> Floats(string name)
    {
        if (!_tensors.TryGetValue(name, out TensorReference? tensor))
            throw new WeightFormatException(Path, "no such tensor", name);
        ElementType type = tensor.Storage.Type;
        if (!type.IsConvertible())
            throw new WeightFormatException(Path, $"is {type}, expected a float32, float64, float16 or bfloat16 storage", name);
        ZipEntry entry = _archive.Entries[StorageName(tensor.Storage)];
        ReadOnlySpan<byte> storage = Bytes(entry);
        int count = tensor.Size.Aggregate(1, (product, d) => checked(product * d));
        long start = tensor.Offset * type.Size();
        if (IsContiguous(tensor))
        {
            if (type == ElementType.F32 && _content.IsFloatAligned(entry.Offset + start))
                return _content.Floats(entry.Offset + start, count);
            float[] converted = GC.AllocateUninitializedArray<float>(count);
            ElementTypes.Convert(type, storage[(int)start..], converted);
            return converted;
        }

        return Gather(tensor, storage, count);
    }

    /// <summary>A tensor with its name and shape; elements as in <see cref="Floats"/>.</summary>
    public ParameterTensor Tensor(string name)
    {
        ReadOnlyMemory<float> data = Floats(name);
        return new ParameterTensor(name, _tensors[name].Size, data);
    }

    /// <summary>Closes the file; views of it throw from now on.</summary>
    public void Dispose() => _content.Dispose();

    internal static TorchCheckpoint Open(FileContent content, bool verifyChecksums)
    {
        try
        {
            return new TorchCheckpoint(content, verifyChecksums);
        }
        catch
        {
            content.Dispose();
            throw;
        }
    }

    // The first object of torch's own format before 1.6 is the number 0x1950a86a20f9469cfc6c.
    private static readonly byte[] LegacyMagic = [0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19];

    private static void RefuseOtherFormats(FileContent content)
    {
        ReadOnlySpan<byte> start = content.Slice(0, (int)Math.Min(64, content.Length));
        if (start.StartsWith(LegacyMagic))
            throw new WeightFormatException(
                content.Name,
                "is in torch's format from before version 1.6, which is one pickle and no zip archive. Save it again with torch.save of "
                + "a current PyTorch", offset: 0);
        if (start.Length >= 2 && start[0] == 0x80 && start[1] is >= 2 and <= 5)
            throw new WeightFormatException(content.Name, "is a bare pickle, not a torch zip archive", offset: 0);
        if (!start.StartsWith("PK\x03\x04"u8))
            throw new WeightFormatException(content.Name, "is not a torch checkpoint: it does not start with a zip entry", offset: 0);
    }

    private string FindRoot()
    {
        string[] roots = [.. _archive.Entries.Keys.Select(n => n[..(n.IndexOf('/', StringComparison.Ordinal) + 1)])
            .Distinct(StringComparer.Ordinal).Take(2)];
        if (roots.Length != 1 || !_archive.Entries.ContainsKey(roots[0] + "data.pkl"))
            throw new WeightFormatException(Path, "is a zip archive, but no torch checkpoint: expected one folder with data.pkl in it");
        return roots[0];
    }

    private void CheckByteOrder()
    {
        if (!_archive.Entries.TryGetValue(_root + "byteorder", out ZipEntry? entry))
            return;
        string order = entry.Length <= 16 ? Encoding.ASCII.GetString(Bytes(entry)).Trim() : "...";
        if (order != "little")
            throw new WeightFormatException(Path, order == "big"
                ? "the checkpoint was saved on a big-endian machine; its byte order is not read" : "expected 'little'", entry.Name);
    }

    private List<TorchEntry> ReadStateDict(PickleDictionary root, string pickle)
    {
        var entries = new List<TorchEntry>();
        var skipped = new List<string>();
        PickleDictionary chosen = FindStateDict(root, depth: 0) ?? root;
        if (chosen != root)
            skipped.AddRange(root.Items.Where(i => i.Value != chosen).Select(i => i.Key));
        bool hasTensors = HasTensors(chosen);
        foreach ((string key, object? value) in chosen.Items)
        {
            string name = TensorNames.Strip(key);
            if (hasTensors && value is not TensorReference)
            {
                skipped.Add(key);
                continue;
            }
            if (value is not TensorReference tensor)
                throw new WeightFormatException(
                    Path,
                    $"'{WeightFormatException.Shorten(key)}' is not a tensor; expected a state dict (torch.save(model.state_dict(), "
                    + $"...)), not a training checkpoint or a model", pickle);
            if (!_tensors.TryAdd(name, tensor))
                throw new WeightFormatException(Path, "is there twice, with and without 'module.'", name);
            entries.Add(new TorchEntry(name, tensor.Storage.Type, tensor.Size));
        }

        Skipped = skipped;
        return entries;
    }

    private static readonly string[] UsualKeys =
        ["state_dict", "model_state_dict", "model", "module", "network", "net", "weights", "params", "ema", "ema_state_dict"];

    // Where the network's tensors are: in the dictionary itself, else in one of those that checkpoints keep them in.
    private static PickleDictionary? FindStateDict(PickleDictionary dictionary, int depth)
    {
        if (dictionary.Items.Exists(i =>
            i.Value is TensorReference && TensorNames.Strip(i.Key).StartsWith(ParameterCatalog.Prefix, StringComparison.Ordinal)))
            return dictionary;
        if (depth == 3)
            return null;
        IEnumerable<KeyValuePair<string, object?>> inOrder =
            dictionary.Items.OrderBy(i => Array.IndexOf(UsualKeys, i.Key) is >= 0 and var place ? place : UsualKeys.Length);
        PickleDictionary? found = inOrder.Select(i => i.Value).OfType<PickleDictionary>().Take(64).Select(d => FindStateDict(d, depth + 1))
            .FirstOrDefault(d => d is not null);
        // Tensors of something else are better than none: what they lack will be said tensor by tensor.
        return found ?? (depth > 0 || HasTensors(dictionary) ? null
            : dictionary.Items.Where(i => UsualKeys.Contains(i.Key)).Select(i => i.Value).OfType<PickleDictionary>()
                .FirstOrDefault(HasTensors));
    }

    private static bool HasTensors(PickleDictionary dictionary) => dictionary.Items.Exists(i => i.Value is TensorReference);

    private string StorageName(StorageReference storage) => _root + "data/" + storage.Key;

    private void CheckStorages()
    {
        Int128 stored = 0, viewed = 0;
        var seen = new HashSet<StorageReference>();
        foreach ((string name, TensorReference tensor) in _tensors)
        {
            if (seen.Add(tensor.Storage))
            {
                string entryName = StorageName(tensor.Storage);
                if (!_archive.Entries.TryGetValue(entryName, out ZipEntry? entry))
                    throw new WeightFormatException(
                        Path, $"its storage '{WeightFormatException.Shorten(entryName)}' is not in the archive", name);
                Int128 bytes = (Int128)tensor.Storage.Count * tensor.Storage.Type.Size();
                if (entry.Length != bytes || entry.Length > int.MaxValue)
                    throw new WeightFormatException(
                        Path, $"has {entry.Length} bytes, expected {tensor.Storage.Count} elements of {tensor.Storage.Type}, under 2 GiB",
                        entry.Name, entry.Offset);
                stored += tensor.Storage.Count;
            }

            Int128 count = tensor.Size.Aggregate((Int128)1, (product, d) => Int128.Min(product * d, long.MaxValue));
            viewed += count;
            // A stride of 0 repeats elements: without a bound a few bytes would unfold into any amount of memory.
            if (viewed > (16 * stored) + MaxSmallViews || count > Array.MaxLength)
                throw new WeightFormatException(
                    Path,
                    $"its size [{string.Join(", ", tensor.Size)}] repeats the {tensor.Storage.Count} elements of its storage beyond reason",
                    name);
        }
    }

    private const int MaxSmallViews = 65_536;

    private ReadOnlySpan<byte> Bytes(ZipEntry entry)
    {
        ReadOnlySpan<byte> bytes = _content.Slice(entry.Offset, (int)entry.Length);
        if (_verifyChecksums && !_verified.ContainsKey(entry.Name))
        {
            uint crc = Crc32.Of(bytes);
            if (crc != entry.Crc)
                throw new WeightFormatException(Path, $"CRC-32 is {crc:X8}, the archive says {entry.Crc:X8}; the file is damaged",
                    entry.Name, entry.Offset);
            _verified[entry.Name] = true;
        }

        return bytes;
    }

    private static bool IsContiguous(TensorReference tensor)
    {
        long expected = 1;
        for (int i = tensor.Size.Length - 1; i >= 0; i--)
        {
            if (tensor.Size[i] == 0)
                return true;
            if (tensor.Size[i] != 1 && tensor.Stride[i] != expected)
                return false;
            expected *= tensor.Size[i];
        }

        return true;
    }

    private static float[] Gather(TensorReference tensor, ReadOnlySpan<byte> storage, int count)
    {
        float[] values = new float[count];
        int[] index = new int[tensor.Size.Length];
        long at = tensor.Offset;
        int size = tensor.Storage.Type.Size();
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = ElementTypes.Read(tensor.Storage.Type, storage[(int)(at * size)..]);
            // Count on from the last dimension, carrying to the left.
            for (int d = index.Length - 1; d >= 0; d--)
            {
                at += tensor.Stride[d];
                if (++index[d] < tensor.Size[d])
                    break;
                at -= tensor.Stride[d] * tensor.Size[d];
                index[d] = 0;
            }
        }

        return values;
    }
}
