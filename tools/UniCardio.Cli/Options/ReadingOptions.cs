using System.CommandLine;
using UniCardio.Signals;
using UniCardio.Signals.Formats;

namespace UniCardio.Cli.Options;

/// <summary>How a recording is read: <c>--rate</c>, <c>--columns</c>, <c>--start</c>, <c>--duration</c>.</summary>
internal sealed class ReadingOptions
{
    private readonly Option<double?> _rate = new("--rate") { Description = "Samples a second, for CSV without a time column and for NPY.",
        HelpName = "HZ" };
    private readonly Option<string[]> _columns =
        new("--columns") { Description =
        "Names for the columns, in place of the file's own if it has any, with units if they are known: ppg,abp_mmHg,ecg_mV; '-' "
        + "leaves one out.", HelpName =
        "NAMES", CustomParser = Split };
    private readonly Option<double> _start = new("--start") { Description = "Where to begin, in seconds.", HelpName = "S" };
    private readonly Option<double?> _duration = new("--duration") { Description = "How much to read, in seconds; all if left out.",
        HelpName = "S" };

    private readonly Option<double[]> _missing =
        new("--missing") { Description =
        "Numbers that mark a missing sample in CSV and NPY, beside the lowest of 16, 24 and 32 bits: -999,0.", HelpName =
        "NUMBERS", CustomParser = Numbers };
    private readonly Option<Dictionary<string, string>> _units =
        new("--unit") { Description = "The unit of a signal or channel, over what the file states: bp=kPa; may be repeated.",
        HelpName = "CHANNEL=UNIT", CustomParser = Pairs };

    public void AddTo(Command command)
    {
        command.Add(_rate);
        command.Add(_columns);
        command.Add(_start);
        command.Add(_duration);
        command.Add(_missing);
        command.Add(_units);
    }

    public RecordingReadOptions Read(ParseResult parsed) => new()
    {
        SampleRate = parsed.GetValue(_rate),
        ColumnNames = parsed.GetValue(_columns) is { Length: > 0 } names ? names : null,
        MissingValues = [.. RecordingReadOptions.Default.MissingValues, .. parsed.GetValue(_missing) ?? []],
        Units = parsed.GetValue(_units) is { Count: > 0 } units ? units : null,
        StartSeconds = parsed.GetValue(_start),
        EndSeconds = parsed.GetValue(_start) + parsed.GetValue(_duration),
    };

    private static double[] Numbers(System.CommandLine.Parsing.ArgumentResult result)
    {
        var numbers = new List<double>();
        foreach (string text in Split(result))
        {
            if (double.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out double number) && double.IsFinite(number))
                numbers.Add(number);
            else
                result.AddError($"--missing '{text}' is not a finite number");
        }

        return [.. numbers];
    }

    private static Dictionary<string, string> Pairs(System.CommandLine.Parsing.ArgumentResult result)
    {
        var pairs = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (System.CommandLine.Parsing.Token token in result.Tokens)
        {
            int equals = token.Value.LastIndexOf('=');
            if (equals < 1 || equals == token.Value.Length - 1)
                result.AddError($"--unit '{token.Value}' should be CHANNEL=UNIT, such as bp=kPa");
            else
                pairs[token.Value[..equals].Trim()] = token.Value[(equals + 1)..].Trim();
        }

        return pairs;
    }

    /// <summary>Values parted by commas.</summary>
    public static string[] Split(System.CommandLine.Parsing.ArgumentResult result) =>
        [.. result.Tokens.SelectMany(t => t.Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))];
}
