using UniCardio.Weights.Safetensors;

namespace UniCardio.Training.Tests;

/// <summary>The golden vectors that stand beside the project's folder, where they do.</summary>
internal static class SharedFiles
{
    /// <summary>Opens a golden file, or skips the test and says so.</summary>
    public static SafetensorsFile OpenGolden(string name)
    {
        string? path = Find(name);
        Skip.If(path is null, $"shared/golden/{name} is not beside the project");
        return SafetensorsFile.Open(path!);
    }

    private static string? Find(string name)
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string path = Path.Combine(folder.FullName, "shared", "golden", name);
            if (File.Exists(path))
                return path;
        }

        return null;
    }
}
