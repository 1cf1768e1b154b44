using System.Diagnostics;
using System.Diagnostics.Tracing;

namespace UniCardio.Engine.Diagnostics;

/// <summary>What one run reports to the meter and the event source; <c>default</c> reports nothing and reads no clock.</summary>
internal struct RunMeasurement
{
    private readonly RunLabels? _labels;
    private readonly bool _steps;
    private readonly long _start;
    private readonly long _allocated;
    private long _stepStart;
    private int _stepsDone;

    private RunMeasurement(RunLabels labels)
    {
        _labels = labels;
        _steps = EngineMetrics.StepDuration.Enabled
            || EngineEventSource.Log.IsEnabled(EventLevel.Verbose, EngineEventSource.Keywords.Steps);
        EngineEventSource.Log.RunStart(labels.Task, labels.Backend, labels.Windows, labels.Draws, labels.Steps);
        _allocated = GC.GetAllocatedBytesForCurrentThread();
        _start = Stopwatch.GetTimestamp();
    }

    /// <summary>Begins, if anybody listens.</summary>
    public static RunMeasurement Start(RunLabels labels) =>
        EngineMetrics.RunsAreMeasured || EngineEventSource.Log.IsEnabled() ? new RunMeasurement(labels) : default;

    /// <summary>A row begins.</summary>
    public void BeginStep()
    {
        if (_steps)
            _stepStart = Stopwatch.GetTimestamp();
    }

    /// <summary>A row has ended.</summary>
    public void EndStep(int step, int t)
    {
        if (_labels is not RunLabels labels)
            return;
        _stepsDone++;
        if (!_steps)
            return;
        double seconds = Stopwatch.GetElapsedTime(_stepStart).TotalSeconds;
        EngineMetrics.StepDuration.Record(seconds, labels.TaskTag, labels.BackendTag);
        EngineEventSource.Log.StepStop(step, t, seconds * 1e3);
    }

    /// <summary>The run throws; made for an exception filter.</summary>
    /// <returns>False.</returns>
    public readonly bool Failed(Exception error)
    {
        if (_labels is RunLabels labels)
        {
            string type = error.GetType().FullName ?? error.GetType().Name;
            EngineMetrics.RunFailures.Add(1, labels.TaskTag, labels.BackendTag, new("error.type", type));
            EngineEventSource.Log.RunFailed(labels.Task, type, error.Message);
        }

        return false;
    }

    /// <summary>The run has ended, well or not.</summary>
    public readonly void Stop()
    {
        if (_labels is not RunLabels labels)
            return;
        double seconds = Stopwatch.GetElapsedTime(_start).TotalSeconds;
        long allocated = GC.GetAllocatedBytesForCurrentThread() - _allocated;
        EngineMetrics.RunDuration.Record(seconds, labels.TaskTag, labels.BackendTag);
        EngineMetrics.RunAllocated.Record(allocated, labels.TaskTag, labels.BackendTag);
        EngineMetrics.NetworkCalls.Add((long)_stepsDone * labels.Windows * labels.Draws, labels.TaskTag, labels.BackendTag);
        EngineEventSource.Log.RunStop(seconds * 1e3, allocated);
    }
}

/// <summary>What a session is called in measurements; made once, so that reporting allocates nothing.</summary>
internal sealed record RunLabels(string Task, string Backend, int Windows, int Draws, int Steps)
{
    public KeyValuePair<string, object?> TaskTag { get; } = new("unicardio.task", Task);

    public KeyValuePair<string, object?> BackendTag { get; } = new("unicardio.backend", Backend);
}
