using System.CommandLine;
using UniCardio.Cli.Options;
using UniCardio.Cli.Output;
using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Restoration;
using UniCardio.Signals;
using UniCardio.Signals.Formats;
using UniCardio.Signals.Patient;
using UniCardio.Signals.Plotting;
using UniCardio.Signals.Processing;

namespace UniCardio.Cli.Commands;

/// <summary><c>learn RECORDING</c>: what a recording says of its patient.</summary>
internal static class LearnCommand
{
    public static Command Create(Terminal terminal)
    {
        var input = new Argument<string>("RECORDING") { Description = "The recording: .csv, .npy, WFDB (.hea), .edf or .bdf." };
        var output = new Option<string?>("--out") { Description =
            "Where the profile goes, as JSON. It holds a minute of the signals: 'translate --calibrate' takes it.", HelpName = "FILE" };
        var plot = new Option<string?>("--plot")
            { Description = "Draws the mean beats with their spread: .svg or .png.", HelpName = "FILE" };
        var json = new Option<bool>("--json") { Description = "Prints what was learned as JSON, without the minute of signals." };
        var reading = new ReadingOptions();
        var command = new ExampleCommand(
            "learn",
            $"Learns a patient's beats from a recording: mean beat and spread of each signal, delays between signals and their drift, "
            + $"levels, noise, and how well one signal places another's beats. {RestorationResult.Remark}",
            "learn icu.csv --out patient.json --plot beats.svg",
            "translate later.csv --target bp --with ppg --calibrate patient.json --out bp.csv")
        {
            input, output, plot, json,
        };
        reading.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            Recording recording = StandardStreams.Read(terminal, parsed.GetValue(input)!, reading.Read(parsed), cancellation);
            PatientSignals signals = Signals(terminal, recording, cancellation);
            PatientProfile profile = PatientProfile.Learn(signals);
            if (profile.Signals.Count == 0)
                throw new SignalException(
                    $"'{recording.Name}' shows fewer than eight beats in every PPG, arterial pressure and ECG; there is nothing to learn");
            OutputFile.InOrder(
                (parsed.GetValue(output), path => OutputFile.Write(path, profile.ToJson())),
                (parsed.GetValue(plot), path => PlotFile.Save(Picture(recording, profile), path)));
            if (parsed.GetValue(json))
                terminal.Out.WriteLine((profile with { Reference = new Dictionary<string, string>() }).ToJson());
            else
                Print(terminal, profile);
            terminal.Note(RestorationResult.Remark);
            return Task.FromResult(ExitCode.Success);
        });
        return command;
    }

    // The first channel of each kind at 125 Hz on one axis.
    private static PatientSignals Signals(Terminal terminal, Recording recording, CancellationToken cancellation)
    {
        var channels = new List<(Modality Modality, Channel Channel)>();
        foreach (Modality modality in Modalities.All)
        {
            if (recording.Find(NetworkSignal.KindOf(modality)) is not { } channel)
                continue;
            // What is learned of a pressure is its level too, in mmHg.
            if (modality == Modality.Bp && channel.Unit == SignalUnit.Normalized)
            {
                terminal.Note($"passed over: {channel.Name} is normalised and tells no level of a pressure");
                continue;
            }

            _ = NetworkSignal.ResamplerOf(channel.SampleRate, NetworkSignal.Rate, channel.Name);
            channels.Add((modality, channel));
        }

        if (channels.Count == 0)
            throw new SignalException($"'{recording.Name}' has no PPG, arterial pressure or ECG");
        IReadOnlyList<Channel> common = RecordingPreparation.Resample(recording.WithChannels(channels.Select(c => c.Channel)),
            NetworkSignal.Rate, cancellation).Channels;
        var signals = new float[]?[3];
        for (int i = 0; i < channels.Count; i++)
        {
            float[] samples = common[i].Samples.ToArray();
            NetworkSignal.ToNetworkUnit(samples, NetworkSignal.UnitFactor(channels[i].Modality, channels[i].Channel));
            signals[(int)channels[i].Modality] = samples;
        }

        return new PatientSignals(NetworkSignal.Rate, signals[0], signals[1], signals[2]);
    }

    private static string Name(ChannelKind kind) => kind switch { ChannelKind.Ppg => "ppg", ChannelKind.BloodPressure => "bp", _ => "ecg" };

    private static void Print(Terminal terminal, PatientProfile profile)
    {
        terminal.Say($"learned from {profile.Seconds.In("0.#")} s");
        foreach (SignalProfile s in profile.Signals)
        {
            string pressure = s is { Systolic: { } systolic, Diastolic: { } diastolic }
                ? $", {systolic.In("0")}/{diastolic.In("0")} mmHg" : "";
            terminal.Say(
                $"{Name(s.Kind),-4} {s.Beats} beats, {s.RateBpm.In("0.0")}/min, intervals +-{(100 * s.IntervalSpread).In("0.0")}%, "
                + $"height {s.Gain.In("G4")}{pressure}, noise {s.Noise.In("G3")}, height {(100 * s.RateDependence).In("+0;-0")}% where "
                + $"the interval before is twice as long");
        }

        foreach (PairProfile p in profile.Pairs)
        {
            string drift = p.IsClockDrift ? $"clocks drift by {p.DriftMsPerMinute.In("+0;-0")} ms/min (--align puts it right)"
                : $"drift {p.DriftMsPerMinute.In("+0;-0;0")}"
                    + $"{(p.DriftErrorMsPerMinute is double error ? $" +-{(2 * error).In("0")}" : "")} ms/min";
            terminal.Say(
                $"{Name(p.From)} -> {Name(p.To)}: {(1000 * p.DelaySeconds).In("0")} ms +-{(1000 * p.SpreadSeconds).In("0")}, {drift}; "
                + $"own beat so placed errs by {(100 * p.BeatError).In("0")}% of the signal's deviation");
        }
    }

    private static SignalPlot Picture(Recording recording, PatientProfile profile) => new()
    {
        Title = $"Mean beats: {recording.Name}",
        SampleRate = PatientProfile.Points,
        Panels = [.. profile.Signals.Select(
            s => new PlotPanel(Name(s.Kind).ToUpperInvariant(), s.Kind == ChannelKind.BloodPressure ? "mmHg" : "",
                [new PlotTrace(TraceRole.Measured, Floats(s.MeanBeat))
        {
            Lower = Floats([.. s.MeanBeat.Zip(s.BeatSpread, (m, d) => m - d)]),
            Upper = Floats([.. s.MeanBeat.Zip(s.BeatSpread, (m, d) => m + d)]),
            Label = "Mean beat",
            BandLabel = "One standard deviation",
        }]))],
        Remark = "One interval between beats, from a fifth of it before the beat; the band is one standard deviation.",
    };

    private static float[] Floats(double[] values) => [.. values.Select(v => (float)v)];
}
