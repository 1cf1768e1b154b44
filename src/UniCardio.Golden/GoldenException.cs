using UniCardio.Engine;

namespace UniCardio.Golden;

/// <summary>A golden file that cannot be used as it is; the message names the file, the entry at fault and what was expected.</summary>
public sealed class GoldenException : UniCardioException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="file">The file as it was named.</param>
    /// <param name="entry">The entry or metadata key at fault; null where it is the whole file.</param>
    /// <param name="problem">What is wrong and what was expected.</param>
    /// <param name="inner">The cause, if another exception led here.</param>
    public GoldenException(string file, string? entry, string problem, Exception? inner = null)
        : base($"{file}: {(entry is null ? "" : entry + ": ")}{problem}", inner)
    {
        File = file;
        Entry = entry;
    }

    /// <summary>The file as it was named.</summary>
    public string File { get; }

    /// <summary>The entry or metadata key at fault; null where it is the whole file.</summary>
    public string? Entry { get; }
}
