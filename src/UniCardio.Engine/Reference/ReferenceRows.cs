namespace UniCardio.Engine.Reference;

/// <summary>Runs work over ranges of rows on several threads. Rows are independent, so results do not depend on how they are divided.</summary>
internal static class ReferenceRows
{
    private const int RangeRows = 32;

    /// <summary>Calls <paramref name="work"/>(first row, number of rows) for ranges that cover all rows once.</summary>
    /// <param name="rows">Number of rows.</param>
    /// <param name="threads">Most threads at a time; 0 for as many as the machine has.</param>
    /// <param name="work">What to do with a range.</param>
    public static void For(int rows, int threads, Action<int, int> work)
    {
        var options = new ParallelOptions { MaxDegreeOfParallelism = threads == 0 ? -1 : threads };
        Parallel.For(0, (rows + RangeRows - 1) / RangeRows, options, i => work(i * RangeRows, Math.Min(RangeRows, rows - (i * RangeRows))));
    }
}
