using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace UniCardio.Signals.Formats.Wfdb;

/// <summary>WFDB annotation files in MIT format (PhysioNet, WFDB Applications Guide, annot(5); codes of ecgcodes.h).</summary>
internal static class WfdbAnnotations
{
    private const int Note = 22;
    private const int MaxCode = 49;
    private const int Skip = 59, Num = 60, Sub = 61, Chn = 62, Aux = 63;
    private const string ResolutionNote = "## time resolution: ";
    private const string DefinitionsNote = "## annotation type definitions";
    private const string DefinitionsEnd = "## end of definitions";

    private static readonly FrozenDictionary<int, string> Symbols = new Dictionary<int, string>
    {
        [1] = "N", [2] = "L", [3] = "R", [4] = "a", [5] = "V", [6] = "F", [7] = "J", [8] = "A", [9] = "S", [10] = "E", [11] = "j", [12] =
            "/",
        [13] = "Q", [14] = "~", [16] = "|", [18] = "s", [19] = "T", [20] = "*", [21] = "D", [Note] = "\"", [23] = "=", [24] = "p", [25] =
            "B",
        [26] = "^", [27] = "t", [28] = "+", [29] = "u", [30] = "?", [31] = "!", [32] = "[", [33] = "]", [34] = "e", [35] = "n", [36] = "@",
        [37] = "x", [38] = "f", [39] = "(", [40] = ")", [41] = "r",
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<string, int> Codes = Symbols.ToFrozenDictionary(p => p.Value, p => p.Key,
        StringComparer.Ordinal);

    /// <summary>The annotations of a file, and the time base of their sample numbers.</summary>
    public sealed record Result(List<Annotation> Annotations, double Rate, IReadOnlyList<SignalWarning> Warnings);

    /// <summary>Reads a file.</summary>
    /// <param name="data">Its bytes.</param>
    /// <param name="file">What to call it.</param>
    /// <param name="frameRate">The record's frame rate, the time base unless the file states another.</param>
    /// <param name="limit">Most annotations.</param>
    /// <exception cref="SignalFormatException">Malformed or over the limit.</exception>
    public static Result Read(ReadOnlySpan<byte> data, string file, double frameRate, int limit)
    {
        var found = new List<Annotation>();
        var warnings = new List<SignalWarning>();
        long time = 0;
        int num = 0, chan = 0, at = 0;
        bool ended = false, open = false;
        while (at + 2 <= data.Length)
        {
            int word = BinaryPrimitives.ReadUInt16LittleEndian(data[at..]);
            int code = word >> 10, value = word & 0x3FF;
            at += 2;
            if (word == 0)
            {
                ended = true;
                break;
            }
            switch (code)
            {
                case 0:
                    // An interval without a label.
                    time += value;
                    open = false;
                    break;
                case <= MaxCode:
                    if (found.Count >= limit)
                        throw new SignalLimitException(file, "annotations", found.Count + 1L, limit);
                    time += value;
                    found.Add(new Annotation(0, time, Symbols.GetValueOrDefault(code, $"[{code}]")) { Code = code, Channel = chan,
                        Number = num });
                    open = true;
                    break;
                case Skip:
                    if (at + 4 > data.Length)
                        throw new SignalFormatException(file, "ends within a long interval.", new SignalLocation(ByteOffset: at));
                    // A 32-bit number whose upper half stands first, each half with its lower byte first.
                    time += (BinaryPrimitives.ReadInt16LittleEndian(data[at..]) << 16)
                        | BinaryPrimitives.ReadUInt16LittleEndian(data[(at + 2)..]);
                    at += 4;
                    break;
                case Num:
                    num = (sbyte)value;
                    if (open)
                        found[^1] = found[^1] with { Number = num };
                    break;
                case Sub:
                    if (open)
                        found[^1] = found[^1] with { Subtype = (sbyte)value };
                    break;
                case Chn:
                    chan = (byte)value;
                    if (open)
                        found[^1] = found[^1] with { Channel = chan };
                    break;
                case Aux:
                    if (at + value > data.Length)
                        throw new SignalFormatException(file, $"ends within {value} bytes of text.", new SignalLocation(ByteOffset: at));
                    if (open)
                        found[^1] = found[^1] with { Text = WfdbHeaderParser.DecodeText(data.Slice(at, value)).TrimEnd('\0') };
                    at += value + (value & 1);
                    break;
                default:
                    throw new SignalFormatException(file, $"has annotation code {code}, which the format does not define.",
                        new SignalLocation(ByteOffset: at - 2));
            }
        }
        if (!ended)
            warnings.Add(new SignalWarning(SignalWarningKind.Annotation, $"{file} ends without its end mark; annotations may be missing."));
        return Interpret(found, file, frameRate, warnings);
    }

    // Notes at time 0 may state the time base and define further symbols; what is left are annotations.
    private static Result Interpret(List<Annotation> found, string file, double rate, List<SignalWarning> warnings)
    {
        var symbols = new Dictionary<int, string>();
        bool defining = false;
        var kept = new List<Annotation>(found.Count);
        int early = 0;
        foreach (Annotation a in found)
        {
            if (a is { Code: Note, Sample: 0 } && (defining || a.Text.StartsWith("## ", StringComparison.Ordinal)))
            {
                if (a.Text.StartsWith(ResolutionNote, StringComparison.Ordinal))
                {
                    if (!double.TryParse(a.Text.AsSpan(ResolutionNote.Length), NumberStyles.Float, CultureInfo.InvariantCulture, out rate)
                        || !(rate > 0) || !double.IsFinite(rate))
                        throw new SignalFormatException(file, "states a time resolution that is not a finite number above 0.");
                }
                else if (defining && a.Text.Split(' ', 3, StringSplitOptions.RemoveEmptyEntries) is [var number, var symbol, ..]
                    && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int code))
                {
                    symbols[code] = symbol;
                }
                defining = a.Text == DefinitionsNote || (defining && a.Text != DefinitionsEnd);
            }
            else if (a.Sample < 0)
            {
                early++;
            }
            else
            {
                kept.Add(symbols.TryGetValue(a.Code, out string? own) ? a with { Symbol = own } : a);
            }
        }
        if (early > 0)
            warnings.Add(new SignalWarning(SignalWarningKind.Annotation,
                $"{file}: {early} annotations lie before the start and are left out."));
        for (int i = 0; i < kept.Count; i++)
            kept[i] = kept[i] with { TimeSeconds = kept[i].Sample / rate };
        return new Result(kept, rate, warnings);
    }

    /// <summary>Writes a file.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="annotations">The annotations, in any order. Symbols that WFDB does not know become notes that begin with the
    /// symbol.</param>
    /// <param name="rate">Time base to round their times to.</param>
    /// <param name="frameRate">The record's frame rate; a different time base is stated in the file.</param>
    public static void Write(Stream stream, IEnumerable<Annotation> annotations, double rate, double frameRate)
    {
        long time = 0;
        int num = 0, chan = 0;
        if (rate != frameRate)
            WriteOne(stream, Note, 0, ResolutionNote + rate.ToString("R", CultureInfo.InvariantCulture));
        foreach ((long sample, Annotation a) in annotations.Select(a => ((long)Math.Round(a.TimeSeconds * rate), a)).OrderBy(p => p.Item1))
        {
            bool known = Codes.TryGetValue(a.Symbol, out int code);
            string text = known ? a.Text : a.Text.Length == 0 ? a.Symbol : a.Symbol + " " + a.Text;
            long interval = sample - time;
            while (interval is < 0 or > 0x3FF)
            {
                int part = (int)Math.Clamp(interval, int.MinValue, int.MaxValue);
                WriteWord(stream, Skip << 10);
                WriteWord(stream, part >> 16);
                WriteWord(stream, part);
                interval -= part;
            }
            WriteWord(stream, ((known ? code : Note) << 10) | (int)interval);
            time = sample;
            if (a.Subtype != 0)
                WriteWord(stream, (Sub << 10) | (a.Subtype & 0xFF));
            if (a.Channel != chan)
                WriteWord(stream, (Chn << 10) | ((chan = a.Channel) & 0xFF));
            if (a.Number != num)
                WriteWord(stream, (Num << 10) | ((num = a.Number) & 0xFF));
            WriteText(stream, text);
        }
        WriteWord(stream, 0);
    }

    private static void WriteOne(Stream stream, int code, int interval, string text)
    {
        WriteWord(stream, (code << 10) | interval);
        WriteText(stream, text);
    }

    // At most 255 bytes, as the WFDB library reads; a character that does not fit is left out whole.
    private static void WriteText(Stream stream, string text)
    {
        if (text.Length == 0)
            return;
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        int length = bytes.Length;
        if (length > 255)
        {
            for (length = 255; (bytes[length] & 0xC0) == 0x80; length--)
            {
            }
        }
        WriteWord(stream, (Aux << 10) | length);
        stream.Write(bytes.AsSpan(0, length));
        if ((length & 1) == 1)
            stream.WriteByte(0);
    }

    private static void WriteWord(Stream stream, int word)
    {
        stream.WriteByte((byte)word);
        stream.WriteByte((byte)(word >> 8));
    }
}
