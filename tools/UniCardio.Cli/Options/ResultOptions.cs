using System.CommandLine;

namespace UniCardio.Cli.Options;

/// <summary>Where results go: <c>--out</c>, <c>--plot</c> and which stretch is drawn.</summary>
internal sealed class ResultOptions
{
    private static readonly string[] RecordingExtensions = [".csv", ".npy", ".hea", ".edf"];

    private readonly Option<string?> _out =
        new("--out") { Description = "The recording to write: .csv, .npy, .hea (WFDB) or .edf (EDF+); - is CSV to standard output.",
            HelpName = "FILE" };
    private readonly Option<string?> _plot = new("--plot") { Description = "The picture to write: .svg or .png.", HelpName = "FILE" };
    private readonly Option<double?> _from = new("--plot-start")
        { Description = "Where the picture begins, in seconds; near the first generated stretch if left out.", HelpName = "S" };
    private readonly Option<double> _seconds =
        new("--plot-seconds") { Description = "How much the picture shows.", DefaultValueFactory = _ => 16, HelpName = "S" };
    private readonly Option<string?> _truth =
        new("--truth") { Description = "A recording with the true signal, to compare with and to draw.", HelpName = "FILE" };
    private readonly Option<bool> _json = new("--json") { Description = "Writes the summary as one JSON object." };

    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[_out, _plot, _from, _seconds, _truth, _json])
            command.Add(option);
    }

    public string? Out(ParseResult parsed) => parsed.GetValue(_out);

    public string? Plot(ParseResult parsed) => parsed.GetValue(_plot);

    public string? Truth(ParseResult parsed) => parsed.GetValue(_truth);

    public bool Json(ParseResult parsed) => parsed.GetValue(_json);

    public (double? Start, double Seconds) PlotRange(ParseResult parsed) => (parsed.GetValue(_from), parsed.GetValue(_seconds));

    /// <summary>Refuses what could not be written later, before any work is done.</summary>
    public void Check(ParseResult parsed, string input)
    {
        string? output = Out(parsed), plot = Plot(parsed);
        if (output is null && plot is null)
            throw new UsageException("nothing to write: give --out, --plot or both");
        if (output == Output.StandardStreams.Name && Json(parsed))
            throw new UsageException("--out - and --json would both write to standard output; give one of them a file or leave it out");
        CheckFile("--out", output, RecordingExtensions, input);
        CheckFile("--plot", plot, Output.PlotFile.Extensions, input);
        if (parsed.GetValue(_seconds) is not (> 0 and < double.PositiveInfinity))
            throw new UsageException($"--plot-seconds {parsed.GetValue(_seconds)} is not above 0");
    }

    /// <summary>Refuses what does not go with a folder of recordings.</summary>
    public void CheckFolder(ParseResult parsed, string input)
    {
        if (Plot(parsed) is not null || Truth(parsed) is not null)
            throw new UsageException("--plot and --truth are for one recording, and INPUT is a folder");
        string output = Out(parsed) ?? throw new UsageException("nothing to write: give --out, a folder");
        if (File.Exists(output))
            throw new UsageException($"--out {output}: it is a file; expected a folder, as INPUT is one");
        if (Path.TrimEndingDirectorySeparator(Path.GetFullPath(output)) == Path.TrimEndingDirectorySeparator(Path.GetFullPath(input)))
            throw new UsageException($"--out {output} is the input; write elsewhere, so that the measured recordings stay");
    }

    private static void CheckFile(string option, string? path, string[] extensions, string input)
    {
        if (path is null || (option == "--out" && path == Output.StandardStreams.Name))
            return;
        if (!extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase))
            throw new UsageException($"{option} {path}: expected a name that ends in {string.Join(" or ", extensions)}");
        if (!Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(path))))
            throw new UsageException($"{option} {path}: there is no such folder");
        // A WFDB record is several files under one name.
        if (Path.GetFullPath(path) == Path.GetFullPath(input)
            || Path.GetFullPath(path) == Path.GetFullPath(Path.ChangeExtension(input, ".hea")))
            throw new UsageException($"{option} {path} is the input; write elsewhere, so that the measured recording stays");
    }
}
