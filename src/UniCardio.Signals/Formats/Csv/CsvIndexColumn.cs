namespace UniCardio.Signals.Formats.Csv;

/// <summary>Columns that number the rows and measure nothing.</summary>
internal static class CsvIndexColumn
{
    private static readonly HashSet<string> Names = new(StringComparer.OrdinalIgnoreCase)
    {
        "", "#", "n", "nr", "no", "idx", "index", "sample", "samples", "sample #", "sample no", "sample number", "sample_number",
            "sample index", "sample_index", "samplenumber", "row", "row_number", "frame", "counter", "count", "nseq", "seq", "sequence",
            "unnamed: 0",
    };

    /// <summary>Where rows go by such a column, null where it is none: its name must say so, or it has none, and its numbers must rise one
    /// by one.</summary>
    /// <param name="column">The column.</param>
    /// <param name="heading">Its heading.</param>
    /// <param name="hasHeader">Whether the table names its columns, so that a column without a name is one.</param>
    public static RowGrid? Find(SampleColumn column, string heading, bool hasHeader)
    {
        if (!Names.Contains(heading.Trim()) || (heading.Length == 0 && !hasHeader))
            return null;
        // Separators at the end of each row leave a column of nothing.
        if (column.IsMissing)
            return heading.Length == 0 ? RowGrid.Plain(column.Count) : null;
        var gaps = new List<(int, int)>();
        float first = column[0];
        double expected = first;
        for (int i = 0; i < column.Count; i++, expected++)
        {
            double value = column[i];
            // Above 2^24 float32 no longer holds every integer; the cast rounds the same way.
            if (value == (float)expected)
                continue;
            if (!(value > expected && value < 1 << 24 && value == Math.Floor(value)) || 4 * (gaps.Count + 1) > column.Count)
                return null;
            gaps.Add((i, (int)(value - expected)));
            expected = value;
        }
        return new RowGrid(column.Count, gaps, []);
    }
}
