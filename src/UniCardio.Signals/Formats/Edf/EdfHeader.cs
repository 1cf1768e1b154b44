using System.Globalization;
using System.Text;

namespace UniCardio.Signals.Formats.Edf;

/// <summary>One signal as an EDF header describes it.</summary>
internal sealed record EdfSignal
{
    /// <summary>Its name.</summary>
    public required string Label { get; init; }

    /// <summary>Physical dimension, as UTF-8 or Latin-1 where it is not ASCII.</summary>
    public required string Unit { get; init; }

    /// <summary>Physical value of <see cref="DigitalMinimum"/>.</summary>
    public required double PhysicalMinimum { get; init; }

    /// <summary>Physical value of <see cref="DigitalMaximum"/>.</summary>
    public required double PhysicalMaximum { get; init; }

    /// <summary>Lowest digital value.</summary>
    public required int DigitalMinimum { get; init; }

    /// <summary>Highest digital value.</summary>
    public required int DigitalMaximum { get; init; }

    /// <summary>Samples in each data record.</summary>
    public required int SamplesPerRecord { get; init; }

    /// <summary>Why the signal cannot be read, null if it can: its bytes are passed over.</summary>
    public string? Fault { get; init; }

    public bool IsAnnotations => Label is "EDF Annotations" or "BDF Annotations";

    /// <summary>Whether it holds samples that can be read.</summary>
    public bool IsUsable => !IsAnnotations && Fault is null;

    /// <summary>
    /// Whether -32768 stands for a missing sample: below the range that the header states, as this project's own files have it.
    /// </summary>
    public bool MarksMissing => DigitalMinimum == -32767;

    /// <summary>Digital steps a physical unit.</summary>
    public double Gain => (DigitalMaximum - (double)DigitalMinimum) / (PhysicalMaximum - PhysicalMinimum);

    /// <summary>Digital value of physical 0; not whole in general.</summary>
    public double Baseline => DigitalMinimum - (PhysicalMinimum * Gain);
}

/// <summary>
/// Header of an EDF, EDF+, BDF or BDF+ file (Kemp et al. 1992; Kemp and Olivan 2003; BioSemi's 24-bit variant): 256 bytes of text for
/// the file, then 256 for each signal, field by field.
/// </summary>
internal sealed record EdfHeader
{
    public required string File { get; init; }
    public required int SampleBytes { get; init; }
    public required bool IsPlus { get; init; }
    public required bool IsDiscontinuous { get; init; }
    public required DateTime? StartTime { get; init; }
    public required long? RecordCount { get; init; }
    public required double RecordSeconds { get; init; }
    public required IReadOnlyList<EdfSignal> Signals { get; init; }
    public required string Patient { get; init; }
    public required string Session { get; init; }
    public required IReadOnlyList<SignalWarning> Warnings { get; init; }

    public const int FixedBytes = 256;
    private const int SignalBytes = 256;

    public int Length => FixedBytes + (SignalBytes * Signals.Count);

    /// <summary>Samples of all signals in a data record.</summary>
    public long RecordSamples => Signals.Sum(s => (long)s.SamplesPerRecord);

    /// <summary>Parses a header.</summary>
    /// <exception cref="SignalFormatException">It is malformed.</exception>
    /// <exception cref="SignalLimitException">It has too many signals.</exception>
    public static EdfHeader Parse(ReadOnlySpan<byte> data, string file, RecordingReadOptions options)
    {
        if (data.Length < FixedBytes)
            throw new SignalFormatException(file, $"has {data.Length} bytes; an EDF header has at least {FixedBytes}.");
        ForeignFile.Refuse(data, file);
        bool bdf = data.StartsWith((ReadOnlySpan<byte>)[0xFF, (byte)'B', (byte)'I', (byte)'O', (byte)'S', (byte)'E', (byte)'M', (byte)'I']);
        if (!bdf && !IsVersionZero(data))
            throw new SignalFormatException(file, "begins neither as EDF (a 0 and seven blanks) nor as BDF (a byte 255 and BIOSEMI).",
                new SignalLocation(ByteOffset: 0));
        var fields = new Fields(data, file);
        long signals = fields.Whole(252, 4, "number of signals");
        if (signals < 1)
            throw new SignalFormatException(file, $"states {signals} signals; expected at least 1.", new SignalLocation(ByteOffset: 252));
        if (signals > options.MaxChannels)
            throw new SignalLimitException(file, "signals", signals, options.MaxChannels);
        int count = (int)signals;
        int length = FixedBytes + (SignalBytes * count);
        if (data.Length < length)
            throw new SignalFormatException(file, $"has {data.Length} bytes, but the header of {count} signals takes {length}.",
                new SignalLocation(ByteOffset: data.Length));
        var warnings = new List<SignalWarning>();
        // Nothing hangs on it: the signals tell it too.
        long stated = fields.Text(184, 8).Length == 0 ? length : fields.Whole(184, 8, "number of header bytes");
        if (stated != length)
            throw new SignalFormatException(file, $"states a header of {stated} bytes; {count} signals take {length}.",
                new SignalLocation(ByteOffset: 184));
        long records = Records(fields, warnings);
        double seconds = fields.Number(244, 8, "duration of a data record");
        if (!(seconds > 0))
            throw new SignalFormatException(file, string.Create(CultureInfo.InvariantCulture,
                $"states data records of {seconds} s; expected more than 0."), new SignalLocation(ByteOffset: 244));
        string reserved = fields.Text(192, 44);
        var parsed = new EdfSignal[count];
        for (int i = 0; i < count; i++)
            parsed[i] = Signal(fields, count, i, bdf ? 3 : 2, warnings);
        return new EdfHeader
        {
            File = file, SampleBytes = bdf ? 3 : 2,
            IsPlus = reserved.StartsWith("EDF+", StringComparison.Ordinal)
            || reserved.StartsWith("BDF+", StringComparison.Ordinal),
            IsDiscontinuous = reserved.StartsWith("EDF+D", StringComparison.Ordinal) || reserved.StartsWith("BDF+D",
                StringComparison.Ordinal),
            StartTime = StartOf(fields), RecordCount = records < 0 ? null : records, RecordSeconds = seconds, Signals = parsed,
            Patient = fields.Text(8, 80), Session = fields.Text(88, 80), Warnings = warnings,
        };
    }

    // Whole numbers, -1 where it is not known yet; what is no count at all was never filled in.
    private static long Records(Fields fields, List<SignalWarning> warnings)
    {
        string text = fields.Text(236, 8);
        if (text.Length > 0 && !TryNumber(text, out _))
        {
            warnings.Add(new SignalWarning(SignalWarningKind.Header,
                $"{fields.File}: its number of data records '{text}' is none; they are counted by the file's length."));
            return -1;
        }
        long records = fields.Whole(236, 8, "number of data records");
        return records is -1 or > 0 ? records : throw new SignalFormatException(fields.File,
            $"states {records} data records; expected at least 1, or -1 where it is not known.", new SignalLocation(ByteOffset: 236));
    }

    private static EdfSignal Signal(Fields fields, int count, int index, int sampleBytes, List<SignalWarning> warnings)
    {
        // Each field stands for all signals before the next one begins.
        int At(int before, int width) => FixedBytes + (before * count) + (width * index);
        string label = fields.Text(At(0, 16), 16), unit = fields.Text(At(96, 8), 8);
        string name = label.Length == 0 ? $"signal {index}" : label;
        long samples = fields.Whole(At(216, 8), 8, "number of samples in a record", name);
        if (samples is < 0 or > int.MaxValue)
            throw new SignalFormatException(fields.File, $"states {samples} samples in a data record; expected at least 1.",
                new SignalLocation(Channel: name, ByteOffset: At(216, 8)));
        string? fault = samples == 0 ? "it has 0 samples in a data record" : null;
        if (name is "EDF Annotations" or "BDF Annotations")
            return new EdfSignal
            {
                Label = name, Unit = unit, PhysicalMinimum = -1, PhysicalMaximum = 1, DigitalMinimum = -1, DigitalMaximum = 1,
                SamplesPerRecord = (int)samples, Fault = fault,
            };
        double[] limits = new double[4];
        for (int i = 0; i < 4; i++)
        {
            string text = fields.Text(At(104 + (8 * i), 8), 8);
            if (!TryNumber(text, out limits[i]))
                fault ??= $"its {LimitNames[i]} '{text}' is not a finite number";
        }
        (double lowest, double highest) = (Math.Round(limits[2]), Math.Round(limits[3]));
        double reach = 1L << ((8 * sampleBytes) - 1);
        if (lowest < -reach || highest >= reach || lowest >= highest)
            fault ??= string.Create(CultureInfo.InvariantCulture,
                $"its digital values go from {limits[2]} to {limits[3]}, which is no rising range within {8 * sampleBytes} bits");
        if (Math.Max(Math.Abs(limits[0]), Math.Abs(limits[1])) > 1e37)
            fault ??= string.Create(CultureInfo.InvariantCulture,
                $"its physical values go from {limits[0]} to {limits[1]}, which "
                + $"{(double.IsFinite(limits[1] - limits[0]) ? "float32 does not hold" : "give no gain")}");
        var signal = new EdfSignal
        {
            Label = name, Unit = unit, PhysicalMinimum = limits[0], PhysicalMaximum = limits[1], DigitalMinimum = (int)lowest,
            DigitalMaximum = (int)highest, SamplesPerRecord = (int)samples, Fault = fault,
        };
        if (fault is null && (limits[0] == limits[1] || !double.IsFinite(signal.Gain) || signal.Gain == 0
            || !double.IsFinite(signal.Baseline)))
            signal = signal with { Fault = string.Create(CultureInfo.InvariantCulture,
                $"its physical values go from {limits[0]} to {limits[1]}, which give no gain") };
        if (unit.Any(c => c > 0x7E))
            warnings.Add(new SignalWarning(SignalWarningKind.Unit,
                $"{fields.File}: the unit '{unit}' of '{name}' is not ASCII, as EDF asks for; it is read as UTF-8, or as Latin-1 where it "
                + "is not that.", name));
        if (signal.Fault is not null)
            warnings.Add(new SignalWarning(SignalWarningKind.Header, $"{fields.File}: signal '{name}' is left out: {signal.Fault}.", name));
        return signal;
    }

    private static readonly string[] LimitNames = ["physical minimum", "physical maximum", "digital minimum", "digital maximum"];

    // '0' and seven blanks; some writers fill with zero bytes.
    private static bool IsVersionZero(ReadOnlySpan<byte> data) => data[0] == (byte)'0' && data[1..8].IndexOfAnyExcept((byte)' ',
        (byte)0) < 0;

    // A decimal comma where somebody's locale got into a header.
    private static bool TryNumber(string text, out double value) =>
        double.TryParse(text.Contains('.', StringComparison.Ordinal) ? text : text.Replace(',', '.'), NumberStyles.Float,
            CultureInfo.InvariantCulture, out value) && double.IsFinite(value);

    private static DateTime? StartOf(Fields fields)
    {
        // dd.mm.yy and hh.mm.ss; other marks are met. Years 85 to 99 are 19xx (EDF+, section 2.1.3.3).
        string date = fields.Text(168, 8), time = fields.Text(176, 8);
        if (!DateTime.TryParseExact(Marked(date, '.') + " " + Marked(time, '.'), "d.M.yy H.m.s", CultureInfo.InvariantCulture,
            DateTimeStyles.None, out DateTime start))
            return LongDate(fields, time);
        // What this project writes where no date is known.
        bool unknown = start is { Day: 1, Month: 1 } && start.Year % 100 == 85 && fields.Text(88, 80) == "Startdate X X X X";
        if (unknown)
            return start.TimeOfDay == TimeSpan.Zero ? null : DateTime.MinValue.Add(start.TimeOfDay);
        int year = start.Year % 100;
        int century = year >= 85 ? 1900 : 2000;
        return start.Day <= DateTime.DaysInMonth(century + year, start.Month) ? new DateTime(century + year, start.Month,
            start.Day).Add(start.TimeOfDay) : null;
    }

    // Before 1985 and after 2084 the year reads 'yy' and stands in the recording's identification (EDF+, section 2.1.3.3, item 2).
    private static DateTime? LongDate(Fields fields, string time)
    {
        string[] session = fields.Text(88, 80).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return session.Length > 1 && session[0] == "Startdate" && DateTime.TryParseExact(session[1] + " " + Marked(time, '.'),
            "d-MMM-yyyy H.m.s", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTime start) ? start : null;
    }

    private static string Marked(string text, char mark) => string.Concat(text.Select(c => c is ':' or '/' or '-' or ',' or ' ' ? mark
        : c));

    /// <summary>Fields of fixed width, padded with blanks.</summary>
    private readonly ref struct Fields(ReadOnlySpan<byte> data, string file)
    {
        private readonly ReadOnlySpan<byte> _data = data;

        public string File { get; } = file;

        // What follows a zero byte is what the buffer held before.
        public string Text(int at, int width)
        {
            ReadOnlySpan<byte> field = _data.Slice(at, width);
            int end = field.IndexOf((byte)0);
            field = end < 0 ? field : field[..end];
            // EDF is ASCII; a micro sign is met as UTF-8 and as Latin-1.
            return (System.Text.Unicode.Utf8.IsValid(field) ? Encoding.UTF8 : Encoding.Latin1).GetString(field).Trim();
        }

        public long Whole(int at, int width, string what, string? channel = null)
        {
            string text = Text(at, width);
            return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value) ? value
                : TryNumber(text, out double number) && number == Math.Round(number) && Math.Abs(number) < 1e15 ? (long)number
                : throw new SignalFormatException(File, $"{what} '{text}' is not a whole number.", new SignalLocation(Channel: channel,
                    ByteOffset: at));
        }

        public double Number(int at, int width, string what, string? channel = null)
        {
            string text = Text(at, width);
            return TryNumber(text, out double value) ? value
                : throw new SignalFormatException(File, $"{what} '{text}' is not a finite number.", new SignalLocation(Channel: channel,
                    ByteOffset: at));
        }
    }
}
