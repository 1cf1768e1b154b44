using System.Globalization;
using System.Text;

namespace UniCardio.Signals.Formats.Edf;

/// <summary>One signal as an EDF header describes it.</summary>
/// <param name="Label">Its name.</param>
/// <param name="Unit">Physical dimension, as Latin-1 where it is not ASCII.</param>
/// <param name="PhysicalMinimum">Physical value of <paramref name="DigitalMinimum"/>.</param>
/// <param name="PhysicalMaximum">Physical value of <paramref name="DigitalMaximum"/>.</param>
/// <param name="DigitalMinimum">Lowest digital value.</param>
/// <param name="DigitalMaximum">Highest digital value.</param>
/// <param name="SamplesPerRecord">Samples in each data record.</param>
internal sealed record EdfSignal(string Label, string Unit, double PhysicalMinimum, double PhysicalMaximum, int DigitalMinimum, int DigitalMaximum, int SamplesPerRecord)
{
    public bool IsAnnotations => Label is "EDF Annotations" or "BDF Annotations";

    /// <summary>Digital steps a physical unit.</summary>
    public double Gain => (DigitalMaximum - (double)DigitalMinimum) / (PhysicalMaximum - PhysicalMinimum);

    /// <summary>Digital value of physical 0; not whole in general.</summary>
    public double Baseline => DigitalMinimum - (PhysicalMinimum * Gain);
}

/// <summary>
/// Header of an EDF, EDF+, BDF or BDF+ file (Kemp et al. 1992; Kemp and Olivan 2003; BioSemi's 24-bit variant): 256 bytes of text for
/// the file, then 256 for each signal, field by field.
/// </summary>
internal sealed record EdfHeader(string File, int SampleBytes, bool IsPlus, bool IsDiscontinuous, DateTime? StartTime, long? RecordCount, double RecordSeconds,
    IReadOnlyList<EdfSignal> Signals, string Patient, string Session, IReadOnlyList<SignalWarning> Warnings)
{
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
        bool bdf = data.StartsWith((ReadOnlySpan<byte>)[0xFF, (byte)'B', (byte)'I', (byte)'O', (byte)'S', (byte)'E', (byte)'M', (byte)'I']);
        if (!bdf && !data.StartsWith("0       "u8))
            throw new SignalFormatException(file, "begins neither as EDF (a 0 and seven blanks) nor as BDF (a byte 255 and BIOSEMI).", new SignalLocation(ByteOffset: 0));
        var fields = new Fields(data, file);
        long signals = fields.Whole(252, 4, "number of signals");
        if (signals < 1)
            throw new SignalFormatException(file, $"states {signals} signals; expected at least 1.", new SignalLocation(ByteOffset: 252));
        if (signals > options.MaxChannels)
            throw new SignalLimitException(file, "signals", signals, options.MaxChannels);
        int count = (int)signals;
        int length = FixedBytes + (SignalBytes * count);
        if (data.Length < length)
            throw new SignalFormatException(file, $"has {data.Length} bytes, but the header of {count} signals takes {length}.", new SignalLocation(ByteOffset: data.Length));
        long stated = fields.Whole(184, 8, "number of header bytes");
        if (stated != length)
            throw new SignalFormatException(file, $"states a header of {stated} bytes; {count} signals take {length}.", new SignalLocation(ByteOffset: 184));
        long records = fields.Whole(236, 8, "number of data records");
        if (records < -1 || records == 0)
            throw new SignalFormatException(file, $"states {records} data records; expected at least 1, or -1 where it is not known.", new SignalLocation(ByteOffset: 236));
        double seconds = fields.Number(244, 8, "duration of a data record");
        if (!(seconds > 0))
            throw new SignalFormatException(file, string.Create(CultureInfo.InvariantCulture, $"states data records of {seconds} s; expected more than 0."), new SignalLocation(ByteOffset: 244));
        string reserved = fields.Text(192, 44);
        var warnings = new List<SignalWarning>();
        var parsed = new EdfSignal[count];
        for (int i = 0; i < count; i++)
            parsed[i] = Signal(fields, count, i, bdf ? 3 : 2, warnings);
        return new EdfHeader(file, bdf ? 3 : 2, reserved.StartsWith("EDF+", StringComparison.Ordinal) || reserved.StartsWith("BDF+", StringComparison.Ordinal),
            reserved.StartsWith("EDF+D", StringComparison.Ordinal) || reserved.StartsWith("BDF+D", StringComparison.Ordinal),
            StartOf(fields), records < 0 ? null : records, seconds, parsed, fields.Text(8, 80), fields.Text(88, 80), warnings);
    }

    private static EdfSignal Signal(Fields fields, int count, int index, int sampleBytes, List<SignalWarning> warnings)
    {
        // Each field stands for all signals before the next one begins.
        int At(int before, int width) => FixedBytes + (before * count) + (width * index);
        string label = fields.Text(At(0, 16), 16), unit = fields.Text(At(96, 8), 8);
        string name = label.Length == 0 ? $"signal {index}" : label;
        double physicalMinimum = fields.Number(At(104, 8), 8, "physical minimum", name), physicalMaximum = fields.Number(At(112, 8), 8, "physical maximum", name);
        long digitalMinimum = fields.Whole(At(120, 8), 8, "digital minimum", name), digitalMaximum = fields.Whole(At(128, 8), 8, "digital maximum", name);
        long samples = fields.Whole(At(216, 8), 8, "number of samples in a record", name);
        if (samples is < 1 or > int.MaxValue)
            throw new SignalFormatException(fields.File, $"states {samples} samples in a data record; expected at least 1.", new SignalLocation(Channel: name, ByteOffset: At(216, 8)));
        long reach = 1L << ((8 * sampleBytes) - 1);
        if (digitalMinimum < -reach || digitalMaximum >= reach || digitalMinimum >= digitalMaximum)
        {
            throw new SignalFormatException(fields.File, $"states digital values from {digitalMinimum} to {digitalMaximum}; expected a rising range within {8 * sampleBytes} bits.",
                new SignalLocation(Channel: name, ByteOffset: At(120, 8)));
        }
        var signal = new EdfSignal(name, unit, physicalMinimum, physicalMaximum, (int)digitalMinimum, (int)digitalMaximum, (int)samples);
        if (signal.IsAnnotations)
            return signal;
        if (physicalMinimum == physicalMaximum || !double.IsFinite(signal.Gain) || signal.Gain == 0 || !double.IsFinite(signal.Baseline))
        {
            throw new SignalFormatException(fields.File, string.Create(CultureInfo.InvariantCulture, $"states physical values from {physicalMinimum} to {physicalMaximum}, which give no gain."),
                new SignalLocation(Channel: name, ByteOffset: At(104, 8)));
        }
        if (unit.Any(c => c > 0x7E))
            warnings.Add(new SignalWarning(SignalWarningKind.Unit, $"{fields.File}: the unit '{unit}' of '{name}' is not ASCII, as EDF asks for; it is taken as Latin-1.", name));
        return signal;
    }

    private static DateTime? StartOf(Fields fields)
    {
        // Years 85 to 99 are 19xx (EDF+, section 2.1.3.3).
        if (!DateTime.TryParseExact(fields.Text(168, 8) + " " + fields.Text(176, 8), "dd.MM.yy HH.mm.ss", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTime start))
            return null;
        int year = start.Year % 100;
        int century = year >= 85 ? 1900 : 2000;
        return start.Day <= DateTime.DaysInMonth(century + year, start.Month) ? new DateTime(century + year, start.Month, start.Day).Add(start.TimeOfDay) : null;
    }

    /// <summary>Fields of fixed width, padded with blanks.</summary>
    private readonly ref struct Fields(ReadOnlySpan<byte> data, string file)
    {
        private readonly ReadOnlySpan<byte> _data = data;

        public string File { get; } = file;

        public string Text(int at, int width) => Encoding.Latin1.GetString(_data.Slice(at, width)).Trim(' ', '\0');

        public long Whole(int at, int width, string what, string? channel = null)
        {
            string text = Text(at, width);
            return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value) ? value
                : throw new SignalFormatException(File, $"{what} '{text}' is not a whole number.", new SignalLocation(Channel: channel, ByteOffset: at));
        }

        public double Number(int at, int width, string what, string? channel = null)
        {
            string text = Text(at, width);
            return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value) ? value
                : throw new SignalFormatException(File, $"{what} '{text}' is not a finite number.", new SignalLocation(Channel: channel, ByteOffset: at));
        }
    }
}
