using System.IO.Compression;

namespace UniCardio.Signals.Tests.Formats;

/// <summary>Sample recordings that lie beside the checkout (../shared/data); tests that need them skip where they are absent.</summary>
internal static class SharedData
{
    public static string Require(string relative) => Project.Shared("data", relative);

    /// <summary>Rows of numbers that a tool printed, gzipped or plain.</summary>
    public static double[][] Table(string relative)
    {
        return [.. Lines(relative).Select(l => l.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
            .Select(c => double.Parse(c, System.Globalization.CultureInfo.InvariantCulture)).ToArray())];
    }

    public static IEnumerable<string> Lines(string relative)
    {
        string path = Require(relative);
        using Stream file = File.OpenRead(path);
        using Stream stream = path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Decompress) : file;
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            if (line.Trim().Length > 0)
                yield return line;
        }
    }
}
