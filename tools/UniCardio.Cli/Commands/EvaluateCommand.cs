using System.CommandLine;
using UniCardio.Cli.Options;
using UniCardio.Cli.Output;
using UniCardio.Engine.Sessions;
using UniCardio.Evaluation;
using UniCardio.Evaluation.Cases;
using UniCardio.Evaluation.Reports;
using UniCardio.Restoration;
using UniCardio.Weights;

namespace UniCardio.Cli.Commands;

/// <summary><c>evaluate</c>: how well a network does on recordings, beside baselines.</summary>
internal static class EvaluateCommand
{
    public static Command Create(Terminal terminal)
    {
        var weights = WeightOptions.Optional("the weights that come with the program");
        var untrained = new Option<bool>("--untrained") { Description = "Measures untrained recipe weights; their output is noise." };
        var sources = new EvaluationSources();
        var options = new EvaluationOptionSet();
        var reports = new ReportOptions();
        var backend = new BackendOptions();
        var command = new ExampleCommand("evaluate",
            "Spoils clean windows of recordings, restores and translates them with the network and with baselines (interpolation, the patient's own beat, filters, templates placed by pulses), and says who errs by how much. " + RestorationResult.Remark,
            "evaluate --recordings recordings/ --markdown report.md --html report",
            "evaluate --recordings icu_125Hz.csv,subject=p12 --tasks 'ppg->ecg' 'impute bp | ppg' --windows 50 --csv rows.csv",
            "evaluate --tasks denoise --snr 0,5,10 --draws 20 --sampler ddim:20");
        sources.AddTo(command);
        options.AddTo(command);
        reports.AddTo(command);
        weights.AddTo(command);
        command.Add(untrained);
        backend.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            reports.Check(parsed);
            using LoadedWeights loaded = weights.Load(parsed, weights.Source(parsed) ?? ShippedWeights.Find());
            if (loaded.IsUntrained && !parsed.GetValue(untrained))
                throw new UsageException($"{loaded.Source} holds untrained weights ({loaded.Recipe}): their output is noise, not a signal; --untrained measures them all the same");
            EvaluationOptions chosen = options.Read(parsed, loaded.Configuration, otherwiseWindows: 10);
            IReadOnlyList<EvaluationRecording> recordings = sources.Read(parsed, terminal.Note, cancellation);
            using var engine = new InferenceEngine(backend.Create(parsed, loaded.Weights));
            var with = new EvaluationSubject(loaded.Source, loaded.IsUntrained ? $"untrained ({loaded.Recipe})" : loaded.Description, sources.TrainingSubjects(parsed), engine.Backend.Name);
            EvaluationReport.KeptApart(recordings, with);
            EvaluationResult result = terminal.WithProgress("evaluate", bar => new Evaluator(engine, chosen).Run(recordings, new CaseProgress(bar, terminal), cancellation));
            cancellation.ThrowIfCancellationRequested();
            if (result.Cases.Count == 0)
                throw new UsageException("no recording has a clean window with the signals of a task");
            EvaluationReport report = EvaluationReport.Of(result, with);
            IReadOnlyList<string> files = reports.Write(parsed, () => MarkdownReport.Of(report), () => CsvReport.Of(report), () => JsonReport.Of(report), () => HtmlReport.Of(report, result));
            Show(terminal, report, files);
            return Task.FromResult(ExitCode.Success);
        });
        return command;
    }

    private static void Show(Terminal terminal, EvaluationReport report, IReadOnlyList<string> files)
    {
        terminal.Write(EvaluationTables.Short(report));
        if (report.ConditionGains.Count > 0)
            terminal.Write(EvaluationTables.Gains(report));
        terminal.Out.WriteLine($"{report.NetworkCalls} network calls, {report.NetworkSeconds.In("0.0")} s in the network of {report.TotalSeconds.In("0.0")} s; {report.Settings}; {report.With.Backend}");
        terminal.Out.WriteLine($"subjects: {report.Subjects}");
        foreach (string file in files)
            terminal.Note($"wrote {file}");
        terminal.Note(report.Remark);
    }
}
