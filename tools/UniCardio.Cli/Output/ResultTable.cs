using System.Globalization;
using Spectre.Console;

namespace UniCardio.Cli.Output;

/// <summary>Tables of plain text: nothing in a cell is taken for markup.</summary>
internal static class ResultTable
{
    /// <summary>An empty table; a heading that starts with '>' is a column of numbers, set to the right.</summary>
    public static Table Create(params string[] headings)
    {
        var table = new Table { Border = TableBorder.Simple };
        foreach (string heading in headings)
        {
            bool number = heading.StartsWith('>');
            var column = new TableColumn(new Text(number ? heading[1..] : heading));
            table.AddColumn(number ? column.RightAligned() : column);
        }

        return table;
    }

    /// <summary>Adds a row, every cell in the invariant culture.</summary>
    public static void Add(this Table table, params object?[] cells) =>
        table.AddRow(cells.Select(c => new Text(Convert.ToString(c, CultureInfo.InvariantCulture) ?? "")));

    /// <summary>A number in a format of the invariant culture.</summary>
    public static string In(this double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
