using System.Globalization;

namespace UniCardio.Benchmarks.Soak;

/// <summary>The server at one moment.</summary>
internal sealed record Sample
{
    public required double Minutes { get; init; }
    public required int Life { get; init; }
    public required double LifeMinutes { get; init; }
    public required double MemoryMiB { get; init; }
    public required double HeapMiB { get; init; }
    public required int Threads { get; init; }
    public required int Files { get; init; }
    public required double Connections { get; init; }
    public required double Hops { get; init; }
    public required double Skipped { get; init; }
    public required double FramesSent { get; init; }
    public required double FramesDropped { get; init; }
    public required double Refused { get; init; }
}

/// <summary>Memory, threads, files and counters of the server over time.</summary>
internal sealed class Samples(ServerProcess server)
{
    private readonly List<Sample> _samples = [];

    public IReadOnlyList<Sample> All => _samples;

    public async Task RunAsync(TimeSpan every, Action<Sample> show, CancellationToken cancellation)
    {
        using var client = new HttpClient { BaseAddress = server.Address, Timeout = TimeSpan.FromSeconds(10) };
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        using var timer = new PeriodicTimer(every);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellation))
            {
                int life = server.Life;
                if (await ScrapeAsync(client, cancellation) is not Dictionary<string, double> metrics || life != server.Life
                    || !server.IsUp)
                    continue;
                double Sum(string name) =>
                    metrics.Where(m => m.Key == name || m.Key.StartsWith(name + "{", StringComparison.Ordinal)).Sum(m => m.Value);
                (double memory, int threads, int files) = server.Measure();
                var sample = new Sample
                {
                    Minutes = System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalMinutes, Life = life,
                    LifeMinutes = System.Diagnostics.Stopwatch.GetElapsedTime(server.Started).TotalMinutes, MemoryMiB = memory,
                    HeapMiB = Sum("dotnet_gc_last_collection_heap_size_bytes") / 1048576, Threads = threads, Files = files,
                    Connections = Sum("unicardio_serving_connections"), Hops = Sum("unicardio_streaming_hops_total"),
                    Skipped = Sum("unicardio_streaming_hops_skipped_total"), FramesSent = Sum("unicardio_serving_frames_sent_total"),
                    FramesDropped = Sum("unicardio_serving_frames_dropped_total"),
                    Refused = Sum("unicardio_serving_messages_refused_total"),
                };
                _samples.Add(sample);
                show(sample);
            }
        }
        catch (OperationCanceledException)
        {
            // At the end.
        }
    }

    /// <summary>Memory of the last process after its first minutes: medians of the first and the last third, and the slope in MiB an hour
    /// (least squares).</summary>
    public (double First, double Last, double Slope, double Minutes) Memory(double warmUp)
    {
        Sample[] last = [.. _samples.Where(s => s.Life == _samples[^1].Life && s.LifeMinutes >= warmUp && double.IsFinite(s.MemoryMiB))];
        if (last.Length < 6)
            return (double.NaN, double.NaN, double.NaN, 0);
        double x = last.Average(s => s.Minutes), y = last.Average(s => s.MemoryMiB);
        double slope = last.Sum(s => (s.Minutes - x) * (s.MemoryMiB - y)) / last.Sum(s => (s.Minutes - x) * (s.Minutes - x));
        return (Median(last[..(last.Length / 3)]), Median(last[^(last.Length / 3)..]), 60 * slope, last[^1].Minutes - last[0].Minutes);
    }

    private static double Median(Sample[] samples) => samples.Select(s => s.MemoryMiB).Order().ElementAt(samples.Length / 2);

    private static async Task<Dictionary<string, double>?> ScrapeAsync(HttpClient client, CancellationToken cancellation)
    {
        try
        {
            string text = await client.GetStringAsync("/metrics", cancellation);
            return text.Split('\n').Where(l => l.Length > 0 && l[0] != '#').Select(l => (Line: l, Space: l.LastIndexOf(' ')))
                .ToDictionary(l => l.Line[..l.Space], l => double.Parse(l.Line[(l.Space + 1)..], CultureInfo.InvariantCulture));
        }
        catch (Exception problem) when (problem is HttpRequestException or TaskCanceledException && !cancellation.IsCancellationRequested)
        {
            return null;
        }
    }
}
