using System.Buffers.Binary;
using System.Runtime.InteropServices;
using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Streaming;

namespace UniCardio.Serving.Protocol;

/// <summary>Writes frames in the protocol's binary form.</summary>
internal static class BinaryFrame
{
    public const int HeaderBytes = 8, HeadBytes = 80, SignalBytes = 32, VitalBytes = 28;
    public const byte SamplesKind = 1, FrameKind = 2;
    private const int OffsetSegment = 56;

    /// <summary>Bytes that a frame takes.</summary>
    public static int Length(StreamingFrame frame)
    {
        int bytes = HeadBytes + (VitalBytes * Modalities.All.Count);
        foreach (Modality modality in Modalities.All)
        {
            SignalContent content = SignalContent.Of(frame, modality);
            bytes += SignalBytes + (8 * content.Stretches) + (4 * frame.Count * content.Arrays);
        }
        return bytes;
    }

    /// <summary>Writes a frame.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="counts">What its session has done.</param>
    /// <param name="vitals">What is read off the signals up to the frame's end.</param>
    /// <param name="message">[<see cref="Length"/>]; <c>dropped</c> is 0 and filled in a connection at a time.</param>
    public static void Write(StreamingFrame frame, in SessionCounts counts, VitalSigns vitals, Span<byte> message)
    {
        WriteHeader(message, FrameKind);
        BinaryPrimitives.WriteInt64LittleEndian(message[8..], frame.Index);
        BinaryPrimitives.WriteInt64LittleEndian(message[16..], Microseconds(frame.Start));
        BinaryPrimitives.WriteInt64LittleEndian(message[24..], frame.Window);
        BinaryPrimitives.WriteInt64LittleEndian(message[32..], counts.SkippedHops);
        BinaryPrimitives.WriteInt64LittleEndian(message[40..], counts.LostHops);
        WriteDropped(message, 0);
        BinaryPrimitives.WriteInt32LittleEndian(message[OffsetSegment..], frame.Segment);
        BinaryPrimitives.WriteInt32LittleEndian(message[60..], frame.Count);
        BinaryPrimitives.WriteInt32LittleEndian(
            message[64..], (frame.WasSkipped ? 1 : 0) | (frame.IsLast ? 2 : 0) | (frame.IsPreliminary ? 4 : 0));
        BinaryPrimitives.WriteSingleLittleEndian(message[68..], (float)frame.AlgorithmicDelay.TotalSeconds);
        BinaryPrimitives.WriteSingleLittleEndian(message[72..], (float)frame.ComputeDelay.TotalSeconds);
        BinaryPrimitives.WriteInt32LittleEndian(message[76..], VitalBytes);
        Span<byte> rest = message[HeadBytes..];
        foreach (Modality modality in Modalities.All)
            rest = rest[WriteSignal(frame, modality, rest)..];
        foreach (Modality modality in Modalities.All)
        {
            WriteVitals(vitals.Of(modality), rest);
            rest = rest[VitalBytes..];
        }
    }

    private static void WriteVitals(in VitalReading reading, Span<byte> to)
    {
        BinaryPrimitives.WriteSingleLittleEndian(to, reading.Rate);
        BinaryPrimitives.WriteSingleLittleEndian(to[4..], reading.Systolic);
        BinaryPrimitives.WriteSingleLittleEndian(to[8..], reading.Diastolic);
        BinaryPrimitives.WriteSingleLittleEndian(to[12..], reading.Mean);
        BinaryPrimitives.WriteSingleLittleEndian(to[16..], reading.Quality);
        BinaryPrimitives.WriteSingleLittleEndian(to[20..], reading.Age);
        to[24] = (byte)reading.Absence;
        to[25] = (byte)(reading.IsGenerated ? 1 : 0);
        BinaryPrimitives.WriteUInt16LittleEndian(to[26..], (ushort)reading.Reasons);
    }

    /// <summary>Sets how many frames the connection lost before this one.</summary>
    public static void WriteDropped(Span<byte> message, long dropped) => BinaryPrimitives.WriteInt64LittleEndian(message[48..], dropped);

    public static void WriteHeader(Span<byte> message, byte kind)
    {
        message[0] = (byte)'U';
        message[1] = (byte)'C';
        message[2] = LiveProtocol.Version;
        message[3] = kind;
        BinaryPrimitives.WriteInt32LittleEndian(message[4..], message.Length);
    }

    public static long Microseconds(TimeSpan time) => time.Ticks / TimeSpan.TicksPerMicrosecond;

    private static int WriteSignal(StreamingFrame frame, Modality modality, Span<byte> to)
    {
        ModalityStatus status = frame.Status(modality);
        SignalContent content = SignalContent.Of(frame, modality);
        to[0] = (byte)modality;
        to[1] = (byte)status.Provenance;
        to[2] = (byte)status.NoSignal;
        to[3] = (byte)status.Quality.Absence;
        to[4] = status.Task.IsValid ? (byte)status.Task.Kind : byte.MaxValue;
        to[5] = (byte)status.Task.Conditions;
        to[6] = (byte)((status.IsNormalized ? 1 : 0) | (content.HasBand ? 2 : 0) | (content.HasMeasured ? 4 : 0));
        to[7] = 0;
        ModalityQuality quality = status.Quality;
        BinaryPrimitives.WriteSingleLittleEndian(to[8..], quality.Usable);
        BinaryPrimitives.WriteSingleLittleEndian(to[12..], quality.Missing);
        BinaryPrimitives.WriteSingleLittleEndian(to[16..], quality.Flat);
        BinaryPrimitives.WriteSingleLittleEndian(to[20..], quality.Clipped);
        BinaryPrimitives.WriteSingleLittleEndian(to[24..], quality.Implausible);
        BinaryPrimitives.WriteInt32LittleEndian(to[28..], content.Stretches);
        int at = SignalBytes;
        foreach (Stretch stretch in new StretchEnumerator(frame.Provenance(modality)))
        {
            BinaryPrimitives.WriteInt32LittleEndian(to[at..], stretch.Count);
            BinaryPrimitives.WriteInt32LittleEndian(to[(at + 4)..], (int)stretch.Provenance);
            at += 8;
        }
        at = WriteArray(to, at, frame.Values(modality));
        if (content.HasBand)
            at = WriteArray(to, WriteArray(to, at, frame.Low(modality)), frame.High(modality));
        return content.HasMeasured ? WriteArray(to, at, frame.Measured(modality)) : at;
    }

    private static int WriteArray(Span<byte> to, int at, ReadOnlySpan<float> values)
    {
        if (BitConverter.IsLittleEndian)
        {
            MemoryMarshal.AsBytes(values).CopyTo(to[at..]);
        }
        else
        {
            for (int i = 0; i < values.Length; i++)
                BinaryPrimitives.WriteSingleLittleEndian(to[(at + (4 * i))..], values[i]);
        }
        return at + (4 * values.Length);
    }
}
