using System.CommandLine;
using UniCardio.Signals;
using UniCardio.Signals.Formats;

namespace UniCardio.Cli.Options;

/// <summary>How a recording is read: <c>--rate</c>, <c>--columns</c>, <c>--start</c>, <c>--duration</c>.</summary>
internal sealed class ReadingOptions
{
    private readonly Option<double?> _rate = new("--rate") { Description = "Samples a second, for CSV without a time column and for NPY.", HelpName = "HZ" };
    private readonly Option<string[]> _columns = new("--columns") { Description = "Names for columns that have none, with units if they are known: ppg,abp_mmHg,ecg_mV.", HelpName = "NAMES", CustomParser = Split };
    private readonly Option<double> _start = new("--start") { Description = "Where to begin, in seconds.", HelpName = "S" };
    private readonly Option<double?> _duration = new("--duration") { Description = "How much to read, in seconds; all if left out.", HelpName = "S" };

    public void AddTo(Command command)
    {
        command.Add(_rate);
        command.Add(_columns);
        command.Add(_start);
        command.Add(_duration);
    }

    public RecordingReadOptions Read(ParseResult parsed) => new()
    {
        SampleRate = parsed.GetValue(_rate),
        ColumnNames = parsed.GetValue(_columns) is { Length: > 0 } names ? names : null,
        StartSeconds = parsed.GetValue(_start),
        EndSeconds = parsed.GetValue(_start) + parsed.GetValue(_duration),
    };

    /// <summary>Values parted by commas.</summary>
    public static string[] Split(System.CommandLine.Parsing.ArgumentResult result) =>
        [.. result.Tokens.SelectMany(t => t.Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))];
}
