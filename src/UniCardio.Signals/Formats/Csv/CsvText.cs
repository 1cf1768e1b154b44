using System.Text;
using System.Text.Unicode;

namespace UniCardio.Signals.Formats.Csv;

/// <summary>The text of a table, made ready for the reader of cells: UTF-8, one separator, comments taken off.</summary>
/// <param name="Body">The rows, from the first line that is no comment.</param>
/// <param name="Lines">Lines of the file before <paramref name="Body"/>.</param>
/// <param name="Separator">Between cells.</param>
/// <param name="DecimalComma">Whether numbers have a comma for their point.</param>
/// <param name="Blanks">Whether the file parts its cells by runs of blanks (tabs in <paramref name="Body"/>).</param>
/// <param name="LastComment">The last comment line before the rows, without its '#'; it may hold the names of columns.</param>
internal sealed record CsvText(ReadOnlyMemory<byte> Body, int Lines, byte Separator, bool DecimalComma, bool Blanks, string? LastComment)
{
    private const int SampleLines = 200, JudgedLines = 20, MaxJudgedLine = 1 << 16, MaxLine = 1 << 18;

    /// <summary>Prepares a file's bytes.</summary>
    /// <param name="bytes">The file; changed in place where <paramref name="owned"/>.</param>
    /// <param name="owned">Whether nobody else looks at the bytes.</param>
    /// <param name="file">The file's name, for messages.</param>
    /// <param name="maxColumns">Most cells in a row.</param>
    /// <param name="warnings">Takes what was put right.</param>
    /// <exception cref="SignalFormatException">Not text, or a workbook.</exception>
    /// <exception cref="SignalLimitException">A row has too many cells.</exception>
    public static CsvText Prepare(byte[] bytes, bool owned, string file, int maxColumns, List<SignalWarning> warnings)
    {
        RefuseOtherFiles(bytes, file);
        Memory<byte> text = Decode(bytes, ref owned, file, warnings);
        // The mark that ends files of CP/M and its heirs; zeros where a machine went off before a file was written.
        int end = text.Span.LastIndexOfAnyExcept((byte)0, (byte)0x1A) + 1;
        if (end > 0 && text.Length - end > 1)
            warnings.Add(new SignalWarning(SignalWarningKind.Data, $"{file} ends in {text.Length - end} zero bytes, which are left out."));
        text = text[..end];
        if (text.Span.IndexOf((byte)'\n') < 0 && text.Span.IndexOf((byte)'\r') >= 0)
        {
            text = Own(text, ref owned);
            text.Span.Replace((byte)'\r', (byte)'\n');
        }
        int joined = LineBreaksInNames(text.Span, []);
        if (joined > 0)
        {
            text = Own(text, ref owned);
            Span<byte> changed = text.Span;
            LineBreaksInNames(changed, changed);
        }
        (int start, int lines, string? comment, byte? stated) = SkipComments(text.Span);
        lines += joined;
        text = text[start..];
        // A thousand columns with names of a thousand characters: before anything is made of a line that no table has.
        foreach (Range line in text.Span.Split((byte)'\n'))
        {
            if (text.Span[line].Length > MaxLine)
                throw new SignalLimitException(file, "bytes in one line", text.Span[line].Length, MaxLine);
        }
        (byte separator, bool decimalComma, bool blanks) = Dialect(text.Span, stated);
        if (blanks)
        {
            text = Own(text, ref owned);
            text = text[..JoinBlanks(text.Span)];
        }
        foreach (Range line in text.Span.Split((byte)'\n'))
        {
            int cells = text.Span[line].Count(separator) + 1;
            // A separator at the end and one within quotes count too; this bound is against files that are nothing but separators.
            if (cells > (2 * maxColumns) + 8)
                throw new SignalLimitException(file, "columns", cells, maxColumns);
        }
        return new CsvText(text, lines, separator, decimalComma, blanks, comment);
    }

    /// <summary>The cells of a line, quotes taken off.</summary>
    public static string[] Cells(string line, byte separator, bool blanks)
    {
        var cells = new List<string>();
        if (blanks)
            line = line.Replace('\t', ' ');
        int start = 0;
        bool quoted = false;
        for (int i = 0; i <= line.Length; i++)
        {
            if (i < line.Length && line[i] == '"')
                quoted = !quoted;
            if (i == line.Length || (!quoted && (line[i] == separator || (blanks && line[i] == ' '))))
            {
                string cell = line[start..i].Trim().Trim('"').Trim();
                if (!blanks || cell.Length > 0)
                    cells.Add(cell);
                start = i + 1;
            }
        }
        return [.. cells];
    }

    private static void RefuseOtherFiles(ReadOnlySpan<byte> bytes, string file)
    {
        if (bytes.StartsWith("PK\x03\x04"u8))
            throw new SignalFormatException(file,
                "is a zip archive, as Excel's workbooks (.xlsx) are, and no text; save the sheet as 'CSV UTF-8 (comma delimited)'.");
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0xD0, 0xCF, 0x11, 0xE0]))
            throw new SignalFormatException(file,
                "is an Excel workbook (.xls), not text; save the sheet as 'CSV UTF-8 (comma delimited)'.");
        ForeignFile.Refuse(bytes, file);
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE, 0, 0]))
            throw new SignalFormatException(file, "is UTF-32 text; save it as UTF-8.");
    }

    private static Memory<byte> Own(Memory<byte> text, ref bool owned)
    {
        if (owned)
            return text;
        owned = true;
        return text.ToArray();
    }

    private static Memory<byte> Decode(byte[] bytes, ref bool owned, string file, List<SignalWarning> warnings)
    {
        ReadOnlySpan<byte> start = bytes.AsSpan(0, Math.Min(bytes.Length, 64));
        bool little = start.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]), big = start.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF]);
        int skip = little || big ? 2 : 0;
        if (skip == 0 && start.Length >= 8)
        {
            // ASCII in UTF-16 without a mark has a zero in every other byte.
            int even = 0, odd = 0;
            for (int i = 0; i + 1 < start.Length; i += 2)
                (even, odd) = (even + (start[i] == 0 ? 1 : 0), odd + (start[i + 1] == 0 ? 1 : 0));
            little = even == 0 && odd > start.Length / 4;
            big = odd == 0 && even > start.Length / 4;
        }
        if (little || big)
        {
            owned = true;
            try
            {
                return Encoding.Convert(new UnicodeEncoding(big, false, throwOnInvalidBytes: true), Encoding.UTF8, bytes, skip,
                    bytes.Length - skip);
            }
            catch (DecoderFallbackException e)
            {
                throw new SignalFormatException(file, "begins as UTF-16 text but is none; save it as UTF-8.", default, e);
            }
        }
        if (bytes.AsSpan().StartsWith("\uFEFF"u8))
            return Utf8.IsValid(bytes) ? bytes.AsMemory(3) : throw new SignalFormatException(file,
                "has the mark of UTF-8 text but is none.");
        if (Utf8.IsValid(bytes))
            return bytes;
        if (bytes.AsSpan().ContainsAnyInRange((byte)0, (byte)8))
            throw new SignalFormatException(file, "is not text (it is neither UTF-8, UTF-16 nor Latin-1).");
        warnings.Add(new SignalWarning(SignalWarningKind.Header, $"{file} is not UTF-8; it is read as Latin-1."));
        owned = true;
        return Encoding.Convert(Encoding.Latin1, Encoding.UTF8, bytes);
    }

    // Blank lines and lines that begin with '#', up to the first row. '#N/A' is a cell and no comment.
    private static (int Start, int Lines, string? Last, byte? Separator) SkipComments(ReadOnlySpan<byte> text)
    {
        int start = 0, lines = 0;
        string? last = null;
        byte? separator = null;
        while (start < text.Length)
        {
            int length = text[start..].IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = text.Slice(start, length < 0 ? text.Length - start : length).Trim(" \t\r"u8);
            if (line.Length == 5 && line.StartsWith("sep="u8))
                separator = line[4];
            else if (line.StartsWith("#"u8) && !CsvCell.IsErrorToken(FirstCell(line)))
                last = Encoding.UTF8.GetString(line[1..Math.Min(line.Length, MaxJudgedLine)]);
            else if (!line.IsEmpty)
                break;
            else if (lines == 0 && length < 0)
                return (text.Length, 0, null, null);
            start = length < 0 ? text.Length : start + length + 1;
            lines++;
        }
        // Blank lines at the front of a single column are missing samples.
        return last is null && separator is null ? (0, 0, null, null) : (start, lines, last, separator);
    }

    // A spreadsheet's heading of two lines ("Time\n[s]") becomes one of one, before the first row; anywhere else a line break within quotes
    // is a fault. How many there are; they become blanks in the target, which is the text or nothing.
    private static int LineBreaksInNames(ReadOnlySpan<byte> text, Span<byte> target)
    {
        const int MaxHead = 1 << 14, MaxCell = 256;
        int count = 0;
        text = text[..Math.Min(text.Length, MaxHead)];
        for (int at = 0; at < text.Length; at++)
        {
            bool begins = at == 0 || text[at - 1] is (byte)'\n' or (byte)'\r' or (byte)',' or (byte)';' or (byte)'\t';
            if (begins && (at == 0 || text[at - 1] == '\n') && text[at] is (byte)'-' or (byte)'.' or (>= (byte)'0' and <= (byte)'9'))
                break;
            if (!begins || text[at] != '"')
                continue;
            int length = text[(at + 1)..Math.Min(text.Length, at + 1 + MaxCell)].IndexOf((byte)'"');
            if (length < 0 || at + length + 2 >= text.Length || !",;\t\r\n"u8.Contains(text[at + length + 2]))
                break;
            ReadOnlySpan<byte> cell = text.Slice(at + 1, length);
            count += cell.Count((byte)'\n');
            if (!target.IsEmpty)
            {
                target.Slice(at + 1, length).Replace((byte)'\n', (byte)' ');
                target.Slice(at + 1, length).Replace((byte)'\r', (byte)' ');
            }
            at += length + 1;
        }
        return count;
    }

    private static ReadOnlySpan<byte> FirstCell(ReadOnlySpan<byte> line)
    {
        int end = line.IndexOfAny(",;\t| "u8);
        return (end < 0 ? line : line[..end]).Trim("'\""u8);
    }

    private static readonly (byte Separator, bool Blanks)[] Candidates = [((byte)',', false), ((byte)';', false), ((byte)'\t', false),
        ((byte)'|', false), ((byte)' ', true)];

    private static (byte Separator, bool DecimalComma, bool Blanks) Dialect(ReadOnlySpan<byte> text, byte? stated)
    {
        string[] lines = LastLines(text);
        (double Score, byte Separator, bool Comma, bool Blanks) best = (0, (byte)',', false, false);
        foreach ((byte separator, bool blanks) in Candidates)
        {
            if (stated is { } s && s != separator)
                continue;
            foreach (bool comma in (ReadOnlySpan<bool>)[false, true])
            {
                if (comma && separator == ',' && !HasQuotedDecimals(lines))
                    continue;
                double score = Score(lines, blanks ? (byte)'\t' : separator, blanks, comma);
                if (score > best.Score)
                    best = (score, blanks ? (byte)'\t' : separator, comma, blanks);
            }
        }
        // Names and units alone, or a single column: whatever parts the first line most.
        if (best.Score == 0)
            best.Separator = stated ?? Candidates.Where(c => !c.Blanks).MaxBy(c => lines.Length == 0 ? 0
                : lines[0].Count(x => x == c.Separator)).Separator;
        return (best.Separator, best.Comma, best.Blanks);
    }

    // "0,008","80,5": quoted numbers whose commas cannot part thousands, since these come in threes after a number that is not 0.
    private static bool HasQuotedDecimals(string[] lines)
    {
        bool found = false;
        foreach (string cell in lines.SelectMany(l => Cells(l, (byte)',', false)))
        {
            string[] halves = cell.TrimStart('-', '+').Split(',');
            if (cell.Contains('.', StringComparison.Ordinal) && halves[0].All(c => char.IsAsciiDigit(c) || c == '.'))
                return false;
            found |= halves.Length == 2 && halves.All(h => h.Length > 0 && h.All(char.IsAsciiDigit)) && (halves[1].Length != 3
                || halves[0] == "0");
        }
        return found;
    }

    // The share of cells that are numbers, times or missing; more columns win among equals, blanks lose against any written separator.
    private static double Score(string[] lines, byte separator, bool blanks, bool comma)
    {
        // What occurs in no line parts none; the comma stands for a single column.
        if (separator != ',' && !lines.Any(l => blanks ? l.Trim().IndexOfAny([' ', '\t']) >= 0 : l.Contains((char)separator,
            StringComparison.Ordinal)))
            return 0;
        double valid = 0, all = 0;
        int columns = -1;
        bool foreign = false;
        foreach (string raw in lines)
        {
            string[] cells = Cells(raw, separator, blanks);
            if (blanks && cells.Any(c => c.AsSpan().IndexOfAny(",;|") >= 0 && !comma))
                return 0;
            columns = columns < 0 ? cells.Length : columns == cells.Length ? columns : 0;
            foreach (string cell in cells)
            {
                bool number = CsvCell.IsValue(Encoding.UTF8.GetBytes(cell), comma);
                // Another separator within a cell: it is rather that one.
                foreign |= !number && cell.AsSpan().IndexOfAny(";\t|") >= 0;
                valid += number ? 1 : 0;
                all++;
            }
        }
        if (all == 0 || valid == 0)
            return 0;
        double share = valid / all * (foreign ? 0.5 : 1);
        bool several = columns > 1;
        // A lone column of 0,5 may as well be two of 0 and 5.
        if (comma && !several)
            return 0;
        return (share * (columns > 0 ? 1 : 0.5) * (several || columns < 0 ? 1 : 0.9) * (blanks ? 0.99 : 1)) + (several
            ? 1e-4 * Math.Min(columns, 100) / 100 : 0) - (comma ? 1e-6 : 0);
    }

    // Of the first lines the last ones, which are rows whatever stands before the header.
    private static string[] LastLines(ReadOnlySpan<byte> text)
    {
        var lines = new Queue<string>();
        int seen = 0;
        for (int start = 0; start < text.Length && seen < SampleLines;)
        {
            int length = text[start..].IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = text.Slice(start, length < 0 ? text.Length - start : length).TrimEnd("\r"u8);
            start = length < 0 ? text.Length : start + length + 1;
            if (line.Trim(" \t"u8).IsEmpty || line.Length > MaxJudgedLine)
                continue;
            seen++;
            lines.Enqueue(Encoding.UTF8.GetString(line));
            if (lines.Count > JudgedLines)
                lines.Dequeue();
        }
        return [.. lines];
    }

    // Runs of blanks become one tab each, blanks at both ends of a line go. Within square brackets (absolute times) they stay.
    private static int JoinBlanks(Span<byte> text)
    {
        int to = 0;
        bool blank = false, atStart = true, bracket = false;
        foreach (byte b in text)
        {
            if (b is (byte)'\n' or (byte)'\r')
            {
                text[to++] = b;
                (blank, atStart, bracket) = (false, true, false);
            }
            else if (b is (byte)' ' or (byte)'\t' && !bracket)
            {
                blank = true;
            }
            else
            {
                if (blank && !atStart)
                    text[to++] = (byte)'\t';
                (blank, atStart) = (false, false);
                bracket = b == (byte)'[' || (bracket && b != (byte)']');
                text[to++] = b;
            }
        }
        return to;
    }
}
