using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace UniCardio.Cli.Output;

/// <summary>A log of one JSON object a line, with the values of a message as fields of their own.</summary>
internal sealed class JsonLog(TextWriter output) : ILoggerProvider
{
    private readonly Lock _lock = new();

    public ILogger CreateLogger(string categoryName) => new Category(this, categoryName);

    public void Dispose()
    {
    }

    private void Write(string line)
    {
        lock (_lock)
            output.WriteLine(line);
    }

    private sealed class Category(JsonLog log, string name) : ILogger
    {
        private const string Template = "{OriginalFormat}";

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel))
                return;
            var line = new Dictionary<string, object?>
            {
                ["time"] = DateTime.UtcNow,
                ["level"] = logLevel.ToString().ToLowerInvariant(),
                ["event"] = eventId.Id,
                ["category"] = name,
                ["message"] = formatter(state, exception),
            };
            foreach ((string key, object? value) in state as IReadOnlyList<KeyValuePair<string, object?>> ?? [])
            {
                if (key != Template)
                    line.TryAdd(JsonNamingPolicy.SnakeCaseLower.ConvertName(key), value is null or bool or int or long or double ? value
                        : value.ToString());
            }
            if (exception is not null)
                line["exception"] = exception.ToString();
            log.Write(JsonSerializer.Serialize(line));
        }
    }
}

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
