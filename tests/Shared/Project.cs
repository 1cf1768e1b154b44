namespace UniCardio.Tests;

/// <summary>
/// Files of the project and beside it. Found from the folder that the tests run in, never from a source path that the compiler wrote down:
/// deterministic builds replace those by <c>/_/</c>.
/// </summary>
internal static class Project
{
    /// <summary>The folder that holds the solution.</summary>
    public static string Root => Above("UniCardio.Engine.sln")
        ?? throw new DirectoryNotFoundException("UniCardio.Engine.sln is in no folder above the tests");

    /// <summary>The recording that the commands' examples run on.</summary>
    public static string Example => File("tools", "UniCardio.Cli", "examples", "example.csv");

    /// <summary>A file of the project, by its path below <see cref="Root"/>.</summary>
    public static string File(params string[] path) => Path.Combine([Root, .. path]);

    /// <summary>A file in <c>shared/</c> beside the project (or further up); the test is skipped where there is none.</summary>
    public static string Shared(params string[] path) => Above(Path.Combine(["shared", .. path])) is string folder
        ? Path.Combine([folder, "shared", .. path])
        : throw new SkipException($"shared/{string.Join('/', path)} is not beside the project");

    private static string? Above(string name)
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (System.IO.File.Exists(Path.Combine(folder.FullName, name)))
                return folder.FullName;
        }

        return null;
    }
}
