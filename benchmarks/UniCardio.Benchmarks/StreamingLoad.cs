using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Engine.Sessions;
using UniCardio.Streaming;
using UniCardio.Weights;

namespace UniCardio.Benchmarks;

/// <summary>
/// Live sessions under load: what a hop costs beyond the engine's own run, and how many patients a machine serves in real time. PPG comes
/// in at
/// 125 Hz in blocks of 0.2 s, BP is translated from it in every hop of 0.5 s: the worst case, since a patient with all sensors costs
/// nothing.
/// </summary>
internal static class StreamingLoad
{
    private const int BlockSamples = 25;
    private static readonly float[] Wave = [.. Enumerable.Range(0, 125 * 600)
        .Select(i => (float)(Math.Sin(i / 16.0) + (0.3 * Math.Sin(i / 7.1)) + (0.05 * Math.Sin(i / 300.0))))];

    /// <summary>Runs it: <c>streaming [WEIGHTS] [draws] [steps] [threads] [patients ...]</c>.</summary>
    public static void Run(string[] args)
    {
        string source = args.ElementAtOrDefault(0) ?? "recipe:1,compact";
        int Number(int at, int otherwise) => args.Length > at ? int.Parse(args[at], CultureInfo.InvariantCulture) : otherwise;
        var sampling = new LiveSampling { Draws = Number(1, 8),
            Sampler = new SamplerOptions { Kind = SamplerKind.DpmSolver2M, Steps = Number(2, 6) } };
        using LoadedWeights weights = WeightFile.Load(source);
        using var engine = new InferenceEngine(weights.Weights, new EngineOptions { Threads = Number(3, 2) });
        Print($"{source}, {engine.Backend.Name}, {sampling.Draws} draws, {sampling.Sampler}, hop 0.5 s");
        double window = MeasureWindows(engine, sampling);
        MeasureHop(engine, sampling);
        int capacity = (int)(500 / window);
        int[] patients = args.Length > 4 ? [.. args.Skip(4).Select(a => int.Parse(a, CultureInfo.InvariantCulture))]
            : [capacity / 2, capacity * 8 / 10, capacity, capacity * 2];
        foreach (int count in patients.Where(p => p > 0))
            MeasurePatients(engine, sampling, count);
    }

    // Milliseconds a window by windows of a batch, the engine alone; returns the best.
    private static double MeasureWindows(InferenceEngine engine, LiveSampling sampling)
    {
        double best = double.MaxValue;
        foreach (int windows in (int[])[1, 2, 4, 8])
        {
            using InferenceSession session = engine.CreateSession(CardioTask.Parse("ppg->bp"),
                new SessionOptions { Windows = windows, Draws = sampling.Draws, Sampler = sampling.Sampler });
            var conditions = new float[session.Plan.ConditionSamples];
            var results = new float[session.Plan.StateSamples];
            session.Run(conditions, results);
            var times = new List<double>();
            TimeSpan processor = Environment.CpuUsage.TotalTime;
            for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start).TotalSeconds < 3;)
            {
                long run = Stopwatch.GetTimestamp();
                session.Run(conditions, results);
                times.Add(Stopwatch.GetElapsedTime(run).TotalMilliseconds / windows);
            }
            double busy = (Environment.CpuUsage.TotalTime - processor).TotalMilliseconds / (times.Count * windows);
            double median = Median(times);
            Print(
                $"engine, {windows} windows a batch: {median:F1} ms a window (median of {times.Count}), {busy:F1} ms of processor time, "
                + $"{session.ArenaBytes / 1048576.0:F1} MiB");
            best = Math.Min(best, median);
        }
        return best;
    }

    // A hop of one patient on one thread: samples in, windows, plans, scaling, noise, statistics, frames out, and the engine's run apart.
    private static void MeasureHop(InferenceEngine engine, LiveSampling sampling)
    {
        double inEngine = 0;
        using var listener = new MeterListener { InstrumentPublished = (i, l) => l.EnableMeasurementEvents(i) };
        listener.SetMeasurementEventCallback<double>((i, value, _, _) => inEngine += i.Name == "unicardio.engine.run.duration" ? value : 0);
        using var host = new StreamingHost(engine, new StreamingHostOptions { OwnThread = false });
        long hops = 0;
        using StreamingSession session = host.Open(Options(sampling), (_, _) => hops++);
        host.WarmUp(sampling: sampling);
        int block = 0;
        void Push(int blocks)
        {
            for (int end = block + blocks; block < end; block++)
            {
                session.Push(Modality.Ppg, TimeSpan.FromMilliseconds(200 * block), Wave.AsSpan(block * BlockSamples, BlockSamples));
                host.RunPending();
            }
        }
        Push(75);
        hops = 0;
        long bytes = GC.GetAllocatedBytesForCurrentThread();
        Push(50);
        bytes = GC.GetAllocatedBytesForCurrentThread() - bytes;
        long measured = hops;

        listener.Start();
        List<double> whole = [], outside = [];
        for (int hop = 0; hop < 40; hop++)
        {
            (hops, inEngine) = (0, 0);
            long start = Stopwatch.GetTimestamp();
            // Blocks until the next frame is out, those that complete no hop included.
            while (hops == 0)
                Push(1);
            double wall = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            whole.Add(wall);
            outside.Add(wall - (1000 * inEngine));
        }
        double hopTime = Median(whole), rest = Median(outside);
        Print(
            $"a hop: {hopTime:F1} ms, of which {rest:F3} ms ({100 * rest / hopTime:F2}%) are not the engine's (medians of 40); {bytes} "
            + $"bytes allocated by {measured} hops");
    }

    private static void MeasurePatients(InferenceEngine engine, LiveSampling sampling, int patients)
    {
        using var host = new StreamingHost(engine);
        var delays = new List<double>[patients];
        var sessions = new StreamingSession[patients];
        for (int p = 0; p < patients; p++)
        {
            List<double> mine = delays[p] = new List<double>(1024);
            sessions[p] = host.Open(Options(sampling) with { Seed = (ulong)p }, (_, frame) =>
            {
                if (frame.Window >= 0)
                    mine.Add((frame.AlgorithmicDelay + frame.ComputeDelay).TotalMilliseconds);
            });
        }
        host.WarmUp([CardioTask.Parse("ppg->bp")], sampling);

        // The first 6 s at once, so that windows are full; then in real time, patients spread over the block's 0.2 s.
        const int Lead = 30;
        for (int block = 0; block < Lead; block++)
        {
            foreach (StreamingSession session in sessions)
                Push(session, block);
        }
        host.DrainAsync().Wait();
        Array.ForEach(delays, d => d.Clear());
        long skippedBefore = sessions.Sum(s => s.Counts.SkippedHops);
        long start = Stopwatch.GetTimestamp();
        for (int step = 0; step < 20 * 5 * patients; step++)
        {
            (int block, int p) = Math.DivRem(step, patients);
            double due = (0.2 * block) + (0.2 * p / patients);
            while (Stopwatch.GetElapsedTime(start).TotalSeconds < due)
                Thread.Sleep(1);
            Push(sessions[p], Lead + block);
        }
        host.DrainAsync().Wait();
        double[] all = [.. delays.SelectMany(d => d).Order()];
        long skipped = sessions.Sum(s => s.Counts.SkippedHops) - skippedBefore;
        Print(
            $"{patients} patients for 20 s: {all.Length} frames, {100.0 * skipped / (40 * patients):F1}% of the hops skipped, delay p50 "
            + $"{all[all.Length / 2]:F0} ms, p99 {all[(int)(0.99 * all.Length)]:F0} ms, largest {all[^1]:F0} ms; lost hops "
            + $"{sessions.Sum(s => s.Counts.LostHops)}");
    }

    private static void Push(StreamingSession session, int block) =>
        session.Push(Modality.Ppg, TimeSpan.FromMilliseconds(200 * block), Wave.AsSpan(block * BlockSamples, BlockSamples));

    private static StreamingSessionOptions Options(LiveSampling sampling) =>
        new() { Ppg = new ChannelOptions(125), Generate = ModalitySet.Bp, Sampling = sampling };

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }

    private static void Print(string line) => Console.WriteLine(line);
}
