using System.Globalization;
using System.Text;

namespace UniCardio.Signals.Formats.Csv;

/// <summary>What a cell of a table can hold.</summary>
internal enum CsvCellKind
{
    /// <summary>A finite number.</summary>
    Number,

    /// <summary>Nothing, or a word for it: NaN, NA, null, a dash, a question mark.</summary>
    Missing,

    /// <summary>What a spreadsheet writes where a formula failed, or a monitor where it measured nothing: #N/A, #VALUE!, Lead
    /// off.</summary>
    Error,

    /// <summary>Inf, by name.</summary>
    Infinite,

    /// <summary>A number that double does not hold.</summary>
    OutOfRange,

    /// <summary>Anything else.</summary>
    Text,
}

/// <summary>Reads single cells.</summary>
internal static class CsvCell
{
    private static readonly HashSet<string> MissingWords = new(StringComparer.OrdinalIgnoreCase)
    {
        "nan", "na", "n/a", "n.a.", "null", "(null)", "none", "nil", "<na>", "nat", "missing", "undefined", "-nan", "+nan", "nan(ind)",
            "-nan(ind)", "\\n", "nd", "n.d.", "nodata", "no data",
    };

    // What a monitor writes in place of a number.
    private static readonly HashSet<string> FaultWords = new(StringComparer.OrdinalIgnoreCase)
    {
        "off", "lead off", "leads off", "error", "err", "invalid", "overflow", "xxx", "xx", "n/c", "not connected",
    };

    /// <summary>Tells what a cell holds.</summary>
    /// <param name="cell">Its bytes, white space around it taken off.</param>
    /// <param name="decimalComma">Whether numbers have a comma for their point; a point in them is no number then.</param>
    /// <param name="value">The number, NaN if it is none.</param>
    public static CsvCellKind Read(ReadOnlySpan<byte> cell, bool decimalComma, out double value)
    {
        value = double.NaN;
        cell = TrimBlanks(cell);
        if (cell.IsEmpty)
            return CsvCellKind.Missing;
        if (cell[0] == 0xE2 && cell.StartsWith("\u2212"u8) && cell.Length is > 3 and < 64)
        {
            // The typographic minus that word processors put in.
            Span<byte> plain = stackalloc byte[64];
            plain[0] = (byte)'-';
            cell[3..].CopyTo(plain[1..]);
            return Read(plain[..(cell.Length - 2)], decimalComma, out value);
        }
        if (cell[0] == (byte)'\'' || cell[^1] == (byte)'\'')
        {
            cell = cell.Trim("' "u8);
            if (cell.IsEmpty)
                return CsvCellKind.Missing;
        }
        bool digit = char.IsAsciiDigit((char)cell[0]) || (cell.Length > 1 && cell[0] is (byte)'+' or (byte)'-' or (byte)'.' or (byte)','
            && cell[1] is (byte)'.' or (byte)',' or (>= (byte)'0' and <= (byte)'9'));
        if (digit)
        {
            if (!TryNumber(cell, decimalComma, out double number))
                return OfTheCRuntime(cell);
            if (!double.IsFinite(number))
                return CsvCellKind.OutOfRange;
            value = number;
            return CsvCellKind.Number;
        }
        if (cell.Length > 16)
            return CsvCellKind.Text;
        // LibreOffice: Err:502.
        if (cell.Length == 7 && cell.StartsWith("Err:"u8) && !cell[4..].ContainsAnyExceptInRange((byte)'0', (byte)'9'))
            return CsvCellKind.Error;
        if (cell[0] == (byte)'#')
            return IsErrorToken(cell) ? CsvCellKind.Error : CsvCellKind.Text;
        string word = Encoding.UTF8.GetString(cell);
        if (MissingWords.Contains(word) || word.All(c => "-.?*/_=+~:\u2013\u2014".Contains(c, StringComparison.Ordinal)))
            return CsvCellKind.Missing;
        if (FaultWords.Contains(word))
            return CsvCellKind.Error;
        string bare = word.TrimStart('+', '-');
        return bare.Equals("inf", StringComparison.OrdinalIgnoreCase) || bare.Equals("infinity", StringComparison.OrdinalIgnoreCase)
            || bare is "\u221E" ? CsvCellKind.Infinite : CsvCellKind.Text;
    }

    /// <summary>Whether a cell says in words or signs that nothing is there, as it may in a row of units too.</summary>
    public static bool MeansNothing(string cell) => cell.Length > 0
        && Read(Encoding.UTF8.GetBytes(cell), false, out _) is CsvCellKind.Missing && cell is not "nA";

    // 1.#QNAN, -1.#IND and 1.#INF, with or without zeros after them.
    private static CsvCellKind OfTheCRuntime(ReadOnlySpan<byte> cell)
    {
        ReadOnlySpan<byte> bare = cell.TrimStart("+-"u8).TrimEnd((byte)'0');
        return bare.SequenceEqual("1.#INF"u8) ? CsvCellKind.Infinite
            : bare.SequenceEqual("1.#QNAN"u8) || bare.SequenceEqual("1.#SNAN"u8) || bare.SequenceEqual("1.#IND"u8) ? CsvCellKind.Missing
            : CsvCellKind.Text;
    }

    // Blanks, and the ones that keep words together (U+00A0, U+202F).
    /// <summary>A cell without the white space around it.</summary>
    public static ReadOnlySpan<byte> TrimBlanks(ReadOnlySpan<byte> cell)
    {
        while (!cell.IsEmpty)
        {
            int from = cell[0] == (byte)' ' ? 1 : cell.StartsWith("\u00A0"u8) ? 2 : cell.StartsWith("\u202F"u8) ? 3 : 0;
            ReadOnlySpan<byte> rest = cell[from..];
            int to = rest.EndsWith(" "u8) ? 1 : rest.EndsWith("\u00A0"u8) ? 2 : rest.EndsWith("\u202F"u8) ? 3 : 0;
            if (from + to == 0)
                break;
            cell = cell[from..^to];
        }
        return cell;
    }

    /// <summary>Whether a cell can stand among samples: a number, a time, or something missing.</summary>
    public static bool IsValue(ReadOnlySpan<byte> cell, bool decimalComma) =>
        Read(cell, decimalComma, out _) != CsvCellKind.Text || CsvTime.TryParse(cell, decimalComma, out _);

    /// <summary>Whether a text is what a spreadsheet shows where it has no value, in any of its languages: #N/A, #NV, #VALUE!, #WERT!,
    /// #NAME?, ####.</summary>
    public static bool IsErrorToken(ReadOnlySpan<byte> cell)
    {
        if (cell.Length is < 2 or > 16 || cell[0] != (byte)'#')
            return false;
        ReadOnlySpan<byte> rest = cell[1..];
        if (rest.Trim((byte)'#').IsEmpty)
            return true;
        bool marked = rest[^1] is (byte)'!' or (byte)'?';
        if (marked)
            rest = rest[..^1];
        foreach (byte b in rest)
        {
            if (!(b is >= (byte)'A' and <= (byte)'Z' or (byte)'/' or (byte)'_' or (byte)'0' or (byte)' ' or >= 0x80))
                return false;
        }
        return marked || rest.SequenceEqual("N/A"u8) || rest.SequenceEqual("NA"u8) || rest.SequenceEqual("NV"u8)
            || rest.SequenceEqual("N/D"u8) || rest.SequenceEqual("N/DISP"u8)
            || rest.SequenceEqual("ND"u8) || rest.SequenceEqual("GETTING_DATA"u8) || rest.SequenceEqual("N/A N/A"u8)
            || rest.SequenceEqual("VALUE"u8) || rest.SequenceEqual("DIV/0"u8) || rest.SequenceEqual("REF"u8) || rest.SequenceEqual("NUM"u8);
    }

    /// <summary>A number in the file's own notation.</summary>
    public static bool TryNumber(ReadOnlySpan<byte> cell, bool decimalComma, out double value)
    {
        if (!decimalComma || cell.IndexOfAny((byte)',', (byte)'.') < 0)
            return double.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out value);
        Span<byte> copy = stackalloc byte[64];
        value = double.NaN;
        // 1.024,5 has a point for its thousands; that it would be read as 1.024 otherwise is why it is refused.
        if (cell.Length > copy.Length || cell.IndexOf((byte)'.') >= 0 || cell[^1] == (byte)',')
            return false;
        cell.CopyTo(copy);
        copy[cell.IndexOf((byte)',')] = (byte)'.';
        return double.TryParse(copy[..cell.Length], NumberStyles.Float, CultureInfo.InvariantCulture, out value);
    }
}
