namespace UniCardio.Golden.Tests;

/// <summary>Golden files made with the official code, which are kept beside the project and may be absent.</summary>
internal static class SharedGolden
{
    /// <summary>Path of a file, or a skipped test.</summary>
    public static string Path(string name)
    {
        for (DirectoryInfo? d = new(AppContext.BaseDirectory); d is not null; d = d.Parent)
        {
            string path = System.IO.Path.Combine(d.FullName, "shared", "golden", name + ".safetensors");
            if (File.Exists(path))
                return path;
        }

        throw new SkipException($"shared/golden/{name}.safetensors is not beside the project");
    }
}
