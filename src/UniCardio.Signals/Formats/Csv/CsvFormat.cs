using System.Globalization;
using CsvHelper;

namespace UniCardio.Signals.Formats.Csv;

/// <summary>Recordings as text, one column a channel, one row a sample.</summary>
/// <remarks>
/// <list type="bullet">
/// <item>UTF-8, UTF-16 by its mark, or Latin-1 (with a remark). Cells are parted by commas, semicolons, tabs, bars or runs of blanks, told
/// from the first rows; with all but the first, numbers may have decimal commas.</item>
/// <item>Before the rows: comments ('#'), lines of other text, names, units. Names may carry units: <c>abp_mmHg</c>, <c>ECG [mV]</c>,
/// <c>ABP (mmHg)</c>; or a row of units follows, as in PhysioNet's rdsamp and ATM exports. A comment right before the rows is taken for the
/// names if it has as many. Without names channels are called signal_0, signal_1, ...; <see cref="RecordingReadOptions.ColumnNames"/> goes
/// before what the file says. After the first row nothing is a comment.</item>
/// <item>Missing: a blank cell, NaN, NA, null, None, '-', '?', errors of spreadsheets (#N/A, #VALUE!), infinities, or
/// <see cref="RecordingReadOptions.MissingValues"/>. In a single column a blank line is a missing sample too, except at the end of the
/// file.</item>
/// <item>A column called time, t, datetime, timestamp and the like gives the rate: seconds or another stated unit, h:mm:ss.mmm, dates, Unix
/// times. Numbers without a unit are seconds, or milliseconds where no signal of the table has the rate that seconds would give. Missing
/// rows become a gap, a doubled row goes, time that runs back is refused. Without such a column <see
/// cref="RecordingReadOptions.SampleRate"/>
/// must be set. Columns that number the rows are no signals.</item>
/// <item>Writing: the shortest text that reads back as the same float32; missing samples are blank; channels must share one rate. Times are
/// absolute (a column datetime) where the recording knows its date, by the clock where it knows the time of day alone, else seconds,
/// from where the table that it came from began.
/// Beside a channel with samples that no sensor measured stands a column of words, <c>ABP_provenance</c> (<see cref="UnmeasuredStretch"/>).
/// Names that a spreadsheet would run begin with an apostrophe, which reading takes off.</item>
/// </list>
/// </remarks>
internal static class CsvFormat
{
    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">How; the defaults if null.</param>
    /// <param name="cancellation">Checked every few thousand rows.</param>
    /// <exception cref="SignalException">The file is missing, malformed or over a limit.</exception>
    public static Recording Read(string path, RecordingReadOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        options ??= RecordingReadOptions.Default;
        return Parse(BoundedFile.ReadAll(path, options.MaxFileBytes), owned: true, path, options, cancellation);
    }

    /// <summary>Reads text that is in memory already.</summary>
    /// <param name="text">The file's bytes.</param>
    /// <param name="file">What to call it in messages.</param>
    /// <param name="options">How.</param>
    /// <param name="cancellation">Checked every few thousand rows.</param>
    /// <exception cref="SignalException">Malformed or over a limit.</exception>
    public static Recording Parse(byte[] text, string file, RecordingReadOptions options, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(options);
        return Parse(text, owned: false, file, options, cancellation);
    }

    private static Recording Parse(byte[] bytes, bool owned, string file, RecordingReadOptions options, CancellationToken cancellation)
    {
        var warnings = new List<SignalWarning>();
        CsvText text = CsvText.Prepare(bytes, owned, file, options.MaxChannels, warnings);
        CsvReaderOptions dialect = ReaderOptions with { Separator = (char)text.Separator };
        try
        {
            CsvLayout layout;
            using (CsvReader looking = CsvReader.Create(text.Body, dialect))
                layout = CsvLayout.Find(looking, text, file);
            using CsvReader reader = CsvReader.Create(text.Body, dialect);
            return new CsvTable(reader, text, layout, file, options, warnings).Read(cancellation);
        }
        catch (CsvFormatException e)
        {
            throw new SignalFormatException(file, "has cells that are quoted wrongly: " + e.Message,
                new SignalLocation(Line: e.LineNumber + text.Lines), e);
        }
    }

    /// <summary>Writes a recording, a time column first if the options say so.</summary>
    /// <param name="path">The file.</param>
    /// <param name="recording">The recording; its channels share one rate. Shorter ones end in blank cells.</param>
    /// <param name="options">How; the defaults if null.</param>
    /// <param name="cancellation">Checked every few thousand rows.</param>
    /// <exception cref="SignalException">Rates differ, or the file cannot be written.</exception>
    public static void Write(string path, Recording recording, RecordingWriteOptions? options = null,
        CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(recording);
        options ??= RecordingWriteOptions.Default;
        CommonRate.Require(recording, "CSV");
        BoundedFile.WriteAtomically([(path, stream => Write(stream, recording, options, cancellation))], options.Overwrite);
    }

    /// <summary>Writes a recording to a stream, as to a file.</summary>
    /// <exception cref="SignalException">Rates differ.</exception>
    internal static void Write(Stream stream, Recording recording)
    {
        CommonRate.Require(recording, "CSV");
        Write(stream, recording, RecordingWriteOptions.Default, CancellationToken.None);
    }

    // A quote that is never closed would otherwise swallow the rest of the file; no number spans lines.
    private static readonly CsvReaderOptions ReaderOptions = new()
    {
        HasHeader = false,
        SkipEmptyLines = false,
        TrimWhitespace = true,
        AllowLineBreaksInQuotes = false,
        TrackLineNumbers = true,
        MalformedData = CsvMalformedDataHandling.Throw,
    };

    private static void Write(Stream stream, Recording recording, RecordingWriteOptions options, CancellationToken cancellation)
    {
        using CsvWriter csv = CsvWriter.Create(stream, CsvOutput.Options, leaveOpen: true);
        Channel[] channels = [.. recording.Channels];
        int rows = channels.Max(c => c.Length);
        double rate = channels[0].SampleRate;
        DateTime? start = recording.StartTime;
        if (options.TimeColumn)
            csv.WriteField(start is null ? "time_s" : start.Value.Year > 1 ? "datetime" : "time");
        string[]?[] provenance = [.. channels.Select(c => CsvProvenance.Of(recording, c))];
        for (int i = 0; i < channels.Length; i++)
        {
            csv.WriteText(Heading(channels[i]));
            if (provenance[i] is not null)
                csv.WriteText(CsvProvenance.Heading(channels[i]));
        }
        csv.EndRecord();
        // A blank line would be taken for the file's end.
        string missing = channels.Length == 1 && !options.TimeColumn ? "NaN" : "";
        for (int row = 0; row < rows; row++)
        {
            if ((row & 0xFFF) == 0)
                cancellation.ThrowIfCancellationRequested();
            if (options.TimeColumn && start is { } origin)
                csv.WriteField(TimeOf(origin, row / rate));
            else if (options.TimeColumn)
                csv.WriteField(recording.RelativeStart == 0 ? row / rate : Math.Round(recording.RelativeStart + (row / rate), 9));
            for (int i = 0; i < channels.Length; i++)
            {
                float value = row < channels[i].Length ? channels[i].Samples.Span[row] : float.NaN;
                if (float.IsNaN(value))
                    csv.WriteField(missing);
                else
                    csv.WriteField(value);
                if (provenance[i] is { } words)
                    csv.WriteField(row < words.Length ? words[row] : "");
            }
            csv.EndRecord();
        }
    }

    private static string TimeOf(DateTime start, double seconds) => start.AddTicks((long)Math.Round(seconds * TimeSpan.TicksPerSecond))
        .ToString(start.Year > 1 ? "yyyy-MM-ddTHH:mm:ss.fffffff" : "HH:mm:ss.fffffff", CultureInfo.InvariantCulture);

    // The form that SplitName reads back as the same name and unit.
    private static string Heading(Channel channel)
    {
        if (channel.Unit.Length == 0)
            return SignalUnit.SplitName(channel.Name) == (channel.Name, "") ? channel.Name : channel.Name + " []";
        string plain = channel.Name + "_" + channel.Unit;
        return SignalUnit.SplitName(plain) == (channel.Name, channel.Unit) ? plain : $"{channel.Name} [{channel.Unit}]";
    }
}
