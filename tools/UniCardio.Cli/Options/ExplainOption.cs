using System.CommandLine;
using UniCardio.Cli.Analysis;
using UniCardio.Cli.Output;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sessions;
using UniCardio.Restoration;

namespace UniCardio.Cli.Options;

/// <summary>A page on how a window came about: <c>--explain</c>.</summary>
internal sealed class ExplainOption
{
    private readonly Option<string?> _file = new("--explain")
    {
        Description = "A page to write on one window (that of --plot-start, else the first): the sampler's states on the way, and what the "
            + "network's attention looked at, block by block.",
        HelpName = "FILE.html",
    };

    public void AddTo(Command command) => command.Add(_file);

    /// <summary>Refuses what could not be written later.</summary>
    public void Check(ParseResult parsed, string input, RestorationOptions options, bool isArchive)
    {
        if (Value(parsed) is not { } file)
            return;
        if (isArchive)
            throw new UsageException("--explain is for one recording, and INPUT is a folder");
        if (options.Estimates)
            throw new UsageException("--explain is for draws; an estimate has no sampler");
        if (Path.GetFullPath(file) == Path.GetFullPath(input))
            throw new UsageException($"--explain {file} is the input");
        if (!Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(file))))
            throw new UsageException($"--explain {file}: there is no such folder");
    }

    /// <summary>Writes the page, if one is asked for.</summary>
    public void Write(ParseResult parsed, Terminal terminal, ExplainPage page, ModelWeights weights, InferenceEngine engine, double? at,
        CancellationToken cancellation)
    {
        if (Value(parsed) is not { } file)
            return;
        string? html = terminal.WithProgress("explain", _ => page.Of(weights, engine, at, cancellation));
        if (html is null)
        {
            terminal.Note("there is no window that the network computes: nothing to explain");
            return;
        }

        OutputFile.Write(file, html);
        terminal.Note($"wrote {file}");
    }

    private string? Value(ParseResult parsed) => parsed.GetResult(_file) is null ? null : parsed.GetValue(_file);
}
