using System.Buffers.Binary;

namespace UniCardio.Signals.Formats.Wfdb;

/// <summary>Storage formats of WFDB signal files (PhysioNet, WFDB Applications Guide, signal(5)); the value is the header's
/// number.</summary>
internal enum WfdbSampleFormat
{
    /// <summary>No samples.</summary>
    Null = 0,

    /// <summary>8-bit first differences.</summary>
    Difference8 = 8,

    /// <summary>16-bit two's complement, least significant byte first.</summary>
    Int16 = 16,

    /// <summary>24-bit two's complement, least significant byte first.</summary>
    Int24 = 24,

    /// <summary>32-bit two's complement, least significant byte first.</summary>
    Int32 = 32,

    /// <summary>16-bit two's complement, most significant byte first.</summary>
    BigEndian16 = 61,

    /// <summary>8-bit offset binary.</summary>
    Offset8 = 80,

    /// <summary>16-bit offset binary, least significant byte first.</summary>
    Offset16 = 160,

    /// <summary>Two 12-bit samples in three bytes.</summary>
    Packed12 = 212,

    /// <summary>Three 10-bit samples in four bytes, two words of 16 bits.</summary>
    Packed10Words = 310,

    /// <summary>Three 10-bit samples in four bytes, one word of 32 bits.</summary>
    Packed10 = 311,

    /// <summary>FLAC of 8 bits, every signal of the file a channel.</summary>
    Flac8 = 508,

    /// <summary>FLAC of 16 bits.</summary>
    Flac16 = 516,

    /// <summary>FLAC of 24 bits.</summary>
    Flac24 = 524,
}

/// <summary>Sizes, missing values and decoding of the storage formats.</summary>
internal static class WfdbSamples
{
    /// <summary>Stands for a missing sample whatever the format.</summary>
    public const int Missing = int.MinValue;

    /// <summary>Bits of a sample in a FLAC format, 0 for the others.</summary>
    public static int FlacBits(WfdbSampleFormat format) =>
        format is WfdbSampleFormat.Flac8 or WfdbSampleFormat.Flac16 or WfdbSampleFormat.Flac24 ? (int)format - 500 : 0;

    /// <summary>
    /// The digital value that means missing: the lowest of the format, as the WFDB library has it. Format 8 has none.
    /// </summary>
    public static int? MissingValue(WfdbSampleFormat format) => format switch
    {
        WfdbSampleFormat.Int16 or WfdbSampleFormat.BigEndian16 or WfdbSampleFormat.Offset16 or WfdbSampleFormat.Flac16 => -(1 << 15),
        WfdbSampleFormat.Int24 or WfdbSampleFormat.Flac24 => -(1 << 23),
        WfdbSampleFormat.Int32 => int.MinValue,
        WfdbSampleFormat.Offset8 or WfdbSampleFormat.Flac8 => -(1 << 7),
        WfdbSampleFormat.Packed12 => -(1 << 11),
        WfdbSampleFormat.Packed10Words or WfdbSampleFormat.Packed10 => -(1 << 9),
        _ => null,
    };

    /// <summary>Samples that so many bytes hold. A last group that is cut short holds those whose bits are all there.</summary>
    public static long Capacity(WfdbSampleFormat format, long bytes) => format switch
    {
        WfdbSampleFormat.Difference8 or WfdbSampleFormat.Offset8 => bytes,
        WfdbSampleFormat.Int16 or WfdbSampleFormat.BigEndian16 or WfdbSampleFormat.Offset16 => bytes / 2,
        WfdbSampleFormat.Int24 => bytes / 3,
        WfdbSampleFormat.Int32 => bytes / 4,
        WfdbSampleFormat.Packed12 => (bytes / 3 * 2) + (bytes % 3 == 2 ? 1 : 0),
        WfdbSampleFormat.Packed10Words => (bytes / 4 * 3) + (bytes % 4 >= 2 ? 1 : 0),
        WfdbSampleFormat.Packed10 => (bytes / 4 * 3) + (bytes % 4 is var rest && rest == 3 ? 2 : rest == 2 ? 1 : 0),
        _ => 0,
    };

    /// <summary>Most samples that a file of so many bytes can hold: of FLAC those of frames that hold one value each, some 12
    /// bytes.</summary>
    public static long MaxSamples(WfdbSampleFormat format, long bytes) => FlacBits(format) > 0 ? bytes * 5462 : Capacity(format, bytes);

    /// <summary>Decodes samples; for format 8 their differences.</summary>
    /// <param name="format">The format.</param>
    /// <param name="data">The signal file from its first sample on.</param>
    /// <param name="first">Index of the first sample wanted.</param>
    /// <param name="samples">Receives them; the data holds them all (see <see cref="Capacity"/>).</param>
    public static void Decode(WfdbSampleFormat format, ReadOnlySpan<byte> data, long first, Span<int> samples)
    {
        switch (format)
        {
            case WfdbSampleFormat.Difference8:
                data = data.Slice((int)first, samples.Length);
                for (int i = 0; i < samples.Length; i++)
                    samples[i] = (sbyte)data[i];
                break;
            case WfdbSampleFormat.Offset8:
                data = data.Slice((int)first, samples.Length);
                for (int i = 0; i < samples.Length; i++)
                    samples[i] = data[i] - 128;
                break;
            case WfdbSampleFormat.Int16:
                data = data[(int)(first * 2)..];
                for (int i = 0; i < samples.Length; i++)
                    samples[i] = BinaryPrimitives.ReadInt16LittleEndian(data[(i * 2)..]);
                break;
            case WfdbSampleFormat.BigEndian16:
                data = data[(int)(first * 2)..];
                for (int i = 0; i < samples.Length; i++)
                    samples[i] = BinaryPrimitives.ReadInt16BigEndian(data[(i * 2)..]);
                break;
            case WfdbSampleFormat.Offset16:
                data = data[(int)(first * 2)..];
                for (int i = 0; i < samples.Length; i++)
                    samples[i] = BinaryPrimitives.ReadUInt16LittleEndian(data[(i * 2)..]) - 32768;
                break;
            case WfdbSampleFormat.Int24:
                data = data[(int)(first * 3)..];
                for (int i = 0; i < samples.Length; i++)
                    samples[i] = data[i * 3] | (data[(i * 3) + 1] << 8) | ((sbyte)data[(i * 3) + 2] << 16);
                break;
            case WfdbSampleFormat.Int32:
                data = data[(int)(first * 4)..];
                for (int i = 0; i < samples.Length; i++)
                    samples[i] = BinaryPrimitives.ReadInt32LittleEndian(data[(i * 4)..]);
                break;
            case WfdbSampleFormat.Packed12:
                for (int i = 0; i < samples.Length; i++)
                    samples[i] = Sample212(data, first + i);
                break;
            case WfdbSampleFormat.Packed10Words:
                for (int i = 0; i < samples.Length; i++)
                    samples[i] = Sample310(data, first + i);
                break;
            case WfdbSampleFormat.Packed10:
                for (int i = 0; i < samples.Length; i++)
                    samples[i] = Sample311(data, first + i);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(format), format, "Holds no samples.");
        }
    }

    // Bytes a b c: the first sample is a with the low half of b above it, the second c with the high half of b above it.
    private static int Sample212(ReadOnlySpan<byte> data, long index)
    {
        int group = (int)(index / 2 * 3);
        int bits = (index & 1) == 0
            ? data[group] | ((data[group + 1] & 0x0F) << 8)
            : data[group + 2] | ((data[group + 1] & 0xF0) << 4);
        return SignExtend(bits, 12);
    }

    // Two words of 16 bits: bits 1 to 10 of each are the first two samples; the upper five bits of both make the third, the first
    // word's being the lower ones.
    private static int Sample310(ReadOnlySpan<byte> data, long index)
    {
        int group = (int)(index / 3 * 4);
        int low = BinaryPrimitives.ReadUInt16LittleEndian(data[group..]);
        if (index % 3 == 0)
            return SignExtend(low >> 1, 10);
        int high = BinaryPrimitives.ReadUInt16LittleEndian(data[(group + 2)..]);
        return SignExtend(index % 3 == 1 ? high >> 1 : (low >> 11) | ((high >> 11) << 5), 10);
    }

    // Three samples from the lowest bit of a word of 32 bits up.
    private static int Sample311(ReadOnlySpan<byte> data, long index)
    {
        int group = (int)(index / 3 * 4), place = (int)(index % 3);
        int bits = place switch
        {
            0 => data[group] | (data[group + 1] << 8),
            1 => (data[group + 1] >> 2) | (data[group + 2] << 6),
            _ => (data[group + 2] >> 4) | (data[group + 3] << 4),
        };
        return SignExtend(bits, 10);
    }

    private static int SignExtend(int bits, int width) => bits << (32 - width) >> (32 - width);
}
