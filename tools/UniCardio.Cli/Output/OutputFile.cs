using UniCardio.Signals;

namespace UniCardio.Cli.Output;

/// <summary>Text files that are there whole or not at all.</summary>
internal static class OutputFile
{
    public static void Write(string path, string text)
    {
        string temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            File.WriteAllText(temporary, text);
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            File.Delete(temporary);
            throw new SignalFileException(path, "cannot be written: " + problem.Message, problem);
        }
    }
}
