using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace UniCardio.Benchmarks.Soak;

/// <summary><c>unicardio serve</c> as a process of its own on a loopback port, killed and started again on the same port.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private readonly string[] _arguments;
    private readonly Lock _lock = new();
    private Process? _process;
    private bool _ends;

    /// <param name="arguments">Arguments of <c>serve</c> but for the port.</param>
    public ServerProcess(params string[] arguments)
    {
        using var free = new TcpListener(IPAddress.Loopback, 0);
        free.Start();
        Port = ((IPEndPoint)free.LocalEndpoint).Port;
        _arguments = [.. arguments, "--port", Port.ToString(CultureInfo.InvariantCulture)];
    }

    public int Port { get; }

    public Uri Address => new($"http://127.0.0.1:{Port}");

    /// <summary>Number of the process, from 1; 0 before the first.</summary>
    public int Life { get; private set; }

    /// <summary>Whether there is a process that has been ready and that nobody has asked to end.</summary>
    public bool IsUp
    {
        get
        {
            lock (_lock)
                return !_ends && StartTimes.Count == Life && _process is { HasExited: false };
        }
    }

    /// <summary>When the process of now was started.</summary>
    public long Started { get; private set; }

    /// <summary>Lines of the log by level, and ends that nobody asked for.</summary>
    public Tally Log { get; } = new();

    /// <summary>Lines that say of a fault.</summary>
    public ConcurrentQueue<string> Faults { get; } = [];

    /// <summary>Times from the start of a process to its being ready, seconds.</summary>
    public ConcurrentQueue<double> StartTimes { get; } = [];

    /// <summary>Processor seconds that ended processes and this one have used.</summary>
    public double ProcessorSeconds => _usedBefore + (_process is { HasExited: false } p ? p.TotalProcessorTime.TotalSeconds : 0);

    private double _usedBefore;

    /// <summary>Starts it and waits until it is ready.</summary>
    public async Task StartAsync(CancellationToken cancellation)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "unicardio.dll");
        var start = new ProcessStartInfo("dotnet", [program, "serve", .. _arguments]) { RedirectStandardError = true,
            RedirectStandardOutput = true };
        long began = Stopwatch.GetTimestamp();
        Process process = Process.Start(start)!;
        lock (_lock)
            (_process, _ends, Life, Started) = (process, false, Life + 1, began);
        process.ErrorDataReceived += (_, line) => Note(line.Data);
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        process.EnableRaisingEvents = true;
        process.Exited += (_, _) => NoteEnd(process);
        using var client = new HttpClient { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(5) };
        while (!await IsReadyAsync(client, cancellation))
        {
            if (process.HasExited)
                throw new InvalidOperationException($"the server ended with {process.ExitCode}: {string.Join('\n', Faults)}");
            await Task.Delay(100, cancellation);
        }
        StartTimes.Enqueue(Stopwatch.GetElapsedTime(began).TotalSeconds);
    }

    /// <summary>Ends it at once, as SIGKILL does: nothing is finished, nothing written.</summary>
    public async Task KillAsync()
    {
        Process process = Expect();
        _usedBefore += process.TotalProcessorTime.TotalSeconds;
        process.Kill();
        await process.WaitForExitAsync();
    }

    /// <summary>Ends it as an orchestrator does; true if it did so by itself and well.</summary>
    public async Task<bool> StopAsync()
    {
        Process process = Expect();
        using Process signal = Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)]);
        await signal.WaitForExitAsync();
        using var time = new CancellationTokenSource(TimeSpan.FromSeconds(40));
        try
        {
            await process.WaitForExitAsync(time.Token);
            return process.ExitCode == 0;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Resident memory in MiB, threads and open files of the process.</summary>
    public (double Memory, int Threads, int Files) Measure()
    {
        try
        {
            Process process = _process!;
            process.Refresh();
            string files = $"/proc/{process.Id}/fd";
            return (process.WorkingSet64 / 1048576.0, process.Threads.Count, Directory.Exists(files)
                ? Directory.GetFiles(files).Length : 0);
        }
        catch (Exception problem) when (problem is InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            // Between two processes.
            return (double.NaN, 0, 0);
        }
    }

    public ValueTask DisposeAsync()
    {
        Process process = Expect();
        if (!process.HasExited)
            process.Kill();
        process.Dispose();
        return ValueTask.CompletedTask;
    }

    private Process Expect()
    {
        lock (_lock)
        {
            _ends = true;
            return _process!;
        }
    }

    private static async Task<bool> IsReadyAsync(HttpClient client, CancellationToken cancellation)
    {
        try
        {
            using HttpResponseMessage response = await client.GetAsync("/v2/health/ready", cancellation);
            return response.IsSuccessStatusCode;
        }
        catch (Exception problem) when (problem is HttpRequestException or TaskCanceledException && !cancellation.IsCancellationRequested)
        {
            return false;
        }
    }

    private void NoteEnd(Process process)
    {
        lock (_lock)
        {
            if (_ends || process != _process)
                return;
        }
        Log.Add("ended by itself");
        Faults.Enqueue("the server ended by itself");
    }

    private void Note(string? line)
    {
        if (string.IsNullOrEmpty(line))
            return;
        string level = LevelOf(line);
        Log.Add(level);
        if (level is "error" or "critical" or "warning" && Faults.Count < 100)
            Faults.Enqueue(line);
    }

    private static string LevelOf(string line)
    {
        if (line[0] != '{')
            return line.Contains("Unhandled exception", StringComparison.Ordinal) || line.StartsWith("error", StringComparison.Ordinal)
                ? "critical" : "note";
        try
        {
            using JsonDocument entry = JsonDocument.Parse(line);
            return entry.RootElement.GetProperty("level").GetString()!;
        }
        catch (JsonException)
        {
            return "cut off by a kill";
        }
    }
}
