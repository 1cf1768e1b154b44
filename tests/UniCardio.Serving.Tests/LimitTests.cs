using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using UniCardio.Engine.Backends;
using UniCardio.Engine.Backends.Cpu;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Sessions;
using UniCardio.Weights;

namespace UniCardio.Serving.Tests;

/// <summary>Every limit answers with a status and a message of its own, and the server continues.</summary>
public class LimitTests
{
    private const string Open = """{"type":"open","channels":{"ppg":{"rate":125}},"generate":[]}""";

    // Long enough to be in the way of others: DDPM takes all 50 steps.
    private static string Slow(
        int windows = 4) =>
            $$"""{"parameters":{"draws":16,"sampler":"ddpm"},"inputs":[{{Wave.Json("ppg", Wave.Make(windows, 1, 1), windows)}}],"outputs":[{"name":"signal"}]}""";

    private static string Quick() =>
        $$"""{"parameters":{"draws":1,"sampler":"ddim:1"},"inputs":[{{Wave.Json("ppg", Wave.Make(1, 1, 1), 1)}}]}""";

    [Fact]
    public async Task NothingIsReadyBeforeTheWeightsArePacked()
    {
        using var packed = new ManualResetEventSlim();
        await using TestServer server = await TestServer.StartAsync(load: cancellation =>
        {
            packed.Wait(cancellation);
            return TestServer.Tiny(cancellation);
        }, waits: false);
        Assert.Equal(HttpStatusCode.OK, (await server.Client.GetAsync("/v2/health/live")).StatusCode);
        HttpResponseMessage ready = await server.Client.GetAsync("/v2/health/ready");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        Assert.False(JsonDocument.Parse(await ready.Content.ReadAsStringAsync()).RootElement.GetProperty("ready").GetBoolean());
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await server.Client.GetAsync("/v2/models/impute/ready")).StatusCode);
        HttpResponseMessage refused = await server.PostAsync("/v2/models/translate/infer", Quick());
        await TestServer.RefusedAsync(HttpStatusCode.ServiceUnavailable, "not packed", refused);
        Assert.NotNull(refused.Headers.RetryAfter);
        await using LiveClient early = await LiveClient.ConnectAsync(server, "p");
        await early.SendAsync(Open);
        Assert.Equal("not_ready", (await early.NextAsync("error")).GetProperty("code").GetString());
        packed.Set();
        await server.Server.Ready;
        Assert.Equal(HttpStatusCode.OK, (await server.Client.GetAsync("/v2/health/ready")).StatusCode);
        await early.SendAsync(Open);
        await early.NextAsync("session");
    }

    [Fact]
    public async Task WhileItWarmsUpALiveConnectionIsToldToWaitAndNotThatTheServerGoesDown()
    {
        using ManualResetEventSlim packed = new(), warm = new();
        await using TestServer server = await TestServer.StartAsync(
            load: _ => new ServedModel(WeightFile.Load("recipe:1,tiny"), w =>
                new InferenceEngine(new SlowStart(new CpuBackend(w.Weights), packed, warm))), waits: false);
        try
        {
            Assert.True(packed.Wait(TimeSpan.FromMinutes(1)));
            await using LiveClient early = await LiveClient.ConnectAsync(server, "p", greets: false);
            Assert.False((await early.NextAsync("hello")).GetProperty("ready").GetBoolean());
            await early.SendAsync(Open);
            Assert.Equal("not_ready", (await early.NextAsync("error")).GetProperty("code").GetString());
            warm.Set();
            await server.Server.Ready;
            await early.SendAsync(Open);
            await early.NextAsync("session");
        }
        finally
        {
            warm.Set();
        }
    }

    /// <summary>Packs at once and begins to compute when it is told to.</summary>
    private sealed class SlowStart(IBackend backend, ManualResetEventSlim packed, ManualResetEventSlim warm) : IBackend
    {
        public string Name => backend.Name;

        public ModelConfiguration Configuration => backend.Configuration;

        public IExecutor CreateExecutor(InferencePlan plan)
        {
            packed.Set();
            warm.Wait();
            return backend.CreateExecutor(plan);
        }

        public void Dispose() => backend.Dispose();
    }

    [Fact]
    public async Task WeightsThatCannotBeLoadedAreTheServersFailure()
    {
        await using TestServer server =
            await TestServer.StartAsync(load: _ => throw new FileNotFoundException("no such weights"), waits: false);
        await Assert.ThrowsAsync<FileNotFoundException>(() => server.Server.Ready);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await server.Client.GetAsync("/v2/health/ready")).StatusCode);
    }

    [Fact]
    public async Task BodiesOverTheLimitAre413WhetherAnnouncedOrNot()
    {
        await using TestServer server = await TestServer.StartAsync(new ServerOptions { MaxBodyBytes = 4096 });
        await TestServer.RefusedAsync(HttpStatusCode.RequestEntityTooLarge, "4096",
            await server.PostAsync("/v2/models/translate/infer", new byte[5000], null));
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v2/models/translate/infer")
            { Content = new StreamContent(new MemoryStream(new byte[5000])) };
        request.Headers.TransferEncodingChunked = true;
        await TestServer.RefusedAsync(HttpStatusCode.RequestEntityTooLarge, "4096", await server.Client.SendAsync(request));
        await TestServer.JsonAsync(await server.PostAsync("/v2/models/translate/infer", Quick()));
    }

    [Fact]
    public async Task RequestsBeyondTheQueueAre503AndThoseInItAreServed()
    {
        using var gate = new ManualResetEventSlim(true);
        await using TestServer server = await TestServer.StartAsync(new ServerOptions { MaxWaiting = 1 }, _ => GatedBackend.Tiny(gate));
        gate.Reset();
        try
        {
            Task<HttpResponseMessage> running = server.PostAsync("/v2/models/translate/infer", Slow());
            while (!(await server.Client.GetStringAsync("/metrics"))
                .Contains("unicardio_serving_infer_wait_seconds_count 1", StringComparison.Ordinal))
                await Task.Delay(5);
            List<Task<HttpResponseMessage>> others =
                [.. Enumerable.Range(0, 4).Select(_ => server.PostAsync("/v2/models/translate/infer", Slow(1)))];
            // One may wait while one runs: of four that come meanwhile three are refused.
            for (int i = 0; i < 3; i++)
            {
                Task<HttpResponseMessage> first = await Task.WhenAny(others).WaitAsync(TestServer.Patience);
                others.Remove(first);
                HttpResponseMessage refused = await first;
                await TestServer.RefusedAsync(HttpStatusCode.ServiceUnavailable, "wait already", refused);
                Assert.NotNull(refused.Headers.RetryAfter);
            }
            Assert.False(running.IsCompleted || others[0].IsCompleted);
            gate.Set();
            await TestServer.JsonAsync(await others[0]);
            await TestServer.JsonAsync(await running);
        }
        finally
        {
            gate.Set();
        }
    }

    [Fact]
    public async Task RequestsThatTakeTooLongAre504AndDoNotHoldOthersUp()
    {
        using var gate = new ManualResetEventSlim(true);
        await using TestServer server =
            await TestServer.StartAsync(new ServerOptions { RequestTime = TimeSpan.FromSeconds(0.3) }, _ => GatedBackend.Tiny(gate));
        gate.Reset();
        try
        {
            await TestServer.RefusedAsync(HttpStatusCode.GatewayTimeout, "0.3 s",
                await server.PostAsync("/v2/models/translate/infer", Slow(64)).WaitAsync(TestServer.Patience));
        }
        finally
        {
            gate.Set();
        }
        HttpResponseMessage next = await server.PostAsync("/v2/models/translate/infer", Quick());
        Assert.Contains(next.StatusCode, (HttpStatusCode[])[HttpStatusCode.OK, HttpStatusCode.GatewayTimeout]);
    }

    // What a client of bytes gets for an infer request that continues like this after its Host.
    private static async Task<string?> FirstLineAsync(TestServer server, string rest)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, server.Server.Address.Port);
        NetworkStream stream = client.GetStream();
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes($"POST /v2/models/impute/infer HTTP/1.1\r\nHost: {server.Server.Address.Authority}\r\n{rest}"));
        using var reader = new StreamReader(stream);
        return await reader.ReadLineAsync();
    }

    [Fact]
    public async Task AChunkThatSaysItIsLargerThanAnyNumberIsABadRequest()
    {
        await using TestServer server = await TestServer.StartAsync();
        Assert.Equal("HTTP/1.1 400 Bad Request",
            await FirstLineAsync(server, "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{}\r\n"));
    }

    [Fact]
    public async Task ABodyThatDoesNotComeIs408()
    {
        await using TestServer server = await TestServer.StartAsync(new ServerOptions { RequestTime = TimeSpan.FromSeconds(0.3) });
        Assert.Equal("HTTP/1.1 408 Request Timeout", await FirstLineAsync(server, "Content-Length: 100\r\n\r\n{"));
    }

    [Theory]
    [InlineData("/nowhere", HttpStatusCode.NotFound)]
    [InlineData("/v2/models", HttpStatusCode.NotFound)]
    [InlineData("/v2/models/impute/infer", HttpStatusCode.MethodNotAllowed)]
    [InlineData("/live/p", HttpStatusCode.UpgradeRequired)]
    [InlineData("/live/.hidden", HttpStatusCode.BadRequest)]
    [InlineData("/live/a%20b", HttpStatusCode.BadRequest)]
    [InlineData("/live/a%2Fb", HttpStatusCode.BadRequest)]
    [InlineData("/live/p?frames=xml", HttpStatusCode.BadRequest)]
    public async Task AddressesThatAreNoneSaySo(string path, HttpStatusCode status)
    {
        await using TestServer server = await TestServer.StartAsync(waits: false);
        await TestServer.RefusedAsync(status, "", await server.Client.GetAsync(path));
    }

    [Fact]
    public async Task BodiesEncodedAsNobodyKnowsAre415AndThoseThatAreNotWhatTheySayAre400()
    {
        await using TestServer server = await TestServer.StartAsync();
        using var broken = new ByteArrayContent([1, 2, 3]);
        broken.Headers.ContentEncoding.Add("gzip");
        await TestServer.RefusedAsync(HttpStatusCode.BadRequest, "Content-Encoding",
            await server.Client.PostAsync("/v2/models/impute/infer", broken));
        using var content = new ByteArrayContent([1, 2, 3]);
        content.Headers.ContentEncoding.Add("compress");
        await TestServer.RefusedAsync(HttpStatusCode.UnsupportedMediaType, "Content-Encoding",
            await server.Client.PostAsync("/v2/models/impute/infer", content));
    }

    [Fact]
    public async Task PatientsAndConnectionsBeyondTheLimitAreRefusedUntilThereIsRoom()
    {
        await using TestServer server = await TestServer.StartAsync(new ServerOptions { MaxPatients = 1, MaxConnections = 2 });
        await using LiveClient first = await LiveClient.ConnectAsync(server, "a");
        LiveClient second = await LiveClient.ConnectAsync(server, "b");
        await first.SendAsync(Open);
        await first.NextAsync("session");
        await second.SendAsync(Open);
        Assert.Equal("full", (await second.NextAsync("error")).GetProperty("code").GetString());
        // A third connection, even to the patient who is there; and a new patient where a connection were free.
        Assert.Equal(HttpStatusCode.ServiceUnavailable,
            (await Assert.ThrowsAsync<HttpRequestException>(() => LiveClient.ConnectAsync(server, "a"))).StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable,
            (await server.Client.GetAsync("/events", HttpCompletionOption.ResponseHeadersRead)).StatusCode);
        await second.DisposeAsync();
        HttpRequestException refused = await Assert.ThrowsAsync<HttpRequestException>(() => LiveClient.ConnectAsync(server, "c"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        await first.SendAsync("""{"type":"stop"}""");
        await first.NextAsync("ended");
        await using LiveClient third = await ConnectWhenThereIsRoomAsync(server, "c");
        await third.SendAsync(Open);
        await third.NextAsync("session");
    }

    [Fact]
    public async Task ASessionWithoutItsDeviceEndsAfterAWhile()
    {
        await using TestServer server = await TestServer.StartAsync(new ServerOptions { Linger = TimeSpan.FromSeconds(0.2) });
        await using LiveClient page = await LiveClient.ConnectAsync(server, "a");
        LiveClient device = await LiveClient.ConnectAsync(server, "a");
        await device.SendAsync(Open);
        await page.NextAsync("session");
        device.Abort();
        Assert.Equal("idle", (await page.NextAsync("ended")).GetProperty("reason").GetString());
    }

    [Fact]
    public async Task ASlowReaderLosesFramesButNoControlMessageAndOthersLoseNothing()
    {
        const int Blocks = 700, PerBlock = 500;
        await using TestServer server =
            await TestServer.StartAsync(new ServerOptions { MaxWaitingFrames = 4, SlowReader = TimeSpan.FromMinutes(10) });
        await using LiveClient device = await LiveClient.ConnectAsync(server, "a", "?frames=binary");
        await using LiveClient slow = await LiveClient.ConnectAsync(server, "a");
        await device.SendAsync(Open);
        // What the device itself is sent is read at once.
        Task<List<JsonElement>> own = device.FramesAsync();
        float[] samples = [.. Enumerable.Range(0, PerBlock).Select(i => 0.5f + MathF.Sin(i * 0.1f))];
        for (int i = 0; i < Blocks; i++)
            await device.PushBinaryAsync(0, i * PerBlock / 125.0, samples);
        await device.SendAsync("""{"type":"complete"}""");
        List<JsonElement> read = await own;
        List<JsonElement> late = await slow.FramesAsync();
        Assert.Equal("session", LiveClient.Type(slow.Others[0]));
        Assert.Equal("completed", slow.Others[^1].GetProperty("reason").GetString());
        long lost = late.Sum(f => f.GetProperty("dropped").GetInt64()), last = late[^1].GetProperty("index").GetInt64();
        Assert.Equal(last + 1, late.Count + lost);
        Assert.True(lost > 0, "the connection held everything; push more");
        Assert.All(late.Zip(late.Skip(1)), pair =>
            Assert.True(pair.First.GetProperty("index").GetInt64() < pair.Second.GetProperty("index").GetInt64()));
        Assert.Equal(read[^1].GetProperty("index").GetInt64() + 1, read.Count + read.Sum(f => f.GetProperty("dropped").GetInt64()));
    }

    private static async Task<LiveClient> ConnectWhenThereIsRoomAsync(TestServer server, string patient)
    {
        for (int i = 0; ; i++)
        {
            try
            {
                return await LiveClient.ConnectAsync(server, patient);
            }
            catch (HttpRequestException) when (i < 6000)
            {
                // The server learns of a closed connection a moment later.
                await Task.Delay(10);
            }
        }
    }
}
