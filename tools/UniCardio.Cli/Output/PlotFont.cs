using SkiaSharp;

namespace UniCardio.Cli.Output;

/// <summary>The letters of a PNG: those of the system, or, on Linux, where Skia is built without a list of fonts, of a font file.</summary>
internal static class PlotFont
{
    private static readonly string[] Families = ["Helvetica", "Arial", "Segoe UI", "Liberation Sans", "DejaVu Sans"];

    private static readonly string[] Files = ["LiberationSans-Regular.ttf", "DejaVuSans.ttf", "NotoSans-Regular.ttf", "FreeSans.ttf"];

    private static readonly string[] Folders =
    [
        "/usr/share/fonts", "/usr/local/share/fonts",
        Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".fonts"),
        Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "fonts"),
    ];

    /// <summary>A face without serifs if there is one; the caller disposes of it.</summary>
    /// <exception cref="UsageException">This machine has none.</exception>
    public static SKTypeface Find()
    {
        IEnumerable<SKTypeface?> all = Families.Select(f => SKFontManager.Default.MatchFamily(f))
            .Concat(InFolders().Select(f => SKTypeface.FromFile(f)));
        return all.FirstOrDefault(f => f is { GlyphCount: > 0 })
            ?? throw new UsageException("a PNG would have no words, as this machine has no fonts; take a name that ends in .svg");
    }

    // Those known to have no serifs first.
    private static IOrderedEnumerable<string> InFolders() => Folders.Where(Directory.Exists)
        .SelectMany(f => Directory.EnumerateFiles(f, "*.?tf",
            new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true }))
        .OrderBy(f => Array.IndexOf(Files, Path.GetFileName(f)) is var at && at < 0 ? Files.Length : at)
        .ThenBy(f => f, StringComparer.Ordinal);
}
