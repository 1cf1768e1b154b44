namespace UniCardio.Weights.Tests;

/// <summary>Reference files beside the clone; tests that need them skip where they are absent.</summary>
internal static class SharedFiles
{
    private static readonly string? Root = Find();

    public static string Require(string relative)
    {
        string? path = Root is null ? null : Path.Combine(Root, relative);
        Skip.IfNot(path is not null && File.Exists(path), $"../shared/{relative} is not here");
        return path!;
    }

    private static string? Find()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "UniCardio.Engine.sln")))
                return Path.GetFullPath(Path.Combine(at.FullName, "..", "shared"));
        }

        return null;
    }
}
