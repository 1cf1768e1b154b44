using System.CommandLine;
using UniCardio.Training.Runs;

namespace UniCardio.Cli.Options;

/// <summary>Where a training run is kept and how it is carried out; nothing here changes its result.</summary>
internal sealed class RunOptions
{
    private readonly Option<string> _folder =
        new("--run") { Required = true, Description = "The run's folder: options, log, checkpoints, pictures.", HelpName = "DIR" };
    private readonly Option<string?> _export =
        new("--export") { Description = "Only writes the averaged weights of the run's last checkpoint; works while the run continues.",
        HelpName = "FILE" };
    private readonly Option<string?> _exportState =
        new("--export-state")
            { Description =
                "Only writes the run's last checkpoint with its options and tables as one file, for another machine to continue.",
                HelpName = "FILE" };
    private readonly Option<string?> _takeUp =
        new("--take-up")
            { Description =
                "Only lays the run of such a file out in the folder, which must hold none; without the option the run then continues.",
                HelpName = "FILE" };
    private readonly Option<double?> _hours =
        Bounded.OptionalNonNegative("--hours", "Stops with a checkpoint after this time; called again, the run continues.", "H");
    private readonly Option<double?> _checkpoint =
        Bounded.OptionalNonNegative("--checkpoint-minutes", "Time between two checkpoints (3).", "MIN");
    private readonly Option<bool> _amend = new("--amend") { Description =
        "Changes the options of the run in the folder to those given, from its last checkpoint on; run.json keeps the change." };
    private readonly BackendOptions _backend = new(choosesBackend: false);

    public void AddTo(Command command)
    {
        command.Add(_folder);
        command.Add(_export);
        command.Add(_exportState);
        command.Add(_takeUp);
        command.Add(_hours);
        command.Add(_checkpoint);
        command.Add(_amend);
        _backend.AddTo(command);
    }

    public RunFolder Folder(ParseResult parsed) => new(parsed.GetValue(_folder)!);

    public string? Export(ParseResult parsed) => parsed.GetValue(_export);

    /// <summary>The file to write or read a run's state, and whether it is to be written; null where neither was asked for.</summary>
    /// <exception cref="UsageException">Both were.</exception>
    public (string File, bool Writes)? State(ParseResult parsed) => (parsed.GetValue(_exportState), parsed.GetValue(_takeUp)) switch
    {
        (string, string) => throw new UsageException("--export-state and --take-up do not go together"),
        (string file, null) => (file, true),
        (null, string file) => (file, false),
        _ => null,
    };

    public BackendOptions Backend => _backend;

    public RunSettings Settings(ParseResult parsed) => new()
    {
        CheckpointEvery = TimeSpan.FromMinutes(parsed.GetValue(_checkpoint) ?? 3),
        AmendsRun = parsed.GetValue(_amend),
        StopAfter = parsed.GetValue(_hours) is double hours ? TimeSpan.FromHours(hours) : null,
    };
}
