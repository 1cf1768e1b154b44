using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace UniCardio.Serving.Tests;

/// <summary>Going down finishes what is in flight; coming up continues where it was.</summary>
public class ShutdownTests
{
    private const string Open =
        """{"type":"open","channels":{"ppg":{"rate":125},"ecg":{"rate":125}},"generate":["bp"],"draws":3,"sampler":"ddim:2","seed":5,"wait":true}""";

    [Fact]
    public async Task WhatIsInFlightIsFinishedAndNothingNewIsTaken()
    {
        await using TestServer server = await TestServer.StartAsync();
        await using LiveClient device = await LiveClient.ConnectAsync(server, "a");
        await device.SendAsync(Open);
        await device.NextAsync("session");
        Task<HttpResponseMessage> running = server.PostAsync("/v2/models/translate/infer",
            $$"""{"parameters":{"draws":16,"sampler":"ddpm"},"inputs":[{{Wave.Json("ppg", Wave.Make(2, 1, 1), 2)}}],"outputs":[{"name":"signal"}]}""");
        while (!(await server.Client.GetStringAsync("/metrics")).Contains("unicardio_serving_infer_pending 1", StringComparison.Ordinal)
            && !running.IsCompleted)
            await Task.Delay(5);
        Task stopping = server.Server.StopAsync();
        if (!running.IsCompleted)
        {
            HttpResponseMessage ready = await server.Client.GetAsync("/v2/health/ready");
            Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
            await TestServer.RefusedAsync(HttpStatusCode.ServiceUnavailable, "shutting down",
                await server.PostAsync("/v2/models/translate/infer", "{}"));
        }
        Assert.Equal(HttpStatusCode.OK, (await running).StatusCode);
        JsonElement ended = await device.NextAsync("ended");
        Assert.Equal("shutdown", ended.GetProperty("reason").GetString());
        Assert.Equal("shutdown", (await device.NextAsync("error")).GetProperty("code").GetString());
        Assert.Null(await device.UntilClosedAsync());
        Assert.Equal(WebSocketCloseStatus.EndpointUnavailable, device.Closed);
        await stopping;
        await Assert.ThrowsAsync<HttpRequestException>(() => server.Client.GetAsync("/v2/health/live"));
    }

    [Fact]
    public async Task BodiesThatNeverEndAreRefusedAndThoseThatEndAreComputed()
    {
        // Ten minutes to finish in: who waited for the bodies would be held to hang.
        await using TestServer server = await TestServer.StartAsync(new ServerOptions { DrainTime = TimeSpan.FromMinutes(10) });
        string json = $$"""{"parameters":{"draws":1,"sampler":"ddim:1"},"inputs":[{{Wave.Json("ppg", Wave.Make(1, 1, 1), 1)}}]}""";
        var clients = new List<TcpClient>();
        for (int i = 0; i < 3; i++)
        {
            var client = new TcpClient("127.0.0.1", server.Server.Address.Port);
            clients.Add(client);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"POST /v2/models/translate/infer HTTP/1.1\r\nHost: "
                + $"{server.Server.Address.Authority}\r\nContent-Length: {json.Length}\r\n\r\n{json[..10]}"));
        }
        await TestServer.UntilAsync(() => server.Server.BodiesUnderWay == 3, "the bodies have not begun");
        Task stopping = server.Server.StopAsync();
        await clients[0].GetStream().WriteAsync(Encoding.ASCII.GetBytes(json[10..]));
        Assert.StartsWith("HTTP/1.1 200 ", await ReadAsync(clients[0]), StringComparison.Ordinal);
        foreach (TcpClient client in clients[1..])
        {
            string answer = await ReadAsync(client);
            Assert.StartsWith("HTTP/1.1 503 ", answer, StringComparison.Ordinal);
            Assert.Contains("Retry-After: 5", answer, StringComparison.Ordinal);
        }
        await stopping.WaitAsync(TestServer.Patience);
        clients.ForEach(c => c.Dispose());

        static async Task<string> ReadAsync(TcpClient client)
        {
            var bytes = new byte[4096];
            return Encoding.ASCII.GetString(bytes, 0, await client.GetStream().ReadAsync(bytes).AsTask().WaitAsync(TestServer.Patience));
        }
    }

    [Fact]
    public async Task WhatIsNotComputedInTimeIsAnsweredSo()
    {
        await using TestServer server = await TestServer.StartAsync(new ServerOptions { DrainTime = TimeSpan.FromSeconds(3) });
        // 4 x 64 draws of 50 steps of 32 windows: more than three seconds of any machine, by far; answers have a second to be sent in.
        string json = $$"""{"parameters":{"draws":64,"sampler":"ddpm"},"inputs":[{{Wave.Json("ppg", Wave.Make(32, 1, 1), 32)}}]}""";
        Task<HttpResponseMessage>[] running =
            [.. Enumerable.Range(0, 4).Select(_ => server.PostAsync("/v2/models/translate/infer", json))];
        while (!(await server.Client.GetStringAsync("/metrics")).Contains("unicardio_serving_infer_pending 4", StringComparison.Ordinal))
            await Task.Delay(5);
        await server.Server.StopAsync().WaitAsync(TestServer.Patience);
        await TestServer.RefusedAsync(HttpStatusCode.ServiceUnavailable, "shut down before", await running[^1]);
    }

    [Fact]
    public async Task ASessionGoesOnAfterARestartAsIfNothingHadHappened()
    {
        float[] ppg = Wave.Make(6, 0.5f, 0.3f), ecg = Wave.Make(6, 0, 1, 40);
        async Task Push(LiveClient client, int from, int to)
        {
            for (int i = from; i < to; i += 10)
            {
                await client.PushBinaryAsync(0, i / 125.0, ppg.AsSpan(i, 10));
                await client.PushBinaryAsync(2, i / 125.0, ecg.AsSpan(i, 10));
            }
        }
        static async Task<List<JsonElement>> EndAsync(LiveClient client)
        {
            await client.SendAsync("""{"type":"complete"}""");
            List<JsonElement> frames = await client.FramesAsync();
            return [.. client.Others.Where(m => LiveClient.Type(m) == "frame"), .. frames];
        }
        List<JsonElement> uninterrupted;
        await using (TestServer server = await TestServer.StartAsync())
        {
            await using LiveClient device = await LiveClient.ConnectAsync(server, "a");
            await device.SendAsync(Open);
            await Push(device, 0, 600);
            uninterrupted = await EndAsync(device);
        }

        string folder = Directory.CreateTempSubdirectory("unicardio-serving-").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "broken.checkpoint"), "no checkpoint");
            var options = new ServerOptions { Checkpoints = folder };
            long first;
            await using (TestServer server = await TestServer.StartAsync(options))
            {
                await using LiveClient device = await LiveClient.ConnectAsync(server, "a");
                await device.SendAsync(Open);
                await Push(device, 0, 300);
                await device.SendAsync("""{"type":"counts"}""");
                await device.NextAsync("counts");
                // Read meanwhile: whoever does not is cut off after a while, and what it had not read with it.
                Task stopping = server.Server.StopAsync();
                List<JsonElement> before = await device.FramesAsync();
                await stopping;
                first = before.Count + device.Others.Count(m => LiveClient.Type(m) == "frame");
            }
            Assert.Equal(["a.checkpoint", "broken.checkpoint"], Directory.GetFiles(folder).Select(f => Path.GetFileName(f)).Order());
            await using (TestServer server = await TestServer.StartAsync(options))
            {
                await using LiveClient device = await LiveClient.ConnectAsync(server, "a");
                await device.SendAsync(Open);
                await Push(device, 250, 600);
                List<JsonElement> rest = await EndAsync(device);
                Assert.Equal(uninterrupted.Count - first, rest.Count);
                for (int i = 0; i < rest.Count; i++)
                    Assert.Equal(uninterrupted[(int)first + i].GetProperty("signals").ToString(),
                        rest[i].GetProperty("signals").ToString());
            }
            Assert.Equal(["broken.checkpoint"], Directory.GetFiles(folder).Select(f => Path.GetFileName(f)));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task LogsHoldSessionsButNoPatient()
    {
        var lines = new ConcurrentQueue<string>();
        string patient = $"secret{Guid.NewGuid():N}";
        await using (UniCardioServer server = await UniCardioServer.StartAsync(new ServerOptions { Port = 0 }, TestServer.Tiny, log =>
            log.SetMinimumLevel(LogLevel.Trace).AddProvider(new Lines(lines))))
        {
            await server.Ready;
            using var client = new ClientWebSocket();
            await client.ConnectAsync(new Uri($"ws://{server.Address.Authority}/live/{patient}"), CancellationToken.None);
            await client.SendAsync("""{"type":"open","channels":{"ppg":{"rate":125}}}"""u8.ToArray(), WebSocketMessageType.Text, true,
                CancellationToken.None);
            while (!lines.Any(l => l.Contains("opened", StringComparison.Ordinal)))
                await Task.Delay(5);
        }
        Assert.Contains(lines, l =>
            l.Contains("Session", StringComparison.Ordinal) && l.Contains("ended: shutdown", StringComparison.Ordinal));
        Assert.DoesNotContain(lines, l => l.Contains(patient, StringComparison.Ordinal));
    }

    private sealed class Lines(ConcurrentQueue<string> lines) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) => lines.Enqueue(formatter(state, exception) + exception);

        public void Dispose()
        {
        }
    }
}
