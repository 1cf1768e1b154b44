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
    private readonly Option<double?> _hours =
        Bounded.OptionalNonNegative("--hours", "Stops with a checkpoint after this time; called again, the run continues.", "H");
    private readonly Option<double?> _checkpoint =
        Bounded.OptionalNonNegative("--checkpoint-minutes", "Time between two checkpoints (3).", "MIN");
    private readonly Option<bool> _amend = new("--amend") { Description = "Changes the options of the run in the folder to those given, from its last checkpoint on; run.json keeps the change." };
    private readonly BackendOptions _backend = new(choosesBackend: false);

    public void AddTo(Command command)
    {
        command.Add(_folder);
        command.Add(_export);
        command.Add(_hours);
        command.Add(_checkpoint);
        command.Add(_amend);
        _backend.AddTo(command);
    }

    public RunFolder Folder(ParseResult parsed) => new(parsed.GetValue(_folder)!);

    public string? Export(ParseResult parsed) => parsed.GetValue(_export);

    public BackendOptions Backend => _backend;

    public RunSettings Settings(ParseResult parsed) => new()
    {
        CheckpointEvery = TimeSpan.FromMinutes(parsed.GetValue(_checkpoint) ?? 3),
        AmendsRun = parsed.GetValue(_amend),
        StopAfter = parsed.GetValue(_hours) is double hours ? TimeSpan.FromHours(hours) : null,
    };
}
