using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;

namespace UniCardio.Weights.Onnx;

/// <summary>
/// One message of the protocol-buffers wire format (protobuf.dev, "Encoding"): fields in the order in which they were added, each a key
/// (number and wire type) and a value. Float data stays where it is until it is written.
/// </summary>
internal sealed class ProtobufMessage
{
    private const int VarintType = 0, LengthType = 2, FourByteType = 5;

    private readonly List<Field> _fields = [];

    /// <summary>Bytes of the message, without a length before it.</summary>
    public long Length { get; private set; }

    /// <summary>A field of whole numbers or an enumeration.</summary>
    public ProtobufMessage Add(int number, long value)
    {
        Span<byte> head = stackalloc byte[20];
        int key = WriteVarint(head, Key(number, VarintType)), all = key + WriteVarint(head[key..], (ulong)value);
        return Append(new Field(head[..all].ToArray(), default, null));
    }

    /// <summary>A float.</summary>
    public ProtobufMessage Add(int number, float value)
    {
        Span<byte> head = stackalloc byte[14];
        int key = WriteVarint(head, Key(number, FourByteType));
        BinaryPrimitives.WriteSingleLittleEndian(head[key..], value);
        return Append(new Field(head[..(key + sizeof(float))].ToArray(), default, null));
    }

    /// <summary>A text, in UTF-8.</summary>
    public ProtobufMessage Add(int number, string value)
    {
        byte[] text = Encoding.UTF8.GetBytes(value);
        return Append(new Field([.. Head(number, text.Length), .. text], default, null));
    }

    /// <summary>Bytes: floats, little-endian.</summary>
    public ProtobufMessage Add(int number, ReadOnlyMemory<float> values) =>
        Append(new Field(Head(number, (long)sizeof(float) * values.Length), values, null));

    /// <summary>A message within this one; nothing may be added to it afterwards.</summary>
    public ProtobufMessage Add(int number, ProtobufMessage message) => Append(new Field(Head(number, message.Length), default, message));

    /// <summary>Writes the message.</summary>
    public void WriteTo(Stream stream, CancellationToken cancellation = default)
    {
        foreach (Field field in _fields)
        {
            cancellation.ThrowIfCancellationRequested();
            stream.Write(field.Head);
            Write(stream, field.Floats.Span);
            field.Message?.WriteTo(stream, cancellation);
        }
    }

    private static void Write(Stream stream, ReadOnlySpan<float> values)
    {
        if (BitConverter.IsLittleEndian)
        {
            stream.Write(MemoryMarshal.AsBytes(values));
            return;
        }

        Span<byte> four = stackalloc byte[sizeof(float)];
        foreach (float value in values)
        {
            BinaryPrimitives.WriteSingleLittleEndian(four, value);
            stream.Write(four);
        }
    }

    private ProtobufMessage Append(Field field)
    {
        _fields.Add(field);
        Length += field.Head.Length + ((long)sizeof(float) * field.Floats.Length) + (field.Message?.Length ?? 0);
        return this;
    }

    private static byte[] Head(int number, long length)
    {
        Span<byte> head = stackalloc byte[20];
        int key = WriteVarint(head, Key(number, LengthType));
        return head[..(key + WriteVarint(head[key..], (ulong)length))].ToArray();
    }

    private static ulong Key(int number, int type) => ((ulong)number << 3) | (uint)type;

    // Seven bits a byte, the lowest first; the top bit says that more follow.
    private static int WriteVarint(Span<byte> target, ulong value)
    {
        int bytes = Math.Max(1, (BitOperations.Log2(value) / 7) + 1);
        for (int i = 0; i < bytes; i++, value >>= 7)
            target[i] = (byte)((value & 0x7F) | (i < bytes - 1 ? 0x80u : 0));
        return bytes;
    }

    private readonly record struct Field(byte[] Head, ReadOnlyMemory<float> Floats, ProtobufMessage? Message);
}
