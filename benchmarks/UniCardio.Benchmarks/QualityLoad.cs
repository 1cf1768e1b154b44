using System.Diagnostics;
using System.Globalization;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Engine.Sessions;
using UniCardio.Signals;
using UniCardio.Signals.Quality;
using UniCardio.Signals.Synthesis;
using UniCardio.Weights;

namespace UniCardio.Benchmarks;

/// <summary>What the index of live signals costs beside a hop: its three signals for half a second of signal, and the network's eight draws
/// that a hop may ask for.</summary>
internal static class QualityLoad
{
    private const int Rate = QualityTrack.WorkRate, Seconds = 600;
    private const double HopSeconds = 0.5;

    public static int Run()
    {
        SyntheticRecording heart = new CardiovascularSynthesizer().Generate(new SynthesisParameters(), Seconds * Rate, 3);
        LiveQuality[] judges = [new(ChannelKind.Ecg, SignalUnit.Millivolts), new(ChannelKind.Ppg, ""),
            new(ChannelKind.BloodPressure, SignalUnit.MillimetresOfMercury)];
        float[][] signals = [heart.Ecg, heart.Ppg, heart.BloodPressure];
        void Push(int from, int to)
        {
            for (int at = from * Rate; at < to * Rate; at += Rate / 2)
            {
                for (int k = 0; k < judges.Length; k++)
                    judges[k].Push(signals[k].AsSpan(at, Math.Min(Rate / 2, (to * Rate) - at)));
            }
        }

        Push(0, Seconds / 2);
        long bytes = GC.GetAllocatedBytesForCurrentThread(), start = Stopwatch.GetTimestamp();
        Push(Seconds / 2, Seconds);
        double hop = Stopwatch.GetElapsedTime(start).TotalMilliseconds / (Seconds / 2 / HopSeconds);
        bytes = GC.GetAllocatedBytesForCurrentThread() - bytes;
        double network = Network();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"index of three signals: {hop:0.000} ms a hop of {1000 * HopSeconds:0} ms ({hop / HopSeconds / 10:0.00}% of it), {bytes} B; "
            + $"the compact network, 8 draws, dpm++2m:10, one thread: {network:0} ms, of which the index is {100 * hop / network:0.00}%"));
        return 0;
    }

    private static double Network()
    {
        using var engine = new InferenceEngine(new WeightRecipe(1, ModelConfiguration.Compact).Create(), new EngineOptions { Threads = 1 },
            ownsWeights: true);
        using InferenceSession session = engine.CreateSession(CardioTask.Parse("ppg->ecg"), new SessionOptions
        {
            Draws = 8, Sampler = SamplerOptions.Parse("dpm++2m:10"),
        });
        float[] conditions = new float[session.Plan.ConditionSamples], results = new float[session.Plan.StateSamples];
        session.Run(conditions, results);
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < 3; i++)
            session.Run(conditions, results);
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds / 3;
    }
}
