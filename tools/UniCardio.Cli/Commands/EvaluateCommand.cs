using System.CommandLine;
using UniCardio.Cli.Options;
using UniCardio.Cli.Output;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sessions;
using UniCardio.Evaluation;
using UniCardio.Evaluation.Cases;
using UniCardio.Evaluation.Reports;
using UniCardio.Evaluation.Study;
using UniCardio.Evaluation.Study.Calibration;
using UniCardio.Evaluation.Study.Conditions;
using UniCardio.Evaluation.Study.Gaps;
using UniCardio.Evaluation.Study.Levels;
using UniCardio.Evaluation.Study.Rates;
using UniCardio.Pipeline.Patient;
using UniCardio.Restoration;
using UniCardio.Weights;

namespace UniCardio.Cli.Commands;

/// <summary>Studies of <c>evaluate</c>.</summary>
internal enum EvaluationStudy
{
    Samplers,
    Quality,
    Rhythm,
    Gaps,
    Conditions,
    Levels,
    Rates,
    Calibration,
    Downstream,
    Precision,
}

/// <summary><c>evaluate</c>: how well a network does on recordings, beside baselines.</summary>
internal static class EvaluateCommand
{
    private const string NothingToMeasure = "no recording has a clean window with the signals of a task";

    public static Command Create(Terminal terminal)
    {
        var weights = WeightOptions.Optional("the weights that come with the program");
        var untrained = new Option<bool>("--untrained") { Description = "Measures untrained recipe weights; their output is noise." };
        var study = new Option<EvaluationStudy?>("--study") { Description =
            "Instead of tasks against baselines: samplers, quality against network calls, sampler by sampler and draw by draw; gaps, the "
            + "blend of a patient's estimators beside each of them and simple methods, for gaps of 0.4 to 30 s; conditions, the error with "
            + "each further condition good, absent and bad; levels, whether a window's level and gain or a pulse's delay tell the "
            + "pressure; rates, the fused "
            + "heart rate "
            + "under episodes of bad signal beside published rules; calibration, a calibrated pressure by the age of its calibration; "
            + "quality: how "
            + "well quality indices tell where a heart rate is wrong (--weights names a quality network; --fit fits the index on "
            + "synthetic recordings); rhythm: how well rhythms are told (recordings with WFDB labels), "
            + "and false alarms of ventricular runs; downstream: heart rate, rhythm and pressure from clean, damaged, restored and "
            + "generated signals; precision: f16, bf16 and int8 weights, their error and what it does to the tasks." };
        var fit = new Option<int>("--fit") { Description =
            "With --study quality or rhythm: fits the index or the rhythms on so many synthetic recordings.",
            HelpName = "N" };
        var sources = new EvaluationSources();
        var options = new EvaluationOptionSet();
        var reports = new ReportOptions();
        var backend = new BackendOptions();
        var correction = new CorrectionOption();
        var command = new ExampleCommand("evaluate",
            "Spoils clean windows of recordings, restores and translates them with the network and with baselines (interpolation, the "
            + "patient's own beat, filters, templates placed by pulses), and says who errs by how much. " + RestorationResult.Remark,
            "evaluate --recordings recordings/ --markdown report.md --html report",
            "evaluate --recordings icu_125Hz.csv,subject=p12 --tasks 'ppg->ecg' 'impute bp | ppg' --windows 50 --csv rows.csv",
            "evaluate --tasks denoise --snr 0,5,10 --noise white,wander,muscle --draws 20 --sampler ddim:20",
            "evaluate --study samplers --recordings recordings/ --html study",
            "evaluate --study quality --recordings recordings/ --weights quality.safetensors",
            "evaluate --study gaps --recordings recordings/ --gap 0.4,1.2,5 --windows 6 --markdown gaps.md --csv gaps.csv",
            "evaluate --study gaps --recordings recordings/ --correction correction.safetensors --gap 1.2",
            "evaluate --study conditions --synthetic 12 --windows 2 --draws 1 --sampler ddim:1 --snr 10 --csv conditions.csv",
            "evaluate --study levels --recordings recordings/",
            "evaluate --study downstream --recordings a.csv,subject=a b.hea,subject=b",
            "evaluate --study precision --tasks 'ppg->ecg' 'impute bp | ppg' --windows 10",
            "evaluate --study rates --markdown rates.md",
            "evaluate --study calibration --recordings recordings/ --markdown calibration.md");
        sources.AddTo(command);
        command.Add(study);
        command.Add(fit);
        options.AddTo(command);
        reports.AddTo(command);
        weights.AddTo(command);
        command.Add(untrained);
        backend.AddTo(command);
        correction.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            reports.Check(parsed);
            sources.Check(parsed);
            if (parsed.GetValue(study) == EvaluationStudy.Rhythm)
                return Task.FromResult(RhythmStudyRun.Run(terminal, parsed.GetValue(fit), weights.Source(parsed),
                    () => sources.ReadWhole(parsed, terminal.Note, cancellation), cancellation));
            if (parsed.GetValue(study) == EvaluationStudy.Quality)
                return Task.FromResult(QualityStudyRun.Run(terminal, parsed.GetValue(fit), weights.Source(parsed),
                    () => sources.ReadWhole(parsed, terminal.Note, cancellation), cancellation));
            using LoadedWeights loaded = weights.Load(parsed, weights.Source(parsed) ?? ShippedWeights.Find());
            InferenceEngine Open(ModelWeights opened) => new(backend.Create(parsed, opened, terminal.Note));
            if (loaded.IsUntrained && !parsed.GetValue(untrained))
                throw new UsageException(
                    $"{loaded.Source} holds untrained weights ({loaded.Recipe}): their output is noise, not a signal; --untrained "
                    + $"measures them all the same");
            EvaluationStudy? chosen = parsed.GetValue(study);
            if (chosen == EvaluationStudy.Downstream)
            {
                using InferenceEngine restoring = Open(loaded.Weights);
                return Task.FromResult(DownstreamRun.Run(terminal, restoring, 2, sources.ReadWhole(parsed, terminal.Note, cancellation),
                    cancellation));
            }
            EvaluationOptions? measured = chosen is null ? options.Read(parsed, loaded.Configuration) : null;
            SamplerStudyOptions? compared = chosen == EvaluationStudy.Samplers ? options.ReadStudy(parsed, loaded.Configuration) : null;
            GapStudyOptions? gaps = chosen == EvaluationStudy.Gaps ? options.ReadGaps(parsed, loaded.Configuration) : null;
            IReadOnlyList<EvaluationRecording> recordings = sources.Read(parsed, terminal.Note, chosen switch
            {
                EvaluationStudy.Rates => new SyntheticSubjects(16, 300),
                EvaluationStudy.Calibration => new SyntheticSubjects(8, 1920, AreLiving: true, Drift: true),
                EvaluationStudy.Gaps => new SyntheticSubjects(8, 240, AreLiving: true),
                EvaluationStudy.Conditions => new SyntheticSubjects(8, 60),
                EvaluationStudy.Levels => new SyntheticSubjects(8, 480, AreLiving: true, Drift: true),
                _ => new SyntheticSubjects(4, 60),
            }, cancellation);
            if (chosen == EvaluationStudy.Precision)
                return Task.FromResult(PrecisionRun.Run(terminal, weights.Source(parsed) ?? ShippedWeights.Find()!,
                    options.Read(parsed, loaded.Configuration), recordings, Open, cancellation));
            using var engine = new InferenceEngine(backend.Create(parsed, loaded.Weights, terminal.Note));
            using LoadedWeights? correcting = correction.Load(parsed, EstimatorChoice.Auto);
            if (correcting is not null && gaps is null)
                throw new UsageException("--correction takes part in --study gaps; elsewhere nothing is corrected");
            using InferenceEngine? corrector =
                correcting is null ? null : new InferenceEngine(backend.Create(parsed, correcting.Weights, terminal.Note));
            var with = new EvaluationSubject(loaded.Source, loaded.IsUntrained ? $"untrained ({loaded.Recipe})" : loaded.Description,
                sources.TrainingSubjects(parsed), engine.Backend.Name);
            EvaluationReport.KeptApart(recordings, with);
            var subject = new Measured(terminal, engine, recordings, with);
            (IReadOnlyList<string> files, string remark) = gaps is not null
                ? Fill(subject, (gaps, corrector), report => Write(reports, parsed, report), cancellation)
                : chosen == EvaluationStudy.Levels
                ? Told(terminal, LevelStudy.Run(recordings, with, options.Seed(parsed), cancellation),
                    report => Write(reports, parsed, report))
                : chosen == EvaluationStudy.Conditions
                ? Mislead(subject, options.Read(parsed, loaded.Configuration), report => Write(reports, parsed, report), cancellation)
                : chosen == EvaluationStudy.Rates
                ? Told(terminal, terminal.WithProgress("rates", bar => RateStudy.Run(recordings, with, options.Seed(parsed),
                    new CaseProgress(bar, terminal), cancellation)), report => Write(reports, parsed, report))
                : chosen == EvaluationStudy.Calibration
                ? Told(terminal, terminal.WithProgress("calibration", bar => CalibrationStudy.Run(recordings, with,
                    (CalibrationReport.PairedGrowth, CalibrationReport.CuffGrowth, CalibrationReport.GrowingMinutes), options.Seed(parsed),
                    new CaseProgress(bar, terminal), cancellation)),
                    report => Write(reports, parsed, report))
                : measured is not null
                ? Measure(subject, measured, (report, result) => reports.Write(parsed, () => MarkdownReport.Of(report), () =>
                    CsvReport.Of(report), () => JsonReport.Of(report), () => HtmlReport.Of(report, result)), cancellation)
                : Compare(subject, compared!, (report, result) => reports.Write(parsed, report.ToMarkdown, report.ToCsv, () =>
                    JsonReport.Of(report), () => report.ToHtml(result.Options)), cancellation);
            foreach (string file in files)
                terminal.Note($"wrote {file}");
            terminal.Note(remark);
            return Task.FromResult(ExitCode.Success);
        });
        return command;
    }

    private static IReadOnlyList<string> Write(ReportOptions reports, ParseResult parsed, StudyReport report) =>
        reports.Write(parsed, report.ToMarkdown, report.ToCsv, () => JsonReport.Of(report), report.ToHtml);

    private static (IReadOnlyList<string> Files, string Remark) Fill(
        Measured subject, (GapStudyOptions Options, InferenceEngine? Correction) study, Func<StudyReport, IReadOnlyList<string>> write,
        CancellationToken cancellation)
    {
        GapStudyResult result = subject.Run("gaps",
            progress => new GapStudy(subject.Engine, study.Options) { Correction = study.Correction }
                .Run(subject.Recordings, progress, cancellation), r => r.Rows.Count, cancellation);
        return Told(subject.Terminal, GapStudyReport.Of(result, subject.With), write);
    }

    private static (IReadOnlyList<string> Files, string Remark) Mislead(Measured subject, EvaluationOptions options,
        Func<StudyReport, IReadOnlyList<string>> write, CancellationToken cancellation)
    {
        ConditionStudyResult result = subject.Run("conditions",
            progress => ConditionStudy.Run(subject.Engine, options, subject.Recordings, progress, cancellation), r => r.Rows.Count,
            cancellation);
        return Told(subject.Terminal, ConditionStudyReport.Of(result, subject.With), write);
    }

    private static (IReadOnlyList<string> Files, string Remark) Told(
        Terminal terminal, StudyReport report, Func<StudyReport, IReadOnlyList<string>> write)
    {
        IReadOnlyList<string> files = write(report);
        foreach (StudyTable table in report.Tables)
        {
            terminal.Say(table.Title);
            terminal.Write(EvaluationTables.Study(table));
        }

        terminal.Say(report.Verdict);
        terminal.Say($"{report.Settings}; {report.TotalSeconds.In("0")} s; subjects: {report.Subjects}");
        return (files, report.Remark);
    }

    // What is measured on what, and where it is told.
    private sealed record Measured(Terminal Terminal, InferenceEngine Engine, IReadOnlyList<EvaluationRecording> Recordings,
        EvaluationSubject With)
    {
        // With progress; refused where nothing was measured.
        public T Run<T>(string name, Func<CaseProgress, T> measure, Func<T, int> count, CancellationToken cancellation)
        {
            T result = Terminal.WithProgress(name, bar => measure(new CaseProgress(bar, Terminal)));
            cancellation.ThrowIfCancellationRequested();
            return count(result) == 0 ? throw new UsageException(NothingToMeasure) : result;
        }
    }

    private static (IReadOnlyList<string> Files, string Remark) Measure(
        Measured subject, EvaluationOptions options, Func<EvaluationReport, EvaluationResult, IReadOnlyList<string>> write,
        CancellationToken cancellation)
    {
        Terminal terminal = subject.Terminal;
        EvaluationResult result = subject.Run("evaluate", progress => new Evaluator(subject.Engine, options)
            .Run(subject.Recordings, progress, cancellation), r => r.Cases.Count, cancellation);
        EvaluationReport report = EvaluationReport.Of(result, subject.With);
        IReadOnlyList<string> files = write(report, result);
        terminal.Write(EvaluationTables.Short(report));
        if (report.ConditionGains.Count > 0)
            terminal.Write(EvaluationTables.Gains(report));
        terminal.Say(
            $"{report.NetworkCalls} network calls, {report.NetworkSeconds.In("0.0")} s in the network of {report.TotalSeconds.In("0.0")} "
            + $"s; {report.Settings}; {report.With.Backend}");
        terminal.Say($"subjects: {report.Subjects}");
        return (files, report.Remark);
    }

    private static (IReadOnlyList<string> Files, string Remark) Compare(
        Measured subject, SamplerStudyOptions options, Func<SamplerReport, SamplerStudyResult, IReadOnlyList<string>> write,
        CancellationToken cancellation)
    {
        Terminal terminal = subject.Terminal;
        SamplerStudyResult result = subject.Run("study", progress => new SamplerStudy(subject.Engine, options)
            .Run(subject.Recordings, progress, cancellation), r => r.Points.Count, cancellation);
        SamplerReport report = SamplerReport.Of(result, subject.With);
        IReadOnlyList<string> files = write(report, result);
        terminal.Write(EvaluationTables.Samplers(report));
        terminal.Say(report.Verdict);
        terminal.Say($"{report.NetworkCalls} network calls, {report.TotalSeconds.In("0.0")} s; {report.Settings}");
        return (files, report.Remark);
    }
}
