using System.Buffers.Binary;
using System.Text;
using UniCardio.Signals.Formats;
using UniCardio.Signals.Formats.Wfdb;

namespace UniCardio.Signals.Tests.Formats;

/// <summary>The encoding twin of the decoder, written from signal(5) on its own: bits go in by position, not by group.</summary>
internal static class WfdbEncoder
{
    public static byte[] Encode(int format, IReadOnlyList<int> samples) => format switch
    {
        8 or 80 => [.. samples.Select(s => (byte)(format == 80 ? s + 128 : s))],
        16 => Words(samples, 2, bigEndian: false, 0),
        61 => Words(samples, 2, bigEndian: true, 0),
        160 => Words(samples, 2, bigEndian: false, 32768),
        24 => Words(samples, 3, bigEndian: false, 0),
        32 => Words(samples, 4, bigEndian: false, 0),
        212 => Bits(samples, 2, 24, [[(0, 8), (8, 4)], [(16, 8), (12, 4)]]),
        // First: bits 1..10 of the first 16-bit word; second: of the second word; third: bits 11..15 of the first, then of the second.
        310 => Bits(samples, 3, 32, [[(1, 10)], [(17, 10)], [(11, 5), (27, 5)]]),
        311 => Bits(samples, 3, 32, [[(0, 10)], [(10, 10)], [(20, 10)]]),
        _ => throw new ArgumentOutOfRangeException(nameof(format)),
    };

    public static (int Low, int High) Range(int format) => format switch
    {
        8 or 80 => (-127, 127),
        24 => (-(1 << 23) + 1, (1 << 23) - 1),
        32 => (int.MinValue + 1, int.MaxValue),
        212 => (-2047, 2047),
        310 or 311 => (-511, 511),
        _ => (-32767, 32767),
    };

    private static byte[] Words(IReadOnlyList<int> samples, int size, bool bigEndian, int offset)
    {
        var data = new byte[samples.Count * size];
        for (int i = 0; i < samples.Count; i++)
        {
            for (int b = 0; b < size; b++)
                data[(i * size) + (bigEndian ? size - 1 - b : b)] = (byte)((samples[i] + offset) >> (8 * b));
        }
        return data;
    }

    // Each sample's bits, from its lowest up, go to runs of (bit, count) of a group; the last group ends with its last byte that is used.
    private static byte[] Bits(IReadOnlyList<int> samples, int perGroup, int groupBits, (int At, int Count)[][] places)
    {
        var data = new byte[(samples.Count + perGroup - 1) / perGroup * groupBits / 8];
        int last = 0;
        for (int i = 0; i < samples.Count; i++)
        {
            int bit = 0;
            foreach ((int at, int count) in places[i % perGroup])
            {
                for (int k = 0; k < count; k++, bit++)
                {
                    int target = (i / perGroup * groupBits) + at + k;
                    data[target / 8] |= (byte)(((samples[i] >> bit) & 1) << (target % 8));
                    last = Math.Max(last, target / 8);
                }
            }
        }
        return data[..(last + 1)];
    }

    public static Dictionary<string, byte[]> Record(string header, params (string Name, byte[] Data)[] files)
    {
        var all = files.ToDictionary(f => f.Name, f => f.Data);
        all["r.hea"] = Encoding.Latin1.GetBytes(header);
        return all;
    }

    public static Recording Read(IReadOnlyDictionary<string, byte[]> files, RecordingReadOptions? options = null, string record = "r") =>
        new WfdbRecordReader(new RecordFiles.InMemory(files), options ?? RecordingReadOptions.Default, CancellationToken.None).Read(record);

    public static int[][] Digital(IReadOnlyDictionary<string, byte[]> files, long first = 0, long? end = null, string record = "r")
    {
        var reader = new WfdbRecordReader(new RecordFiles.InMemory(files), RecordingReadOptions.Default, CancellationToken.None);
        return reader.ReadDigital(reader.ReadHeader(record), first, end);
    }

    public static byte[] Int16(params int[] samples) => Encode(16, samples);

    public static byte[] Annotation(params int[] words)
    {
        var data = new byte[words.Length * 2];
        for (int i = 0; i < words.Length; i++)
            BinaryPrimitives.WriteUInt16LittleEndian(data.AsSpan(i * 2), (ushort)words[i]);
        return data;
    }
}
