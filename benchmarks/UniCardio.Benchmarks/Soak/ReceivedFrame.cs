using System.Globalization;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Streaming;

namespace UniCardio.Benchmarks.Soak;

/// <summary>A binary frame as the tables of PROTOCOL.md have it, read without the server's code.</summary>
internal sealed class ReceivedFrame
{
    private const int Head = 80, SignalHead = 32;

    private readonly byte[] _bytes;

    public ReceivedFrame(ReadOnlySpan<byte> message)
    {
        _bytes = message.ToArray();
        if (message.Length < Head || message[0] != 'U' || message[1] != 'C' || message[2] != 1 || message[3] != 2
            || BinaryPrimitives.ReadInt32LittleEndian(message[4..]) != message.Length)
            throw new InvalidDataException("not a frame");
    }

    public long Index => Long(8);

    public double Start => Long(16) / 1e6;

    public double End => Start + (Count / StreamingFrame.SampleRate);

    public long Window => Long(24);

    public long SkippedHops => Long(32);

    public long LostHops => Long(40);

    public long Dropped => Long(48);

    public int Segment => Int(56);

    public int Count => Int(60);

    public bool WasSkipped => (Int(64) & 1) != 0;

    public bool IsLast => (Int(64) & 2) != 0;

    public bool IsPreliminary => (Int(64) & 4) != 0;

    /// <summary>From the end of the frame to the newest sample that it waited for, seconds.</summary>
    public double AlgorithmicDelay => BinaryPrimitives.ReadSingleLittleEndian(_bytes.AsSpan(68));

    /// <summary>From then to the server's handing it on, seconds.</summary>
    public double ComputeDelay => BinaryPrimitives.ReadSingleLittleEndian(_bytes.AsSpan(72));

    /// <summary>Everything that depends on the samples alone: not delays, and not what a connection lost.</summary>
    public bool HasContentOf(ReceivedFrame other) =>
        (Index, Start, Window, Segment, Count) == (other.Index, other.Start, other.Window, other.Segment, other.Count)
            && _bytes.AsSpan(Head).SequenceEqual(other._bytes.AsSpan(Head));

    /// <summary>Where it differs from a frame of the offline run, bit by bit; null if nowhere.</summary>
    public string? DifferenceTo(StreamingFrame frame)
    {
        if (Index != frame.Index || Count != frame.Count || Segment != frame.Segment || Window != frame.Window
            || Math.Abs(Start - frame.Start.TotalSeconds) > 1e-6)
            return string.Create(CultureInfo.InvariantCulture,
                $"frame {Index} from {Start} s, {Count} samples, window {Window}; offline {frame.Index} from {frame.Start.TotalSeconds} "
                + $"s, {frame.Count} samples, window {frame.Window}");
        int at = Head;
        foreach (Modality modality in Modalities.All)
        {
            int flags = _bytes[at + 6], stretches = Int(at + 28), values = at + SignalHead + (8 * stretches);
            int arrays = 1 + ((flags & 2) != 0 ? 2 : 0) + ((flags & 4) != 0 ? 1 : 0);
            if (!HasProvenance(frame.Provenance(modality), at + SignalHead, stretches))
                return $"frame {Index}, {modality}: provenance";
            if (!Floats(values).SequenceEqual(Bits(frame.Values(modality))))
                return $"frame {Index}, {modality}: values";
            if ((flags & 2) != 0
                && !(Floats(values + (4 * Count)).SequenceEqual(Bits(frame.Low(modality)))
                    && Floats(values + (8 * Count)).SequenceEqual(Bits(frame.High(modality)))))
                return $"frame {Index}, {modality}: band";
            at = values + (4 * Count * arrays);
        }
        return null;
    }

    private static ReadOnlySpan<int> Bits(ReadOnlySpan<float> values) => MemoryMarshal.Cast<float, int>(values);

    private ReadOnlySpan<int> Floats(int at) => MemoryMarshal.Cast<byte, int>(_bytes.AsSpan(at, 4 * Count));

    private bool HasProvenance(ReadOnlySpan<Provenance> provenance, int at, int stretches)
    {
        int sample = 0;
        for (int i = 0; i < stretches; i++)
        {
            for (int end = sample + Int(at + (8 * i)); sample < end; sample++)
            {
                if (sample >= provenance.Length || (int)provenance[sample] != Int(at + (8 * i) + 4))
                    return false;
            }
        }
        return sample == provenance.Length;
    }

    private int Int(int at) => BinaryPrimitives.ReadInt32LittleEndian(_bytes.AsSpan(at));

    private long Long(int at) => BinaryPrimitives.ReadInt64LittleEndian(_bytes.AsSpan(at));
}
