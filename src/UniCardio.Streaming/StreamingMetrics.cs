using System.Diagnostics.Metrics;

namespace UniCardio.Streaming;

/// <summary>
/// The meter of every host in the process, for <c>dotnet-counters monitor --counters UniCardio.Streaming</c>, <see cref="MeterListener"/>
/// and OpenTelemetry.
/// </summary>
/// <remarks>
/// <list type="table">
/// <listheader><term>instrument</term><description>kind, unit, meaning</description></listheader>
/// <item><term><c>unicardio.streaming.hops</c></term><description>counter, {hop}: frames delivered, one a hop</description></item>
/// <item><term><c>unicardio.streaming.hops.skipped</c></term><description>counter, {hop}: hops that were not computed because the machine
/// could not keep up</description></item>
/// <item><term><c>unicardio.streaming.windows</c></term><description>counter, {window}: windows computed</description></item>
/// <item><term><c>unicardio.streaming.batch.size</c></term><description>histogram, {window}: windows of a batch</description></item>
/// <item><term><c>unicardio.streaming.delay</c></term><description>histogram, s: from the newest sample that a frame needs to its
/// delivery, algorithmic and compute</description></item>
/// <item><term><c>unicardio.streaming.delay.compute</c></term><description>histogram, s: the compute part of it</description></item>
/// <item><term><c>unicardio.streaming.delay.measured</c></term><description>histogram, s: the same for preliminary frames, which wait for
/// no computation</description></item>
/// <item><term><c>unicardio.streaming.queue.length</c></term><description>observable up-down counter, {hop}: hops that wait for
/// computing</description></item>
/// <item><term><c>unicardio.streaming.sessions</c></term><description>observable up-down counter, {session}: sessions
/// open</description></item>
/// </list>
/// No tags: nothing of a patient is in a metric.
/// </remarks>
public static class StreamingMetrics
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "UniCardio.Streaming";

    private static readonly Meter Meter = new(MeterName, typeof(StreamingMetrics).Assembly.GetName().Version?.ToString(3));
    private static long _sessions;
    private static long _queued;

    static StreamingMetrics()
    {
        Meter.CreateObservableUpDownCounter("unicardio.streaming.sessions", () => Interlocked.Read(ref _sessions), "{session}",
            "Sessions open");
        Meter.CreateObservableUpDownCounter("unicardio.streaming.queue.length", () => Interlocked.Read(ref _queued), "{hop}",
            "Hops that wait for computing");
    }

    internal static Counter<long> Hops { get; } = Meter.CreateCounter<long>("unicardio.streaming.hops", "{hop}", "Frames delivered");

    internal static Counter<long> SkippedHops { get; } =
        Meter.CreateCounter<long>("unicardio.streaming.hops.skipped", "{hop}", "Hops not computed because the machine could not keep up");

    internal static Counter<long> Windows { get; } =
        Meter.CreateCounter<long>("unicardio.streaming.windows", "{window}", "Windows computed");

    internal static Histogram<int> BatchSize { get; } =
        Meter.CreateHistogram<int>("unicardio.streaming.batch.size", "{window}", "Windows of a batch");

    internal static Histogram<double> Delay { get; } =
        Meter.CreateHistogram<double>("unicardio.streaming.delay", "s", "From the newest sample that a frame needs to its delivery");

    internal static Histogram<double> ComputeDelay { get; } =
        Meter.CreateHistogram<double>("unicardio.streaming.delay.compute", "s", "From all samples being there to a frame's delivery");

    internal static Histogram<double> MeasuredDelay { get; } =
        Meter.CreateHistogram<double>("unicardio.streaming.delay.measured", "s",
            "From all samples being there to a preliminary frame's delivery");

    internal static void CountSessions(int change) => Interlocked.Add(ref _sessions, change);

    internal static void CountQueued(int change) => Interlocked.Add(ref _queued, change);
}
