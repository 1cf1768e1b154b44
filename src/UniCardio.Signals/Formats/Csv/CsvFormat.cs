using System.Text.Unicode;
using CsvHelper;

namespace UniCardio.Signals.Formats.Csv;

/// <summary>Recordings as comma-separated text, one column a channel, one row a sample.</summary>
/// <remarks>
/// <list type="bullet">
/// <item>UTF-8; the separator (comma, semicolon, tab or bar) is told from the first lines. The decimal mark is a point. Lines that begin
/// with '#' are comments.</item>
/// <item>The first row is a header if none of its cells is a number. Headings may carry units: <c>abp_mmHg</c>, <c>ECG [mV]</c>,
/// <c>ABP (mmHg)</c>; or a second row may consist of units alone, as PhysioNet's rdsamp exports have it. Without a header the
/// channels are called signal_0, signal_1, ... or as <see cref="RecordingReadOptions.ColumnNames"/> says.</item>
/// <item>Missing: a blank cell, NaN, NA, N/A, null, a lone '-', or <see cref="RecordingReadOptions.MissingValue"/>. In a single column a
/// blank line is a missing sample too, except at the end of the file.</item>
/// <item>A column called time, t, seconds, elapsed time and the like (unit s, ms, us or min; s if unstated) gives the sample rate and is
/// checked for uniformity. Without one, <see cref="RecordingReadOptions.SampleRate"/> must be set.</item>
/// <item>Writing: the shortest text that reads back as the same float32; missing samples are blank; channels must share one rate.</item>
/// </list>
/// </remarks>
public static class CsvFormat
{
    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">How; the defaults if null.</param>
    /// <param name="cancellationToken">Checked every few thousand rows.</param>
    /// <exception cref="SignalException">The file is missing, malformed or over a limit.</exception>
    public static Recording Read(string path, RecordingReadOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        options ??= RecordingReadOptions.Default;
        return Parse(BoundedFile.ReadAll(path, options.MaxFileBytes), path, options, cancellationToken);
    }

    /// <summary>Reads text that is in memory already.</summary>
    /// <param name="text">The file's bytes.</param>
    /// <param name="file">What to call it in messages.</param>
    /// <param name="options">How.</param>
    /// <param name="cancellationToken">Checked every few thousand rows.</param>
    /// <exception cref="SignalException">Malformed or over a limit.</exception>
    public static Recording Parse(byte[] text, string file, RecordingReadOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(options);
        if (!Utf8.IsValid(text))
            throw new SignalFormatException(file, "is not UTF-8 text.");
        ReadOnlyMemory<byte> body = text.AsSpan().StartsWith("\uFEFF"u8) ? text.AsMemory(3) : text;
        try
        {
            using CsvReader reader = CsvReader.Create(body, ReaderOptions);
            return new CsvTable(reader, file, options).Read(cancellationToken);
        }
        catch (CsvFormatException e)
        {
            throw new SignalFormatException(file, "has cells that are quoted wrongly: " + e.Message, new SignalLocation(Line: e.LineNumber), e);
        }
    }

    /// <summary>Writes a recording, a time column first if the options say so.</summary>
    /// <param name="path">The file.</param>
    /// <param name="recording">The recording; its channels share one rate. Shorter ones end in blank cells.</param>
    /// <param name="options">How; the defaults if null.</param>
    /// <param name="cancellationToken">Checked every few thousand rows.</param>
    /// <exception cref="SignalException">Rates differ, or the file cannot be written.</exception>
    public static void Write(string path, Recording recording, RecordingWriteOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(recording);
        options ??= RecordingWriteOptions.Default;
        CommonRate.Require(recording, "CSV");
        BoundedFile.WriteAtomically([(path, stream => Write(stream, recording, options, cancellationToken))], options.Overwrite);
    }

    // A quote that is never closed would otherwise swallow the rest of the file; no number spans lines.
    private static readonly CsvReaderOptions ReaderOptions = new()
    {
        HasHeader = false,
        SkipEmptyLines = false,
        CommentPrefix = '#',
        TrimWhitespace = true,
        AllowLineBreaksInQuotes = false,
        TrackLineNumbers = true,
        MalformedData = CsvMalformedDataHandling.Throw,
    };

    private static void Write(Stream stream, Recording recording, RecordingWriteOptions options, CancellationToken cancellationToken)
    {
        using CsvWriter csv = CsvWriter.Create(stream, new CsvWriterOptions { NewLine = "\n" }, leaveOpen: true);
        Channel[] channels = [.. recording.Channels];
        int rows = channels.Max(c => c.Length);
        double rate = channels[0].SampleRate;
        if (options.TimeColumn)
            csv.WriteField("time_s");
        foreach (Channel channel in channels)
            csv.WriteField(Heading(channel));
        csv.EndRecord();
        // A blank line would be taken for the file's end.
        string missing = channels.Length == 1 && !options.TimeColumn ? "NaN" : "";
        for (int row = 0; row < rows; row++)
        {
            if ((row & 0xFFF) == 0)
                cancellationToken.ThrowIfCancellationRequested();
            if (options.TimeColumn)
                csv.WriteField(row / rate);
            foreach (Channel channel in channels)
            {
                float value = row < channel.Length ? channel.Samples.Span[row] : float.NaN;
                if (float.IsNaN(value))
                    csv.WriteField(missing);
                else
                    csv.WriteField(value);
            }
            csv.EndRecord();
        }
    }

    // The form that SplitName reads back as the same name and unit.
    private static string Heading(Channel channel)
    {
        if (channel.Unit.Length == 0)
            return SignalUnit.SplitName(channel.Name) == (channel.Name, "") ? channel.Name : channel.Name + " []";
        string plain = channel.Name + "_" + channel.Unit;
        return SignalUnit.SplitName(plain) == (channel.Name, channel.Unit) ? plain : $"{channel.Name} [{channel.Unit}]";
    }
}
