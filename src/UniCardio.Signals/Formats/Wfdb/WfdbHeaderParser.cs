using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace UniCardio.Signals.Formats.Wfdb;

/// <summary>Reads WFDB header files (PhysioNet, WFDB Applications Guide, header(5)).</summary>
/// <remarks>
/// Defaults are the standard's: 250 Hz where no rate is stated; a gain of 200 steps a millivolt where none, or 0, is stated; the ADC zero
/// for a baseline; ADC zero 0 for none.
/// </remarks>
internal sealed partial class WfdbHeaderParser
{
    public const double DefaultFrameRate = 250;
    public const double DefaultGain = 200;

    private static readonly SearchValues<char> PathCharacters = SearchValues.Create("\\:*?\"<>|");

    private readonly string _file;
    private readonly List<(int Number, string Text)> _lines = [];
    private readonly List<string> _comments = [];

    private WfdbHeaderParser(ReadOnlySpan<byte> data, string file)
    {
        _file = file;
        int number = 0;
        foreach (ReadOnlySpan<char> raw in DecodeText(data).AsSpan().EnumerateLines())
        {
            number++;
            string line = raw.Trim().ToString();
            if (line.StartsWith('#'))
            {
                // Comments before the first signal are the writer's own affair.
                if (_lines.Count > 1)
                    _comments.Add(line[1..].Trim());
            }
            else if (line.Length > 0)
            {
                _lines.Add((number, line));
            }
        }
    }

    /// <summary>Parses a header.</summary>
    /// <exception cref="SignalFormatException">It is malformed.</exception>
    /// <exception cref="SignalLimitException">It has too many signals.</exception>
    public static WfdbHeader Parse(ReadOnlySpan<byte> data, string file, RecordingReadOptions options) => new WfdbHeaderParser(data,
        file).Read(options);

    /// <summary>Text as UTF-8, or as Latin-1 where it is not that: older files hold degree and micro signs so.</summary>
    public static string DecodeText(ReadOnlySpan<byte> data) =>
        System.Text.Unicode.Utf8.IsValid(data) ? Encoding.UTF8.GetString(data).TrimStart('\uFEFF') : Encoding.Latin1.GetString(data);

    private WfdbHeader Read(RecordingReadOptions options)
    {
        if (_lines.Count == 0)
            throw new SignalFormatException(_file, "has no record line.");
        string[] fields = Fields(_lines[0].Text);
        Match name = RecordName().Match(fields[0]);
        if (!name.Success || !IsInnerName(name.Groups[1].Value))
            throw Error(
                0, $"record name '{Short(fields[0])}' is not a name within the record's own folder, with '/' and a number of segments "
                + $"after it if there are any");
        if (fields.Length < 2)
            throw Error(0, "the record line ends before the number of signals");
        int signals = Integer(fields[1], 0, "number of signals", 0);
        if (signals > options.MaxChannels)
            throw new SignalLimitException(_file, "signals", signals, options.MaxChannels);
        double rate = fields.Length > 2 ? Rate(fields[2]) : DefaultFrameRate;
        long frames = fields.Length > 3 ? Long(fields[3], 0, "number of samples") : 0;
        (DateTime? start, string? startProblem) = StartTime(fields);
        int segments = name.Groups[2].Success ? Integer(name.Groups[2].Value, 0, "number of segments", 1) : 0;
        int expected = segments > 0 ? segments : signals;
        if (_lines.Count - 1 < expected)
            throw Error(_lines.Count - 1,
                $"the record line states {expected} {(segments > 0 ? "segments" : "signals")}, but {_lines.Count - 1} lines follow it");
        if (expected == 0)
            throw Error(0, "the record has no signals");
        return new WfdbHeader
        {
            File = _file, RecordName = PlainRecord(name.Groups[1].Value), SignalCount = signals, FrameRate = rate,
            Frames = frames == 0 ? null : frames, StartTime = start,
            Signals = segments > 0 ? [] : [.. Enumerable.Range(1, signals).Select(Signal)],
            Segments = [.. Enumerable.Range(1, segments).Select(Segment)], Comments = _comments, StartProblem = startProblem,
        };
    }

    private double Rate(string field)
    {
        // frames a second [/ counter frequency [(base counter)]]
        string text = field.Split('/', '(')[0];
        if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double rate) || !(rate > 0)
            || !double.IsFinite(rate))
            throw Error(0, $"sampling frequency '{Short(field)}' is not a finite number above 0");
        return rate;
    }

    // The time, then the date; some writers turn them round. A lone number is no time, whatever it is.
    private static (DateTime? Start, string? Problem) StartTime(string[] fields)
    {
        string[] stated = [.. fields.Skip(4).Take(2).Select(f => f.Trim('[', ']'))];
        if (stated.Length == 0)
            return (null, null);
        string whole = string.Join(' ', stated);
        string? clock = stated.FirstOrDefault(f => f.Contains(':', StringComparison.Ordinal)), date = stated.FirstOrDefault(f =>
            f.AsSpan().IndexOfAny('/', '-') >= 0);
        if (clock is null || SecondsOf(clock) is not { } seconds)
            return (null, $"the base time '{Short(whole)}' is not a time of day (HH:MM:SS); no start is known");
        DateTime day = DateTime.MinValue;
        bool isDate = date is not null && DateTime.TryParseExact(date, ["d/M/yyyy", "d-MMM-yyyy", "d/MMM/yyyy"],
            CultureInfo.InvariantCulture, DateTimeStyles.None,
            out day);
        string? problem = stated.Length == 2
            && !isDate ? $"the base date in '{Short(whole)}' is not a date (DD/MM/YYYY); only the time of day is known" : null;
        return (day.AddTicks((long)Math.Round(seconds * TimeSpan.TicksPerSecond)), problem);
    }

    private static double? SecondsOf(string clock)
    {
        string[] parts = clock.Split(':');
        double seconds = 0;
        foreach (string part in parts)
        {
            if (!double.TryParse(part, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value))
                return null;
            seconds = (seconds * 60) + value;
        }
        return parts.Length is 2 or 3 && seconds is >= 0 and < 86_399.99999 ? seconds : null;
    }

    // Folders and the extension of its signal file are not part of a record's name.
    private static string PlainRecord(string name)
    {
        string plain = name[(name.LastIndexOf('/') + 1)..];
        string extension = Path.GetExtension(plain).ToLowerInvariant();
        return plain.Length > 4 && extension is ".mat" or ".dat" or ".hea" ? plain[..^4] : plain;
    }

    private WfdbSegment Segment(int line)
    {
        string[] fields = Fields(_lines[line].Text);
        if (fields.Length < 2)
            throw Error(line, "expected a segment's record name and length");
        Match name = RecordName().Match(fields[0]);
        if (name.Groups[2].Success)
            throw Error(line, "a segment cannot have segments of its own");
        if (fields[0] != "~" && !IsInnerName(fields[0]))
            throw Error(line, $"segment name '{Short(fields[0])}' is not a plain name within the record's own folder");
        return new WfdbSegment(fields[0], Long(fields[1], line, "segment length"));
    }

    private WfdbSignal Signal(int line)
    {
        string[] fields = Fields(_lines[line].Text, count: 9);
        if (fields.Length < 2)
            throw Error(line, "expected a signal's file name and format");
        if (fields[0].StartsWith("./", StringComparison.Ordinal))
            fields[0] = fields[0][2..];
        if (fields[0] != "~" && !IsInnerName(fields[0]))
            throw Error(line, $"signal file '{Short(fields[0])}' is not a plain name within the record's own folder");
        Match format = FormatField().Match(fields[1]);
        if (!format.Success)
            throw Error(line, $"format '{Short(fields[1])}' is not a number, optionally with xSAMPLES, :SKEW and +OFFSET");
        int code = Integer(format.Groups[1].Value, line, "format", 0);
        if (!Enum.IsDefined((WfdbSampleFormat)code))
            throw Error(line, $"format {code} is not read; expected 0, 8, 16, 24, 32, 61, 80, 160, 212, 310, 311, 508, 516 or 524");
        int adcZero = fields.Length > 4 ? Integer(fields[4], line, "ADC zero") : 0;
        (double gain, int? baseline, string unit) = fields.Length > 2 ? Gain(fields[2], line) : (DefaultGain, null, SignalUnit.Millivolts);
        return new WfdbSignal
        {
            FileName = fields[0], Format = (WfdbSampleFormat)code,
            SamplesPerFrame = format.Groups[2].Success ? Integer(format.Groups[2].Value, line, "samples per frame", 1) : 1,
            Skew = format.Groups[3].Success ? Integer(format.Groups[3].Value, line, "skew", 0) : 0,
            ByteOffset = format.Groups[4].Success ? Long(format.Groups[4].Value, line, "byte offset") : null, Gain = gain,
            Baseline = baseline ?? adcZero, Unit = unit,
            Resolution = fields.Length > 3 ? Integer(fields[3], line, "ADC resolution", 0) : 0, AdcZero = adcZero,
            InitialValue = fields.Length > 5 ? Integer(fields[5], line, "initial value") : adcZero,
            Checksum = fields.Length > 6 ? Integer(fields[6], line, "checksum") : null,
            Description = fields.Length > 8 ? fields[8] : $"signal {line - 1}",
        };
    }

    // gain [(baseline)] [/unit]
    private (double Gain, int? Baseline, string Unit) Gain(string field, int line)
    {
        int slash = field.IndexOf('/', StringComparison.Ordinal);
        string unit = slash >= 0 && slash < field.Length - 1 ? field[(slash + 1)..] : SignalUnit.Millivolts;
        string number = slash >= 0 ? field[..slash] : field;
        int? baseline = null;
        int open = number.IndexOf('(', StringComparison.Ordinal);
        if (open >= 0)
        {
            if (!number.EndsWith(')'))
                throw Error(line, $"gain '{Short(field)}' has a parenthesis that is never closed");
            baseline = Integer(number[(open + 1)..^1], line, "baseline");
            number = number[..open];
        }
        if (!double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out double gain) || !double.IsFinite(gain))
            throw Error(line, $"gain '{Short(field)}' is not a finite number");
        return (gain == 0 ? DefaultGain : gain, baseline, unit);
    }

    /// <summary>Whether a name can only mean a file in the record's own folder.</summary>
    public static bool IsPlainName(string name) =>
        name.Length is > 0 and <= 255 && name is not ("." or ".." or "-" or "~") && !name.Contains('/', StringComparison.Ordinal)
            && name.AsSpan().IndexOfAny(PathCharacters) < 0 && !name.Any(char.IsControl);

    /// <summary>Whether a name can only mean a file in the record's own folder or in one within it.</summary>
    public static bool IsInnerName(string name) => name.Length <= 255 && name.Split('/').All(IsPlainName);

    private static string[] Fields(string line, int count = int.MaxValue) =>
        line.Split((char[]?)null, count, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private int Integer(string text, int line, string what, int minimum = int.MinValue)
    {
        long value = Number(text, line, what);
        return value >= minimum && value is >= int.MinValue and <= int.MaxValue ? (int)value
            : throw Error(
                line, $"{what} {value} is out of range; expected {(minimum == int.MinValue ? "a 32-bit integer" : $"at least {minimum}")}");
    }

    private long Long(string text, int line, string what)
    {
        long value = Number(text, line, what);
        return value >= 0 ? value : throw Error(line, $"{what} {value} is below 0");
    }

    private long Number(string text, int line, string what) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value) ? value
            : throw Error(line, $"{what} '{Short(text)}' is not a whole number");

    private SignalFormatException Error(int line, string problem) => new(_file, problem + ".",
        new SignalLocation(Line: _lines[line].Number));

    private static string Short(string text) => text.Length <= 40 ? text : text[..40] + "...";

    [GeneratedRegex(@"^([A-Za-z0-9_./-]{1,200}?)(?:/([0-9]{1,20}))?$", RegexOptions.CultureInvariant)]
    private static partial Regex RecordName();

    [GeneratedRegex(@"^([0-9]{1,9})(?:x([0-9]{1,20}))?(?::(-?[0-9]{1,20}))?(?:\+([0-9]{1,20}))?$", RegexOptions.CultureInvariant)]
    private static partial Regex FormatField();
}
