using System.Text.Json;
using System.Text.Json.Serialization;
using UniCardio.Files;
using UniCardio.Signals;

namespace UniCardio.Cli.Output;

/// <summary>Files that are there whole or not at all.</summary>
internal static class OutputFile
{
    /// <summary>Writes text.</summary>
    /// <exception cref="SignalFileException">The file cannot be written.</exception>
    public static void Write(string path, string text) => Write(path, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(text)));

    /// <summary>Writes beside the destination and renames.</summary>
    /// <exception cref="SignalFileException">The file cannot be written.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        try
        {
            AtomicFile.Write(path, write);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new SignalFileException(path, "cannot be written: " + problem.Message, problem);
        }
    }

    /// <summary>Writes several outputs of one command, one after the other. Where a later one fails, the message says which are
    /// there.</summary>
    /// <param name="outputs">What to write and how; those without a path are left out.</param>
    /// <exception cref="SignalException">One cannot be written.</exception>
    public static void InOrder(params (string? Path, Action<string> Write)[] outputs)
    {
        var written = new List<string>();
        foreach ((string? path, Action<string> write) in outputs)
        {
            if (path is null)
                continue;
            try
            {
                write(path);
            }
            catch (SignalException problem) when (written.Count > 0)
            {
                throw new SignalException($"{problem.Message} Written before it: {string.Join(", ", written)}.", problem);
            }
            written.Add(path);
        }
    }
}

/// <summary>Results for scripts: snake_case names, indented; numbers that are not finite become <c>"NaN"</c> and the like.</summary>
internal static class Json
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        WriteIndented = true,
    };

    public static void Write<T>(Terminal terminal, T value) => terminal.Out.WriteLine(Text(value));

    public static string Text<T>(T value) => JsonSerializer.Serialize(value, Options);
}
