using System.Diagnostics;
using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;
using UniCardio.Serving.Hosting;
using UniCardio.Serving.Live;
using UniCardio.Serving.Protocol;

namespace UniCardio.Serving.Metrics;

/// <summary><c>/metrics</c> for Prometheus and <c>/events</c> for pages.</summary>
internal sealed class MetricsEndpoints(ServerOptions options, ModelHost host, PatientRegistry patients, MetricsCollector metrics)
{
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(250);
    private const int BeatsPerSecond = 4;

    public void Map(IEndpointRouteBuilder endpoints)
    {
        const string Tag = "Operation";
        endpoints.MapGet("/metrics", MetricsAsync).Describe(Tag, "Metrics for Prometheus.", null);
        endpoints.MapGet("/events", EventsAsync).Describe(Tag, "Server-sent events: 'patients' and 'metrics'.", null, 503);
    }

    private Task MetricsAsync(HttpContext context)
    {
        byte[] body = Encoding.UTF8.GetBytes(PrometheusText.Of(metrics.Collect()));
        context.Response.ContentType = PrometheusText.ContentType;
        context.Response.ContentLength = body.Length;
        return context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    private async Task EventsAsync(HttpContext context)
    {
        if (host.IsStopping)
            throw RequestException.Unavailable("the server is shutting down", 5);
        patients.Enter();
        try
        {
            await TypedResults.ServerSentEvents(Events(context)).ExecuteAsync(context);
        }
        finally
        {
            patients.Leave();
        }
    }

    private async IAsyncEnumerable<SseItem<string>> Events(HttpContext context)
    {
        var load = new ProcessLoad();
        long changes = -1;
        using var timer = new PeriodicTimer(Beat);
        // The next one is asked for when the last one is sent: nobody reads any more, or too slowly to be of use, where it takes too long.
        using var slow = new Timer(_ => context.Abort());
        for (int beat = 0; !host.IsStopping; beat++)
        {
            if (changes != patients.Changes)
            {
                changes = patients.Changes;
                yield return Item("patients", patients.List());
            }
            if (beat % BeatsPerSecond == 0)
                yield return Item("metrics", Now(load));
            slow.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            await timer.WaitForNextTickAsync(context.RequestAborted);
        }

        SseItem<string> Item<T>(string name, T message)
        {
            slow.Change(options.SlowReader, Timeout.InfiniteTimeSpan);
            return new SseItem<string>(JsonSerializer.Serialize(message, ProtocolJson.Options), name);
        }
    }

    private MetricsEvent Now(ProcessLoad load)
    {
        Served? served = host.Served;
        double?[] delays = metrics.Delays.Quantiles(0.5, 0.99), compute = metrics.ComputeDelays.Quantiles(0.5, 0.99);
        long lost = patients.Sessions.Sum(s => s.Session.Streaming.Counts.LostHops);
        return new MetricsEvent
        {
            Time = DateTime.UtcNow,
            Ready = host.IsReady,
            Sessions = patients.Sessions.Count(),
            Connections = patients.ConnectionCount,
            Queue = served?.Live.QueueLength ?? 0,
            Hops = (long)metrics.Sum("unicardio.streaming.hops"),
            SkippedHops = (long)metrics.Sum("unicardio.streaming.hops.skipped"),
            LostHops = lost,
            Windows = (long)metrics.Sum("unicardio.streaming.windows"),
            DelayP50 = delays[0],
            DelayP99 = delays[1],
            ComputeP50 = compute[0],
            ComputeP99 = compute[1],
            Load = load.Share(),
            MemoryBytes = Environment.WorkingSet,
            InferRunning = served?.Infer.Running ?? 0,
            InferWaiting = served?.Infer.Waiting ?? 0,
        };
    }

    /// <summary>The process's share of all processors' time since it was last asked.</summary>
    private sealed class ProcessLoad
    {
        private TimeSpan _used = Environment.CpuUsage.TotalTime;
        private long _at = Stopwatch.GetTimestamp();

        public double Share()
        {
            TimeSpan used = Environment.CpuUsage.TotalTime;
            long now = Stopwatch.GetTimestamp();
            double seconds = Stopwatch.GetElapsedTime(_at, now).TotalSeconds;
            double share = seconds < 0.1 ? 0 : (used - _used).TotalSeconds / seconds / Environment.ProcessorCount;
            (_used, _at) = (used, now);
            return Math.Clamp(share, 0, 1);
        }
    }

    private sealed record MetricsEvent
    {
        public required DateTime Time { get; init; }

        public required bool Ready { get; init; }

        public required int Sessions { get; init; }

        public required int Connections { get; init; }

        public required int Queue { get; init; }

        public required long Hops { get; init; }

        public required long SkippedHops { get; init; }

        public required long LostHops { get; init; }

        public required long Windows { get; init; }

        public required double? DelayP50 { get; init; }

        public required double? DelayP99 { get; init; }

        public required double? ComputeP50 { get; init; }

        public required double? ComputeP99 { get; init; }

        public required double Load { get; init; }

        public required long MemoryBytes { get; init; }

        public required int InferRunning { get; init; }

        public required int InferWaiting { get; init; }
    }
}
