using System.CommandLine;
using UniCardio.Cli.Options;
using UniCardio.Cli.Output;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Quality;
using UniCardio.Engine.Sampling;
using UniCardio.Weights;
using UniCardio.Weights.Onnx;
using UniCardio.Weights.Quality;

namespace UniCardio.Cli.Commands;

/// <summary>What <c>convert</c> writes.</summary>
internal enum WeightTarget
{
    Safetensors,
    Onnx,
}

/// <summary>What weights are stored as.</summary>
internal enum WeightType
{
    F32,
    F16,
    BF16,
    Int8,
}

/// <summary><c>convert IN [OUT]</c>: weights to safetensors, or a network to ONNX.</summary>
internal sealed class ConvertCommand
{
    private const string OnnxExtension = ".onnx";

    private readonly NetworkOptions _network = new();
    private readonly Argument<string> _source =
        new("IN") { Description = "A torch checkpoint (.pth), a .safetensors file or recipe:SEED[,full|compact|tiny]." };

    private readonly Argument<string?> _destination = new("OUT")
    {
        Description = "The file to write; replaced if it exists. With --to onnx it may be left out: IN's name with .onnx, in this folder.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<WeightTarget?> _to =
        new("--to") { Description = "safetensors or onnx; onnx where OUT ends so, else safetensors." };

    private readonly Option<WeightType> _type = new("--dtype")
    {
        Description = "safetensors: f32 (default); f16 or bf16 for half the size, each weight rounded to the nearest; int8 for a quarter, "
            + "with a scale an output channel.",
        DefaultValueFactory = _ => WeightType.F32,
    };

    private readonly Option<CardioTask> _task = new("--task")
    {
        Description = "ONNX: conditions and target, e.g. 'ppg->ecg' or 'impute bp | ppg'; one file serves one task.",
        HelpName = "TASK",
        CustomParser = result => Parsed.Read<CardioTask>(result.Tokens[0].Value, result.AddError),
        DefaultValueFactory = _ => new OnnxOptions().Task,
    };

    private readonly Option<int?> _windows = Bounded.OptionalNumber("--windows",
        "ONNX: windows of a call, fixed for hosts that need it; free if left out.", 1, InferencePlan.MaxBatch);

    private readonly Option<int?> _draws = Bounded.OptionalNumber("--draws",
        "ONNX: draws a window, fixed for hosts that need it; free if left out.", 1, InferencePlan.MaxBatch);

    private readonly Option<SamplerOptions?> _sampler = Parsed.One<SamplerOptions>("--sampler",
        $"ONNX: sampler whose table the metadata holds (else the network's own, else {SamplerOptions.Default}).", "SAMPLER");

    public static Command Create(Terminal terminal) => new ConvertCommand().Build(terminal);

    private ExampleCommand Build(Terminal terminal)
    {
        var command = new ExampleCommand("convert",
            "Converts weights to safetensors and says what was left out. A checkpoint's pickle is read, never run. With --to onnx it "
                + "writes "
            + "one network call for ONNX Runtime and other hosts (opset 17, weights inside): noisy target x_t [windows, draws, samples], "
            + "each condition by name [windows, samples] and t [1] in, prediction out; the metadata has task, units, the weights' SHA-256 "
            + "and the sampler as a table of rows, each x_t = state x_t + clean0 x0 + clean1 x0' + clean2 x0'' + noise z with "
            + "x0 = clamp(clean_from_state x_t + clean_from_prediction prediction).",
            "convert checkpoint.pth unicardio.safetensors",
            "convert official.pth official.safetensors",
            "convert recipe:2,tiny tiny.safetensors",
            "convert quality.pth quality.safetensors",
            "convert official.pth official.f16.safetensors --dtype f16",
            "convert weights/compact.safetensors --to onnx --task 'ppg->ecg'",
            "convert weights/compact.safetensors gap.onnx --task 'impute bp | ppg' --windows 1 --draws 8 --sampler ddim:4")
        {
            _source,
            _destination,
            _to,
            _type,
            _task,
            _windows,
            _draws,
            _sampler,
        };
        _network.AddTo(command);
        command.SetAction((parsed, cancellation) =>
            Task.FromResult(Run(terminal, parsed, _network.Read(parsed), cancellation)));
        return command;
    }

    private int Run(Terminal terminal, ParseResult parsed, WeightLoadOptions options, CancellationToken cancellation)
    {
        string source = parsed.GetValue(_source)!;
        string? destination = parsed.GetValue(_destination);
        WeightTarget target = parsed.GetValue(_to)
            ?? (OnnxExtension.Equals(Path.GetExtension(destination), StringComparison.OrdinalIgnoreCase) ? WeightTarget.Onnx
                : WeightTarget.Safetensors);
        bool quality = QualityWeightFile.IsQuality(source);
        if (target == WeightTarget.Onnx)
        {
            if (parsed.GetResult(_type) is { Implicit: false })
                throw new UsageException("--dtype goes with safetensors; ONNX is written in float32");
            if (quality)
                throw new UsageException($"{source} is a QualityFM network; ONNX is written of UniCardio networks");
            return WriteOnnx(terminal, parsed, source, destination ?? OnnxName(source), options, cancellation);
        }

        foreach (Option option in (Option[])[_task, _windows, _draws, _sampler])
        {
            if (parsed.GetResult(option) is { Implicit: false })
                throw new UsageException($"{option.Name} goes with --to onnx");
        }

        if (destination is null)
            throw new UsageException("OUT is missing: the .safetensors file to write");
        ElementType type = parsed.GetValue(_type) switch
        {
            WeightType.F16 => ElementType.F16,
            WeightType.BF16 => ElementType.BF16,
            WeightType.Int8 => ElementType.I8,
            _ => ElementType.F32,
        };
        return quality ? WriteQuality(terminal, source, destination, type, cancellation)
            : WriteSafetensors(terminal, source, destination, options, type, cancellation);
    }

    private static string OnnxName(string source) => WeightRecipe.IsRecipe(source) ? "recipe" + OnnxExtension
        : Path.GetFileNameWithoutExtension(source) + OnnxExtension;

    private int WriteOnnx(Terminal terminal, ParseResult parsed, string source, string destination, WeightLoadOptions loading,
        CancellationToken cancellation)
    {
        if (!WeightRecipe.IsRecipe(source) && Path.GetFullPath(source) == Path.GetFullPath(destination))
            throw new UsageException($"{destination} is both IN and OUT");
        var options = new OnnxOptions
        {
            Task = parsed.GetValue(_task),
            Windows = parsed.GetValue(_windows),
            Draws = parsed.GetValue(_draws),
            Sampler = parsed.GetValue(_sampler) ?? SamplerOptions.Default,
        };
        using LoadedWeights loaded = WeightFile.Load(source, loading);
        var metadata = new Dictionary<string, string>(loaded.Metadata, StringComparer.Ordinal);
        if (loaded.Recipe is not null)
            metadata[WeightFile.UntrainedKey] = loaded.Recipe;
        long bytes = OnnxFile.Write(destination, loaded.Weights, options, metadata, cancellation);
        foreach (string note in loaded.Notes)
            terminal.Say(note);
        terminal.Say($"wrote {destination}: one call of '{options.Task}', {(bytes / 1e6).In("0.0")} MB");
        terminal.Note(OnnxFile.Remark);
        return ExitCode.Success;
    }

    private static int WriteQuality(Terminal terminal, string source, string destination, ElementType type, CancellationToken cancellation)
    {
        using QualityWeights quality = QualityWeightFile.Convert(source, destination, cancellation: cancellation, type: type);
        terminal.Say(
            $"wrote {destination}: {quality.Tensors.Count} tensors of a QualityFM network, "
            + $"{quality.Tensors.Sum(t => (long)t.Span.Length)} parameters");
        return ExitCode.Success;
    }

    private static int WriteSafetensors(Terminal terminal, string source, string destination, WeightLoadOptions options,
        ElementType type, CancellationToken cancellation)
    {
        using LoadedWeights loaded = WeightFile.Convert(source, destination, options, cancellation: cancellation, type: type);
        foreach (string note in loaded.Notes)
            terminal.Say(note);
        terminal.Say(
            $"wrote {destination}: {loaded.Weights.Tensors.Count} tensors, {WeightInfo.Parameters(loaded.Weights)} parameters");
        return ExitCode.Success;
    }
}
