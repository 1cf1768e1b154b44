using System.Globalization;
using UniCardio.Engine.Model;

namespace UniCardio.Training.Runs;

/// <summary>A row of log.csv.</summary>
internal readonly record struct LogRow(long Updates, int Phase, double Loss, double WindowsPerSecond, double PeakPercent);

/// <summary>A row of validation.csv.</summary>
internal readonly record struct CheckRow(long Updates, string Weights, CardioTask Task, double Loss, double LastProbe, double HighProbe);

/// <summary>A run's tables, read back for drawing. Rows that cannot be read, such as one that is just being written, are left
/// out.</summary>
internal sealed record RunHistory(IReadOnlyList<LogRow> Log, IReadOnlyList<CheckRow> Checks)
{
    public static RunHistory Read(RunFolder folder) => new([.. Rows(folder.LogFile).Select(LogRowOf).OfType<LogRow>()],
        [.. Rows(folder.ValidationFile).Select(CheckRowOf).OfType<CheckRow>()]);

    private static IEnumerable<string> Rows(string path)
    {
        if (!File.Exists(path))
            yield break;
        // The run itself holds the file open for writing.
        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        reader.ReadLine();
        while (reader.ReadLine() is string row)
            yield return row;
    }

    private static LogRow? LogRowOf(string row)
    {
        string[] cells = row.Split(',');
        return cells.Length == 9 && long.TryParse(cells[0], NumberStyles.None, CultureInfo.InvariantCulture, out long updates)
            ? new LogRow(updates, (int)Number(cells[1]), Number(cells[3]), Number(cells[6]), Number(cells[7]))
            : null;
    }

    // step,phase,weights,"task",loss,probe_last,probe_high
    private static CheckRow? CheckRowOf(string row)
    {
        string[] parts = row.Split('"');
        if (parts.Length != 3 || !CardioTask.TryParse(parts[1], null, out CardioTask task))
            return null;
        string[] before = parts[0].Split(','), after = parts[2].Split(',');
        return before.Length == 4 && after.Length == 4
            && long.TryParse(before[0], NumberStyles.None, CultureInfo.InvariantCulture, out long updates)
            ? new CheckRow(updates, before[2], task, Number(after[1]), Number(after[2]), Number(after[3]))
            : null;
    }

    private static double Number(string text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
        ? value : double.NaN;
}
