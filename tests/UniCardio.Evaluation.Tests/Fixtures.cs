using UniCardio.Engine.Model;
using UniCardio.Engine.Sessions;
using UniCardio.Evaluation.Cases;
using UniCardio.Pipeline;
using UniCardio.Signals.Processing;
using UniCardio.Signals.Synthesis;
using UniCardio.Weights;

namespace UniCardio.Evaluation.Tests;

/// <summary>Recordings of our own making.</summary>
internal static class Make
{
    /// <summary>PPG, ABP and ECG of one heart, steady unless told otherwise, without noise.</summary>
    public static EvaluationRecording Heart(double seconds = 60, ulong seed = 3, SynthesisParameters? parameters = null,
        ModalitySet signals = ModalitySet.All)
    {
        Signals.Recording made = new CardiovascularSynthesizer()
            .Generate(parameters ?? new SynthesisParameters(), (int)(seconds * NetworkSignal.Rate), seed).ToRecording($"heart {seed}");
        return EvaluationRecording.From(made.WithChannels(made.Channels.Where((_, i) => signals.Contains((Modality)i))))!;
    }

    /// <summary>A heart whose beats are all alike: nothing breathes, nothing varies.</summary>
    public static SynthesisParameters Steady { get; } = new()
    {
        RespiratorySinusArrhythmia = 0, SlowVariability = 0, RandomVariability = 0, RespiratoryPressure = 0, SlowPressure = 0,
            PpgRespiration = 0,
    };

    public static EvaluationWindow Window(EvaluationRecording recording, string task, Corruption corruption = default, int start = 3750) =>
        new(recording, new SampleRange(start, 500), CardioTask.Parse(task), corruption, 4, 9);
}

/// <summary>The shipped weights, loaded once for all tests that run a network.</summary>
public sealed class InterimWeights : IDisposable
{
    private readonly LoadedWeights _loaded;

    public InterimWeights()
    {
        _loaded = WeightFile.Load(Project.File("weights", "compact.safetensors"));
        Engine = CreateEngine(2);
    }

    public InferenceEngine Engine { get; }

    public InferenceEngine CreateEngine(int threads) => new(_loaded.Weights, new EngineOptions { Threads = threads });

    public void Dispose()
    {
        Engine.Dispose();
        _loaded.Dispose();
    }
}

/// <summary>One engine for all tests, which run one after the other: a team of threads is enough to keep the machine busy.</summary>
[CollectionDefinition(Name)]
public sealed class Interim : ICollectionFixture<InterimWeights>
{
    public const string Name = "shipped weights";
}
