using UniCardio.Signals;

namespace UniCardio.Training.Data;

/// <summary>The recordings below a folder.</summary>
internal static class RecordingFolder
{
    private static readonly string[] Extensions = [".csv", ".tsv", ".npy", ".hea", ".edf", ".bdf", ".rec"];

    /// <summary>Paths of the recordings, relative to the folder, in ordinal order. Segments of a WFDB record are part of it, not
    /// recordings.</summary>
    /// <exception cref="SignalFileException">There is no such folder, or it cannot be read.</exception>
    public static List<string> List(string folder)
    {
        var paths = new List<string>();
        var segments = new HashSet<string>(StringComparer.Ordinal);
        try
        {
            foreach (string path in Directory.EnumerateFiles(
                folder, "*", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = false }))
            {
                string extension = Path.GetExtension(path).ToLowerInvariant();
                if (!Extensions.Contains(extension))
                    continue;
                paths.Add(path);
                if (extension == ".hea")
                    AddSegments(path, segments);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SignalFileException(folder, $"the folder cannot be read: {e.Message}", e);
        }

        return [.. paths.Where(p => !segments.Contains(p)).Select(p => Path.GetRelativePath(folder, p)).Order(StringComparer.Ordinal)];
    }

    // A multi-segment header begins "name/count ..." and then has a line "segment samples" for each (WFDB header(5)).
    private static void AddSegments(string header, HashSet<string> segments)
    {
        const int MaxLines = 100_000;
        bool first = true, several = false;
        foreach (string line in File.ReadLines(header).Take(MaxLines))
        {
            if (line.Length == 0 || line[0] == '#')
                continue;
            string name = line.Split((char[])[' ', '\t'], 2)[0];
            if (first)
                several = name.Contains('/', StringComparison.Ordinal);
            else if (name.Length > 0 && name != "~" && !name.Contains('/', StringComparison.Ordinal))
                segments.Add(Path.Combine(Path.GetDirectoryName(header)!, name + ".hea"));
            if (!several)
                return;
            first = false;
        }
    }
}
