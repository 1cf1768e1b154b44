using System.CommandLine;
using System.Globalization;
using UniCardio.Cli.Options;
using UniCardio.Cli.Output;
using UniCardio.Engine.Quality;
using UniCardio.Pipeline;
using UniCardio.Signals.Quality;
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
        var export = new Option<string?>("--export")
            { Description = "The safetensors file to write: the teacher's weights, every two hundred steps.", HelpName = "FILE" };
        var indices = new Option<bool>("--indices")
            { Description = "The network is told the product's index and the published ones of every second beside the signals." };
        var against = new Option<string[]>("--against")
            { Description = "Further weights that sit the same exam, with the differences to the network's.",
                AllowMultipleArgumentsPerToken = true, HelpName = "FILE" };
        var exam = new Option<int>("--exam")
            { Description = "Subjects, none of training's, two windows each, to examine the network on; 0 for none.",
                DefaultValueFactory = _ => 300 };
        var command = new ExampleCommand("quality",
            "Trains the quality network: labels of quality, readability and rhythm that the generator knows, self-distillation from better "
            + "to worse windows, spectra of the better one; then examines it beside the untrained network and the class prior.",
            "pretrain quality --steps 6000 --export quality.safetensors",
            "pretrain quality --steps 500 --without distil --exam 300",
            "pretrain quality --steps 0 --weights quality.safetensors --exam 1000 --against other.safetensors")
        {
            steps, pairs, rate, seed, without, probe, indices, weights, export, exam, against,
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
                : QualityTrainer.Initial(parsed.GetValue(indices)
                    ? QualityConfiguration.Small with { Channels = QualityInputs.IndexedChannels } : QualityConfiguration.Small,
                    options.Seed);
            bool trains = parsed.GetValue(steps) > 0;
            string? path = parsed.GetValue(export);
            QualityWeights trained = trains ? Train(terminal, start, options, path, cancellation) : start;
            if (trains && path is not null)
            {
                Write(path, trained, options, options.Steps, cancellation);
                terminal.Note($"wrote {path}");
            }

            if (parsed.GetValue(exam) > 0)
                Examine(terminal, parsed.GetValue(exam), start, trains ? trained : null, parsed.GetValue(against) ?? []);
            return Task.FromResult(ExitCode.Success);
        });
        return command;
    }

    private static QualityWeights Train(Terminal terminal, QualityWeights start, QualityTrainingOptions options, string? path,
        CancellationToken cancellation)
    {
        int keptAt = 0;
        Action<QualityWeights, int>? keep = path is null ? null : (kept, step) =>
        {
            Write(path, kept, options, step, cancellation);
            keptAt = step;
        };
        try
        {
            return terminal.WithProgress("pretrain", bar => QualityTrainer.Train(start, options, p =>
            {
                string line = string.Create(CultureInfo.InvariantCulture,
                    $"step {p.Step} of {options.Steps}: labels {p.Labels:F4}, rhythm {p.Rhythm:F4}, distil {p.Distil:F4}, amplitude "
                    + $"{p.Amplitude:F4}, phase {p.Phase:F4}");
                bar.Report((p.Step / (double)options.Steps, line));
                if (!terminal.ErrorIsTerminal)
                    terminal.Note(line);
            }, keep, cancellation));
        }
        catch (OperationCanceledException) when (keptAt > 0 && cancellation.IsCancellationRequested)
        {
            throw new KeptException($"{path} holds the teacher of step {keptAt}");
        }
    }

    private static void Write(string path, QualityWeights weights, QualityTrainingOptions options, int step,
        CancellationToken cancellation) =>
        SafetensorsWriter.Write(path, weights.Tensors, new Dictionary<string, string>(weights.Configuration.ToMetadata())
        {
            ["trained"] = string.Create(CultureInfo.InvariantCulture,
                $"synthetic, {step} of {options.Steps} steps of {options.Pairs} pairs, seed {options.Seed}"),
        }, cancellation: cancellation);

    private static void Examine(Terminal terminal, int subjects, QualityWeights start, QualityWeights? trained, string[] against)
    {
        const int Resamples = 200;
        IReadOnlyList<QualityWindow> windows = QualityAnswers.Windows(subjects, start.Configuration);
        var table = ResultTable.Create("network", ">quality MAE", ">r", ">readable pulse AUROC", ">readable ECG AUROC", ">rhythm of 4",
            ">AF AUROC");
        (double[] Of, double[][] Draws)? first = null;
        QualityAnswers judged = QualityAnswers.Of(trained ?? start, windows);
        Row(trained is null ? "network" : "trained", judged, true);
        if (trained is not null)
            Row("before", QualityAnswers.Of(start, windows));
        foreach (string file in against)
        {
            using QualityWeights other = QualityWeightFile.Load(file);
            Row(Path.GetFileNameWithoutExtension(file), QualityAnswers.Of(other, other.Configuration == start.Configuration ? windows
                : QualityAnswers.Windows(subjects, other.Configuration)));
        }

        Row("class prior", QualityAnswers.Prior(windows));
        for (int i = 0; i < QualityInputs.Indices; i++)
            Row(i == 0 ? "index" : PublishedIndices.Names[i - 1], QualityAnswers.Index(windows, i));
        terminal.Write(table);
        terminal.Say("95% over subjects; + and -: the difference to the first line excludes 0 (is higher, is lower). Synthetic "
            + "subjects. Research software, not a medical device.");

        void Row(string name, QualityAnswers answers, bool isFirst = false)
        {
            double[] all = answers.All().Values;
            double[][] draws = [.. answers.Resampled(Resamples).Select(e => e.Values)];
            if (isFirst)
                first = (all, draws);
            table.Add([name, .. all.Select((value, i) =>
            {
                if (double.IsNaN(value))
                    return (object)"-";
                (double low, double high) = Middle(draws.Select(d => d[i]));
                (double below, double above) = Middle(draws.Zip(first!.Value.Draws, (a, b) => a[i] - b[i]));
                return $"{value.In("0.000")} ({low.In("0.000")}-{high.In("0.000")}){(below > 0 ? " +" : above < 0 ? " -" : "")}";
            })]);
        }
    }

    // The middle 95%.
    private static (double Low, double High) Middle(IEnumerable<double> draws)
    {
        double[] sorted = [.. draws.Where(double.IsFinite).Order()];
        return sorted.Length == 0 ? (double.NaN, double.NaN)
            : (sorted[(int)(0.025 * (sorted.Length - 1))], sorted[(int)(0.975 * (sorted.Length - 1))]);
    }
}
