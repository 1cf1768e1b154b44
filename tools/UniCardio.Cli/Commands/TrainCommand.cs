using System.CommandLine;
using UniCardio.Cli.Options;
using UniCardio.Cli.Output;
using UniCardio.Cli.Training;
using UniCardio.Engine.Model;
using UniCardio.Training.Runs;

namespace UniCardio.Cli.Commands;

/// <summary>Network sizes of <c>train</c>.</summary>
internal enum NetworkSize
{
    Compact,
    Tiny,
    Full,
}

/// <summary><c>train --run DIR</c>: trains a network, or continues a run.</summary>
internal static class TrainCommand
{
    public static Command Create(Terminal terminal)
    {
        var preset = new Option<TrainingPreset?>("--preset")
            { Description =
                "phased (default): the published phases, tasks mixed within a batch; mixed: all tasks from the start; published: as "
                + "published." };
        var size = new Option<NetworkSize?>("--size") { Description = "compact (default), tiny or full." };
        var sizes = new Option<string[]>("--network")
            { Description = "Other sizes, named as in a weight file's metadata: channels=120,heads=4,layers=4,samples_per_token=5.",
                HelpName = "KEY=VALUE", CustomParser = ReadingOptions.Split };
        var positions = new Option<PositionKind?>("--positions") { Description = "Position codes: slot (default) or global (published)." };
        var prediction = new Option<PredictionKind?>("--prediction")
            { Description = "What the network predicts: v (default), epsilon (published) or sample." };
        var options = new TrainingOptionSet();
        var run = new RunOptions();
        var command = new ExampleCommand("train",
            "Trains a network on synthetic windows, on the CPU. Continues by itself where the folder holds a run: killed at any moment, "
            + "it ends with the same bits. A file 'pause' in the folder, or SIGUSR1 (again to continue), halts it with its state saved. "
            + "Diverged training ends with exit code 1 and keeps its last checkpoint.",
            "train --run runs/first --size compact --steps 100000 --hours 8",
            "train --run runs/first",
            "train --run runs/first --export weights/first.safetensors",
            "train --run runs/first --export-state first.state.safetensors",
            "train --run elsewhere/first --take-up first.state.safetensors",
            "train --run runs/published --preset published --size tiny --steps 2000 --batch 16")
        {
            preset, size, sizes, positions, prediction,
        };
        run.AddTo(command);
        options.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            if (run.State(parsed) is { } state)
                return Task.FromResult(TrainingSession.Carry(terminal, run.Folder(parsed), state.File, state.Writes));
            if (run.Export(parsed) is string file)
                return Task.FromResult(TrainingSession.Export(terminal, run.Folder(parsed), file, cancellation));
            RunFolder folder = run.Folder(parsed);
            bool starts = !folder.HasRun || parsed.GetValue(preset) is not null;
            TrainingOptions basis = starts ? TrainingPresets.Options(parsed.GetValue(preset) ?? TrainingPreset.Phased) : folder.ReadRecord()
                .Options;
            ModelConfiguration network = Network(basis.Network, parsed.GetValue(size), parsed.GetValue(sizes) ?? []) with
            {
                Positions = parsed.GetValue(positions) ?? basis.Network.Positions,
                Prediction = parsed.GetValue(prediction) ?? basis.Network.Prediction,
            };
            var session = new TrainingSession(terminal, folder, options.Read(parsed, basis with { Network = network }), run, parsed);
            return Task.FromResult(session.Run(cancellation));
        });
        return command;
    }

    private static ModelConfiguration Network(ModelConfiguration basis, NetworkSize? size, string[] pairs)
    {
        ModelConfiguration sized = size switch
        {
            NetworkSize.Full => ModelConfiguration.Full,
            NetworkSize.Tiny => ModelConfiguration.Tiny,
            NetworkSize.Compact => ModelConfiguration.Compact,
            _ => basis,
        };
        var values = new Dictionary<string, string>(sized.ToMetadata(), StringComparer.Ordinal);
        // Options of their own.
        values.Remove("positions");
        values.Remove("prediction");
        foreach (string pair in pairs)
        {
            string[] parts = pair.Split('=', 2);
            if (parts.Length != 2 || !values.ContainsKey(parts[0]))
                throw new UsageException($"--network '{pair}' is not KEY=VALUE with one of the keys {string.Join(", ", values.Keys)}");
            values[parts[0]] = parts[1];
        }

        return ModelConfiguration.FromMetadata(values);
    }
}
