using System.CommandLine;
using System.Globalization;
using System.Text.Json.Serialization;
using UniCardio.Cli.Options;
using UniCardio.Cli.Output;
using UniCardio.Signals;
using UniCardio.Signals.Beats;
using UniCardio.Signals.Formats;
using UniCardio.Signals.Formats.Csv;
using UniCardio.Signals.Formats.Wfdb;

namespace UniCardio.Cli.Commands;

/// <summary>The beats of one channel, as <c>beats --json</c> prints them.</summary>
internal sealed record ChannelBeats
{
    public required string Name { get; init; }
    public required string Kind { get; init; }
    public required double[] Beats { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required double? RateBpm { get; init; }
    public required double Quality { get; init; }
    public required string Reason { get; init; }
    public required bool Inverted { get; init; }
    public required RateVariability? Hrv { get; init; }
    public required BeatComparison? Against { get; init; }
}

/// <summary>A row of the EC57 table.</summary>
internal sealed record BeatComparison(int Reference, int TruePositives, int FalseNegatives, int FalsePositives, double? Sensitivity,
    double? PositivePredictivity, double? F1);

/// <summary><c>beats RECORDING</c>: the beats of every ECG, PPG and pressure, their rate and variability, and how they agree with a
/// reference.</summary>
internal static class BeatsCommand
{
    public static Command Create(Terminal terminal)
    {
        var input = new Argument<string>("RECORDING") { Description = "The recording: .csv, .npy, WFDB (.hea), .edf or .bdf." };
        var channel = new Option<string[]>("--channel")
            { Description = "Only this channel, by name; ecg=NAME says what it is. May be repeated.", HelpName = "NAME" };
        var output = new Option<string?>("--out")
            { Description = "Writes the beats: .atr (WFDB annotations), .csv or .json. One channel only for .atr.", HelpName = "FILE" };
        var against = new Option<string?>("--against")
            { Description =
                "Reference beats: WFDB annotations, or a .csv of sample numbers or, with decimals, seconds. Prints the EC57 "
                + "table (150 ms).", HelpName = "FILE" };
        var json = new Option<bool>("--json") { Description = "Writes one JSON object." };
        var reading = new ReadingOptions();
        var command = new ExampleCommand(
            "beats",
            "Finds R peaks, and pulse onsets of PPG and arterial pressure; says their rate, or why there is none. Research software, not "
            + "a medical device.",
            "beats recording.hea --channel MLII --out recording.beats.atr", "beats recording.hea --against recording.atr",
            "beats recording.csv --rate 360 --columns ecg --json")
        {
            input, channel, output, against, json,
        };
        reading.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            Recording recording = StandardStreams.Read(terminal, parsed.GetValue(input)!, reading.Read(parsed), cancellation);
            var found = new List<(Channel Channel, BeatSeries Series, ChannelBeats Row)>();
            foreach (Channel c in Chosen(recording, parsed.GetValue(channel) ?? []))
            {
                BeatSeries series = Find(c, cancellation);
                double[] times = series.Times();
                found.Add((c, series,
                    new ChannelBeats
                    {
                        Name = c.Name, Kind = ChannelInfo.NameOf(c.Kind), Beats = times, RateBpm = series.RateBpm,
                        Quality = series.Quality, Reason = Describe(c, series.Reason), Inverted = series.IsInverted,
                        Hrv = RateVariability.Of(times),
                        Against = parsed.GetValue(against) is string reference ? Compare(reference, c, times) : null,
                    }));
            }
            if (parsed.GetValue(output) is string path)
                Write(path, found);
            if (parsed.GetValue(json))
                Json.Write(terminal, new { Channels = found.Select(f => f.Row) });
            else
                Print(terminal, found.Select(f => f.Row), parsed.GetValue(against) is not null);
            foreach (SignalWarning warning in recording.Warnings)
                terminal.Note($"warning: {warning}");
            return Task.FromResult(ExitCode.Success);
        });
        return command;
    }

    private static List<Channel> Chosen(Recording recording, string[] names)
    {
        if (names.Length == 0)
        {
            List<Channel> all = [.. recording.Channels.Where(c => c.Kind != ChannelKind.Other)];
            return all.Count > 0 ? all
                : throw new UsageException(
                    $"no channel is an ECG, a PPG or an arterial pressure by its name "
                    + $"({string.Join(", ", recording.Channels.Select(c => c.Name))}); --channel ecg=NAME or --columns says what it is");
        }
        var chosen = new List<Channel>();
        foreach (string text in names)
        {
            int equals = text.IndexOf('=', StringComparison.Ordinal);
            ChannelKind? kind = equals < 0 ? null : text[..equals].ToUpperInvariant() switch
            {
                "ECG" => ChannelKind.Ecg,
                "PPG" => ChannelKind.Ppg,
                "BP" => ChannelKind.BloodPressure,
                _ => throw new UsageException($"--channel '{text}': '{text[..equals]}' is none of ecg, ppg and bp"),
            };
            Channel c = recording.Require(text[(equals + 1)..]);
            c = kind is { } k ? c.WithKind(k) : c;
            chosen.Add(c.Kind != ChannelKind.Other ? c
                : throw new UsageException(
                    $"--channel '{text}': what the channel measures is not known; ecg={c.Name}, ppg={c.Name} or bp={c.Name} says it"));
        }
        return chosen;
    }

    // A channel that cannot be read does not lose the others.
    private static BeatSeries Find(Channel channel, CancellationToken cancellation) => IsInRange(channel)
        ? BeatSeries.Of(channel, cancellation)
        : new BeatSeries(channel.Kind, channel.SampleRate, [], false, NoBeatReason.TooShort);

    private static bool IsInRange(Channel channel) => channel.SampleRate >= BeatDetector.MinRate(channel.Kind)
        && channel.SampleRate <= BeatDetector.MaxRate;

    private static string Describe(Channel channel, NoBeatReason reason) => reason switch
    {
        _ when !IsInRange(
            channel) =>
                $"no pulse found: {channel.SampleRate.In("0.###")} Hz; beats need {BeatDetector.MinRate(channel.Kind)} to "
                + $"{BeatDetector.MaxRate} Hz",
        NoBeatReason.None => "",
        NoBeatReason.TooShort => "no pulse found: too short",
        NoBeatReason.Missing => "no pulse found: samples are missing",
        NoBeatReason.Flat => "no pulse found: the signal is flat",
        NoBeatReason.TooSmall => "no pulse found: the signal is too small for a beat",
        NoBeatReason.LineOpen => "no pulse found: the pressure is below any artery's (line open, zeroed or off)",
        NoBeatReason.Flushed => "no pulse found: the line is flushed",
        _ => "no pulse found: noise",
    };

    private static BeatComparison Compare(string path, Channel channel, double[] times)
    {
        double[] known;
        if (Path.GetExtension(path).Equals(".csv", StringComparison.OrdinalIgnoreCase)
            || Path.GetExtension(path).Equals(".txt", StringComparison.OrdinalIgnoreCase))
        {
            string[] cells = [.. File.ReadLines(path).Select(l => l.Split(',')[0].Trim()).Where(l => l.Length > 0)];
            bool seconds = cells.Any(c => c.Contains('.', StringComparison.Ordinal));
            known = [.. cells.Where(c => double.TryParse(c, CultureInfo.InvariantCulture, out double x) && double.IsFinite(x))
                .Select(c => double.Parse(c, CultureInfo.InvariantCulture) / (seconds ? 1 : channel.SampleRate)).Order()];
        }
        else
        {
            known = [.. AnnotationFile.Read(path, channel.SampleRate).Where(a => a.IsBeat).Select(a => a.TimeSeconds)];
        }
        BeatAgreement a = BeatAgreement.Compare(known, times, BeatAgreement.UsualTolerance);
        return new BeatComparison(known.Length, a.TruePositives, a.FalseNegatives, a.FalsePositives, a.Sensitivity, a.Precision, a.F1);
    }

    private static string Table(List<(Channel Channel, BeatSeries Series, ChannelBeats Row)> found) => CsvOutput.Of(
        ["channel", "kind", "seconds", "value", "quality"],
        found.SelectMany(f => f.Row.Beats.Select((time, i) => (object?[])[f.Channel.Name, f.Row.Kind, Text(Math.Round(time, 6)),
            Text(f.Series.Beats[i].Value), Text(Math.Round(f.Series.Beats[i].Quality, 3))])));

    // All digits: times of long recordings have more than six.
    private static string Text<T>(T value)
        where T : IFormattable => value.ToString(null, CultureInfo.InvariantCulture);

    private static void Write(string path, List<(Channel Channel, BeatSeries Series, ChannelBeats Row)> found)
    {
        switch (Path.GetExtension(path).ToUpperInvariant())
        {
            case ".CSV":
                OutputFile.Write(path, Table(found));
                break;
            case ".JSON":
                OutputFile.Write(path, Json.Text(new { Channels = found.Select(f => f.Row) }));
                break;
            case ".ATR":
                if (found.Count != 1)
                    throw new UsageException(
                        $"--out {path}: annotations are those of one channel, not of {found.Count}; --channel picks it");
                (Channel only, _, ChannelBeats beats) = found[0];
                AnnotationFile.Write(path, beats.Beats.Select(t => new Annotation(t, (long)Math.Round(t * only.SampleRate), "N")),
                    only.SampleRate);
                break;
            default:
                throw new UsageException($"--out {path}: expected .atr, .csv or .json");
        }
    }

    private static void Print(Terminal terminal, IEnumerable<ChannelBeats> rows, bool compared)
    {
        var table = ResultTable.Create("channel", "kind", ">beats", ">rate /min", ">quality", ">mean RR ms", ">SDNN ms", ">RMSSD ms",
            ">pNN50 %", "remark");
        var agreement = ResultTable.Create("channel", ">reference", ">TP", ">FN", ">FP", ">Se %", ">+P %", ">F1 %");
        foreach (ChannelBeats r in rows)
        {
            table.Add(r.Name, r.Kind, r.Beats.Length, r.RateBpm?.In("0.0") ?? "-", r.Quality.In("0.00"), r.Hrv?.MeanMilliseconds.In("0")
                ?? "-", r.Hrv?.Sdnn.In("0") ?? "-", r.Hrv?.Rmssd.In("0") ?? "-",
                (100 * r.Hrv?.Pnn50)?.In("0") ?? "-", r.Reason.Length > 0 ? r.Reason : r.Inverted ? "inverted" : "");
            if (r.Against is { } a)
                agreement.Add(r.Name, a.Reference, a.TruePositives, a.FalseNegatives, a.FalsePositives, Percent(a.Sensitivity),
                    Percent(a.PositivePredictivity), Percent(a.F1));
        }
        terminal.Write(table);
        if (compared)
            terminal.Write(agreement);
    }

    private static string Percent(double? share) => share is { } x ? (100 * x).In("0.00") : "-";
}
