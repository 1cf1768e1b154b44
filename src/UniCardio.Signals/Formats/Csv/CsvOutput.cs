using System.Globalization;
using CsvHelper;

namespace UniCardio.Signals.Formats.Csv;

/// <summary>How this project writes CSV: one kind of line end, and what a spreadsheet would run as a formula escaped.</summary>
internal static class CsvOutput
{
    /// <summary>The writer's settings.</summary>
    public static CsvWriterOptions Options => new() { NewLine = "\n", Injection = CsvInjection.Escape };

    /// <summary>Writes a text that may come from elsewhere, as a channel's name does, or that holds a number.</summary>
    /// <remarks>The library's list of what begins a formula is ASCII; a spreadsheet takes the full-width forms of it too. A number with a
    /// sign in front is none: escaped, no reader takes it for a number any more.</remarks>
    public static void WriteText(this CsvWriter csv, string text)
    {
        if (text is ['-' or '+', ..] && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number))
            csv.WriteField(number);
        else
            csv.WriteField(text is ['\uFF1D' or '\uFF0B' or '\uFF0D' or '\uFF20', ..] ? "'" + text : text);
    }

    /// <summary>A table as text: numbers in six digits, nothing where a cell is null or a dash, a screen's word for none.</summary>
    public static string Of(IEnumerable<string> headings, IEnumerable<IEnumerable<object?>> rows)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        using (CsvWriter csv = CsvWriter.Create(text, Options, leaveOpen: true))
        {
            foreach (IEnumerable<object?> row in rows.Prepend(headings))
            {
                foreach (object? cell in row)
                    csv.WriteText(cell is double number ? number.ToString("G6", CultureInfo.InvariantCulture)
                        : Convert.ToString(cell, CultureInfo.InvariantCulture) is { } words and not "-" ? words : "");
                csv.EndRecord();
            }
        }

        return text.ToString();
    }
}
