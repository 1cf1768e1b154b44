using System.Globalization;
using CsvHelper;

namespace UniCardio.Signals.Formats.Csv;

/// <summary>How this project writes CSV: one kind of line end, and what a spreadsheet would run as a formula escaped.</summary>
internal static class CsvOutput
{
    /// <summary>The writer's settings.</summary>
    public static CsvWriterOptions Options => new() { NewLine = "\n", Injection = CsvInjection.Escape };

    /// <summary>A table as text: numbers in six digits, nothing where a cell is null.</summary>
    public static string Of(IEnumerable<string> headings, IEnumerable<IEnumerable<object?>> rows)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        using (CsvWriter csv = CsvWriter.Create(text, Options, leaveOpen: true))
        {
            foreach (IEnumerable<object?> row in rows.Prepend(headings))
            {
                foreach (object? cell in row)
                    csv.WriteField(cell is double number ? number.ToString("G6", CultureInfo.InvariantCulture)
                        : Convert.ToString(cell, CultureInfo.InvariantCulture) ?? "");
                csv.EndRecord();
            }
        }

        return text.ToString();
    }
}
