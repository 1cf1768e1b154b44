using System.CommandLine;
using UniCardio.Cli.Output;

namespace UniCardio.Cli.Options;

/// <summary>Where a report goes: <c>--markdown</c>, <c>--csv</c>, <c>--json</c>, <c>--html</c>.</summary>
internal sealed class ReportOptions
{
    private readonly Option<string?> _markdown = File("--markdown", "The report as Markdown.", "FILE.md");
    private readonly Option<string?> _csv = File("--csv", "Every row and measure as CSV.", "FILE.csv");
    private readonly Option<string?> _json = File("--json", "The same as one JSON object.", "FILE.json");
    private readonly Option<string?> _html = File("--html", "A folder for a page with pictures; made if it is not there.", "DIR");

    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[_markdown, _csv, _json, _html])
            command.Add(option);
    }

    /// <summary>Refuses what could not be written later, before any work is done.</summary>
    public void Check(ParseResult parsed)
    {
        foreach (Option<string?> option in (Option<string?>[])[_markdown, _csv, _json, _html])
        {
            if (parsed.GetValue(option) is string path
                && !Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(path.TrimEnd('/', '\\')))))
                throw new UsageException($"{option.Name} {path}: there is no such folder");
        }

        if (parsed.GetValue(_html) is string folder && System.IO.File.Exists(folder))
            throw new UsageException($"--html {folder} is a file; expected a folder");
    }

    /// <summary>Whether pictures are wanted.</summary>
    public bool WantsPage(ParseResult parsed) => parsed.GetValue(_html) is not null;

    /// <summary>Writes what was asked for, each file whole or not at all.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="markdown">Makes the Markdown.</param>
    /// <param name="csv">Makes the CSV.</param>
    /// <param name="json">Makes the JSON.</param>
    /// <param name="html">Makes the page.</param>
    /// <returns>The files.</returns>
    public IReadOnlyList<string> Write(ParseResult parsed, Func<string> markdown, Func<string> csv, Func<string> json, Func<string> html)
    {
        string? folder = parsed.GetValue(_html);
        (string? Path, Func<string> Text)[] outputs =
        [
            (parsed.GetValue(_markdown), markdown), (parsed.GetValue(_csv), csv), (parsed.GetValue(_json), json),
            (folder is null ? null : Path.Combine(folder, "index.html"), html),
        ];
        if (folder is not null)
            Directory.CreateDirectory(folder);
        OutputFile.InOrder([.. outputs.Select(o => (o.Path, (Action<string>)(path => OutputFile.Write(path, o.Text()))))]);
        return [.. outputs.Select(o => o.Path).OfType<string>()];
    }

    private static Option<string?> File(string name, string description, string helpName) =>
        new(name) { Description = description, HelpName = helpName };
}
