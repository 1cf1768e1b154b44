using System.CommandLine;
using System.Globalization;
using System.Text.Json.Serialization;
using UniCardio.Cli.Options;
using UniCardio.Cli.Output;
using UniCardio.Restoration;
using UniCardio.Signals;
using UniCardio.Signals.Formats;
using UniCardio.Signals.Plotting;
using UniCardio.Signals.Processing;
using UniCardio.Signals.Quality;

namespace UniCardio.Cli.Commands;

/// <summary>A second of a channel, as <c>quality --json</c> prints it.</summary>
internal sealed record QualitySecond
{
    public required int Second { get; init; }
    public required double Index { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required double? RateBpm { get; init; }
    public required string[] Reasons { get; init; }
    public required bool HeartRate { get; init; }
    public required bool Rhythm { get; init; }
    public required bool? Pressure { get; init; }
    public required double Bsqi { get; init; }
    public required double Ksqi { get; init; }
    public required double Ssqi { get; init; }
    public required double Psqi { get; init; }
    public required double Bassqi { get; init; }
    public required double Template { get; init; }
}

/// <summary>A channel, as <c>quality --json</c> prints it.</summary>
internal sealed record ChannelQuality(string Name, string Kind, double? Mean, double? HeartRateShare, double? RhythmShare,
    double? PressureShare, QualitySecond[] Seconds);

/// <summary><c>quality RECORDING</c>: how good each signal is, second by second, why, and what can be read.</summary>
internal static class QualityCommand
{
    public static Command Create(Terminal terminal)
    {
        var input = new Argument<string>("RECORDING") { Description = "The recording: .csv, .npy, WFDB (.hea), .edf or .bdf." };
        var json = new Option<bool>("--json") { Description = "Writes one JSON object, with every second and the published indices." };
        var plot = new Option<string?>("--plot") { Description = "Draws signals and index: .svg or .png.", HelpName = "FILE" };
        var weights = new Option<string?>("--weights")
            { Description = "Another quality network: what pretrain quality wrote, or recipe:SEED,quality-small.", HelpName = "W" };
        var beside = new Option<bool>("--network")
            { Description = "The shipped quality network's quality, heart rate and rhythm of every second stand beside the index." };
        var onePass = new Option<bool>("--one-pass")
            { Description = "The network reads the whole recording at once, an hour and more: its attention looks at w tokens about each, "
                + "so that the cost is linear." };
        var features = new Option<string?>("--features")
            { Description = "Writes what the network makes of every second, from one pass: .npy [d, seconds] or .csv.", HelpName = "FILE" };
        var reading = new ReadingOptions();
        var command = new ExampleCommand("quality",
            "Says how good each ECG, PPG and arterial pressure is, second by second: the probability that a heart rate read there is right "
            + "to 5 bpm, why it is low, and whether heart rate, rhythm and pressure can be read. Research software, not a medical device.",
            "quality recording.csv", "quality recording.hea --plot quality.svg",
                "quality recording.csv --columns ppg,ecg --rate 125 --json",
                "quality hour.csv --network --one-pass --features tokens.npy")
        {
            input, json, plot, beside, weights, onePass, features,
        };
        reading.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            bool isOne = parsed.GetValue(onePass) || parsed.GetValue(features) is not null;
            string? source = parsed.GetValue(weights) ?? (isOne || parsed.GetValue(beside) ? ShippedWeights.Find(ShippedWeights.Quality)
                : null);
            Recording recording = StandardStreams.Read(terminal, parsed.GetValue(input)!, reading.Read(parsed), cancellation);
            var judged = new List<(Channel Channel, QualityTrack Track)>();
            foreach (Channel channel in SignalChannels.Of(recording, terminal.Note))
                judged.Add((channel, QualityTrack.Of(channel, cancellation)));
            if (parsed.GetValue(plot) is string path)
                PlotFile.Save(Plot(recording, judged), path);
            NetworkQuality? network = source is not null
                ? QualityNetworkRun.Run(judged, source, isOne, parsed.GetValue(features), cancellation) : null;
            if (parsed.GetValue(json))
                Json.Write(terminal, new
                {
                    RestorationResult.Remark, Recording = recording.Name, Channels = judged.Select(j => Row(j.Channel, j.Track)),
                    Network = network,
                });
            else
                Print(terminal, judged);
            if (network is not null && !parsed.GetValue(json))
                QualityNetworkRun.Print(terminal, network, judged);
            foreach (SignalWarning warning in recording.Warnings)
                terminal.Note($"warning: {warning}");
            return Task.FromResult(ExitCode.Success);
        });
        return command;
    }

    private static ChannelQuality Row(Channel channel, QualityTrack track)
    {
        bool pressure = channel.Kind == ChannelKind.BloodPressure;
        return new ChannelQuality(channel.Name, ChannelInfo.NameOf(channel.Kind), Mean(track), Share(track, track.HeartRateReadable),
            Share(track, track.RhythmReadable), pressure ? Share(track, track.PressureReadable) : null,
            [.. Enumerable.Range(0, track.Seconds).Select(s => new QualitySecond
            {
                Second = s,
                Index = track.Index[s],
                RateBpm = double.IsNaN(track.Heart.Rate[s]) ? null : track.Heart.Rate[s],
                Reasons = Names(track.Reasons[s]),
                HeartRate = track.HeartRateReadable(s),
                Rhythm = track.RhythmReadable(s),
                Pressure = pressure ? track.PressureReadable(s) : null,
                Bsqi = track.Indices[s].Agreement,
                Ksqi = track.Indices[s].Kurtosis,
                Ssqi = track.Indices[s].Skewness,
                Psqi = track.Indices[s].BandShare,
                Bassqi = track.Indices[s].BaselineShare,
                Template = track.Indices[s].Template,
            })]);
    }

    private static double? Mean(QualityTrack track) => track.Seconds == 0 ? null : track.Index.Average();

    private static double? Share(QualityTrack track, Func<int, bool> readable) =>
        track.Seconds == 0 ? null : Enumerable.Range(0, track.Seconds).Count(readable) / (double)track.Seconds;

    private static string[] Names(QualityReasons reasons) => [.. Enum.GetValues<QualityReasons>()
        .Where(r => r != QualityReasons.None && reasons.HasFlag(r)).Select(r => r switch
        {
            QualityReasons.NoBeats => "no beats",
            QualityReasons.DetectorsDisagree => "detectors disagree",
            QualityReasons.Damped => "damped or weak",
            _ => r.ToString().ToLowerInvariant(),
        })];

    private static void Print(Terminal terminal, List<(Channel Channel, QualityTrack Track)> judged)
    {
        var table = ResultTable.Create("channel", "kind", ">seconds", ">mean index", ">heart rate %", ">rhythm %", ">pressure %");
        foreach ((Channel channel, QualityTrack track) in judged)
        {
            ChannelQuality row = Row(channel, track);
            table.Add(row.Name, row.Kind, track.Seconds, row.Mean?.In("0.00") ?? "-", Percent(row.HeartRateShare),
                Percent(row.RhythmShare), Percent(row.PressureShare));
        }

        terminal.Write(table);
        var stretches = ResultTable.Create("channel", "from", "to", ">index", "readable", "why not");
        foreach ((Channel channel, QualityTrack track) in judged)
        {
            foreach ((int from, int to) in Stretches(track))
            {
                QualityReasons reasons = QualityReasons.None;
                for (int s = from; s < to; s++)
                    reasons |= track.Reasons[s];
                stretches.Add(channel.Name, Clock(from), Clock(to), track.Index[from..to].Average().In("0.00"), What(track, from),
                    track.HeartRateReadable(from) && track.RhythmReadable(from) ? "" : string.Join(", ", Names(reasons)));
            }
        }

        terminal.Write(stretches);
        terminal.Say("readable: whether the ten seconds before give a heart rate, a rhythm, a pressure. Research software, not a "
            + "medical device.");
    }

    private static string Percent(double? share) => share is { } x ? (100 * x).In("0") : "-";

    private static string What(QualityTrack track, int second)
    {
        string[] what = [.. new (bool Holds, string Name)[]
        {
            (track.HeartRateReadable(second), "rate"), (track.RhythmReadable(second), "rhythm"),
            (track.PressureReadable(second), "pressure"),
        }.Where(w => w.Holds).Select(w => w.Name)];
        return what.Length == 0 ? "nothing" : string.Join(", ", what);
    }

    // Seconds of which the same can be read, one after the other.
    private static IEnumerable<(int From, int To)> Stretches(QualityTrack track)
    {
        int from = 0;
        for (int s = 1; s <= track.Seconds; s++)
        {
            if (s < track.Seconds && What(track, s) == What(track, from))
                continue;
            yield return (from, s);
            from = s;
        }
    }

    private static string Clock(int seconds) => TimeSpan.FromSeconds(seconds).ToString(seconds >= 3600 ? @"h\:mm\:ss" : @"m\:ss",
        CultureInfo.InvariantCulture);

    private static SignalPlot Plot(Recording recording, List<(Channel Channel, QualityTrack Track)> judged)
    {
        const int Rate = QualityTrack.WorkRate;
        var panels = new List<PlotPanel>();
        foreach ((Channel channel, QualityTrack track) in judged)
        {
            float[] work = channel.SampleRate == Rate ? channel.Samples.ToArray()
                : new Resampler(channel.SampleRate, Rate).Resample(channel.Samples.Span);
            float[] index = new float[work.Length];
            for (int i = 0; i < index.Length; i++)
                index[i] = track.Seconds == 0 ? float.NaN : (float)track.Index[Math.Min(track.Seconds - 1, i / Rate)];
            SampleRange[] unread = [.. Stretches(track).Where(s => !track.HeartRateReadable(s.From))
                .Select(s => new SampleRange(s.From * Rate, Math.Min(work.Length, s.To * Rate) - (s.From * Rate)))];
            panels.Add(new PlotPanel(channel.Name, channel.Unit, [new PlotTrace(TraceRole.Measured, work)]) { Gaps = unread });
            panels.Add(new PlotPanel("index", "", [new PlotTrace(TraceRole.Measured, index)]));
        }

        return new SignalPlot
        {
            Title = $"Quality of {recording.Name}", SampleRate = Rate, Panels = panels, PanelHeight = 110,
            GapLabel = "No heart rate to be read",
            Remark = "Index: probability that the heart rate of the ten seconds before is right to 5 bpm.",
        };
    }
}
