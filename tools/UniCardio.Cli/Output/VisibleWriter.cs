using System.Text;
using UniCardio.Signals;

namespace UniCardio.Cli.Output;

/// <summary>
/// Passes text on with control characters written out: names out of files cannot command a terminal, whichever message they get into. Only
/// line ends that are the program's own pass, as <see cref="TextWriter.WriteLine()"/> writes them or as '\n' within a text of several
/// lines.
/// </summary>
internal sealed class VisibleWriter : TextWriter
{
    private readonly TextWriter _inner;

    public VisibleWriter(TextWriter inner)
        : base(inner.FormatProvider)
    {
        _inner = inner;
        CoreNewLine = inner.NewLine.ToCharArray();
    }

    public override Encoding Encoding => _inner.Encoding;

    public override void Write(char value) => Write(value.ToString());

    public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

    public override void Write(ReadOnlySpan<char> buffer) => Write(new string(buffer));

    public override void Write(string? value)
    {
        if (string.IsNullOrEmpty(value))
            return;
        string[] lines = value.Replace("\r\n", "\n", StringComparison.Ordinal).Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            if (i > 0)
                _inner.WriteLine();
            _inner.Write(string.Join('\t', lines[i].Split('\t').Select(VisibleText.Escape)));
        }
    }

    public override void WriteLine() => _inner.WriteLine();

    public override void WriteLine(string? value)
    {
        Write(value);
        _inner.WriteLine();
    }

    public override void Flush() => _inner.Flush();
}
