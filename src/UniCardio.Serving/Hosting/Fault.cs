using System.Globalization;
using System.Text;
using UniCardio.Engine;

namespace UniCardio.Serving.Hosting;

/// <summary>
/// Exceptions as a log may have them: types, codes and where they were thrown. Their messages may hold a path, a path a patient's name.
/// </summary>
internal static class Fault
{
    /// <summary>Type and code: <c>DirectoryNotFoundException 0x80070003</c>. The message too where it is our own and of no file.</summary>
    public static string Kind(Exception problem) => problem is Streaming.CheckpointException or Streaming.TooManySessionsException
        ? $"{problem.GetType().Name}: {problem.Message}"
        : string.Create(CultureInfo.InvariantCulture, $"{problem.GetType().Name} 0x{problem.HResult:X8}");

    /// <summary>The exception and its causes, each with its stack.</summary>
    public static string Describe(Exception problem)
    {
        var text = new StringBuilder();
        for (Exception? cause = problem; cause is not null; cause = cause.InnerException)
            text.Append(text.Length > 0 ? "\n caused by " : "").Append(Kind(cause)).Append('\n').Append(cause.StackTrace);
        return text.ToString();
    }

    /// <summary>Whether it is what files and requests may run into, not a fault of the program.</summary>
    public static bool IsExpected(Exception problem) =>
        problem is UniCardioException or IOException or UnauthorizedAccessException or NotSupportedException;
}
