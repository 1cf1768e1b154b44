namespace UniCardio.Cli.Options;

/// <summary>The example recording that comes with the program.</summary>
internal static class ShippedExample
{
    /// <summary>Its file, beside the program.</summary>
    /// <exception cref="UsageException">It is not there.</exception>
    public static string Find()
    {
        string path = Path.Combine(AppContext.BaseDirectory, "examples", "example.csv");
        return File.Exists(path) ? path : throw new UsageException($"the example recording is not beside the program ({path})");
    }
}
