using System.Globalization;
using System.Text;
using CsvHelper;

namespace UniCardio.Signals.Formats.Csv;

/// <summary>What stands before the rows of a table: names, units, and lines that are neither.</summary>
/// <param name="Records">Records before the first row.</param>
/// <param name="Columns">Cells of a row.</param>
/// <param name="Names">Names of the columns, null where the file has none.</param>
/// <param name="Units">Their units where a row of its own states them.</param>
/// <param name="OtherLines">Lines before the names that say something else.</param>
/// <param name="FirstIsTime">Whether the first column, unnamed, counts up evenly as times do.</param>
internal sealed record CsvLayout(int Records, int Columns, string[]? Names, string[]? Units, int OtherLines, bool FirstIsTime)
{
    private const int MaxRecords = 200, RowsToTellTime = 8;

    /// <summary>Samples a second and the start, where the first two rows state them and no name does (Empatica's E4).</summary>
    public double? Rate { get; init; }

    /// <summary>See <see cref="Rate"/>.</summary>
    public DateTime? Start { get; init; }

    /// <summary>Looks at the first records.</summary>
    /// <exception cref="SignalFormatException">There are no rows, or text stands among them.</exception>
    public static CsvLayout Find(CsvReader reader, CsvText text, string file)
    {
        var records = new List<(string[] Cells, long Line)>();
        while (records.Count < MaxRecords && reader.Read())
        {
            var cells = new string[reader.FieldCount];
            for (int i = 0; i < cells.Length; i++)
                cells[i] = Strip(reader.GetString(i));
            records.Add((cells, reader.LineNumber + text.Lines));
        }
        int last = records.FindLastIndex(r => r.Cells.Any(c => c.Length > 0));
        // A longer file may begin with as many rows of missing samples as it likes.
        bool goesOn = records.Count == MaxRecords;
        if (last < 0 && !(goesOn && records.TrueForAll(r => r.Cells.Length < 2)))
            throw new SignalFormatException(file, "is empty; expected rows of numbers, with or without a header.");
        // Everything after the last line of text is rows: what is not, is looked for among the lines before them.
        int body = 1 + records.FindLastIndex(r => IsText(r.Cells, text.DecimalComma));
        int rowsBefore = records.Take(body).Count(r => IsRow(r.Cells, text.DecimalComma));
        if (body > last && goesOn && rowsBefore == 0 && last < records.Count - 1)
            return WithNames(records, body, Math.Max(1, last < 0 ? 1 : records[last].Cells.Length), text, file);
        if (body > last)
        {
            // A header alone; or the last of a few rows is broken, and reading it says how.
            if (rowsBefore == 0 && !Array.Exists(records[last].Cells, BeginsAsNumber))
                throw new SignalFormatException(file, "has a header but no samples.");
            body = records.FindIndex(r => IsRow(r.Cells, text.DecimalComma)) is >= 0 and var row ? row : last;
            rowsBefore = 0;
        }
        if (rowsBefore >= 3)
        {
            (string[] cells, long line) = records[body - 1];
            throw new SignalFormatException(file,
                $"'{Shorten(cells.First(c => c.Length > 0))}' stands among rows of numbers; expected text only before the first row.",
                new SignalLocation(Line: line));
        }
        int first = records.FindIndex(body, r => r.Cells.Any(c => c.Length > 0));
        int columns = records[first].Cells.Length;
        // In a single column a blank line is a missing sample, in others, and after lines on the file, it is nothing.
        bool skip = columns > 1 || (body > 0 && records.FindLast(r => r.Cells.Any(c => c.Length > 0) && r.Line < records[first].Line)
            .Cells is { Length: > 1 });
        return WithNames(records, skip ? first : body, columns, text, file);
    }

    /// <summary>A cell in a message.</summary>
    public static string Shorten(string cell) => cell.Length <= 40 ? cell : cell[..40] + "...";

    private static CsvLayout WithNames(List<(string[] Cells, long Line)> records, int body, int columns, CsvText text, string file)
    {
        List<string[]> lines = [.. records.Take(body).Select(r => r.Cells).Where(c => c.Any(x => x.Length > 0))];
        string[]? units = null;
        if (lines.Count > 1 && lines[^1].Length == columns && lines[^2].Length >= columns - 1
            && IsUnits(lines[^1], lines[^2], text.DecimalComma))
        {
            units = [.. lines[^1].Select(u => u.Trim('(', ')', '[', ']', ' '))
                .Select(u => CsvCell.MeansNothing(u) ? "-" : u)];
            lines.RemoveAt(lines.Count - 1);
        }
        string[]? names = lines.Count > 0 ? lines[^1] : null;
        // Above a single column, lines of two cells say something of the file: Sample Rate,512 hertz.
        int others = lines.Count - 1;
        if (names is { Length: > 1 } && columns == 1 && others > 0)
            (names, others) = (null, lines.Count);
        if (Titles(lines, columns) is var (titles, ranges))
            (names, units) = (titles, ranges);
        // R's write.table has no name over the numbers of its rows.
        else if (names is not null && names.Length == columns - 1 && NumberRows([.. records.Skip(body).Select(r => r.Cells)]))
            (names, units) = (["", .. names], units is null ? null : ["", .. units]);
        if (names is null && text.LastComment is { } comment && CsvText.Cells(comment, text.Separator, text.Blanks) is var given
            && given.Length == columns && IsHeader(given))
            names = [.. given.Select(Strip)];
        if (names is null && lines.Count == 0 && StartAndRate(records, body) is var (start, rate))
            return new CsvLayout(body + 2, columns, null, null, 0, false) { Start = start, Rate = rate };
        string[] spoken = names is not null && lines.Count > 0 ? names : body < records.Count ? records[body].Cells : [];
        if ((lines.Count > 0 || names is null) && spoken.Any(n => n.Length > 0 && CsvCell.Read(Encoding.UTF8.GetBytes(n),
            text.DecimalComma, out _) == CsvCellKind.Number))
        {
            int column = Array.FindIndex(spoken, n => n.Length > 0 && IsWord(n, text.DecimalComma));
            if (column >= 0 && (names is not null || !BeginsAsNumber(spoken[column])))
            {
                throw new SignalFormatException(file,
                    $"'{Shorten(spoken[column])}' stands among numbers; expected either a header of names alone or a row of numbers.",
                    new SignalLocation(Line: records[names is null ? body : body - 1].Line, Channel: $"column {column}"));
            }
        }
        bool known = names is not null && names.Any(n => CsvTimeColumn.IsTime(n, out _));
        return new CsvLayout(body, columns, names, units, Math.Max(others, 0), !known
            && FirstCountsUp([.. records.Skip(body).Select(r => r.Cells)], text.DecimalComma));
    }

    // LabChart's text: ChannelTitle= over the channels but not over the time, and a range with a unit for each.
    private static (string[] Names, string[]? Units)? Titles(List<string[]> lines, int columns)
    {
        string[]? Find(string key) => lines.FindLast(l => l[0] == key) is { } line && line.Length >= columns
            ? line[1..columns] : null;
        if (Find("ChannelTitle=") is not { } titles)
            return null;
        string[]? units = Find("UnitName=") ?? (Find("Range=") is { } ranges ? [.. ranges.Select(r => r[(r.LastIndexOf(' ') + 1)..])]
            : null);
        return (["time", .. titles], units is null ? null : ["", .. units]);
    }

    private static bool NumberRows(string[][] rows)
    {
        rows = [.. rows.Where(r => r.Length > 1)];
        return rows.Length > 1 && Enumerable.Range(0, rows.Length).All(i => int.TryParse(rows[i][0], NumberStyles.None,
            CultureInfo.InvariantCulture, out int number) && number == i + 1);
    }

    // Unix time, then samples a second, the same in every column, then samples of another size.
    private static (DateTime Start, double Rate)? StartAndRate(List<(string[] Cells, long Line)> records, int body)
    {
        double? Only(int row) => records[row].Cells is [var first, ..] cells && Array.TrueForAll(cells, c => c == first)
            && double.TryParse(first, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value) ? value : null;
        return records.Count > body + 2 && Only(body) is > 1e9 and < 4.2e9 and var seconds
            && Only(body + 1) is >= 1 and <= 4096 and var rate && rate == Math.Floor(rate)
            && double.TryParse(records[body + 2].Cells[0], NumberStyles.Float, CultureInfo.InvariantCulture, out double sample)
            && Math.Abs(sample) < 1e8
            ? (DateTime.UnixEpoch.AddTicks((long)(seconds * 1e6) * 10), rate) : null;
    }

    private static bool BeginsAsNumber(string cell) => cell.TrimStart('-', '+', '.') is [var digit, ..] && char.IsAsciiDigit(digit);

    // Words without any number in them; a blank line is no text.
    private static bool IsText(string[] cells, bool decimalComma)
    {
        int words = cells.Count(c => c.Length > 0 && IsWord(c, decimalComma)), filled = cells.Count(c => c.Length > 0);
        // Units may be said of some columns only: s, -, n/a, mV.
        return words > 0 && (2 * words > filled
            || cells.All(c => c.Length == 0 || IsUnit(c) || (!IsWord(c, decimalComma) && CsvCell.MeansNothing(c))));
    }

    private static bool IsUnit(string cell) => cell.Trim('(', ')', '[', ']', ' ') is var bare
        && (CsvTimeColumn.IsUnit(bare) || SignalUnit.IsKnown(bare) || bare == "nA");

    private static bool IsRow(string[] cells, bool decimalComma) => cells.Any(c => c.Length > 0) && !IsText(cells, decimalComma);

    // 1,024 is no word, whether its comma is a decimal mark or parts thousands.
    private static bool IsWord(string cell, bool decimalComma) => !CsvCell.IsValue(Encoding.UTF8.GetBytes(cell), decimalComma)
        && !CsvCell.IsValue(Encoding.UTF8.GetBytes(cell), true);

    // A single comment may be anything; as a name it has to say what it measures.
    private static bool IsHeader(string[] names) => names.Length > 1 || (SignalUnit.SplitName(names[0]) is var (name, unit)
        && (unit.Length > 0 || ChannelKindRecognition.Recognize(name, unit) != ChannelKind.Other));

    // rdsamp -v -c and many monitors: 'seconds' over the time column, mV and mmHg over the others, in brackets or bare.
    private static bool IsUnits(string[] cells, string[] names, bool decimalComma)
    {
        int known = 0;
        for (int i = 0; i < cells.Length; i++)
        {
            string bare = cells[i].Trim('(', ')', '[', ']', ' ');
            bool bracketed = bare.Length < cells[i].Length;
            if (bare.Length == 0 || CsvCell.MeansNothing(bare))
                continue;
            bool isTime = i < names.Length && CsvTimeColumn.IsTime(names[i], out _) && CsvTimeColumn.IsUnit(bare);
            if (isTime || IsUnit(bare))
                known++;
            else if (!bracketed && (bare.Length > 10 || !IsWord(bare, decimalComma) || ChannelKindRecognition.Recognize(bare,
                "") != ChannelKind.Other || CsvTimeColumn.IsTime(bare, out _)))
                return false;
        }
        return known > 0;
    }

    // 0.000 0.008 0.016: fractions that rise by equal steps. Whole numbers may be an index, and say no rate.
    private static bool FirstCountsUp(string[][] rows, bool decimalComma)
    {
        rows = [.. rows.Where(r => r.Length > 0 && r[0].Length > 0)];
        if (rows.Length < RowsToTellTime || rows[0].Length < 2)
            return false;
        var times = new double[rows.Length];
        bool fractions = false;
        for (int i = 0; i < rows.Length; i++)
        {
            if (!CsvTime.TryParse(Encoding.UTF8.GetBytes(rows[i][0]), decimalComma, out CsvTime time)
                || (i > 0 && i < rows.Length && time.Value + (time.Ticks / 1e7) <= times[i - 1]))
                return false;
            fractions |= time.Decimals > 0;
            times[i] = time.Kind == CsvTimeKind.Date ? time.Ticks / 1e7 : time.Value;
        }
        double step = (times[^1] - times[0]) / (times.Length - 1);
        return fractions && step > 0
            && Enumerable.Range(1, times.Length - 1).All(i => Math.Abs(times[i] - times[0] - (i * step)) < 0.6 * step);
    }

    private static string Strip(string cell) => cell.Trim().Trim('\'').Trim();
}
