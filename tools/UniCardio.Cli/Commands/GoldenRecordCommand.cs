using System.CommandLine;
using UniCardio.Cli.Options;
using UniCardio.Cli.Output;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Weights;
using UniCardio.Weights.Golden;

namespace UniCardio.Cli.Commands;

/// <summary><c>golden record OUT</c>: a golden file from the reference, to notice when a number changes.</summary>
internal static class GoldenRecordCommand
{
    public static Command Create(Terminal terminal)
    {
        var destination = new Argument<string>("OUT") { Description = "The golden file to write; replaced if it exists." };
        var weights = WeightOptions.Required();
        Option<CardioTask[]> tasks =
            Parsed.Many<CardioTask>("--task", "A task to record network calls of; may be repeated; all of them if left out.", "TASK");
        var steps = new Option<int[]>("--t")
            { Description = "A diffusion step of the network calls; may be repeated; first, middle and last if left out.", HelpName = "T" };
        Option<SamplerOptions[]> samplers =
            Parsed.Many<SamplerOptions>("--sampler", "Also records a run of this sampler for every task; may be repeated.", "SAMPLER");
        var batch = new Option<int>("--batch") { Description = "Windows of every entry.", DefaultValueFactory = _ => 1, HelpName = "B" };
        var seed = new Option<ulong>("--seed") { Description = "Seed of the inputs.", HelpName = "SEED" };
        var activations =
            new Option<bool>("--activations") { Description = "Also records the intermediate values of one pass: first task, first step." };
        var command = new ExampleCommand(
            "record",
            "Records golden vectors from the double-precision reference. They show that a number has changed; that it was right is shown "
            + "by the official vectors.",
            "golden record tiny.golden.safetensors --weights recipe:7,tiny --batch 2 --sampler dpm++2m:10",
            "golden record one.safetensors --weights weights/compact.safetensors --task 'impute bp | ppg' --t 25 --activations")
        {
            destination, tasks, steps, samplers, batch, seed, activations,
        };
        weights.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            using LoadedWeights loaded = weights.Load(parsed);
            var recording = new GoldenRecording
            {
                Batch = parsed.GetValue(batch),
                Activations = parsed.GetValue(activations),
                InputSeed = parsed.GetValue(seed),
                WeightSeed = loaded.Recipe is string recipe ? WeightRecipe.Parse(recipe).Seed : null,
                Steps = parsed.GetValue(steps) is { Length: > 0 } given ? given : null,
            };
            if (parsed.GetValue(tasks) is { Length: > 0 } chosen)
                recording = recording with { Tasks = chosen };
            recording = recording with { Runs = [.. parsed.GetValue(samplers)!.SelectMany(s =>
                recording.Tasks.Select(t => new GoldenRunRequest(t, s)))] };
            string path = parsed.GetValue(destination)!;
            terminal.WithProgress("recording", bar =>
            {
                GoldenRecorder.Record(path, loaded.Weights, recording, new EntryProgress(bar), cancellation);
                return true;
            });
            using GoldenFile written = GoldenFile.Open(path);
            terminal.Say($"wrote {path}: {written.Entries.Count} entries of {loaded.Source}");
            return Task.FromResult(ExitCode.Success);
        });
        return command;
    }
}
