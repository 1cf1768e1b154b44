namespace UniCardio.Cli.Options;

/// <summary>The weights that come with the program.</summary>
internal static class ShippedWeights
{
    /// <summary>Their name in the folder <c>weights</c>.</summary>
    public const string FileName = "compact.safetensors";

    /// <summary>The quality network's name.</summary>
    public const string Quality = "quality.safetensors";

    /// <summary>The file beside the program, or in a folder <c>weights</c> above it or above the current folder.</summary>
    /// <param name="name">Which.</param>
    /// <exception cref="UsageException">It is nowhere.</exception>
    public static string Find(string name = FileName)
    {
        foreach (string start in (string[])[AppContext.BaseDirectory, Directory.GetCurrentDirectory()])
        {
            for (DirectoryInfo? folder = new(start); folder is not null; folder = folder.Parent)
            {
                string path = Path.Combine(folder.FullName, "weights", name);
                if (File.Exists(path))
                    return path;
            }
        }

        throw new UsageException(
            $"weights/{name} is neither beside the program nor above the current folder; name weights with --weights");
    }
}
