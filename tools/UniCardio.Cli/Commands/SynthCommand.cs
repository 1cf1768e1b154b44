using System.CommandLine;
using UniCardio.Cli.Options;
using UniCardio.Cli.Output;
using UniCardio.Signals;
using UniCardio.Signals.Formats;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Cli.Commands;

/// <summary>Heart rhythms of <c>synth</c>.</summary>
internal enum SynthRhythm
{
    Sinus,
    Af,
    Ectopy,
}

/// <summary><c>synth OUT</c>: a coupled synthetic recording with its truth.</summary>
internal static class SynthCommand
{
    private const double MaxSeconds = 86400;

    public static Command Create(Terminal terminal)
    {
        var destination = new Argument<string>("OUT") { Description = "The recording to write: .csv, .npy, .hea (WFDB) or .edf (EDF+)." };
        var seconds =
            new Option<double>("--seconds") { Description = "Length, up to 86400 s.", DefaultValueFactory = _ => 60, HelpName = "S" };
        var seed = new Option<ulong>("--seed") { Description = "Equal seeds give equal recordings, on every machine.", HelpName = "SEED" };
        var truth = new Option<string?>("--truth") { Description = "Where the true beats go, as CSV; OUT with .beats.csv if left out.",
            HelpName = "FILE" };
        var clean = new Option<string?>("--clean") { Description = "Also writes the recording without noise and gaps.", HelpName = "FILE" };
        var subject = new SubjectOptions();
        var noise = new NoiseOptions();
        var command = new ExampleCommand(
            "synth",
            "Writes a synthetic recording of PPG, arterial blood pressure and ECG of one heart, with the truth about its beats (R peak, "
            + "systolic and diastolic pressure).",
            "synth example.csv --seconds 30 --seed 7 --snr 25 --gap ABP,6,1.2 --gap ABP,15,1.2",
            "synth af.hea --rhythm af --heart-rate 95 --rate 250 --missing 0.05")
        {
            destination, seconds, seed, truth, clean,
        };
        subject.AddTo(command);
        noise.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            SynthesisParameters parameters = subject.Read(parsed);
            double length = parsed.GetValue(seconds);
            if (!(length > 0 && length <= MaxSeconds))
                throw new UsageException($"--seconds {length.In("R")} is not above 0 and up to {MaxSeconds}");
            int samples = Math.Max(1, (int)Math.Round(length * parameters.SampleRate));
            cancellation.ThrowIfCancellationRequested();
            SyntheticRecording made = new CardiovascularSynthesizer().Generate(parameters, samples, parsed.GetValue(seed));
            Write(terminal, made, noise.Apply(parsed, made), parsed.GetValue(destination)!, parsed.GetValue(truth), parsed.GetValue(clean),
                cancellation);
            return Task.FromResult(ExitCode.Success);
        });
        return command;
    }

    private static void Write(Terminal terminal, SyntheticRecording made, Recording spoiled, string path, string? truth, string? clean,
        CancellationToken cancellation)
    {
        truth ??= Path.ChangeExtension(path, ".beats.csv");
        string[] files = [.. new[] { path, truth, clean }.OfType<string>()];
        if (files.Select(Path.GetFullPath).Distinct().Count() != files.Length)
            throw new UsageException("OUT, --truth and --clean must be different files");
        OutputFile.InOrder(
            (path, p => RecordingFile.Write(p, spoiled, cancellation: cancellation)),
            (truth, p => OutputFile.Write(p, BeatTable.Of(made.Beats))),
            (clean, p =>
                RecordingFile.Write(p, made.ToRecording(Path.GetFileNameWithoutExtension(p)), cancellation: CancellationToken.None)));
        terminal.Say(
            $"wrote {path}: {spoiled.DurationSeconds.In("0.###")} s of {string.Join(", ", spoiled.Channels.Select(c => c.Name))} at "
            + $"{made.Parameters.SampleRate.In("0.###")} Hz, {made.Beats.Count} beats in {truth}");
    }
}
