using System.CommandLine;
using UniCardio.Cli.Options;
using UniCardio.Cli.Output;
using UniCardio.Engine.Sessions;
using UniCardio.Evaluation;
using UniCardio.Evaluation.Cases;
using UniCardio.Evaluation.Reports;
using UniCardio.Evaluation.Study;
using UniCardio.Restoration;
using UniCardio.Weights;

namespace UniCardio.Cli.Commands;

/// <summary>Studies of <c>evaluate</c>.</summary>
internal enum EvaluationStudy
{
    Samplers,
}

/// <summary><c>evaluate</c>: how well a network does on recordings, beside baselines.</summary>
internal static class EvaluateCommand
{
    private const string NothingToMeasure = "no recording has a clean window with the signals of a task";

    public static Command Create(Terminal terminal)
    {
        var weights = WeightOptions.Optional("the weights that come with the program");
        var untrained = new Option<bool>("--untrained") { Description = "Measures untrained recipe weights; their output is noise." };
        var study = new Option<EvaluationStudy?>("--study") { Description = "samplers: quality against network calls, sampler by sampler and draw by draw, instead of tasks against baselines." };
        var sources = new EvaluationSources();
        var options = new EvaluationOptionSet();
        var reports = new ReportOptions();
        var backend = new BackendOptions();
        var command = new ExampleCommand("evaluate",
            "Spoils clean windows of recordings, restores and translates them with the network and with baselines (interpolation, the patient's own beat, filters, templates placed by pulses), and says who errs by how much. " + RestorationResult.Remark,
            "evaluate --recordings recordings/ --markdown report.md --html report",
            "evaluate --recordings icu_125Hz.csv,subject=p12 --tasks 'ppg->ecg' 'impute bp | ppg' --windows 50 --csv rows.csv",
            "evaluate --tasks denoise --snr 0,5,10 --noise white,wander,muscle --draws 20 --sampler ddim:20",
            "evaluate --study samplers --recordings recordings/ --html study");
        sources.AddTo(command);
        command.Add(study);
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
            EvaluationOptions? measured = parsed.GetValue(study) is null ? options.Read(parsed, loaded.Configuration) : null;
            SamplerStudyOptions? compared = measured is null ? options.ReadStudy(parsed, loaded.Configuration) : null;
            IReadOnlyList<EvaluationRecording> recordings = sources.Read(parsed, terminal.Note, cancellation);
            using var engine = new InferenceEngine(backend.Create(parsed, loaded.Weights, terminal.Note));
            var with = new EvaluationSubject(loaded.Source, loaded.IsUntrained ? $"untrained ({loaded.Recipe})" : loaded.Description, sources.TrainingSubjects(parsed), engine.Backend.Name);
            EvaluationReport.KeptApart(recordings, with);
            if (measured is not null)
                Measure(terminal, engine, measured, recordings, with, reports, parsed, cancellation);
            else
                Compare(terminal, engine, compared!, recordings, with, reports, parsed, cancellation);
            return Task.FromResult(ExitCode.Success);
        });
        return command;
    }

    private static void Measure(Terminal terminal, InferenceEngine engine, EvaluationOptions options, IReadOnlyList<EvaluationRecording> recordings,
        EvaluationSubject with, ReportOptions reports, ParseResult parsed, CancellationToken cancellation)
    {
        EvaluationResult result = terminal.WithProgress("evaluate", bar => new Evaluator(engine, options).Run(recordings, new CaseProgress(bar, terminal), cancellation));
        cancellation.ThrowIfCancellationRequested();
        if (result.Cases.Count == 0)
            throw new UsageException(NothingToMeasure);
        EvaluationReport report = EvaluationReport.Of(result, with);
        IReadOnlyList<string> files = reports.Write(parsed, () => MarkdownReport.Of(report), () => CsvReport.Of(report), () => JsonReport.Of(report), () => HtmlReport.Of(report, result));
        Show(terminal, report, files);
    }

    private static void Compare(Terminal terminal, InferenceEngine engine, SamplerStudyOptions options, IReadOnlyList<EvaluationRecording> recordings,
        EvaluationSubject with, ReportOptions reports, ParseResult parsed, CancellationToken cancellation)
    {
        SamplerStudyResult result = terminal.WithProgress("study", bar => new SamplerStudy(engine, options).Run(recordings, new CaseProgress(bar, terminal), cancellation));
        cancellation.ThrowIfCancellationRequested();
        if (result.Points.Count == 0)
            throw new UsageException(NothingToMeasure);
        SamplerReport report = SamplerReport.Of(result, with);
        IReadOnlyList<string> files = reports.Write(parsed, report.ToMarkdown, report.ToCsv, () => JsonReport.Of(report), () => report.ToHtml(result.Options));
        terminal.Write(EvaluationTables.Samplers(report));
        terminal.Out.WriteLine(report.Verdict);
        terminal.Out.WriteLine($"{report.NetworkCalls} network calls, {report.TotalSeconds.In("0.0")} s; {report.Settings}");
        Close(terminal, files, report.Remark);
    }

    private static void Show(Terminal terminal, EvaluationReport report, IReadOnlyList<string> files)
    {
        terminal.Write(EvaluationTables.Short(report));
        if (report.ConditionGains.Count > 0)
            terminal.Write(EvaluationTables.Gains(report));
        terminal.Out.WriteLine($"{report.NetworkCalls} network calls, {report.NetworkSeconds.In("0.0")} s in the network of {report.TotalSeconds.In("0.0")} s; {report.Settings}; {report.With.Backend}");
        terminal.Out.WriteLine($"subjects: {report.Subjects}");
        Close(terminal, files, report.Remark);
    }

    private static void Close(Terminal terminal, IReadOnlyList<string> files, string remark)
    {
        foreach (string file in files)
            terminal.Note($"wrote {file}");
        terminal.Note(remark);
    }
}
