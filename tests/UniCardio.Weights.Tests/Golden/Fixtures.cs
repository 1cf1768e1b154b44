using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Weights.Golden;

namespace UniCardio.Weights.Tests.Golden;

/// <summary>Golden files of the project's own, recorded from the reference while it agreed with the official vectors.</summary>
/// <remarks>To record them anew: run the tests with UNICARDIO_RECORD_FIXTURES=1, and say in the commit why a number may change.</remarks>
internal static class Fixtures
{
    // As small as it goes with every part there: odd head size, feed-forward width that no vector width divides.
    private static readonly ModelConfiguration Micro =
        new() { Channels = 18, Heads = 2, Blocks = 2, FeedForward = 10, Embedding = 8, SlotSamples = 16 };

    // Samples per token, positions per slot, another prediction, another schedule.
    private static readonly ModelConfiguration MicroP2 = new()
    {
        Channels = 24, Heads = 3, Blocks = 3, FeedForward = 7, Embedding = 6, SlotSamples = 18, SamplesPerToken = 2,
            Positions = PositionKind.Slot, Prediction = PredictionKind.V,
        DiffusionSteps = 20, Schedule = ScheduleKind.Linear, BetaEnd = 0.3,
    };

    public static IReadOnlyDictionary<string, (ModelConfiguration Configuration, GoldenRecording Recording)> All { get; } =
        new Dictionary<string, (ModelConfiguration, GoldenRecording)>
        {
            ["micro"] = (Micro, new GoldenRecording
            {
                WeightSeed = 11,
                InputSeed = 21,
                Batch = 2,
                Activations = true,
                Runs =
                [
                    Run("ppg->ecg", "ddpm,official"),
                    Run("ppg,bp->ecg", "ddpm"),
                    Run("ecg->bp", "ddim:6,official"),
                    Run("denoise bp", "ddim:10,official,ratio=1.1"),
                    Run("bp->ppg", "improved"),
                    Run("impute ppg", "improved"),
                    Run("impute ecg | ppg,bp", "ddim:8,eta=0.5"),
                    Run("ppg->bp", "dpm++2m:10"),
                ],
            }),
            ["micro-p2"] = (MicroP2, new GoldenRecording
            {
                WeightSeed = 12,
                InputSeed = 22,
                Tasks = [CardioTask.Parse("ppg->bp", null), CardioTask.Parse("bp,ecg->ppg", null),
                    CardioTask.Parse("impute ecg | ppg,bp", null)],
                Runs = [Run("impute bp", "dpm++3m:7,threshold=off"), Run("ecg->bp", "ddim:5")],
            }),
        };

    /// <summary>Path of a fixture beside the tests.</summary>
    public static string Path(string name) => System.IO.Path.Combine(AppContext.BaseDirectory, "Golden", "fixtures", name + ".safetensors");

    /// <summary>Path of a fixture among the sources, where it is recorded.</summary>
    public static string SourcePath(string name) =>
        Project.File("tests", "UniCardio.Weights.Tests", "Golden", "fixtures", name + ".safetensors");

    public static ModelWeights Weights(GoldenFile file) => new WeightRecipe(file.Seed!.Value, file.Configuration).Create();

    public static ModelWeights Weights(string name) =>
        new WeightRecipe(All[name].Recording.WeightSeed!.Value, All[name].Configuration).Create();

    private static GoldenRunRequest Run(string task, string sampler) => new(CardioTask.Parse(task, null), SamplerOptions.Parse(sampler));
}
