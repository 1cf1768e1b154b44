using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace UniCardio.Weights.Safetensors;

/// <summary>Reads and checks the header of a safetensors file (huggingface/safetensors, format 0.x): everything that the header claims is
/// held against the file's length before any tensor is touched.</summary>
internal sealed class SafetensorsHeader
{
    private readonly string _file;
    private readonly long _dataStart;
    private readonly long _dataLength;

    private SafetensorsHeader(string file, long dataStart, long dataLength)
    {
        _file = file;
        _dataStart = dataStart;
        _dataLength = dataLength;
    }

    public Dictionary<string, string> Metadata { get; } = new(StringComparer.Ordinal);

    public List<SafetensorsEntry> Entries { get; } = [];

    public static SafetensorsHeader Read(FileContent content)
    {
        if (content.Length < 8)
            throw new WeightFormatException(
                content.Name, $"has {content.Length} bytes; a safetensors file starts with an 8-byte header length");
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(content.Slice(0, 8));
        if (length < 2)
            throw new WeightFormatException(content.Name, $"header length {length}, expected at least 2 for '{{}}'", offset: 0);
        if (length > SafetensorsFile.MaxHeaderLength)
            throw new WeightFormatException(
                content.Name,
                $"header length {length} is over the format's limit of {SafetensorsFile.MaxHeaderLength}; not a safetensors file, or a "
                + $"damaged one", offset: 0);
        if (length > (ulong)content.Length - 8)
            throw new WeightFormatException(
                content.Name,
                $"header length {length} reaches past the end of the file ({content.Length} bytes); the file is cut short, or no "
                + $"safetensors file", offset: 0);
        var header = new SafetensorsHeader(content.Name, 8 + (long)length, content.Length - 8 - (long)length);
        ReadOnlySpan<byte> json = content.Slice(8, (int)length);
        if (json[0] != (byte)'{')
            throw new WeightFormatException(content.Name, "the header does not start with '{'", offset: 8);
        if (!Utf8.IsValid(json))
            throw new WeightFormatException(content.Name, "the header is not UTF-8");
        try
        {
            header.Parse(json);
        }
        catch (JsonException e)
        {
            throw new WeightFormatException(content.Name, $"the header is not the JSON of a safetensors file: {e.Message}", inner: e);
        }

        catch (InvalidOperationException e)
        {
            // Comparing names fails where one has half of a surrogate pair as an escape, as reading it does.
            throw new WeightFormatException(content.Name, "the header holds half of a surrogate pair", inner: e);
        }

        header.CheckCoverage();
        return header;
    }

    private void Parse(ReadOnlySpan<byte> json)
    {
        // Root, tensor, array: nothing sound nests deeper.
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 3 });
        reader.Read();
        var names = new HashSet<string>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (names.Count > SafetensorsFile.MaxTensors)
                throw new WeightFormatException(_file, $"lists over {SafetensorsFile.MaxTensors} tensors",
                    offset: 8 + reader.TokenStartIndex);
            string name = Text(ref reader);
            if (!names.Add(name))
                throw new WeightFormatException(_file, "is in the header twice", name, 8 + reader.TokenStartIndex);
            reader.Read();
            Expect(ref reader, JsonTokenType.StartObject, name, "an object");
            if (name == SafetensorsFile.MetadataKey)
                ReadMetadata(ref reader);
            else
                Entries.Add(ReadEntry(ref reader, name));
        }

        // Reading on past the root throws where anything but white space follows.
        reader.Read();
    }

    private void ReadMetadata(ref Utf8JsonReader reader)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (Metadata.Count >= SafetensorsFile.MaxTensors)
                throw new WeightFormatException(_file, $"over {SafetensorsFile.MaxTensors} pairs", SafetensorsFile.MetadataKey);
            string key = Text(ref reader);
            reader.Read();
            Expect(ref reader, JsonTokenType.String, SafetensorsFile.MetadataKey, "a string");
            if (!Metadata.TryAdd(key, Text(ref reader)))
                throw new WeightFormatException(_file, $"key '{WeightFormatException.Shorten(key)}' is there twice",
                    SafetensorsFile.MetadataKey, 8 + reader.TokenStartIndex);
        }
    }

    private SafetensorsEntry ReadEntry(ref Utf8JsonReader reader, string name)
    {
        ElementType type = default;
        Span<long> shape = stackalloc long[MaxRank], offsets = stackalloc long[2];
        int rank = 0, offsetCount = 0;
        Keys seen = Keys.None;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            Keys key = Key(ref reader, name);
            if ((seen & key) != 0)
                throw new WeightFormatException(_file, $"{Describe(key)} is there twice", name, 8 + reader.TokenStartIndex);
            seen |= key;
            reader.Read();
            switch (key)
            {
                case Keys.Type:
                    Expect(ref reader, JsonTokenType.String, name, "dtype as a string");
                    type = ParseType(ref reader, name);
                    break;
                case Keys.Shape:
                    rank = ReadNumbers(ref reader, name, "shape", shape);
                    break;
                default:
                    offsetCount = ReadNumbers(ref reader, name, "data_offsets", offsets);
                    break;
            }
        }

        if (seen != Keys.All)
            throw new WeightFormatException(_file,
                $"{Describe((seen & Keys.Type) == 0 ? Keys.Type : (seen & Keys.Shape) == 0 ? Keys.Shape : Keys.Offsets)} is missing", name);
        if (offsetCount != 2)
            throw new WeightFormatException(_file, $"data_offsets has {offsetCount} numbers, expected 2", name);
        return CheckEntry(name, type, shape[..rank], offsets[0], offsets[1]);
    }

    [Flags]
    private enum Keys
    {
        None = 0,
        Type = 1,
        Shape = 2,
        Offsets = 4,
        All = 7,
    }

    private Keys Key(ref Utf8JsonReader reader, string name) =>
        reader.ValueTextEquals("dtype"u8) ? Keys.Type
        : reader.ValueTextEquals("shape"u8) ? Keys.Shape
        : reader.ValueTextEquals("data_offsets"u8) ? Keys.Offsets
        : throw new WeightFormatException(
            _file, $"unknown key '{WeightFormatException.Shorten(Text(ref reader))}', expected dtype, shape and data_offsets", name,
            8 + reader.TokenStartIndex);

    private static string Describe(Keys key) => key == Keys.Type ? "dtype" : key == Keys.Shape ? "shape" : "data_offsets";

    private const int MaxRank = 8;

    private SafetensorsEntry CheckEntry(string name, ElementType type, ReadOnlySpan<long> shape, long begin, long end)
    {
        if (end < begin)
            throw new WeightFormatException(_file, $"data_offsets [{begin}, {end}] are reversed", name);
        if (end > _dataLength)
            throw new WeightFormatException(
                _file, $"data_offsets [{begin}, {end}] reach past the end of the data ({_dataLength} bytes); the file may be cut short",
                name, _dataStart + Math.Min(begin, _dataLength));
        // Clipped at each step: dimensions are under 2^31, so the product stays under 2^94.
        Int128 bytes = type.Size();
        int[] dimensions = new int[shape.Length];
        for (int i = 0; i < shape.Length; i++)
        {
            if (shape[i] > int.MaxValue)
                throw new WeightFormatException(_file, $"dimension {shape[i]} is over {int.MaxValue}", name);
            dimensions[i] = (int)shape[i];
            bytes = Int128.Min(bytes * shape[i], long.MaxValue);
        }

        if (bytes != end - begin)
            throw new WeightFormatException(
                _file,
                $"{type} of shape [{string.Join(", ", dimensions)}] has {(bytes == long.MaxValue ? "2^63 or more" : bytes)} bytes, "
                + $"data_offsets [{begin}, {end}] hold {end - begin}", name);
        return new SafetensorsEntry(name, type, dimensions, _dataStart + begin, end - begin);
    }

    /// <summary>The format wants the data indexed without hole or overlap; so nothing can hide in a file, nor be cut off unseen.</summary>
    private void CheckCoverage()
    {
        Entries.Sort((a, b) => a.Offset != b.Offset ? a.Offset.CompareTo(b.Offset) : a.Length != b.Length ? a.Length.CompareTo(b.Length)
            : string.CompareOrdinal(a.Name, b.Name));
        long at = _dataStart;
        foreach (SafetensorsEntry entry in Entries)
        {
            if (entry.Offset != at)
                throw new WeightFormatException(_file, entry.Offset < at ? $"overlaps the tensor before it by {at - entry.Offset} bytes"
                    : $"leaves a hole of {entry.Offset - at} bytes before it", entry.Name, entry.Offset);
            at += entry.Length;
        }

        if (at != _dataStart + _dataLength)
            throw new WeightFormatException(_file, $"{_dataStart + _dataLength - at} bytes follow the last tensor that the header knows",
                offset: at);
    }

    private int ReadNumbers(ref Utf8JsonReader reader, string name, string key, scoped Span<long> numbers)
    {
        Expect(ref reader, JsonTokenType.StartArray, name, "an array of whole numbers");
        int count = 0;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            Expect(ref reader, JsonTokenType.Number, name, "whole numbers");
            if (!reader.TryGetInt64(out long value) || value < 0)
                throw new WeightFormatException(
                    _file,
                    $"{key} holds '{WeightFormatException.Shorten(Encoding.ASCII.GetString(reader.ValueSpan))}', expected a whole number "
                    + $"from 0 to 2^63 - 1", name, 8 + reader.TokenStartIndex);
            if (count == numbers.Length)
                throw new WeightFormatException(_file, $"{key} has over {numbers.Length} numbers", name, 8 + reader.TokenStartIndex);
            numbers[count++] = value;
        }

        return count;
    }

    private static readonly (string Text, ElementType Type)[] Types =
    [
        ("F32", ElementType.F32), ("F64", ElementType.F64), ("F16", ElementType.F16), ("BF16", ElementType.BF16),
        ("F8_E4M3", ElementType.F8E4M3), ("F8_E5M2", ElementType.F8E5M2),
        ("I8", ElementType.I8), ("I16", ElementType.I16), ("I32", ElementType.I32), ("I64", ElementType.I64),
        ("U8", ElementType.U8), ("U16", ElementType.U16), ("U32", ElementType.U32), ("U64", ElementType.U64), ("BOOL", ElementType.Bool),
    ];

    private ElementType ParseType(ref Utf8JsonReader reader, string name)
    {
        foreach ((string text, ElementType type) in Types)
        {
            if (reader.ValueTextEquals(text))
                return type;
        }

        throw new WeightFormatException(_file, $"unknown dtype '{WeightFormatException.Shorten(Text(ref reader))}'", name);
    }

    private void Expect(ref Utf8JsonReader reader, JsonTokenType token, string name, string what)
    {
        if (reader.TokenType != token)
            throw new WeightFormatException(_file, $"expected {what}, found {reader.TokenType}", name, 8 + reader.TokenStartIndex);
    }

    private string Text(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw new WeightFormatException(_file, "the header holds half of a surrogate pair",
                offset: 8 + reader.TokenStartIndex, inner: e);
        }
    }
}
