using System.CommandLine;
using System.Globalization;
using UniCardio.Cli.Analysis;
using UniCardio.Cli.Options;
using UniCardio.Cli.Output;
using UniCardio.Engine.Model;
using UniCardio.Evaluation.Attention;
using UniCardio.Training.Pretraining;
using UniCardio.Weights;

namespace UniCardio.Cli.Commands;

/// <summary><c>analyze FILE</c>: what a network's attention looks at, beside the same network untrained.</summary>
internal static class AnalyzeCommand
{
    public static Command Create(Terminal terminal)
    {
        var file = new Argument<string?>("WEIGHTS")
            { Description = "Weights of UniCardio or of a masked encoder (pretrain masked); the shipped ones if left out.",
                Arity = ArgumentArity.ZeroOrOne };
        Option<int> subjects = Bounded.Number("--subjects", "Synthetic subjects, one window each.", 4, 2000, 24);
        var task = new Option<string>("--task")
            { Description = "Of UniCardio's tasks, e.g. \"ppg->ecg\" or \"impute bp | ppg,ecg\".", DefaultValueFactory = _ => "ppg->ecg",
                HelpName = "TASK" };
        var html = new Option<string?>("--html") { Description = "The page to write.", HelpName = "FILE" };
        var command = new ExampleCommand("analyze",
            "Says what attention looks at: how much of it goes to other signals, how much of that to the same time, at which lag, beside "
            + "the true pulse delay; for a masked encoder also how signals share the units of its embedding. Everything beside the "
            + "untrained network, on synthetic subjects.",
            "analyze pretraining/arm-C/encoder.safetensors --html encoder.html",
            "analyze --task \"ppg->ecg\" --subjects 8 --html attention.html")
        {
            file, subjects, task, html,
        };
        command.SetAction((parsed, cancellation) =>
        {
            int count = parsed.GetValue(subjects);
            string path = parsed.GetValue(file) ?? ShippedWeights.Find()
                ?? throw new UsageException("no weights were found; name a file");
            AttentionAnalysis analysis;
            if (!WeightRecipe.IsRecipe(path) && Masked(path) is (MaskedConfiguration network, ParameterTensor[] weights, ulong seed))
            {
                analysis = EncoderAnalysis.Of(network, weights, MaskedTrainer.Initial(network, seed), count, terminal.Note, cancellation);
            }
            else
            {
                using LoadedWeights loaded = WeightFile.Load(path);
                CardioTask asked = Parse(parsed.GetValue(task)!);
                using ModelWeights untrained = new WeightRecipe(1, loaded.Weights.Configuration).Create();
                analysis = terminal.WithProgress("analyze", _ => UniCardioAnalysis.Of(loaded.Weights, untrained, asked, count,
                    cancellation));
            }

            foreach (AnalysisTable one in analysis.Tables)
            {
                terminal.Say(one.Title + ":");
                var table = ResultTable.Create([.. one.Headings]);
                foreach (IReadOnlyList<string> row in one.Rows)
                    table.Add([.. row]);
                terminal.Write(table);
            }

            terminal.Say(AttentionAnalysis.Remark);
            if (parsed.GetValue(html) is string page)
            {
                OutputFile.Write(page, analysis.ToHtml($"Attention of {Path.GetFileName(path)}"));
                terminal.Note($"wrote {page}");
            }

            return Task.FromResult(ExitCode.Success);
        });
        return command;
    }

    private static CardioTask Parse(string text)
    {
        try
        {
            return CardioTask.Parse(text);
        }
        catch (FormatException e)
        {
            throw new UsageException($"--task {text}: {e.Message}");
        }
    }

    private static (MaskedConfiguration Network, ParameterTensor[] Weights, ulong Seed)? Masked(string path)
    {
        using WeightSource source = WeightSource.Open(path, new WeightLoadOptions());
        if (MaskedConfiguration.FromMetadata(source.Metadata) is not { } network)
            return null;
        ulong.TryParse(source.Metadata.GetValueOrDefault("seed"), NumberStyles.None, CultureInfo.InvariantCulture, out ulong seed);
        IReadOnlyList<ParameterShape> shapes = network.Shapes();
        IReadOnlyDictionary<string, ParameterTensor> found = ParameterSet.Check(shapes,
            source.Entries.Select(e => source.Tensor(e.Parameter.Name)), _ => false);
        // Copies: the file is closed before they are used.
        return (network, [.. shapes.Select(s => new ParameterTensor(s.Name, s.Shape, found[s.Name].Span.ToArray()))], seed);
    }
}
