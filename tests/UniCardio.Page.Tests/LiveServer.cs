using System.Diagnostics;
using System.Globalization;

namespace UniCardio.Page.Tests;

/// <summary>The program itself, as <c>unicardio serve --demo</c>: a process with the shipped weights, computing as little as it
/// can.</summary>
internal sealed class LiveServer : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Task _errors;

    private LiveServer(Process process, Uri address, Task errors)
    {
        _process = process;
        Address = address;
        _errors = errors;
    }

    public Uri Address { get; }

    /// <summary>Starts it, and waits until the demonstration runs.</summary>
    /// <param name="port">Where to listen; 0 for anywhere.</param>
    public static async Task<LiveServer> StartAsync(int port = 0)
    {
        string[] arguments =
        [
            Path.Combine(AppContext.BaseDirectory, "unicardio.dll"), "serve", "--demo", "--port",
            port.ToString(CultureInfo.InvariantCulture),
            "--threads", "1", "--live-draws", "1", "--live-sampler", "ddim:2",
        ];
        Process process =
            Process.Start(new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        string? address = await process.StandardOutput.ReadLineAsync();
        var said = new List<string>();
        while (await process.StandardError.ReadLineAsync() is string line)
        {
            said.Add(line);
            if (line.StartsWith("ready", StringComparison.Ordinal))
                return new LiveServer(process, new Uri(address!), DrainAsync(process.StandardError));
        }
        process.Dispose();
        throw new InvalidOperationException($"the server did not start: {string.Join(Environment.NewLine, said)}");
    }

    // A pipe that nobody empties would stop the program.
    private static async Task DrainAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is not null)
        {
        }
    }

    /// <summary>Ends it as a power cut would.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync();
        await _errors;
        _process.Dispose();
    }
}
