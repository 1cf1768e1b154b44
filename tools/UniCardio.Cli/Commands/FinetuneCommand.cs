using System.CommandLine;
using System.Security.Cryptography;
using UniCardio.Cli.Options;
using UniCardio.Cli.Output;
using UniCardio.Cli.Training;
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
            Description = "plain (default): the usual loss on all tasks at a tenth of the learning rate; official-finetune: as published, BP from PPG or ECG with spectral and peak-weighted losses.",
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
            if (run.Export(parsed) is string file)
                return Task.FromResult(TrainingSession.Export(terminal, folder, file, cancellation));
            if (weights.Source(parsed) is not string source)
                return Task.FromResult(GoOn(terminal, folder, options, run, parsed, cancellation));
            using LoadedWeights loaded = weights.Load(parsed);
            foreach (string note in loaded.Notes)
                terminal.Note(note);
            TrainingOptions basis = folder.HasRun && parsed.GetValue(preset) is null
                ? folder.ReadRecord().Options with { Network = loaded.Configuration }
                : TrainingPresets.Options(parsed.GetValue(preset) ?? FinetunePreset.Plain, loaded.Configuration);
            var start = new StartWeights(loaded.Weights, $"{Path.GetFileName(source)} sha256 {Hash(loaded)}");
            return Task.FromResult(new TrainingSession(terminal, folder, options.Read(parsed, basis), run,
                parsed) { Start = start }.Run(cancellation));
        });
        return command;
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
        result.AddError($"--preset '{result.Tokens[0].Value}' is neither plain nor official-finetune");
        return null;
    }
}
