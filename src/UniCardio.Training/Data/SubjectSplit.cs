using System.Text;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Training.Data;

/// <summary>
/// Parts subjects for good: whether one is kept apart depends on its name alone, not on who else is there, so that no later run learns from
/// a subject that an earlier one was judged by.
/// </summary>
internal static class SubjectSplit
{
    /// <summary>The subject that a file of a folder is of.</summary>
    /// <param name="relativePath">Path of the file below the folder of recordings.</param>
    /// <returns>
    /// The name of the topmost subfolder that holds it, or, right in the folder, the file's name without its extension; in lower case. A
    /// subject with several files therefore needs a subfolder.
    /// </returns>
    public static string SubjectOf(string relativePath)
    {
        ArgumentException.ThrowIfNullOrEmpty(relativePath);
        string path = relativePath.Replace('\\', '/').TrimStart('/');
        int slash = path.IndexOf('/', StringComparison.Ordinal);
        return (slash > 0 ? path[..slash] : Path.GetFileNameWithoutExtension(path)).ToLowerInvariant();
    }

    /// <summary>Whether a subject is kept apart for validation.</summary>
    /// <param name="subject">Its name (<see cref="SubjectOf"/>).</param>
    /// <param name="share">Share of subjects to keep apart, 0 to 1. A subject kept apart at one share is so at any larger one.</param>
    public static bool IsValidation(string subject, double share)
    {
        ArgumentNullException.ThrowIfNull(subject);
        // FNV-1a (Fowler, Noll and Vo), then mixed, since its upper bits hardly depend on the last letters.
        ulong hash = 14695981039346656037;
        foreach (byte letter in Encoding.UTF8.GetBytes(subject))
            hash = (hash ^ letter) * 1099511628211;
        return new CounterRandom(hash, 0).NextDouble() < share;
    }
}
