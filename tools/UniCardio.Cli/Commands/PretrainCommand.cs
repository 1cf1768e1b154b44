using System.CommandLine;
using System.Globalization;
using UniCardio.Cli.Options;
using UniCardio.Cli.Output;
using UniCardio.Engine.Quality;
using UniCardio.Training.Quality;
using UniCardio.Weights;
using UniCardio.Weights.Quality;
using UniCardio.Weights.Safetensors;

namespace UniCardio.Cli.Commands;

/// <summary><c>pretrain</c>: trains the quality network on synthetic recordings, or examines one.</summary>
internal static class PretrainCommand
{
    private static readonly string[] s_losses = ["distil", "centring", "amplitude", "phase", "cosine", "labels"];

    public static Command Create(Terminal terminal)
    {
        var command = new Command("pretrain", "Trains networks that judge signals, on synthetic recordings, on one core of the CPU.")
        {
            Quality(terminal),
            PretrainMasked.Create(terminal),
        };
        return command;
    }

    private static ExampleCommand Quality(Terminal terminal)
    {
        var steps = new Option<int>("--steps") { Description = "Updates; 0 only examines.", DefaultValueFactory = _ => 2000 };
        var pairs = new Option<int>("--pairs") { Description = "Pairs of windows a step.", DefaultValueFactory = _ => 16 };
        var rate = new Option<double>("--rate") { Description = "Learning rate after warm-up.", DefaultValueFactory = _ => 1e-3 };
        var seed = new Option<ulong>("--seed") { Description = "Seed of weights and examples.", DefaultValueFactory = _ => 1 };
        var without = new Option<string[]>("--without")
            { Description = $"Leaves out: {string.Join(", ", s_losses)} (cosine: the published phase loss instead of ours).",
                AllowMultipleArgumentsPerToken = true, HelpName = "LOSS" };
        var probe = new Option<bool>("--probe") { Description = "Trains the heads alone: what a linear map reads off the encoder." };
        var weights = new Option<string?>("--weights") { Description = "Where it starts; untrained weights of the seed if left out.",
            HelpName = "FILE" };
        var export = new Option<string?>("--export") { Description = "The safetensors file to write (the teacher's weights).",
            HelpName = "FILE" };
        var exam = new Option<int>("--exam") { Description = "Pairs of windows, none of training's, to examine the network on; 0 for none.",
            DefaultValueFactory = _ => 300 };
        var command = new ExampleCommand("quality",
            "Trains the quality network: labels of quality, readability and rhythm that the generator knows, self-distillation from better "
            + "to worse windows, spectra of the better one; then examines it beside the untrained network and the class prior.",
            "pretrain quality --steps 6000 --export quality.safetensors",
            "pretrain quality --steps 500 --without distil --exam 300",
            "pretrain quality --steps 0 --weights quality.safetensors --exam 1000")
        {
            steps, pairs, rate, seed, without, probe, weights, export, exam,
        };
        command.SetAction((parsed, cancellation) =>
        {
            string[] left = parsed.GetValue(without) ?? [];
            if (left.FirstOrDefault(l => !s_losses.Contains(l)) is string unknown)
                throw new UsageException($"--without {unknown}: expected {string.Join(", ", s_losses)}");
            bool Has(string loss) => !left.Contains(loss);
            var options = new QualityTrainingOptions
            {
                Steps = Math.Max(1, parsed.GetValue(steps)), Pairs = parsed.GetValue(pairs), Rate = parsed.GetValue(rate),
                Seed = parsed.GetValue(seed), Distil = Has("distil") ? 0.1 : 0, Centring = Has("centring"),
                Amplitude = Has("amplitude") ? 0.1 : 0, Phase = Has("phase") ? 0.1 : 0, CosinePhase = Has("cosine"),
                Labels = Has("labels") ? 1 : 0, HeadsOnly = parsed.GetValue(probe),
            };
            using QualityWeights start = parsed.GetValue(weights) is string file ? QualityWeightFile.Load(file)
                : QualityTrainer.Initial(QualityConfiguration.Small, options.Seed);
            bool trains = parsed.GetValue(steps) > 0;
            QualityWeights trained = trains ? terminal.WithProgress("pretrain", bar => QualityTrainer.Train(start, options, p =>
            {
                string line = string.Create(CultureInfo.InvariantCulture,
                    $"step {p.Step} of {options.Steps}: labels {p.Labels:F4}, rhythm {p.Rhythm:F4}, distil {p.Distil:F4}, amplitude "
                    + $"{p.Amplitude:F4}, phase {p.Phase:F4}");
                bar.Report((p.Step / (double)options.Steps, line));
                if (!terminal.ErrorIsTerminal)
                    terminal.Note(line);
            }, cancellation)) : start;
            if (trains && parsed.GetValue(export) is string path)
            {
                SafetensorsWriter.Write(path, trained.Tensors, new Dictionary<string, string>(trained.Configuration.ToMetadata())
                {
                    ["trained"] = string.Create(CultureInfo.InvariantCulture,
                        $"synthetic, {options.Steps} steps of {options.Pairs} pairs, seed {options.Seed}"),
                }, cancellation: cancellation);
                terminal.Note($"wrote {path}");
            }

            if (parsed.GetValue(exam) > 0)
                Examine(terminal, parsed.GetValue(exam), start, trains ? trained : null);
            return Task.FromResult(ExitCode.Success);
        });
        return command;
    }

    private static void Examine(Terminal terminal, int pairs, QualityWeights start, QualityWeights? trained)
    {
        IReadOnlyList<QualityWindow> windows = QualityExam.Windows(pairs, start.Configuration.Samples);
        var table = ResultTable.Create("network", ">quality MAE", ">r", ">readable pulse AUROC", ">readable ECG AUROC", ">rhythm of 4",
            ">AF AUROC");
        void Row(string name, QualityExam e) => table.Add(name, e.QualityError.In("0.000"), e.QualityCorrelation.In("0.000"),
            e.PulseAuroc.In("0.000"), e.EcgAuroc.In("0.000"), e.RhythmAccuracy.In("0.000"), e.FibrillationAuroc.In("0.000"));
        Row("class prior", QualityExam.Prior(windows));
        Row(trained is null ? "network" : "before", QualityExam.Of(start, windows));
        if (trained is not null)
            Row("trained", QualityExam.Of(trained, windows));
        terminal.Write(table);
    }
}
