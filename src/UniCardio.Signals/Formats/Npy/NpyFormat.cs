using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace UniCardio.Signals.Formats.Npy;

/// <summary>Recordings as NumPy arrays (.npy): one dimension for one channel, two for several.</summary>
/// <remarks>
/// <list type="bullet">
/// <item>Of two dimensions the shorter one counts the channels; of two equal ones the first.</item>
/// <item>Elements may be float16/32/64 or integers of 1 to 8 bytes, of either byte order, in C or Fortran order.</item>
/// <item>The format knows neither rate nor names: <see cref="RecordingReadOptions.SampleRate"/> must be set, and
/// <see cref="RecordingReadOptions.ColumnNames"/> may be. NaN and <see cref="RecordingReadOptions.MissingValues"/> are missing.</item>
/// <item>Written as float32, C order, channels by samples (one dimension for one channel), format version 1.</item>
/// </list>
/// Format: NumPy Enhancement Proposal 1 and numpy.lib.format.
/// </remarks>
internal static class NpyFormat
{
    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">How; <see cref="RecordingReadOptions.SampleRate"/> must be set.</param>
    /// <param name="cancellation">Checked between channels.</param>
    /// <exception cref="SignalException">The file is missing, malformed or over a limit, or no rate was given.</exception>
    public static Recording Read(string path, RecordingReadOptions options, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(options);
        return Parse(BoundedFile.ReadAll(path, options.MaxFileBytes), path, options, cancellation);
    }

    /// <summary>Reads an array that is in memory already.</summary>
    /// <param name="data">The file's bytes.</param>
    /// <param name="file">What to call it in messages.</param>
    /// <param name="options">How; <see cref="RecordingReadOptions.SampleRate"/> must be set.</param>
    /// <param name="cancellation">Checked between channels.</param>
    /// <exception cref="SignalException">Malformed or over a limit, or no rate was given.</exception>
    public static Recording Parse(ReadOnlySpan<byte> data, string file, RecordingReadOptions options,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        NpyHeader header = NpyHeader.Parse(data, file);
        double rate = options.SampleRate ?? throw new SignalFormatException(file,
            "an array does not tell its sample rate; give it (--rate on the command line, RecordingReadOptions.SampleRate in code).");
        if (!(rate > 0 && double.IsFinite(rate)))
            throw new SignalException(string.Create(CultureInfo.InvariantCulture,
                $"A sample rate of {rate} Hz was given; expected a finite number above 0."));
        (int channelCount, int sampleCount, bool channelsFirst) = Sizes(data.Length, header, file, options);
        if (options.ColumnNames is { } names && names.Count != channelCount)
            throw new SignalFormatException(file, $"has {channelCount} channels, but {names.Count} names were given.");
        ReadOnlySpan<byte> elements = data[header.DataOffset..];
        // A channel's samples lie side by side if the order and the axis agree, else channelCount apart.
        bool contiguous = channelsFirst != header.FortranOrder;
        var channels = new Channel[channelCount];
        long marked = 0, infinite = 0;
        for (int c = 0; c < channelCount; c++)
        {
            cancellation.ThrowIfCancellationRequested();
            string heading = options.ColumnNames?[c] ?? $"signal_{c}";
            (string name, string unit) = SignalUnit.SplitName(heading);
            var samples = new float[sampleCount];
            for (int i = 0; i < samples.Length; i++)
            {
                long index = contiguous ? ((long)c * sampleCount) + i : ((long)i * channelCount) + c;
                samples[i] = Sample(Element(elements, header, index), options.MissingValues, ref marked, ref infinite, file, heading, i);
            }
            channels[c] = new Channel(name.Length == 0 ? $"signal_{c}" : name, unit, rate, samples);
        }
        WaveRate.Require(file, rate, channels.Any(c => c.Kind != ChannelKind.Other));
        var warnings = new List<SignalWarning>();
        if (marked > 0)
            warnings.Add(new SignalWarning(SignalWarningKind.Data, string.Create(CultureInfo.InvariantCulture,
                $"{file}: {marked} elements of {string.Join(" or ", options.MissingValues)} are taken as missing.")));
        if (infinite > 0)
            warnings.Add(new SignalWarning(SignalWarningKind.Data, string.Create(CultureInfo.InvariantCulture,
                $"{file}: {infinite} elements are infinite and taken as missing.")));
        if (header.Shape.Length == 2 && header.Shape[0] == header.Shape[1])
        {
            warnings.Add(new SignalWarning(SignalWarningKind.Header,
                $"{file}: its shape ({header.Shape[0]}, {header.Shape[1]}) does not tell channels from samples; the first dimension is "
                + $"taken for the channels."));
        }
        return RecordingSelection.Apply(new Recording(Path.GetFileNameWithoutExtension(file), channels, warnings: warnings), options);
    }

    private static (int Channels, int Samples, bool ChannelsFirst) Sizes(int fileLength, NpyHeader header, string file,
        RecordingReadOptions options)
    {
        long first = header.Shape[0], second = header.Shape.Length == 2 ? header.Shape[1] : 1;
        UInt128 count = (UInt128)(ulong)first * (ulong)second;
        long present = fileLength - header.DataOffset;
        if (count * (ulong)header.ElementSize != (UInt128)(ulong)present)
        {
            throw new SignalFormatException(file, string.Create(CultureInfo.InvariantCulture,
                $"shape ({string.Join(", ", header.Shape)}) of {header.ElementSize} bytes each takes {count * (ulong)header.ElementSize} "
                + $"bytes, but {present} follow the header."),
                new SignalLocation(ByteOffset: header.DataOffset));
        }
        if (count == 0)
            throw new SignalFormatException(file, "holds no samples.");
        bool channelsFirst = header.Shape.Length == 2 && first <= second;
        long channels = channelsFirst ? first : second, samples = channelsFirst ? second : first;
        if (channels > options.MaxChannels)
            throw new SignalLimitException(file, "channels", channels, options.MaxChannels);
        if (count > (UInt128)(ulong)options.MaxSamples)
            throw new SignalLimitException(file, "samples", (long)count, options.MaxSamples);
        return ((int)channels, (int)samples, channelsFirst);
    }

    private static float Sample(double value, IReadOnlyList<double> missing, ref long marked, ref long infinite, string file,
        string channel, int index)
    {
        if (double.IsNaN(value))
            return float.NaN;
        if (missing.Contains(value))
        {
            marked++;
            return float.NaN;
        }
        if (double.IsInfinity(value))
        {
            infinite++;
            return float.NaN;
        }
        if (!float.IsFinite((float)value))
        {
            throw new SignalFormatException(file, string.Create(CultureInfo.InvariantCulture,
                $"{value} is out of range; samples are float32, up to 3.4e38 in size."),
                new SignalLocation(Channel: channel, Sample: index));
        }
        return (float)value;
    }

    private static double Element(ReadOnlySpan<byte> elements, NpyHeader header, long index)
    {
        ReadOnlySpan<byte> e = elements.Slice((int)(index * header.ElementSize), header.ElementSize);
        ulong bits = header.ElementSize switch
        {
            1 => e[0],
            2 => header.BigEndian ? BinaryPrimitives.ReadUInt16BigEndian(e) : BinaryPrimitives.ReadUInt16LittleEndian(e),
            4 => header.BigEndian ? BinaryPrimitives.ReadUInt32BigEndian(e) : BinaryPrimitives.ReadUInt32LittleEndian(e),
            _ => header.BigEndian ? BinaryPrimitives.ReadUInt64BigEndian(e) : BinaryPrimitives.ReadUInt64LittleEndian(e),
        };
        return (header.Kind, header.ElementSize) switch
        {
            ('f', 2) => (double)BitConverter.UInt16BitsToHalf((ushort)bits),
            ('f', 4) => BitConverter.UInt32BitsToSingle((uint)bits),
            ('f', _) => BitConverter.UInt64BitsToDouble(bits),
            ('i', 1) => (sbyte)bits,
            ('i', 2) => (short)bits,
            ('i', 4) => (int)bits,
            ('i', _) => (long)bits,
            _ => bits,
        };
    }

    /// <summary>Writes a recording; names, units and rate are not kept by the format.</summary>
    /// <param name="path">The file.</param>
    /// <param name="recording">The recording; its channels share one rate. Shorter ones end in NaN.</param>
    /// <param name="options">How; the defaults if null.</param>
    /// <param name="cancellation">Checked between channels.</param>
    /// <exception cref="SignalException">Rates differ, or the file cannot be written.</exception>
    public static void Write(string path, Recording recording, RecordingWriteOptions? options = null,
        CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(recording);
        CommonRate.Require(recording, "NPY");
        BoundedFile.WriteAtomically([(path, stream => Write(stream, recording, cancellation))],
            (options ?? RecordingWriteOptions.Default).Overwrite);
    }

    private static void Write(Stream stream, Recording recording, CancellationToken cancellation)
    {
        int samples = recording.Channels.Max(c => c.Length);
        string shape = recording.Channels.Count == 1
            ? string.Create(CultureInfo.InvariantCulture, $"({samples},)")
            : string.Create(CultureInfo.InvariantCulture, $"({recording.Channels.Count}, {samples})");
        string dictionary = $"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}";
        // Data begins at a multiple of 64 bytes; the header ends with a newline.
        int length = ((10 + dictionary.Length + 1 + 63) / 64 * 64) - 10;
        var header = new byte[10 + length];
        header.AsSpan().Fill((byte)' ');
        ((ReadOnlySpan<byte>)[0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0]).CopyTo(header);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(8), (ushort)length);
        Encoding.ASCII.GetBytes(dictionary, header.AsSpan(10));
        header[^1] = (byte)'\n';
        stream.Write(header);
        var block = new byte[1 << 16];
        foreach (Channel channel in recording.Channels)
        {
            cancellation.ThrowIfCancellationRequested();
            for (int start = 0; start < samples; start += block.Length / 4)
            {
                int count = Math.Min(block.Length / 4, samples - start);
                for (int i = 0; i < count; i++)
                    BinaryPrimitives.WriteSingleLittleEndian(block.AsSpan(i * 4), start + i < channel.Length
                        ? channel.Samples.Span[start + i] : float.NaN);
                stream.Write(block.AsSpan(0, count * 4));
            }
        }
    }
}
