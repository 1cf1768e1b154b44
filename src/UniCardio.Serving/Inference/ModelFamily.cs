using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Pipeline;
using UniCardio.Serving.Hosting;

namespace UniCardio.Serving.Inference;

/// <summary>One model a kind of task, as the Open Inference Protocol sees them. All share one network.</summary>
internal sealed class ModelFamily
{
    public const string Version = "1", Platform = "unicardio";

    private ModelFamily(TaskKind kind, string name)
    {
        Kind = kind;
        Name = name;
    }

    public static IReadOnlyList<ModelFamily> All { get; } =
        [new(TaskKind.Impute, "impute"), new(TaskKind.Denoise, "denoise"), new(TaskKind.Translate, "translate")];

    /// <summary>Names of the outputs: [N, S], [N, S], [N, S] and [N, draws, S].</summary>
    public static IReadOnlyList<string> Outputs { get; } = ["signal", "low", "high", "draws"];

    public TaskKind Kind { get; }

    public string Name { get; }

    /// <summary>What the output <c>signal</c> is where a request does not say.</summary>
    public InferSummary DefaultSummary => Kind == TaskKind.Denoise ? InferSummary.Estimate : InferSummary.Median;

    /// <exception cref="RequestException">There is none.</exception>
    public static ModelFamily Find(string name, string? version)
    {
        ModelFamily family = All.FirstOrDefault(f => f.Name == name)
            ?? throw new RequestException(StatusCodes.Status404NotFound,
                $"there is no model of this name; expected {string.Join(", ", All.Select(f => f.Name))}");
        if (version is not (null or Version))
            throw new RequestException(StatusCodes.Status404NotFound, $"model '{family.Name}' has no such version; expected {Version}");
        return family;
    }

    /// <summary>The task of a request.</summary>
    /// <param name="target">What is asked for.</param>
    /// <param name="given">The signals that came. In translation the target's own is not looked at.</param>
    /// <exception cref="RequestException">They do not make a task.</exception>
    public CardioTask TaskOf(Modality target, ModalitySet given)
    {
        ModalitySet others = given & ~target.ToSet();
        if (Kind == TaskKind.Translate)
            return others == ModalitySet.None
                ? throw RequestException.Bad($"translating to {target.Name()} needs another signal as an input")
                : CardioTask.Translate(others, target);
        if (!given.Contains(target))
            throw RequestException.Bad($"model '{Name}' with target {target.Name()} needs the signal itself as input '{target.Name()}'");
        return Kind == TaskKind.Impute ? CardioTask.Impute(target, others) : CardioTask.Denoise(target, others);
    }

    /// <summary>The model's metadata.</summary>
    public ModelMetadata Describe(ServerOptions options, ServedModel model)
    {
        int samples = model.Engine.Configuration.SlotSamples;
        return new ModelMetadata(
            Name,
            [Version],
            Platform,
            [.. Modalities.All.Select(m => new TensorMetadata(m.Name(), "FP32", [-1, samples], InputNote(m)))],
            [
                new("signal", "FP32", [-1, samples],
                    Note(
                        "result in the target's unit: measured samples stay in imputation; a translated PPG or ECG has no unit and lies "
                        + "about [-1, 1]")),
                new("low", "FP32", [-1, samples], Note("5% quantile of the draws")),
                new("high", "FP32", [-1, samples], Note("95% quantile of the draws")),
                new("draws", "FP32", [-1, -1, samples], Note("every draw as the network made it")),
            ],
            new Dictionary<string, object?>
            {
                ["target"] = "bp",
                ["draws"] = options.Draws,
                ["sampler"] = options.Sampler.For(model.Engine.Configuration).ToString(),
                ["steps"] = new WindowShape(CardioTask.Impute(Modality.Bp), options.Draws, options.Sampler)
                    .Steps(model.Engine.Configuration),
                ["seed"] = 0,
                ["summary"] = DefaultSummary.ToString().ToLowerInvariant(),
                ["sample_rate"] = Pipeline.NetworkSignal.Rate,
                ["weights"] = model.Name,
                ["untrained"] = model.IsUntrained,
                ["description"] = model.Description,
                ["remark"] = Signals.Plotting.SignalPlot.Disclaimer,
            });
    }

    private static Dictionary<string, object?> Note(string note) => new() { ["description"] = note };

    private Dictionary<string, object?> InputNote(Modality modality) => new()
    {
        ["optional"] = true,
        ["unit"] = modality switch { Modality.Bp => "mmHg", Modality.Ecg => "mV", _ => "any" },
        ["description"] = "windows at 125 Hz; a missing sample is null in JSON and NaN in binary data"
            + (Kind == TaskKind.Translate ? "; not looked at where it is the target" : ""),
    };
}

/// <summary>A tensor's metadata.</summary>
internal sealed record TensorMetadata(string Name, string Datatype, long[] Shape, IReadOnlyDictionary<string, object?> Parameters);

/// <summary>A model's metadata; the parameters are those of a request that gives none.</summary>
internal sealed record ModelMetadata(string Name, string[] Versions, string Platform, TensorMetadata[] Inputs, TensorMetadata[] Outputs,
    IReadOnlyDictionary<string, object?> Parameters);
