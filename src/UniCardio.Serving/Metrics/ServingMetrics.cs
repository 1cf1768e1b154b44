using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace UniCardio.Serving.Metrics;

/// <summary>Meter and activity source of a server, for OpenTelemetry and <see cref="MeterListener"/>.</summary>
/// <remarks>
/// <list type="table">
/// <listheader><term>instrument</term><description>kind, unit, meaning</description></listheader>
/// <item><term><c>unicardio.serving.infer.duration</c></term><description>histogram, s: an infer request from its arrival to its result;
/// tags <c>unicardio.model</c>, <c>http.response.status_code</c></description></item>
/// <item><term><c>unicardio.serving.infer.wait</c></term><description>histogram, s: the part of it spent waiting for
/// others</description></item>
/// <item><term><c>unicardio.serving.infer.windows</c></term><description>counter, {window}: windows computed for
/// requests</description></item>
/// <item><term><c>unicardio.serving.infer.pending</c></term><description>up-down counter, {request}: requests that wait or
/// run</description></item>
/// <item><term><c>unicardio.serving.connections</c></term><description>up-down counter, {connection}: live connections and event
/// streams</description></item>
/// <item><term><c>unicardio.serving.messages.received</c></term><description>counter, {message}: live messages taken</description></item>
/// <item><term><c>unicardio.serving.messages.refused</c></term><description>counter, {message}: live messages answered with an error; tag
/// <c>error.type</c></description></item>
/// <item><term><c>unicardio.serving.frames.sent</c></term><description>counter, {frame}: frames sent to connections</description></item>
/// <item><term><c>unicardio.serving.frames.dropped</c></term><description>counter, {frame}: frames that slow readers
/// lost</description></item>
/// </list>
/// Activities: <c>infer</c>, with <c>infer.wait</c> and <c>infer.compute</c> in it; <c>live.connection</c>. No tag and no name holds
/// anything of a patient.
/// </remarks>
public static class ServingMetrics
{
    /// <summary>Name of the meter and of the activity source.</summary>
    public const string MeterName = "UniCardio.Serving";

    private static readonly string? Version = typeof(ServingMetrics).Assembly.GetName().Version?.ToString(3);
    private static readonly Meter Meter = new(MeterName, Version);

    internal static ActivitySource Activities { get; } = new(MeterName, Version);

    internal static Histogram<double> InferDuration { get; } =
        Meter.CreateHistogram<double>("unicardio.serving.infer.duration", "s", "An infer request from its arrival to its result");

    internal static Histogram<double> InferWait { get; } =
        Meter.CreateHistogram<double>("unicardio.serving.infer.wait", "s", "Time that an infer request waited for others");

    internal static Counter<long> InferWindows { get; } =
        Meter.CreateCounter<long>("unicardio.serving.infer.windows", "{window}", "Windows computed for infer requests");

    internal static UpDownCounter<int> InferPending { get; } =
        Meter.CreateUpDownCounter<int>("unicardio.serving.infer.pending", "{request}", "Infer requests that wait or run");

    internal static UpDownCounter<int> Connections { get; } =
        Meter.CreateUpDownCounter<int>("unicardio.serving.connections", "{connection}", "Live connections and event streams");

    internal static Counter<long> MessagesReceived { get; } =
        Meter.CreateCounter<long>("unicardio.serving.messages.received", "{message}", "Live messages taken");

    internal static Counter<long> MessagesRefused { get; } =
        Meter.CreateCounter<long>("unicardio.serving.messages.refused", "{message}", "Live messages answered with an error");

    internal static Counter<long> FramesSent { get; } =
        Meter.CreateCounter<long>("unicardio.serving.frames.sent", "{frame}", "Frames sent to live connections");

    internal static Counter<long> FramesDropped { get; } =
        Meter.CreateCounter<long>("unicardio.serving.frames.dropped", "{frame}", "Frames that slow readers lost");
}
