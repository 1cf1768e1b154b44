using System.Diagnostics.Metrics;

namespace UniCardio.Engine.Diagnostics;

/// <summary>
/// The meter of every session in the process, for <c>dotnet-counters monitor --counters UniCardio.Engine</c>,
/// <see cref="MeterListener"/> and OpenTelemetry.
/// </summary>
/// <remarks>
/// <list type="table">
/// <listheader><term>instrument</term><description>kind, unit, meaning</description></listheader>
/// <item><term><c>unicardio.engine.run.duration</c></term><description>histogram, s: wall time of a run, first step's waiting
/// included</description></item>
/// <item><term><c>unicardio.engine.step.duration</c></term><description>histogram, s: wall time of one sampler row (a network call of all
/// draws and its update)</description></item>
/// <item><term><c>unicardio.engine.run.allocated</c></term><description>histogram, By: heap bytes that the run allocated on its thread,
/// observer included; 0 after warm-up</description></item>
/// <item><term><c>unicardio.engine.network.calls</c></term><description>counter, {call}: network evaluations, one a draw and
/// row</description></item>
/// <item><term><c>unicardio.engine.run.failures</c></term><description>counter, {run}: runs that ended with an exception, cancellation
/// included; tag <c>error.type</c></description></item>
/// <item><term><c>unicardio.engine.sessions</c></term><description>observable up-down counter, {session}: sessions
/// alive</description></item>
/// <item><term><c>unicardio.engine.arena.size</c></term><description>observable up-down counter, By: their working
/// memory</description></item>
/// </list>
/// Tags of all but the last two: <c>unicardio.task</c> and <c>unicardio.backend</c>. While nobody listens a run asks each
/// instrument once whether it is on, and no clock is read.
/// </remarks>
public static class EngineMetrics
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "UniCardio.Engine";

    private static long _sessions;
    private static long _arenaBytes;

    private static readonly Meter Meter = new(MeterName, typeof(EngineMetrics).Assembly.GetName().Version?.ToString(3));

    static EngineMetrics()
    {
        Meter.CreateObservableUpDownCounter("unicardio.engine.sessions", () => Interlocked.Read(ref _sessions), "{session}",
            "Sessions alive");
        Meter.CreateObservableUpDownCounter("unicardio.engine.arena.size", () => Interlocked.Read(ref _arenaBytes), "By",
            "Working memory of the sessions alive");
    }

    internal static Histogram<double> RunDuration { get; } =
        Meter.CreateHistogram<double>("unicardio.engine.run.duration", "s", "Wall time of a run");

    internal static Histogram<double> StepDuration { get; } =
        Meter.CreateHistogram<double>("unicardio.engine.step.duration", "s", "Wall time of one sampler row");

    internal static Histogram<long> RunAllocated { get; } =
        Meter.CreateHistogram<long>("unicardio.engine.run.allocated", "By", "Heap bytes allocated by a run on its thread");

    internal static Counter<long> NetworkCalls { get; } =
        Meter.CreateCounter<long>("unicardio.engine.network.calls", "{call}", "Network evaluations, one a draw and row");

    internal static Counter<long> RunFailures { get; } =
        Meter.CreateCounter<long>("unicardio.engine.run.failures", "{run}", "Runs that ended with an exception");

    internal static bool RunsAreMeasured =>
        RunDuration.Enabled || StepDuration.Enabled || RunAllocated.Enabled || NetworkCalls.Enabled || RunFailures.Enabled;

    /// <summary>Counts a session that was made.</summary>
    internal static void SessionOpened(long arenaBytes) => Count(1, arenaBytes);

    /// <summary>Counts a session that was freed.</summary>
    internal static void SessionClosed(long arenaBytes) => Count(-1, -arenaBytes);

    private static void Count(long sessions, long bytes)
    {
        Interlocked.Add(ref _sessions, sessions);
        Interlocked.Add(ref _arenaBytes, bytes);
    }
}
