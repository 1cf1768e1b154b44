using UniCardio.Serving.Protocol;
using UniCardio.Streaming;

namespace UniCardio.Serving.Live;

/// <summary>Frames as messages, and what differs in them from connection to connection: how many were dropped before.</summary>
internal static class FrameMessage
{
    private const int MaxEndLength = 40;

    public static SharedMessage Binary(StreamingFrame frame, in SessionCounts counts, VitalSigns vitals)
    {
        int length = BinaryFrame.Length(frame);
        var message = new SharedMessage(length, isBinary: true) { IsFrame = true, CommonLength = length };
        BinaryFrame.Write(frame, counts, vitals, message.GetSpan(length)[..length]);
        message.Advance(length);
        return message;
    }

    public static SharedMessage Json(StreamingFrame frame, in SessionCounts counts, VitalSigns vitals)
    {
        var message = new SharedMessage(8192, isBinary: false) { IsFrame = true };
        JsonFrame.Write(frame, counts, vitals, message);
        message.CommonLength = message.Length;
        message.Advance(JsonFrame.WriteEnd(0, message.GetSpan(MaxEndLength)));
        return message;
    }

    /// <summary>The message as a connection gets it that has lost frames before.</summary>
    public static byte[] WithDropped(SharedMessage message, long dropped)
    {
        if (message.IsBinary)
        {
            byte[] copy = message.Bytes.ToArray();
            BinaryFrame.WriteDropped(copy, dropped);
            return copy;
        }
        Span<byte> end = stackalloc byte[MaxEndLength];
        int length = JsonFrame.WriteEnd(dropped, end);
        return [.. message.Bytes.Span[..message.CommonLength], .. end[..length]];
    }
}
