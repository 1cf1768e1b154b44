using System.CommandLine;
using UniCardio.Cli.Analysis;
using UniCardio.Cli.Archive;
using UniCardio.Cli.Options;
using UniCardio.Cli.Output;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sessions;
using UniCardio.Pipeline;
using UniCardio.Restoration;
using UniCardio.Signals;
using UniCardio.Signals.Formats;
using UniCardio.Weights;

namespace UniCardio.Cli.Commands;

/// <summary>What <c>impute</c>, <c>denoise</c> and <c>translate</c> have in common: all but the task.</summary>
internal static class SignalCommands
{
    /// <summary>The command of one kind of task.</summary>
    public static Command Create(Terminal terminal, TaskKind kind, string name, string description, params string[] examples)
    {
        var input = new Argument<string>("INPUT") { Description =
            "The recording: .csv, .npy, WFDB (.hea), .edf or .bdf; or a folder of them, each restored into the folder that --out names; "
            + "- is CSV from standard input." };
        var weights = WeightOptions.Optional("the weights that come with the program");
        var untrained = new Option<bool>("--untrained") { Description = "Runs untrained recipe weights; their output is noise." };
        var restoring = new RestoringOptions(kind);
        var correction = new CorrectionOption();
        var reading = new ReadingOptions();
        var backend = new BackendOptions();
        var results = new ResultOptions();
        var archive = new ArchiveOptions();
        var explain = new ExplainOption();
        var command = new ExampleCommand(name, $"{description} {RestorationResult.Remark}", examples) { input };
        restoring.AddTo(command);
        results.AddTo(command);
        archive.AddTo(command);
        reading.AddTo(command);
        weights.AddTo(command);
        command.Add(untrained);
        if (kind != TaskKind.Denoise)
            explain.AddTo(command);
        if (kind == TaskKind.Impute)
            correction.AddTo(command);
        backend.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            string path = parsed.GetValue(input)!;
            bool isArchive = Directory.Exists(path);
            if (isArchive)
            {
                results.CheckFolder(parsed, path);
            }
            else
            {
                archive.RequireFile(parsed);
                results.Check(parsed, path);
            }
            RestorationOptions options = restoring.Read(parsed, () => reading.Read(parsed));
            explain.Check(parsed, path, options, isArchive);
            using LoadedWeights loaded = weights.Load(parsed, weights.Source(parsed) ?? ShippedWeights.Find());
            if (loaded.IsUntrained && !parsed.GetValue(untrained))
                throw new UsageException(
                    $"{loaded.Source} holds untrained weights ({loaded.Recipe}): their output is noise, not a signal; --untrained runs "
                    + $"them all the same");
            InferenceEngine Engine() => new(backend.Create(parsed, loaded.Weights, terminal.Note));
            using LoadedWeights? correcting = correction.Load(parsed, options.Estimator);
            using InferenceEngine? corrector =
                correcting is null ? null : new InferenceEngine(backend.Create(parsed, correcting.Weights, terminal.Note));
            options = options with { Correction = corrector };
            if (isArchive)
            {
                var run = new ArchiveRun(path, results.Out(parsed)!, archive.Extension(parsed), archive.Part(parsed), reading.Read(parsed),
                    restoring.Channels(parsed), ArchiveSettings.Of(options, reading.Read(parsed), restoring.Channels(parsed), loaded,
                        correcting));
                using InferenceEngine shared = Engine();
                return Task.FromResult(
                    ArchiveCode(terminal, run.Run(new Restorer(shared, options), terminal, cancellation), results.Json(parsed)));
            }
            Recording recording = StandardStreams.Read(terminal, path, reading.Read(parsed), cancellation);
            Recording? truth = results.Truth(parsed) is string truthPath
                ? RecordingFile.Read(truthPath, reading.Read(parsed), cancellation) : null;
            using InferenceEngine engine = Engine();
            var restorer = new Restorer(engine, options);
            RestorationResult result = terminal.WithProgress(options.Task.ToString(), bar =>
                restorer.Run(recording, restoring.Channels(parsed), new WindowProgress(bar), cancellation));
            cancellation.ThrowIfCancellationRequested();
            RestorationReport report = RestorationReport.Of(path, loaded, engine.Backend.Name, recording, result, truth);
            Write(terminal, results, parsed, recording, result, truth, report);
            explain.Write(parsed, terminal, new ExplainPage(recording, restoring.Channels(parsed), options, path), loaded.Weights, engine,
                results.PlotRange(parsed).Start, cancellation);
            if (truth is not null && report.Truth is null)
                terminal.Note("--truth was not compared: what is translated without a calibration has no scale");
            Show(terminal, report, results.Json(parsed), [results.Out(parsed), results.Plot(parsed)]);
            return Task.FromResult(ExitCode.Success);
        });
        return command;
    }

    private static int ArchiveCode(Terminal terminal, ArchiveReport report, bool json)
    {
        if (json)
            Json.Write(terminal, report);
        else
            terminal.Say(
                $"part {report.Shard}: {report.Recordings} recordings, {report.Done} restored, {report.Skipped} done before, "
                + $"{report.Failed} failed; {report.Manifest}");
        if (report.Cancelled)
            terminal.Note("cancelled; the same command continues where it was");
        terminal.Note(report.Remark);
        return report.Cancelled ? ExitCode.Cancelled : report.Failed > 0 ? ExitCode.Failed : ExitCode.Success;
    }

    // From here on nothing is cancelled: files are written whole, one after the other.
    private static void Write(Terminal terminal, ResultOptions results, ParseResult parsed, Recording recording, RestorationResult result,
        Recording? truth,
        RestorationReport report)
    {
        (double? start, double seconds) = results.PlotRange(parsed);
        OutputFile.InOrder(
            (results.Out(parsed), path => StandardStreams.Write(terminal, path, result.Recording)),
            (results.Plot(parsed), path => PlotFile.Save(
                RestorationPlot.Of(recording, result, truth, report.Remark, start, seconds), path)));
    }

    private static void Show(Terminal terminal, RestorationReport report, bool json, IEnumerable<string?> files)
    {
        if (json)
            Json.Write(terminal, report);
        else
            report.WriteTo(files.Contains(StandardStreams.Name) ? terminal.Error : terminal.Out);
        if (report.SamplesGenerated == 0)
            terminal.Note($"there was nothing to generate: channel '{report.Channel}' has "
                + (report.SamplesMeasured == 0 ? "no measured sample" : "no gap that the network would have to fill"));
        foreach (string warning in report.Warnings)
            terminal.Note($"warning: {warning}");
        foreach (string file in files.OfType<string>())
        {
            terminal.Note($"wrote {(file == StandardStreams.Name ? "standard output" : file)}");
            if (Path.GetExtension(file).Equals(".npy", StringComparison.OrdinalIgnoreCase) && report.NotMeasured.Count > 0)
                terminal.Note(
                    $"warning: {file} has no room to say which samples are not measured; .csv, .hea and .edf do, and --json lists them");
        }
        terminal.Note(report.Remark);
    }

    private sealed class WindowProgress(IProgress<(double Share, string What)> bar) : IProgress<RestorationProgress>
    {
        public void Report(RestorationProgress value) =>
            bar.Report((value.Fraction, value.WindowsDone < value.WindowsTotal
                ? $"{value.WindowsDone} of {value.WindowsTotal} windows" : "measured stretches hidden in turn"));
    }
}
