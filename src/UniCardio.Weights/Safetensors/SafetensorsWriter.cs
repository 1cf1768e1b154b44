using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using UniCardio.Engine.Model;
using UniCardio.Files;

namespace UniCardio.Weights.Safetensors;

/// <summary>Writes tensors as a safetensors file, as float32 or rounded to half of it. The same input gives the same bytes.</summary>
internal static class SafetensorsWriter
{
    /// <summary>Writes beside the destination and renames: the file is there whole, or as it was before.</summary>
    /// <param name="path">The destination; replaced if it exists.</param>
    /// <param name="tensors">Written in this order; names are unique.</param>
    /// <param name="metadata">Written as <c>__metadata__</c>, sorted by key; left out if null or empty.</param>
    /// <param name="type">F32; F16 or BF16, each value rounded to the nearest, ties to even; or I8 with a scale a row of maps and
    /// convolutions (<see cref="Int8Rows"/>), the rest F32.</param>
    /// <param name="cancellation">Asked between tensors.</param>
    /// <exception cref="WeightFormatException">A value that float16 cannot hold; two tensors of one name, a tensor named
    /// <c>__metadata__</c>, or a file that could not be read back (over <see cref="SafetensorsFile.MaxTensors"/> tensors, a header over
    /// <see cref="SafetensorsFile.MaxHeaderLength"/>).</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; nothing was changed.</exception>
    public static void Write(string path, IReadOnlyList<ParameterTensor> tensors, IReadOnlyDictionary<string, string>? metadata = null,
        ElementType type = ElementType.F32, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(tensors);
        if (type is not (ElementType.F32 or ElementType.F16 or ElementType.BF16 or ElementType.I8))
            throw new ArgumentOutOfRangeException(nameof(type), type, "Weights are written as F32, F16, BF16 or I8.");
        ReadOnlyMemory<byte> header = Header(path, tensors, metadata, type);
        AtomicFile.Write(path, stream =>
        {
            Span<byte> length = stackalloc byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
            stream.Write(length);
            stream.Write(header.Span);
            foreach (ParameterTensor tensor in tensors)
            {
                cancellation.ThrowIfCancellationRequested();
                if (type == ElementType.I8)
                    AppendRows(stream, tensor);
                else if (type == ElementType.F32)
                    Append(stream, tensor.Span);
                else
                    AppendRounded(stream, path, tensor, type);
            }
            cancellation.ThrowIfCancellationRequested();
        });
    }

    private static ReadOnlyMemory<byte> Header(string path, IReadOnlyList<ParameterTensor> tensors,
        IReadOnlyDictionary<string, string>? metadata, ElementType type)
    {
        if (tensors.Count > SafetensorsFile.MaxTensors)
            throw new WeightFormatException(path, $"{tensors.Count} tensors, over {SafetensorsFile.MaxTensors}");
        var names = new HashSet<string>(StringComparer.Ordinal) { SafetensorsFile.MetadataKey };
        var buffer = new ArrayBufferWriter<byte>(4096);
        // Names such as 'ppg->ecg' stay readable: nothing here ends up in HTML.
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject(SafetensorsFile.MetadataKey);
                foreach ((string key, string value) in metadata.OrderBy(p => p.Key, StringComparer.Ordinal))
                    json.WriteString(key, value);
                json.WriteEndObject();
            }

            long offset = 0;
            foreach (ParameterTensor tensor in tensors)
            {
                if (!names.Add(tensor.Name))
                    throw new WeightFormatException(path, tensor.Name == SafetensorsFile.MetadataKey ? "no tensor may have this name"
                        : "two tensors of this name", tensor.Name);
                bool integers = type == ElementType.I8 && Int8Rows.Fits(tensor);
                WriteEntry(json, tensor.Name, integers ? ElementType.I8 : type == ElementType.I8 ? ElementType.F32 : type, tensor.Shape,
                    ref offset);
                if (integers)
                    WriteEntry(json, tensor.Name + Int8Rows.ScaleSuffix, ElementType.F32, [tensor.Shape[0]], ref offset);
            }

            json.WriteEndObject();
        }

        // Spaces up to a multiple of 8, so that the data can be viewed where it lies.
        int padding = -buffer.WrittenCount & 7;
        buffer.GetSpan(padding)[..padding].Fill((byte)' ');
        buffer.Advance(padding);
        return buffer.WrittenCount <= SafetensorsFile.MaxHeaderLength
            ? buffer.WrittenMemory
            : throw new WeightFormatException(path, $"the header has {buffer.WrittenCount} bytes, over {SafetensorsFile.MaxHeaderLength}");
    }

    private static void WriteEntry(Utf8JsonWriter json, string name, ElementType type, IReadOnlyList<int> shape, ref long offset)
    {
        json.WriteStartObject(name);
        json.WriteString("dtype", type.ToString());
        WriteNumbers(json, "shape", shape.Select(d => (long)d));
        long end = offset + shape.Aggregate((long)type.Size(), (n, d) => n * d);
        WriteNumbers(json, "data_offsets", [offset, end]);
        offset = end;
        json.WriteEndObject();
    }

    private static void AppendRows(Stream stream, ParameterTensor tensor)
    {
        if (!Int8Rows.Fits(tensor))
        {
            Append(stream, tensor.Span);
            return;
        }

        float[] scales = Int8Rows.Scales(tensor);
        stream.Write(MemoryMarshal.AsBytes<sbyte>(Int8Rows.Round(tensor, scales)));
        Append(stream, scales);
    }

    private static void WriteNumbers(Utf8JsonWriter json, string key, IEnumerable<long> numbers)
    {
        json.WriteStartArray(key);
        foreach (long number in numbers)
            json.WriteNumberValue(number);
        json.WriteEndArray();
    }

    private static void AppendRounded(Stream stream, string path, ParameterTensor tensor, ElementType type)
    {
        byte[] bytes = new byte[2 * (1 << 15)];
        ReadOnlySpan<float> values = tensor.Span;
        for (int at = 0; at < values.Length; at += 1 << 15)
        {
            int count = Math.Min(1 << 15, values.Length - at);
            for (int i = 0; i < count; i++)
                BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(2 * i), Round(values[at + i], type, path, tensor.Name));
            stream.Write(bytes, 0, 2 * count);
        }
    }

    private static ushort Round(float value, ElementType type, string path, string name)
    {
        if (type == ElementType.F16)
        {
            Half half = (Half)value;
            return Half.IsFinite(half) ? BitConverter.HalfToUInt16Bits(half)
                : throw new WeightFormatException(path, $"holds {value}, which float16 cannot hold (65,504 at most); bf16 can", name);
        }

        uint bits = BitConverter.SingleToUInt32Bits(value);
        // A tie goes to the even one; a carry past the largest value would give infinity, which no weight is near.
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    private static void Append(Stream stream, ReadOnlySpan<float> values)
    {
        if (BitConverter.IsLittleEndian)
        {
            // A tensor may have 2 GiB of bytes or more.
            for (int at = 0; at < values.Length; at += 1 << 26)
                stream.Write(MemoryMarshal.AsBytes(values.Slice(at, Math.Min(1 << 26, values.Length - at))));
            return;
        }

        Span<byte> four = stackalloc byte[4];
        foreach (float value in values)
        {
            BinaryPrimitives.WriteSingleLittleEndian(four, value);
            stream.Write(four);
        }
    }
}
