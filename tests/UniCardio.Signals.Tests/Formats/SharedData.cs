using System.IO.Compression;

namespace UniCardio.Signals.Tests.Formats;

/// <summary>Sample recordings that lie beside the checkout (../shared/data); tests that need them skip where they are absent.</summary>
internal static class SharedData
{
    private static readonly string? Root = Find();

    public static string Require(string relative)
    {
        Skip.If(Root is null, "The sample recordings (../shared/data) are not on this machine.");
        string path = Path.Combine(Root!, relative);
        Skip.IfNot(File.Exists(path), $"The sample {relative} is not on this machine.");
        return path;
    }

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

    private static string? Find()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "UniCardio.Engine.sln")))
            {
                string data = Path.Combine(at.Parent?.FullName ?? "", "shared", "data");
                return Directory.Exists(data) ? data : null;
            }
        }
        return null;
    }
}
