using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.Logging;

namespace UniCardio.Serving.Tests;

/// <summary>No name of a patient in a log, whatever fails; and what is no file or folder holds nothing up.</summary>
public sealed class NamesTests : IDisposable
{
    private const string Open = """{"type":"open","channels":{"ppg":{"rate":125}},"generate":[]}""";
    private readonly string _folder = Directory.CreateTempSubdirectory("names").FullName;

    public void Dispose()
    {
        if (Directory.Exists(_folder))
            Directory.Delete(_folder, recursive: true);
    }

    private sealed class Lines : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Written { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) =>
            Written.Enqueue($"{logLevel}: {formatter(state, exception)} {exception}");

        public void Dispose()
        {
        }
    }

    private static async Task<TestServer> StartAsync(ServerOptions options, Lines lines)
    {
        UniCardioServer server = await UniCardioServer.StartAsync(options with { Port = 0 }, TestServer.Tiny, log =>
            log.AddProvider(lines).SetMinimumLevel(LogLevel.Trace));
        await server.Ready;
        return TestServer.Of(server);
    }

    private static void HoldNoName(Lines lines, string name)
    {
        Assert.NotEmpty(lines.Written);
        Assert.All(lines.Written, line => Assert.DoesNotContain(name, line, StringComparison.OrdinalIgnoreCase));
    }

    private static void Pipe(string path)
    {
        using Process made = Process.Start("mkfifo", path);
        made.WaitForExit();
        Assert.Equal(0, made.ExitCode);
    }

    [Fact]
    public async Task CheckpointsThatCannotBeWrittenAreLoggedWithoutTheirNameAndTheServerStops()
    {
        var lines = new Lines();
        await using TestServer server =
            await StartAsync(new ServerOptions { Checkpoints = _folder, CheckpointEvery = TimeSpan.FromSeconds(0.1) }, lines);
        await using LiveClient gone = await LiveClient.ConnectAsync(server, "jane-doe");
        await gone.SendAsync(Open);
        await gone.NextAsync("session");
        await gone.PushAsync("ppg", 0, Wave.Make(1, 1, 1));
        // A disk that fails: its folder has gone, and what has its name now is no folder.
        Directory.Delete(_folder, recursive: true);
        await File.WriteAllTextAsync(_folder, "");
        await TestServer.UntilAsync(() => lines.Written.Any(l => l.Contains("was not written", StringComparison.Ordinal)),
            "nothing is said of a checkpoint that was not written");
        Assert.Contains(lines.Written, l => l.Contains("was not written", StringComparison.Ordinal));
        await gone.SendAsync("""{"type":"stop"}""");
        Assert.Equal("stopped", (await gone.NextAsync("ended")).GetProperty("reason").GetString());
        await gone.SendAsync(Open);
        await gone.NextAsync("session");
        await server.Server.StopAsync().WaitAsync(TestServer.Patience);
        HoldNoName(lines, "jane-doe");
        File.Delete(_folder);
    }

    [Fact]
    public async Task WhatIsNoCheckpointIsLoggedByItsPlaceAndAPipeHoldsNothingUp()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "john-roe.checkpoint"), "no checkpoint");
        Directory.CreateDirectory(Path.Combine(_folder, "john-roe2.checkpoint"));
        if (!OperatingSystem.IsWindows())
            Pipe(Path.Combine(_folder, "john-roe3.checkpoint"));
        await File.WriteAllBytesAsync(Path.Combine(_folder, "john-roe4.checkpoint"), []);
        var lines = new Lines();
        await using TestServer server = await StartAsync(new ServerOptions { Checkpoints = _folder }, lines);
        Assert.Equal(OperatingSystem.IsWindows() ? 2 : 3,
            lines.Written.Count(l => l.Contains("was not restored", StringComparison.Ordinal)));
        HoldNoName(lines, "john-roe");
    }

    [SkippableFact]
    public async Task APipeAmongTheRecordingsIsRefusedAndTheConnectionContinues()
    {
        Skip.If(OperatingSystem.IsWindows(), "there are no named pipes among files");
        Pipe(Path.Combine(_folder, "mary-major.csv"));
        var lines = new Lines();
        await using TestServer server = await StartAsync(new ServerOptions { Recordings = _folder }, lines);
        await using LiveClient client = await LiveClient.ConnectAsync(server, "p");
        await client.SendAsync("""{"type":"replay","recording":"mary-major"}""");
        string code = (await client.NextAsync("error")).GetProperty("code").GetString()!;
        Assert.Contains(code, (string[])["invalid", "not_found"]);
        await client.SendAsync(Open);
        await client.NextAsync("session");
        await server.Server.StopAsync();
        HoldNoName(lines, "mary-major");
    }

    [Fact]
    public async Task FoldersThatAreNoneAreRefusedAtTheStart()
    {
        string file = Path.Combine(_folder, "file");
        await File.WriteAllTextAsync(file, "x");
        async Task Refuses(string setting, ServerOptions options) => Assert.Equal(setting,
            (await Assert.ThrowsAsync<Engine.ConfigurationException>(() =>
                UniCardioServer.StartAsync(options with { Port = 0 }, TestServer.Tiny))).Setting);
        await Refuses("recordings", new ServerOptions { Recordings = Path.Combine(_folder, "none") });
        await Refuses("recordings", new ServerOptions { Recordings = file });
        await Refuses("checkpoints", new ServerOptions { Checkpoints = file });
        await Refuses("checkpoints", new ServerOptions { Checkpoints = Path.Combine(file, "below") });
    }

    [Fact]
    public async Task AnAddressMappedIntoIpv6IsTheAddressThatItIs()
    {
        ServerOptions options = ServerConfiguration.Read(null, _ => null, s => s.Key == "address" ? "::ffff:127.0.0.1" : null);
        Assert.Equal(IPAddress.Loopback, options.Address);
        await using TestServer server = await TestServer.StartAsync(options);
        Assert.Equal(HttpStatusCode.OK, (await server.Client.GetAsync("/v2/health/live")).StatusCode);
    }

    [Fact]
    public async Task ReplaysOfOneRecordingShareItsSamplesAndLeaveNothing()
    {
        string path = Path.Combine(_folder, "long.csv");
        await File.WriteAllLinesAsync(
            path, ["time_s,ppg", .. Enumerable.Range(0, 20_000).Select(i => FormattableString.Invariant($"{i / 125.0},{i % 7}"))]);
        var budget = new Hosting.ByteBudget(16 << 20);
        var tracks = new Live.ReplayTracks(budget);
        Live.ReplayTracks.Shared[] six = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => tracks.LoadAsync(path, default)));
        Assert.All(six, s => Assert.Same(six[0].Tracks[0].Samples, s.Tracks[0].Samples));
        Assert.Equal(4 * 20_000, budget.Used);
        foreach (Live.ReplayTracks.Shared one in six.Skip(1))
        {
            one.Dispose();
            one.Dispose();
        }
        Assert.Equal(4 * 20_000, budget.Used);
        six[0].Dispose();
        Assert.Equal(0, budget.Used);
        await Assert.ThrowsAsync<Protocol.ProtocolException>(() =>
            new Live.ReplayTracks(new Hosting.ByteBudget(200_000)).LoadAsync(path, default));
    }
}
