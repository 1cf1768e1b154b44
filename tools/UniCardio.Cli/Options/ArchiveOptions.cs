using System.CommandLine;
using UniCardio.Cli.Archive;

namespace UniCardio.Cli.Options;

/// <summary>How a folder of recordings is worked at: <c>--shard</c>, <c>--format</c>.</summary>
internal sealed class ArchiveOptions
{
    private static readonly string[] Formats = ["csv", "npy", "hea", "edf"];

    private readonly Option<Shard> _shard = new("--shard")
    {
        Description = "INPUT is a folder: work at part I of N only, I from 0, as an array job does. Run again, it continues where it was.",
        HelpName = "I/N",
        CustomParser = result => Parsed.Read<Shard>(result.Tokens[0].Value, result.AddError),
        DefaultValueFactory = _ => Shard.Whole,
    };

    private readonly Option<string> _format = new("--format")
        { Description = "INPUT is a folder: format of the outputs, csv, npy, hea (WFDB) or edf (EDF+).", HelpName = "FORMAT",
            DefaultValueFactory = _ => "csv" };

    public ArchiveOptions() => _format.AcceptOnlyFromAmong(Formats);

    public void AddTo(Command command)
    {
        command.Add(_shard);
        command.Add(_format);
    }

    public Shard Part(ParseResult parsed) => parsed.GetValue(_shard);

    public string Extension(ParseResult parsed) => "." + parsed.GetValue(_format);

    /// <summary>Refuses what is for folders only.</summary>
    public void RequireFile(ParseResult parsed)
    {
        if (parsed.GetResult(_shard) is { Implicit: false } || parsed.GetResult(_format) is { Implicit: false })
            throw new UsageException("--shard and --format are for a folder of recordings, and INPUT is none");
    }
}
