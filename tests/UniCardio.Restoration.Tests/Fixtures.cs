using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Engine.Sessions;
using UniCardio.Signals;
using UniCardio.Signals.Synthesis;
using UniCardio.Weights;

namespace UniCardio.Restoration.Tests;

/// <summary>The shipped weights, loaded once for all tests, and recordings of our own making.</summary>
public sealed class InterimWeights : IDisposable
{
    private readonly LoadedWeights _loaded;

    public InterimWeights()
    {
        _loaded = WeightFile.Load(Project.File("weights", "compact.safetensors"));
        Engine = CreateEngine(2);
    }

    public InferenceEngine Engine { get; }

    public ModelWeights Weights => _loaded.Weights;

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

internal static class Make
{
    public static RestorationOptions Options(string task, int draws = 2) => new()
    {
        Task = CardioTask.Parse(task),
        Method = DenoisingMethod.Draws,
        Draws = draws,
        Sampler = new SamplerOptions { Kind = SamplerKind.Ddim, Steps = 3 },
        Seed = 7,
    };

    /// <summary>PPG, ABP and ECG of one synthetic heart.</summary>
    public static Recording Heart(double seconds, double rate = 125, ulong seed = 3)
    {
        var parameters = new SynthesisParameters { SampleRate = rate };
        return new CardiovascularSynthesizer().Generate(parameters, (int)Math.Round(seconds * rate), seed).ToRecording();
    }

    /// <summary>The recording with stretches of one channel missing, given in seconds.</summary>
    public static Recording WithGaps(Recording recording, string name, params (double From, double To)[] gaps) =>
        recording.WithChannels(recording.Channels.Select(c => c.Name == name ? Cut(c, gaps) : c));

    private static Channel Cut(Channel channel, (double From, double To)[] gaps)
    {
        float[] samples = channel.Samples.ToArray();
        foreach ((double from, double to) in gaps)
        {
            int first = (int)Math.Round(from * channel.SampleRate),
                end = Math.Min(samples.Length, (int)Math.Round(to * channel.SampleRate));
            samples.AsSpan(first, end - first).Fill(float.NaN);
        }
        return channel.WithSamples(samples);
    }

    public static int[] Bits(ReadOnlyMemory<float> samples) => [.. samples.ToArray().Select(BitConverter.SingleToInt32Bits)];
}

internal sealed class Reports : IProgress<RestorationProgress>
{
    public List<RestorationProgress> All { get; } = [];

    public Action? OnReport { get; init; }

    public void Report(RestorationProgress value)
    {
        All.Add(value);
        OnReport?.Invoke();
    }
}
