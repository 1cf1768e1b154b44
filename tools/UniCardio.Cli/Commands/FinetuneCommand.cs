using System.CommandLine;
using System.Security.Cryptography;
using UniCardio.Cli.Options;
using UniCardio.Cli.Output;
using UniCardio.Cli.Training;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sessions;
using UniCardio.Training.Data;
using UniCardio.Training.Distillation;
using UniCardio.Training.Runs;
using UniCardio.Weights;

namespace UniCardio.Cli.Commands;

/// <summary><c>finetune --weights FILE --run DIR</c>: trains on from weights, or continues such a run.</summary>
internal static class FinetuneCommand
{
    private const int HashDigits = 16;

    public static Command Create(Terminal terminal)
    {
        WeightOptions weights = WeightOptions.Optional("those of the run in the folder");
        var preset = new Option<FinetunePreset?>("--preset")
        {
            Description =
                "plain (default): the usual loss on all tasks at a tenth of the learning rate; official-finetune: as published, BP from "
                + "PPG or ECG with spectral and peak-weighted losses; correction: learns to correct the patient's own beat in gaps, "
                + "which makes weights for nothing else.",
            CustomParser = result => Enum.TryParse(result.Tokens[0].Value.Replace("-", string.Empty, StringComparison.Ordinal), true,
                out FinetunePreset value) && Enum.IsDefined(value)
                ? value
                : Refuse(result),
        };
        var options = new TrainingOptionSet();
        var run = new RunOptions();
        var command = new ExampleCommand("finetune",
            "Trains on from weights on synthetic windows. Runs are kept and resumed as those of 'train'.",
            "finetune --weights weights/first.safetensors --run runs/fine --steps 5000 --task 'ppg->bp'",
            "finetune --weights unicardio.safetensors --run runs/official --preset official-finetune",
            "finetune --weights weights/first.safetensors --run runs/student --distil pairs.safetensors --pairs 20000 --lr 3e-4",
            "finetune --weights weights/compact.safetensors --run runs/correction --preset correction --steps 3000 --threads 1",
            "finetune --run runs/fine --export weights/fine.safetensors")
        {
            preset,
        };
        weights.AddTo(command);
        run.AddTo(command);
        options.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            RunFolder folder = run.Folder(parsed);
            if (run.State(parsed) is { } state)
                return Task.FromResult(TrainingSession.Carry(terminal, run.Folder(parsed), state.File, state.Writes));
            if (run.Export(parsed) is string file)
                return Task.FromResult(TrainingSession.Export(terminal, folder, file, cancellation));
            if (weights.Source(parsed) is not string source)
                return Task.FromResult(GoOn(terminal, folder, options, run, parsed, cancellation));
            using LoadedWeights loaded = weights.Load(parsed);
            foreach (string note in loaded.Notes)
                terminal.Note(note);
            ModelConfiguration network = loaded.Configuration with { OwnSampler = null, OwnTasks = null };
            TrainingOptions basis = folder.HasRun && parsed.GetValue(preset) is null
                ? folder.ReadRecord().Options
                    with { Network = network with { Prediction = folder.ReadRecord().Options.Network.Prediction } }
                : TrainingPresets.Options(parsed.GetValue(preset) ?? FinetunePreset.Plain, network);
            var start = new StartWeights(loaded.Weights, $"{Path.GetFileName(source)} sha256 {Hash(loaded)}");
            TrainingOptions wanted = options.Read(parsed, basis);
            if (wanted.PairFile is string pairs && !File.Exists(pairs))
                DrawPairs(terminal, loaded, wanted, start.Name, options.Pairs(parsed), run.Backend.Threads(parsed), cancellation);
            return Task.FromResult(new TrainingSession(terminal, folder, wanted, run,
                parsed) { Start = start }.Run(cancellation));
        });
        return command;
    }

    // The teacher draws from the windows that the run's own seed gives, so that the run finds their conditions again.
    private static void DrawPairs(Terminal terminal, LoadedWeights teacher, TrainingOptions options, string name,
        (int Count, int Draws) wanted, int threads, CancellationToken cancellation)
    {
        CardioTask[] tasks = options.Curriculum.Tasks.Count == 0 ? [.. CardioTask.All]
            : [.. options.Curriculum.Tasks.Select(t => CardioTask.Parse(t))];
        options.Validate();
        DistilledExamples.CheckCount(wanted.Count, tasks.Length, wanted.Draws);
        var source =
            new SyntheticExamples(new SyntheticExampleOptions { Seed = options.DataSeed, SlotSamples = options.Network.SlotSamples });
        using var engine = new InferenceEngine(teacher.Weights, new EngineOptions { Threads = threads });
        TeacherPairs pairs = terminal.WithProgress("samples", bar => TeacherPairs.Draw(engine,
            new TeacherDraw(name, tasks, wanted.Count, options.Seed, wanted.Draws), source, new Share(bar, wanted.Count), cancellation));
        pairs.Write(options.PairFile!);
        terminal.Note($"wrote {options.PairFile}: {wanted.Count} samples of {TeacherPairs.Sampler}, {wanted.Draws} a window");
    }

    private sealed class Share(IProgress<(double Share, string What)> bar, int count) : IProgress<double>
    {
        public void Report(double value) => bar.Report((value, $"{(int)(value * count)} of {count}"));
    }

    private static int GoOn(Terminal terminal, RunFolder folder, TrainingOptionSet options, RunOptions run, ParseResult parsed,
        CancellationToken cancellation)
    {
        if (!folder.HasRun)
            throw new UsageException($"{folder.Path} holds no run; name the weights to start from with --weights");
        return new TrainingSession(terminal, folder, options.Read(parsed, folder.ReadRecord().Options), run, parsed).Run(cancellation);
    }

    // Over the values, so that a converted file is the same weights.
    private static string Hash(LoadedWeights loaded)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (Engine.Model.ParameterTensor tensor in loaded.Weights.Tensors)
            hash.AppendData(System.Runtime.InteropServices.MemoryMarshal.AsBytes(tensor.Span));
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..HashDigits];
    }

    private static FinetunePreset? Refuse(System.CommandLine.Parsing.ArgumentResult result)
    {
        result.AddError($"--preset '{result.Tokens[0].Value}' is none of plain, official-finetune, correction");
        return null;
    }
}
