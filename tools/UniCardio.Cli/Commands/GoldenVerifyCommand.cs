using System.CommandLine;
using UniCardio.Cli.Options;
using UniCardio.Cli.Output;
using UniCardio.Engine.Diagnostics;
using UniCardio.Engine.Model;
using UniCardio.Engine.Quality;
using UniCardio.Training.Network;
using UniCardio.Training.Quality;
using UniCardio.Weights.Golden;
using UniCardio.Weights.Quality;
using UniCardio.Weights;

namespace UniCardio.Cli.Commands;

/// <summary><c>golden verify</c>: the relative error of every entry of a golden file, and whether it is within the tolerance.</summary>
internal static class GoldenVerifyCommand
{
    public static Command Create(Terminal terminal)
    {
        var weights = WeightOptions.Required();
        var golden = new Option<string>("--golden") { Required = true,
            Description = "The golden file; its header gives what the weights do not tell.", HelpName = "FILE" };
        var backend = new BackendOptions(choosesPrecision: true);
        Option<double?> tolerance = Bounded.OptionalNonNegative("--tolerance",
            "Largest relative error allowed (else 2e-6 for the reference, 1e-5 for other backends and losses, 1e-4 for gradients).", "X");
        var json = new Option<bool>("--json") { Description = "Writes one JSON object." };
        var command = new ExampleCommand(
            "verify",
            "Runs a golden file's inputs and compares with its outputs: largest difference over largest value, entry by entry. Gradients "
            + "are the training network's, tensor by tensor. Exit code 1 over the tolerance.",
            "golden verify --weights recipe:1 --golden tiny.eps.safetensors --backend reference",
            "golden verify --weights tiny.pth --golden tiny.samplers.safetensors --isa avx2 --threads 2 --json",
            "golden verify --weights recipe:1 --golden tiny.gradients.safetensors",
            "golden verify --weights recipe:2,quality-base --golden qualityfm/base.heads.safetensors --backend cpu")
        {
            golden,
            tolerance,
            json,
        };
        weights.AddTo(command);
        backend.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            GoldenReport report =
                Verify(terminal, parsed, weights, backend, parsed.GetValue(golden)!, parsed.GetValue(tolerance), cancellation);
            if (parsed.GetValue(json))
                WriteJson(terminal, report);
            else
                WriteTable(terminal, report);
            if (report.Results.Count == 0)
                terminal.Note("error: nothing in the file could be compared");
            return Task.FromResult(report.Passed ? ExitCode.Success : ExitCode.Failed);
        });
        return command;
    }

    private static GoldenReport Verify(Terminal terminal, ParseResult parsed, WeightOptions weights, BackendOptions backend, string path,
        double? tolerance, CancellationToken cancellation)
    {
        if (QualityGoldenFile.IsQuality(path))
            return VerifyQuality(terminal, parsed, weights, backend, path, tolerance, cancellation);
        using GoldenFile file = GoldenFile.Open(path);
        using LoadedWeights loaded = weights.Load(parsed, known: file.Configuration);
        foreach (string note in loaded.Notes.Where(_ => !loaded.IsUntrained))
            terminal.Note(note);
        IGradientNetwork Network(ModelConfiguration configuration) =>
            new TrainingNetwork(
                configuration,
                new TrainingNetworkOptions { Threads = backend.Threads(parsed), InstructionSet = backend.InstructionSet(parsed),
                    Dropout = 0 });
        return terminal.WithProgress("verifying", bar =>
        {
            GoldenReport report = GoldenVerifier.Verify(
                file, loaded.Weights, w => backend.Create(parsed, w, terminal.Note), tolerance, new EntryProgress(bar), cancellation);
            return GoldenGradients.AddTo(report, file, loaded.Weights, Network, tolerance, cancellation);
        });
    }

    // The second family: the same report from another network.
    private static GoldenReport VerifyQuality(Terminal terminal, ParseResult parsed, WeightOptions weights, BackendOptions backend,
        string path,
        double? tolerance, CancellationToken cancellation)
    {
        using QualityGoldenFile file = QualityGoldenFile.Open(path);
        using QualityWeights student = QualityWeightFile.Load(weights.Source(parsed)!, file.Configuration);
        return terminal.WithProgress("verifying", _ =>
        {
            GoldenReport report = QualityGolden.Verify(file, student, w => backend.CreateQuality(parsed, w), tolerance, cancellation);
            return QualityGoldenGradients.AddTo(
                report, file, student, () => QualityWeightFile.Load($"{WeightRecipe.Prefix}{file.TeacherSeed}", file.Configuration),
                backend.InstructionSet(parsed), tolerance);
        });
    }

    private static void WriteTable(Terminal terminal, GoldenReport report)
    {
        var table = ResultTable.Create("entry", ">relative error", "");
        foreach (GoldenResult result in report.Results)
            table.Add(result.Name, result.RelativeError.In("0.00e+00"), result.Passed ? "" : "over");
        terminal.Write(table);
        foreach (IGrouping<string, GoldenOmission> omitted in report.NotVerified.GroupBy(o => o.Reason))
            terminal.Say($"not compared ({omitted.Key}): {omitted.Count()} entries, e.g. {omitted.First().Name}");
        if (report.Worst is GoldenResult worst)
            terminal.Say(
                $"worst of {report.Results.Count}: {worst.RelativeError.In("0.00e+00")} in {worst.Name}; tolerance "
                + $"{worst.Tolerance.In("0.##e+0")}; {Computed(report)}; {(report.Passed ? "passed" : "FAILED")}");
    }

    // The backend has no part in a file of gradients alone.
    private static string Computed(GoldenReport report)
    {
        bool all = report.Results.All(r => r.Name.StartsWith("grad/", StringComparison.Ordinal))
            || report.Results.Any(r => r.Name == "loss/total");
        return report.Gradients is string gradients ? (all ? gradients : $"{report.Backend}; gradients: {gradients}") : report.Backend;
    }

    private static void WriteJson(Terminal terminal, GoldenReport report) => Json.Write(terminal, new
    {
        report.File,
        report.Backend,
        report.Gradients,
        report.Tolerance,
        report.Passed,
        Worst = report.Worst?.RelativeError,
        WorstEntry = report.Worst?.Name,
        Entries = report.Results.Select(r => new { r.Name, r.RelativeError, r.Tolerance, r.Passed }),
        NotVerified = report.NotVerified.Select(o => new { o.Name, o.Reason }),
    });
}
