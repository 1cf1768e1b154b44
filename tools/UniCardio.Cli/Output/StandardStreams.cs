using UniCardio.Signals;
using UniCardio.Signals.Formats;
using UniCardio.Signals.Formats.Csv;

namespace UniCardio.Cli.Output;

/// <summary>Recordings by file, or as CSV by standard input and output, which <c>-</c> names.</summary>
internal static class StandardStreams
{
    /// <summary>What stands for standard input or output.</summary>
    public const string Name = "-";

    private const string Input = "standard input";

    /// <summary>Reads a file, or CSV from standard input.</summary>
    /// <exception cref="SignalException">It cannot be read, or is over a limit.</exception>
    public static Recording Read(Terminal terminal, string path, RecordingReadOptions options, CancellationToken cancellation)
    {
        if (path != Name)
            return RecordingFile.Read(path, options, cancellation);
        using var text = new MemoryStream();
        using Stream input = terminal.OpenInput();
        var piece = new byte[1 << 16];
        for (int read; (read = input.Read(piece)) > 0;)
        {
            cancellation.ThrowIfCancellationRequested();
            if (text.Length + read > options.MaxFileBytes)
                throw new SignalLimitException(Input, "bytes", text.Length + read, options.MaxFileBytes);
            text.Write(piece, 0, read);
        }

        return text.Length == 0 ? throw new SignalFileException(Input, "is empty; expected CSV.")
            : CsvFormat.Parse(text.ToArray(), Input, options, cancellation);
    }

    /// <summary>Writes a file, or CSV to standard output.</summary>
    /// <exception cref="SignalException">It cannot be written.</exception>
    public static void Write(Terminal terminal, string path, Recording recording)
    {
        if (path != Name)
        {
            RecordingFile.Write(path, recording, cancellation: CancellationToken.None);
            return;
        }

        using var text = new MemoryStream();
        CsvFormat.Write(text, recording);
        terminal.Out.Write(System.Text.Encoding.UTF8.GetString(text.GetBuffer(), 0, (int)text.Length));
        terminal.Out.Flush();
    }
}
