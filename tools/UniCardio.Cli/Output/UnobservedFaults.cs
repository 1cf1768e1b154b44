using Microsoft.Extensions.Logging;

namespace UniCardio.Cli.Output;

/// <summary>Logs what tasks ran into that nobody awaited: a fault of the program, which would else leave no trace.</summary>
internal sealed partial class UnobservedFaults : IDisposable
{
    private readonly JsonLog _output;
    private readonly ILogger _log;

    public UnobservedFaults(TextWriter output)
    {
        _output = new JsonLog(output);
        _log = _output.CreateLogger(typeof(UnobservedFaults).FullName!);
        TaskScheduler.UnobservedTaskException += Note;
    }

    public void Dispose()
    {
        TaskScheduler.UnobservedTaskException -= Note;
        _output.Dispose();
    }

    private void Note(object? sender, UnobservedTaskExceptionEventArgs fault)
    {
        fault.SetObserved();
        LogFault(_log, fault.Exception.InnerException?.GetType().Name ?? "", fault.Exception);
    }

    [LoggerMessage(40, LogLevel.Error, "Nobody observed a task that failed with {Error}")]
    private static partial void LogFault(ILogger log, string error, Exception problem);
}
