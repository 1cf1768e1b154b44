using System.CommandLine;
using System.Globalization;
using UniCardio.Cli.Options;
using UniCardio.Cli.Output;
using UniCardio.Restoration;
using UniCardio.Signals;
using UniCardio.Signals.Beats;
using UniCardio.Signals.Formats;
using UniCardio.Signals.Quality;

namespace UniCardio.Cli.Commands;

/// <summary>A window of a channel, as <c>rhythm --json</c> prints it.</summary>
internal sealed record RhythmWindow
{
    public required double Start { get; init; }
    public required double End { get; init; }
    public required string Rhythm { get; init; }
    public required double Score { get; init; }
    public required double Quality { get; init; }
    public required double? Sinus { get; init; }
    public required double? Af { get; init; }
    public required double? Ectopy { get; init; }
    public required double? VentricularRun { get; init; }
}

/// <summary><c>rhythm RECORDING</c>: sinus rhythm, fibrillation, ectopic beats or a ventricular run, window by window, or that none can be
/// told.</summary>
internal static class RhythmCommand
{
    public static Command Create(Terminal terminal)
    {
        var input = new Argument<string>("RECORDING") { Description = "The recording: .csv, .npy, WFDB (.hea), .edf or .bdf." };
        var window = new Option<int?>("--window")
            { Description = "Seconds of a window, 10 to 60; 30, or what there is of a shorter recording, if left out." };
        var generated = new Option<bool>("--generated")
            { Description = "Reads windows that are known to be made up by more than a tenth too; their rhythm may be invented." };
        var json = new Option<bool>("--json") { Description = "Writes one JSON object, with every window's probabilities." };
        var reading = new ReadingOptions();
        var command = new ExampleCommand("rhythm",
            "Tells sinus rhythm, atrial fibrillation, ectopic beats and runs like ventricular tachycardia apart, from each ECG and "
            + "pulse and "
            + "from both, with a score, or says that it cannot: too few beats, poor signal, undecided. Fitted on synthetic "
            + "hearts. Of samples that the file says are generated it tells none. Research "
            + "software, not a medical device: no diagnosis, and no alarm may rest on it.",
            "rhythm recording.hea", "rhythm recording.csv --window 10 --json", "rhythm pulse.csv --rate 64 --columns ppg")
        {
            input, window, json, generated,
        };
        reading.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            if (parsed.GetValue(window) is < 10 or > 60)
                throw new UsageException($"--window {parsed.GetValue(window)}: a rhythm is read from 10 to 60 s");
            Recording recording = RecordingFile.Read(parsed.GetValue(input)!, reading.Read(parsed), cancellation);
            IReadOnlyList<Channel> channels = SignalChannels.Of(recording, terminal.Note);
            List<QualityTrack> tracks = [.. channels.Select(c => QualityTrack.Of(Whole(c), cancellation))];
            int seconds = parsed.GetValue(window) ?? Math.Clamp(tracks.Max(t => t.Seconds), 10, 30);
            List<(string Name, bool IsEcg, IReadOnlyList<RhythmReading> Readings)> found = [.. channels.Zip(tracks, (c, track) =>
            {
                IReadOnlyList<RhythmReading> all = RhythmReading.Of(track, track.Work, seconds, Math.Max(1, seconds / 3));
                return (c.Name, c.Kind == ChannelKind.Ecg, parsed.GetValue(generated) ? all
                    : RhythmReading.WithoutGenerated(all, recording.Unmeasured.Where(u => u.Channel == c.Name)));
            })];
            if (found.Count > 1)
                found.Add(("together", true, RhythmReading.Fuse([.. found.Select(f => f.Readings)], [.. found.Select(f => f.IsEcg)])));
            if (parsed.GetValue(json))
                Json.Write(terminal, new { RestorationResult.Remark, Recording = recording.Name,
                    Signals = found.Select(f => new { f.Name, Windows =
                    f.Readings.Select(Row) }) });
            else
                Print(terminal, found);
            foreach ((string name, _, _) in found.Where(f => f.Readings.Count == 0))
                terminal.Note($"{name}: no rhythm can be told, it is shorter than a window of {seconds} s");
            foreach (SignalWarning warning in recording.Warnings)
                terminal.Note($"warning: {warning}");
            return Task.FromResult(ExitCode.Success);
        });
        return command;
    }

    // A last second that lacks less than a tenth is one: a recording of 10 s may have 639 samples at 64 Hz. What is added is missing.
    private static Channel Whole(Channel channel)
    {
        int whole = (int)Math.Ceiling(Math.Floor(channel.DurationSeconds + 0.1) * channel.SampleRate);
        return whole <= channel.Length ? channel : new Channel(channel.Name, channel.Unit, channel.SampleRate,
            (float[])[.. channel.Samples.Span, .. Enumerable.Repeat(float.NaN, whole - channel.Length)], channel.Kind);
    }

    private static RhythmWindow Row(RhythmReading r)
    {
        double? Share(RhythmKind k) => r.Shares.Length == 0 ? null : r.Shares[(int)k];
        return new RhythmWindow
        {
            Start = r.Start, End = r.End, Rhythm = Name(r), Score = r.Score, Quality = r.Quality, Sinus = Share(RhythmKind.Sinus),
            Af = Share(RhythmKind.AtrialFibrillation), Ectopy = Share(RhythmKind.Ectopy), VentricularRun = Share(RhythmKind.VentricularRun),
        };
    }

    private static string Name(RhythmReading r) => r.Kind switch
    {
        RhythmKind.Sinus => "sinus or as regular",
        RhythmKind.AtrialFibrillation => "like fibrillation",
        RhythmKind.Ectopy => "ectopic beats",
        RhythmKind.VentricularRun => "like a ventricular run",
        _ => r.Abstained,
    };

    private static void Print(Terminal terminal, List<(string Name, bool IsEcg, IReadOnlyList<RhythmReading> Readings)> found)
    {
        var table = ResultTable.Create("signal", "from", "to", "rhythm", ">score");
        foreach ((string name, _, IReadOnlyList<RhythmReading> readings) in found)
        {
            // Windows of one rhythm, one after the other, are a line.
            for (int i = 0, first = 0; i < readings.Count; i++)
            {
                if (i + 1 < readings.Count && Name(readings[i + 1]) == Name(readings[first]))
                    continue;
                RhythmReading[] row = [.. readings.Skip(first).Take(i + 1 - first)];
                table.Add(name, Clock(row[0].Start), Clock(row[^1].End), Name(row[0]), row[0].Kind is null ? "-"
                    : row.Average(r => r.Score).In("0.00"));
                first = i + 1;
            }
        }

        terminal.Write(table);
        terminal.Say("Lines overlap by up to two thirds of a window. Research software, not a medical device.");
    }

    private static string Clock(double seconds) => TimeSpan.FromSeconds(seconds).ToString(@"h\:mm\:ss", CultureInfo.InvariantCulture);
}
