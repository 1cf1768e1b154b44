using UniCardio.Engine.Model;

namespace UniCardio.Weights.Safetensors;

/// <summary>A safetensors file, mapped into memory: names, types, shapes, metadata, and tensors as float32 where they lie.</summary>
/// <remarks>
/// <para>Format: 8 bytes little-endian header length, a JSON object, then the data (huggingface/safetensors). Everything in the header
/// is checked when the file is opened; tensors are touched when they are asked for.</para>
/// <para>Views point into the mapping. They throw <see cref="ObjectDisposedException"/> once the file is disposed; a span that was taken
/// before must not be used after. Replace a file by renaming another over it: cutting a mapped file short ends the process
/// that maps it, on every operating system.</para>
/// </remarks>
internal sealed class SafetensorsFile : IDisposable
{
    /// <summary>Longest header that is read, 100 MB as in the format's own library.</summary>
    public const int MaxHeaderLength = 100_000_000;

    /// <summary>Most tensors (and most pairs of metadata) that are read; a model of this kind has a few hundred.</summary>
    public const int MaxTensors = 65_536;

    /// <summary>The header's key for the file's own string pairs.</summary>
    public const string MetadataKey = "__metadata__";

    private readonly FileContent _content;
    private readonly Dictionary<string, SafetensorsEntry> _byName;

    private SafetensorsFile(FileContent content)
    {
        _content = content;
        ForeignContent.Refuse(content);
        SafetensorsHeader header = SafetensorsHeader.Read(content);
        Metadata = header.Metadata;
        Entries = header.Entries;
        _byName = header.Entries.ToDictionary(e => e.Name, StringComparer.Ordinal);
    }

    /// <summary>The file as it was named.</summary>
    public string Path => _content.Name;

    /// <summary>The string pairs of <c>__metadata__</c>; empty where there are none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>The tensors in the order of their data.</summary>
    public IReadOnlyList<SafetensorsEntry> Entries { get; }

    /// <summary>Opens and checks a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="memoryMap">False reads the file into memory of its own, so that nobody can change it under a running engine.</param>
    /// <exception cref="WeightFormatException">The file is not a sound safetensors file.</exception>
    /// <exception cref="IOException">The file cannot be opened (<see cref="FileNotFoundException"/> where it is not there).</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static SafetensorsFile Open(string path, bool memoryMap = true) => Open(FileContent.Open(path, memoryMap));

    /// <summary>Checks a file that is already in memory; the bytes are copied.</summary>
    /// <param name="name">What to call it in messages.</param>
    /// <param name="bytes">The whole file.</param>
    /// <exception cref="WeightFormatException">The bytes are not a sound safetensors file.</exception>
    public static SafetensorsFile FromBytes(string name, ReadOnlySpan<byte> bytes) => Open(FileContent.Copy(name, bytes));

    /// <summary>Whether the file holds a tensor of this name.</summary>
    public bool Contains(string name) => _byName.ContainsKey(name);

    /// <summary>Type, shape and place of a tensor.</summary>
    /// <exception cref="WeightFormatException">There is no such tensor.</exception>
    public SafetensorsEntry Entry(string name) =>
        _byName.TryGetValue(name, out SafetensorsEntry? entry) ? entry : throw new WeightFormatException(Path, "no such tensor", name);

    /// <summary>The raw little-endian bytes of a tensor.</summary>
    /// <exception cref="WeightFormatException">There is no such tensor, or it is 2 GiB or longer.</exception>
    /// <exception cref="ObjectDisposedException">The file was disposed.</exception>
    public ReadOnlySpan<byte> Bytes(string name)
    {
        SafetensorsEntry entry = Entry(name);
        return _content.Slice(entry.Offset, CheckLength(entry));
    }

    /// <summary>A tensor's elements as float32, row-major: a view where they are F32 at a multiple of 4 bytes, else a converted
    /// copy.</summary>
    /// <exception cref="WeightFormatException">There is no such tensor, it is 2 GiB or longer, or not of a type in which weights are stored
    /// (<see cref="ElementTypes.IsConvertible"/>).</exception>
    /// <exception cref="ObjectDisposedException">The file was disposed.</exception>
    public ReadOnlyMemory<float> Floats(string name)
    {
        SafetensorsEntry entry = Entry(name);
        int bytes = CheckLength(entry), count = bytes / entry.Type.Size();
        if (entry.Type == ElementType.I8 && _byName.TryGetValue(name + Int8Rows.ScaleSuffix, out SafetensorsEntry? scales))
            return Int8Rows.Widen(_content.Slice(entry.Offset, bytes), Scales(entry, scales));
        if (!entry.Type.IsConvertible())
            throw new WeightFormatException(Path, $"is {entry.Type}, expected {ElementTypes.Stored}", name);
        if (entry.Type == ElementType.F32 && _content.IsFloatAligned(entry.Offset))
            return _content.Floats(entry.Offset, count);
        if (count > Array.MaxLength)
            throw new WeightFormatException(Path, $"has {count} elements, over {Array.MaxLength}", name);
        float[] copy = GC.AllocateUninitializedArray<float>(count);
        ElementTypes.Convert(entry.Type, _content.Slice(entry.Offset, bytes), copy);
        return copy;
    }

    /// <summary>A tensor with its name and shape; elements as in <see cref="Floats"/>.</summary>
    public ParameterTensor Tensor(string name) => new(name, Entry(name).Shape, Floats(name));

    /// <summary>Closes the file; views of it throw from now on.</summary>
    public void Dispose() => _content.Dispose();

    internal static SafetensorsFile Open(FileContent content)
    {
        try
        {
            return new SafetensorsFile(content);
        }
        catch
        {
            content.Dispose();
            throw;
        }
    }

    /// <summary>Whether a tensor is of a type in which weights are stored: integers go with their scales.</summary>
    internal bool HoldsWeights(string name) => Entry(name).Type.IsConvertible() || (Entry(name).Type == ElementType.I8
        && _byName.ContainsKey(name + Int8Rows.ScaleSuffix));

    /// <summary>Whether a tensor holds the scales of another one's integers.</summary>
    internal bool IsScale(string name) => name.EndsWith(Int8Rows.ScaleSuffix, StringComparison.Ordinal)
        && _byName.TryGetValue(name[..^Int8Rows.ScaleSuffix.Length], out SafetensorsEntry? of) && of.Type == ElementType.I8;

    private ReadOnlySpan<float> Scales(SafetensorsEntry of, SafetensorsEntry scales)
    {
        if (scales.Type != ElementType.F32 || scales.Shape.Count != 1 || of.Shape.Count < 2 || scales.Shape[0] != of.Shape[0])
            throw new WeightFormatException(Path,
                $"is {scales.Type} [{string.Join(", ", scales.Shape)}], expected F32 [{(of.Shape.Count == 0 ? 0 : of.Shape[0])}]: "
                + "a scale a row",
                scales.Name);
        ReadOnlySpan<float> values = Floats(scales.Name).Span;
        int bad = Engine.FiniteScan.FirstNonFinite(values);
        return bad < 0 ? values : throw new WeightFormatException(Path, $"element {bad} is {values[bad]}", scales.Name);
    }

    private int CheckLength(SafetensorsEntry entry) => entry.Length <= int.MaxValue
        ? (int)entry.Length
        : throw new WeightFormatException(Path, $"has {entry.Length} bytes; tensors of 2 GiB and over are not read", entry.Name);
}
