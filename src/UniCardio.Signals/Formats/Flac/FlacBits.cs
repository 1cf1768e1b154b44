using System.Buffers.Binary;
using System.Numerics;

namespace UniCardio.Signals.Formats.Flac;

/// <summary>Reads bits, the most significant of each byte first.</summary>
internal ref struct FlacBits(ReadOnlySpan<byte> bytes)
{
    private long _position;

    /// <summary>All bytes, from where reading began.</summary>
    public ReadOnlySpan<byte> Bytes { get; } = bytes;

    /// <summary>Bytes read, the last one perhaps in part.</summary>
    public readonly int BytePosition => (int)((_position + 7) >> 3);

    private readonly long Left => ((long)Bytes.Length << 3) - _position;

    /// <summary>The next bits as a number.</summary>
    /// <param name="count">How many, 0 to 32.</param>
    /// <exception cref="EndOfStreamException">There are fewer.</exception>
    public uint Read(int count)
    {
        if (count == 0)
            return 0;
        if (count > Left)
            throw new EndOfStreamException();
        // At most 7 bits before and 32 wanted: 8 bytes hold them.
        ulong word = Word();
        _position += count;
        return (uint)(word >> (64 - count));
    }

    /// <summary>The next bits as a number in two's complement.</summary>
    /// <param name="count">How many, 1 to 32.</param>
    public int ReadSigned(int count) => (int)Read(count) << (32 - count) >> (32 - count);

    /// <summary>Zeros before the next one.</summary>
    /// <param name="limit">Most zeros that make sense.</param>
    /// <exception cref="InvalidDataException">There are more.</exception>
    public int ReadUnary(int limit)
    {
        int zeros = 0;
        while (true)
        {
            if (Left <= 0)
                throw new EndOfStreamException();
            ulong word = Word();
            int run = BitOperations.LeadingZeroCount(word), usable = (int)Math.Min(57, Left);
            if (run < usable)
            {
                zeros += run;
                _position += run + 1;
                return zeros <= limit ? zeros : throw new InvalidDataException("has a code that is longer than any number");
            }
            zeros += usable;
            _position += usable;
            if (zeros > limit)
                throw new InvalidDataException("has a code that is longer than any number");
        }
    }

    /// <summary>A signed number in Rice code.</summary>
    /// <param name="parameter">Bits that are stored as they are, 0 to 30.</param>
    public int ReadRice(int parameter)
    {
        long quotient = ReadUnary(1 << 26);
        ulong folded = ((ulong)quotient << parameter) | Read(parameter);
        if (folded > uint.MaxValue)
            throw new InvalidDataException("has a prediction error beyond 32 bits");
        return (int)(folded >> 1) ^ -(int)(folded & 1);
    }

    /// <summary>A number of 1 to 7 bytes in the manner of UTF-8.</summary>
    /// <exception cref="InvalidDataException">It is none.</exception>
    public long CodedNumber()
    {
        uint first = Read(8);
        int length = BitOperations.LeadingZeroCount(~(first << 24));
        if (length is 1 or > 7)
            throw new InvalidDataException("has a frame number that is none");
        long number = length == 0 ? first : first & (0x7Fu >> length);
        for (int i = 1; i < length; i++)
        {
            uint next = (uint)Read(8);
            if ((next & 0xC0) != 0x80)
                throw new InvalidDataException("has a frame number that is none");
            number = (number << 6) | (next & 0x3F);
        }
        return number;
    }

    /// <summary>Moves to the next whole byte.</summary>
    /// <exception cref="InvalidDataException">The bits passed over are not 0.</exception>
    public void AlignToByte()
    {
        int rest = (int)(-_position & 7);
        if (Read(rest) != 0)
            throw new InvalidDataException("has a frame that is not filled up with zeros");
    }

    // The next 57 bits or more at the top, zeros after the end.
    private readonly ulong Word()
    {
        int at = (int)(_position >> 3);
        ulong word;
        if (at + 8 <= Bytes.Length)
        {
            word = BinaryPrimitives.ReadUInt64BigEndian(Bytes[at..]);
        }
        else
        {
            word = 0;
            for (int i = 0; i < 8; i++)
                word = (word << 8) | (at + i < Bytes.Length ? Bytes[at + i] : 0u);
        }
        return word << (int)(_position & 7);
    }
}

/// <summary>Checksums of FLAC frames (RFC 9639, sections 9.1.8 and 9.3).</summary>
internal static class FlacSums
{
    private static readonly byte[] Table8 = [.. Enumerable.Range(0, 256).Select(i => (byte)Step(i, 0x07, 8))];
    private static readonly ushort[] Table16 = [.. Enumerable.Range(0, 256).Select(i => (ushort)Step(i << 8, 0x8005, 16))];

    /// <summary>x^8 + x^2 + x + 1, from 0.</summary>
    public static byte Crc8(ReadOnlySpan<byte> bytes)
    {
        byte sum = 0;
        foreach (byte b in bytes)
            sum = Table8[sum ^ b];
        return sum;
    }

    /// <summary>x^16 + x^15 + x^2 + 1, from 0.</summary>
    public static ushort Crc16(ReadOnlySpan<byte> bytes)
    {
        ushort sum = 0;
        foreach (byte b in bytes)
            sum = (ushort)((sum << 8) ^ Table16[(sum >> 8) ^ b]);
        return sum;
    }

    private static int Step(int value, int polynomial, int width)
    {
        for (int bit = 0; bit < 8; bit++)
            value = (value & (1 << (width - 1))) != 0 ? (value << 1) ^ polynomial : value << 1;
        return value & ((1 << width) - 1);
    }
}
