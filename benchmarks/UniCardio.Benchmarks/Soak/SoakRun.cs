using System.Diagnostics;
using System.Globalization;
using UniCardio.Engine.Sampling;
using UniCardio.Engine.Sessions;
using UniCardio.Streaming;
using UniCardio.Weights;

namespace UniCardio.Benchmarks.Soak;

/// <summary>
/// Faults over a long time, against the real server process: patients in real time of which one is left in peace, drop-outs, reconnects,
/// jumping clocks, slow and deaf readers, half-open connections, malformed messages, bodies and requests, and kills. At the end the
/// undisturbed patient's frames are compared with the offline run, bit by bit.
/// </summary>
internal static class SoakRun
{
    private const string Steady = "steady";
    private const ulong SteadySeed = 7;
    private const double WarmUpMinutes = 2;

    /// <summary>Runs it.</summary>
    /// <returns>0 if everything held, 1 if not, 2 for bad arguments.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        SoakOptions options;
        try
        {
            options = SoakOptions.Parse(args);
        }
        catch (FormatException problem)
        {
            await Console.Error.WriteLineAsync(problem.Message);
            return 2;
        }
        string folder = Directory.CreateTempSubdirectory("unicardio-soak-").FullName;
        try
        {
            SoakReport report = await RunAsync(options, folder);
            await Console.Out.WriteLineAsync(report.ToText());
            if (options.Json)
                await Console.Out.WriteLineAsync(report.ToJson());
            return report.Failures.Count == 0 ? 0 : 1;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<SoakReport> RunAsync(SoakOptions options, string folder)
    {
        var sampling = new LiveSampling { Draws = options.Draws, Sampler = SamplerOptions.Parse(options.Sampler) };
        await using var server = new ServerProcess(
            "--weights", options.Weights, "--untrained", "--threads", options.Threads.ToString(CultureInfo.InvariantCulture),
            "--checkpoints", folder, "--checkpoint-seconds", "1",
            "--linger-seconds", "60", "--slow-seconds", "5", "--max-draws", "8", "--live-draws", "2", "--draws", "2", "--log",
            "information");
        using var stop = new CancellationTokenSource();
        await server.StartAsync(stop.Token);

        var log = new FrameLog();
        var steady = new Device(server, Steady, sampling, SteadySeed) { OnFrame = log.Add };
        Trouble[] troubles = [.. Enumerable.Range(1, options.Patients - 1).Select(i => new Trouble(options.Seed + i))];
        Device[] rough = [.. troubles.Select((t, i) => new Device(server, $"rough-{i}", sampling, (ulong)i, t))];
        var slow = new SlowReaders(server, Steady);
        var halfOpen = new HalfOpenConnections(server);
        MalformedTraffic[] malformed = [.. ((double[])[0.4, 0.4, 0.2])
            .Select(share => new MalformedTraffic((int)Math.Ceiling(share * options.Malformed), options.Duration))];
        var samples = new Samples(server);
        Console.WriteLine("minutes  process  memory MiB  heap MiB  threads  files  connections     hops  skipped  malformed refused");

        var seed = (ulong)options.Seed;
        Task patients =
            Task.WhenAll([steady.RunAsync(options.Duration, stop.Token), .. rough.Select(r => r.RunAsync(options.Duration, stop.Token))]);
        Task[] faults =
        [
            MalformedMessages.RunAsync(server, malformed[0], seed, stop.Token),
            MalformedBodies.RunAsync(server, malformed[1], seed + 1, stop.Token),
            // Some wait for a rest that never comes.
            .. Enumerable.Range(2, 3).Select(i => MalformedRequests.RunAsync(server, malformed[2], seed + (ulong)i, stop.Token)),
            slow.AskAsync(TimeSpan.FromSeconds(40), stop.Token),
            slow.StandStillAsync(TimeSpan.FromMinutes(Math.Min(6, options.Minutes / 2)), TimeSpan.FromSeconds(5), stop.Token),
            halfOpen.RunAsync(TimeSpan.FromSeconds(5), stop.Token),
            KillAsync(server, options, stop.Token),
            samples.RunAsync(TimeSpan.FromSeconds(10), sample => Show(sample, malformed.Sum(m => m.Refused)), stop.Token),
        ];
        await patients;
        await stop.CancelAsync();
        foreach (Task fault in faults)
            await fault.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        string[] broken = [.. faults.Where(f => f.IsFaulted).Select(f => $"the soak itself failed: {f.Exception!.InnerException}")];
        (double processor, bool stopsWell) = (server.ProcessorSeconds, await server.StopAsync());
        return new SoakReport
        {
            Options = options,
            Server = server,
            ProcessorSeconds = processor,
            StopsWell = stopsWell,
            Steady = steady,
            Log = log,
            Offline = Compare(options, sampling, steady.Blocks, log),
            Rough = rough,
            Troubles = troubles,
            Slow = slow,
            HalfOpen = halfOpen,
            Malformed = malformed,
            Memory = samples.Memory(Math.Min(WarmUpMinutes, options.Minutes / 4)),
            Samples = samples.All,
            Broken = broken,
        };
    }

    private static async Task KillAsync(ServerProcess server, SoakOptions options, CancellationToken cancellation)
    {
        for (int i = 0; i < options.Kills; i++)
        {
            await Task.Delay(TimeSpan.FromMinutes(options.KillMinutes), cancellation);
            await server.KillAsync();
            await server.StartAsync(cancellation);
        }
    }

    private static OfflineRun Compare(SoakOptions options, LiveSampling sampling, long blocks, FrameLog log)
    {
        using LoadedWeights weights = WeightFile.Load(options.Weights);
        using var engine = new InferenceEngine(weights.Weights, new EngineOptions { Threads = options.Threads });
        return OfflineRun.Compare(engine, sampling, SteadySeed, blocks, log);
    }

    private static void Show(Sample s, long refused) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"{s.Minutes,7:F1}  {s.Life,7}  {s.MemoryMiB,10:F1}  {s.HeapMiB,8:F1}  {s.Threads,7}  {s.Files,5}  {s.Connections,11}  "
        + $"{s.Hops,7}  {s.Skipped,7}  {refused,17}"));
}
