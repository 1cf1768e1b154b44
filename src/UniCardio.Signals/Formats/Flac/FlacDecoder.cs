using System.Buffers.Binary;

namespace UniCardio.Signals.Formats.Flac;

/// <summary>Why decoding stopped.</summary>
internal enum FlacEnd
{
    /// <summary>At the end of the stream, after a whole frame.</summary>
    Whole,

    /// <summary>The stream breaks off within a frame; what came before is sound.</summary>
    Truncated,
}

/// <summary>Decodes FLAC streams, frame by frame (RFC 9639). Every frame's checksums are verified.</summary>
/// <remarks>
/// Memory is that of one frame: at most 8 channels of 65535 samples. What the format reserves, and what contradicts the stream's own
/// description, is refused; the stated total of samples is not relied upon.
/// </remarks>
internal sealed class FlacDecoder
{
    private const int MaxChannels = 8, MaxBlock = 65_535;

    private readonly ReadOnlyMemory<byte> _data;
    private readonly string _file;
    private readonly int _firstFrame;
    private readonly int[][] _block;
    private long _frames, _samples;

    /// <summary>Opens a stream.</summary>
    /// <param name="data">The file, which must not change meanwhile.</param>
    /// <param name="file">What to call it in messages.</param>
    /// <exception cref="SignalFormatException">It is no FLAC stream, or its description is damaged.</exception>
    public FlacDecoder(ReadOnlyMemory<byte> data, string file)
    {
        _data = data;
        _file = file;
        ReadOnlySpan<byte> bytes = data.Span;
        if (!bytes.StartsWith("fLaC"u8))
            throw Damaged("does not begin with 'fLaC'", 0);
        int at = 4;
        bool last = false;
        for (int block = 0; !last; block++)
        {
            if (at + 4 > bytes.Length)
                throw Damaged("ends within its description", bytes.Length);
            last = (bytes[at] & 0x80) != 0;
            int type = bytes[at] & 0x7F, length = (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
            at += 4;
            if (type == 127 || length > bytes.Length - at)
                throw Damaged($"has a description block of type {type} and {length} bytes that the file does not hold", at - 4);
            if (block == 0 && (type != 0 || length != 34))
                throw Damaged("does not begin with its stream's description", at - 4);
            if (block == 0)
                ReadStreamInfo(bytes.Slice(at, length), at);
            at += length;
        }
        _firstFrame = at;
        _block = new int[Channels][];
        for (int c = 0; c < Channels; c++)
            _block[c] = new int[StatedBlock];
    }

    /// <summary>Channels, 1 to 8.</summary>
    public int Channels { get; private set; }

    /// <summary>Bits of a sample, 4 to 32.</summary>
    public int Bits { get; private set; }

    /// <summary>Samples of each channel that the stream says it has; 0 where it does not say.</summary>
    public long StatedSamples { get; private set; }

    private int StatedBlock { get; set; }

    /// <summary>Decodes all frames in order.</summary>
    /// <param name="take">Takes each frame's samples, [channel][0, count); false ends decoding. The arrays are used again for the next
    /// frame.</param>
    /// <param name="cancellation">Checked between frames.</param>
    /// <exception cref="SignalFormatException">A frame is damaged.</exception>
    public FlacEnd Decode(Func<int[][], int, bool> take, CancellationToken cancellation)
    {
        ReadOnlySpan<byte> bytes = _data.Span;
        int at = _firstFrame;
        (_frames, _samples) = (0, 0);
        while (at < bytes.Length)
        {
            cancellation.ThrowIfCancellationRequested();
            var bits = new FlacBits(bytes[at..]);
            int count;
            try
            {
                count = Frame(ref bits);
            }
            catch (EndOfStreamException)
            {
                return FlacEnd.Truncated;
            }
            catch (InvalidDataException e)
            {
                throw Damaged(e.Message, at);
            }
            if (!take(_block, count))
                return FlacEnd.Whole;
            at += bits.BytePosition;
        }
        return FlacEnd.Whole;
    }

    private void ReadStreamInfo(ReadOnlySpan<byte> info, int at)
    {
        int smallest = BinaryPrimitives.ReadUInt16BigEndian(info), largest = BinaryPrimitives.ReadUInt16BigEndian(info[2..]);
        ulong packed = BinaryPrimitives.ReadUInt64BigEndian(info[10..]);
        Channels = (int)((packed >> 41) & 7) + 1;
        Bits = (int)((packed >> 36) & 31) + 1;
        StatedSamples = (long)(packed & 0xF_FFFF_FFFF);
        StatedBlock = largest;
        if (largest < 16 || smallest > largest || Bits < 4)
            throw Damaged($"states frames of {smallest} to {largest} samples of {Bits} bits", at);
    }

    // Returns the samples of a channel.
    private int Frame(ref FlacBits bits)
    {
        if (bits.Read(15) != 0x7FFC)
            throw new InvalidDataException("has something else where a frame should begin");
        bool counts = bits.Read(1) != 0;
        int blockCode = (int)bits.Read(4), rateCode = (int)bits.Read(4), assignment = (int)bits.Read(4), depthCode = (int)bits.Read(3);
        if (bits.Read(1) != 0 || blockCode == 0 || rateCode == 15 || assignment > 10 || depthCode == 3)
            throw new InvalidDataException("has a frame header with reserved values");
        long number = bits.CodedNumber();
        int count = blockCode switch
        {
            1 => 192,
            <= 5 => 144 << blockCode,
            6 => (int)bits.Read(8) + 1,
            7 => (int)bits.Read(16) + 1,
            _ => 1 << blockCode,
        };
        bits.Read(rateCode switch { 12 => 8, 13 or 14 => 16, _ => 0 });
        byte headerSum = FlacSums.Crc8(bits.Bytes[..bits.BytePosition]);
        if (bits.Read(8) != headerSum)
            throw new InvalidDataException("has a frame header that its checksum contradicts");
        // Frames are numbered, or with blocks of changing size their first samples: where one is missing, all after it would come early.
        if (number != (counts ? _samples : _frames))
            throw new InvalidDataException(
                $"has {(counts ? "sample" : "frame")} {number} where {(counts ? _samples : _frames)} should follow");
        int depth = depthCode switch { 0 => Bits, 1 => 8, 2 => 12, 4 => 16, 5 => 20, 6 => 24, _ => 32 };
        int channels = assignment < 8 ? assignment + 1 : 2;
        if (channels != Channels || depth != Bits || count > Math.Min(StatedBlock, MaxBlock))
            throw new InvalidDataException(
                $"has a frame of {channels} channels, {depth} bits and {count} samples, against its description ({Channels}, {Bits}, at "
                + $"most {StatedBlock})");
        for (int c = 0; c < channels; c++)
        {
            // The difference of two channels has a bit more.
            bool side = (assignment == 8 && c == 1) || (assignment == 9 && c == 0) || (assignment == 10 && c == 1);
            if (depth == 32 && side)
                throw new InvalidDataException("has differences of 33 bits, which are not read");
            FlacSubframe.Read(ref bits, _block[c].AsSpan(0, count), depth + (side ? 1 : 0));
        }
        Join(assignment, count);
        bits.AlignToByte();
        ushort sum = FlacSums.Crc16(bits.Bytes[..bits.BytePosition]);
        if (bits.Read(16) != sum)
            throw new InvalidDataException("has a frame that its checksum contradicts");
        (_frames, _samples) = (_frames + 1, _samples + count);
        return count;
    }

    // Left and difference, difference and right, mean and difference become left and right.
    private void Join(int assignment, int count)
    {
        if (assignment < 8)
            return;
        Span<int> a = _block[0].AsSpan(0, count), b = _block[1].AsSpan(0, count);
        for (int i = 0; i < count; i++)
        {
            (a[i], b[i]) = assignment switch
            {
                8 => (a[i], a[i] - b[i]),
                9 => (a[i] + b[i], b[i]),
                _ => ((((a[i] << 1) | (b[i] & 1)) + b[i]) >> 1, (((a[i] << 1) | (b[i] & 1)) - b[i]) >> 1),
            };
        }
    }

    private SignalFormatException Damaged(string problem, int at) => new(_file, $"is a damaged FLAC stream: it {problem}.",
        new SignalLocation(ByteOffset: at));
}
