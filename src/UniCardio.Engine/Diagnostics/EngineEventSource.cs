using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Tracing;

namespace UniCardio.Engine.Diagnostics;

/// <summary>
/// The event source <c>UniCardio-Engine</c>, for <c>dotnet-trace collect --providers UniCardio-Engine:3:5</c> and
/// <see cref="EventListener"/>. Events: <c>RunStart</c> and <c>RunStop</c> (informational, keyword 1) bracket a run,
/// <c>StepStop</c> (verbose, keyword 2) follows every sampler row, <c>RunFailed</c> (warning, keyword 1) precedes the stop of a run that
/// threw.
/// </summary>
[EventSource(Name = SourceName)]
public sealed class EngineEventSource : EventSource
{
    /// <summary>Name of the event source.</summary>
    public const string SourceName = "UniCardio-Engine";

    private const string Primitives = "Only numbers are written: nothing is looked up by reflection.";

    private EngineEventSource()
    {
    }

    /// <summary>The one instance.</summary>
    public static EngineEventSource Log { get; } = new();

    /// <summary>A run begins.</summary>
    /// <param name="task">The task's text form.</param>
    /// <param name="backend">The backend's name.</param>
    /// <param name="windows">Windows W.</param>
    /// <param name="draws">Draws N a window.</param>
    /// <param name="steps">Sampler rows.</param>
    [Event(1, Level = EventLevel.Informational, Keywords = Keywords.Runs)]
    public void RunStart(string task, string backend, int windows, int draws, int steps)
    {
        if (IsEnabled(EventLevel.Informational, Keywords.Runs))
            WriteEvent(1, task, backend, windows, draws, steps);
    }

    /// <summary>A run has ended, well or not.</summary>
    /// <param name="milliseconds">Its wall time.</param>
    /// <param name="allocatedBytes">Heap bytes that it allocated on its thread.</param>
    [Event(2, Level = EventLevel.Informational, Keywords = Keywords.Runs)]
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = Primitives)]
    public unsafe void RunStop(double milliseconds, long allocatedBytes)
    {
        if (!IsEnabled(EventLevel.Informational, Keywords.Runs))
            return;
        EventData* data = stackalloc EventData[2];
        data[0] = new EventData { DataPointer = (nint)(&milliseconds), Size = sizeof(double) };
        data[1] = new EventData { DataPointer = (nint)(&allocatedBytes), Size = sizeof(long) };
        WriteEventCore(2, 2, data);
    }

    /// <summary>One sampler row has been executed.</summary>
    /// <param name="step">Row, from 0.</param>
    /// <param name="t">Diffusion step of the network call.</param>
    /// <param name="milliseconds">Wall time of the row.</param>
    [Event(3, Level = EventLevel.Verbose, Keywords = Keywords.Steps)]
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = Primitives)]
    public unsafe void StepStop(int step, int t, double milliseconds)
    {
        if (!IsEnabled(EventLevel.Verbose, Keywords.Steps))
            return;
        EventData* data = stackalloc EventData[3];
        data[0] = new EventData { DataPointer = (nint)(&step), Size = sizeof(int) };
        data[1] = new EventData { DataPointer = (nint)(&t), Size = sizeof(int) };
        data[2] = new EventData { DataPointer = (nint)(&milliseconds), Size = sizeof(double) };
        WriteEventCore(3, 3, data);
    }

    /// <summary>A run threw.</summary>
    /// <param name="task">The task's text form.</param>
    /// <param name="error">Type of the exception.</param>
    /// <param name="message">Its message.</param>
    [Event(4, Level = EventLevel.Warning, Keywords = Keywords.Runs)]
    public void RunFailed(string task, string error, string message)
    {
        if (IsEnabled(EventLevel.Warning, Keywords.Runs))
            WriteEvent(4, task, error, message);
    }

    /// <summary>What can be switched on apart.</summary>
    public static class Keywords
    {
        /// <summary>Runs.</summary>
        public const EventKeywords Runs = (EventKeywords)1;

        /// <summary>Sampler rows.</summary>
        public const EventKeywords Steps = (EventKeywords)2;
    }
}
