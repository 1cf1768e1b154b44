using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Xunit.Abstractions;

namespace UniCardio.Serving.Tests;

/// <summary>Many who ask for much or say nothing, over real sockets: the others are served, and memory stays bounded.</summary>
public class FloodTests(ITestOutputHelper output)
{
    private static string Quick() =>
        $$"""{"parameters":{"draws":1,"sampler":"ddim:1"},"inputs":[{{Wave.Json("ppg", Wave.Make(1, 1, 1), 1)}}]}""";

    private static async Task<List<TcpClient>> SilentAsync(TestServer server, int count, string from = "127.0.0.1")
    {
        var clients = new List<TcpClient>(count);
        for (int i = 0; i < count; i++)
        {
            var client = new TcpClient(new IPEndPoint(IPAddress.Parse(from), 0));
            await client.ConnectAsync(IPAddress.Loopback, server.Server.Address.Port);
            clients.Add(client);
        }
        return clients;
    }

    private static void Close(IEnumerable<TcpClient> clients)
    {
        foreach (TcpClient client in clients)
            client.Dispose();
    }

    // True if the other side has closed it within the time.
    private static async Task<bool> IsClosedAsync(TcpClient client, TimeSpan time)
    {
        try
        {
            return await client.GetStream().ReadAsync(new byte[1]).AsTask().WaitAsync(time) == 0;
        }
        catch (TimeoutException)
        {
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    private static HttpClient Fresh(Uri address) => new() { BaseAddress = address, Timeout = TimeSpan.FromSeconds(20) };

    [Fact]
    public async Task SilentConnectionsAreClosedInTimeAndThoseWithARequestAreNot()
    {
        await using TestServer server = await TestServer.StartAsync(new ServerOptions { FirstRequest = TimeSpan.FromSeconds(0.5) });
        List<TcpClient> silent = await SilentAsync(server, 3);
        await silent[1].GetStream().WriteAsync("GET /v2 HT"u8.ToArray());
        await silent[2].GetStream()
            .WriteAsync(Encoding.ASCII.GetBytes($"GET /v2 HTTP/1.1\r\nHost: {server.Server.Address.Authority}\r\n\r\n"));
        Assert.Equal((byte)'H', (byte)silent[2].GetStream().ReadByte());
        Assert.True(await IsClosedAsync(silent[0], TimeSpan.FromSeconds(10)), "a silent connection stays");
        Assert.True(await IsClosedAsync(silent[1], TimeSpan.FromSeconds(10)), "a connection with half a request stays");
        await Task.Delay(700);
        await silent[2].GetStream()
            .WriteAsync(
                Encoding.ASCII.GetBytes(
                    $"GET /v2/health/live HTTP/1.1\r\nHost: {server.Server.Address.Authority}\r\nConnection: close\r\n\r\n"));
        using var rest = new StreamReader(silent[2].GetStream());
        Assert.Equal(2, ("H" + await rest.ReadToEndAsync()).Split("HTTP/1.1 200 OK").Length - 1);
        Close(silent);
    }

    [Fact]
    public async Task AFloodOfSilentConnectionsShutsNobodyOut()
    {
        // As many as there is room for in all, four times over: each newcomer takes the place of the one that was silent for longest.
        await using TestServer server =
            await TestServer.StartAsync(new ServerOptions { MaxConnections = 1, MaxConnectionsOfAnAddress = 100, HealthPort = 0 });
        var silent = new List<TcpClient>();
        foreach (string from in (string[])["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"])
            silent.AddRange(await SilentAsync(server, 260, from));
        var delays = new List<double>();
        for (int i = 0; i < 20; i++)
        {
            using HttpClient client = Fresh(server.Server.Address);
            long start = Stopwatch.GetTimestamp();
            Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/v2/health/live")).StatusCode);
            delays.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }
        using HttpClient probe = Fresh(server.Server.HealthAddress!);
        Assert.Equal(HttpStatusCode.OK, (await probe.GetAsync("/v2/health/ready")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await probe.GetAsync("/metrics")).StatusCode);
        await TestServer.JsonAsync(await server.PostAsync("/v2/models/translate/infer", Quick()));
        Close(silent);
        output.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"a new client beside 1040 silent connections: longest of 20 {delays.Max():0} ms"));
    }

    [Fact]
    public async Task ConnectionsOfOneAddressAreCapped()
    {
        await using TestServer server = await TestServer.StartAsync(new ServerOptions { MaxConnectionsOfAnAddress = 4 });
        // These have asked, so none of them makes room for a fifth.
        List<TcpClient> asked = await SilentAsync(server, 4, "127.0.0.9");
        foreach (TcpClient client in asked)
        {
            await client.GetStream()
                .WriteAsync(Encoding.ASCII.GetBytes($"GET /v2/health/live HTTP/1.1\r\nHost: {server.Server.Address.Authority}\r\n\r\n"));
            Assert.Equal((byte)'H', (byte)client.GetStream().ReadByte());
        }
        List<TcpClient> fifth = await SilentAsync(server, 1, "127.0.0.9");
        Assert.True(await IsClosedAsync(fifth[0], TimeSpan.FromSeconds(3)));
        Assert.Equal(HttpStatusCode.OK, (await server.Client.GetAsync("/v2/health/live")).StatusCode);
        Close([.. asked, .. fifth]);
    }

    [Fact]
    public async Task BodiesHeldOpenShareABudgetAndItsMemoryComesBack()
    {
        const int Each = 4 << 20, Clients = 40;
        await using TestServer server = await TestServer.StartAsync(
            new ServerOptions { MaxBodyBytes = 16 << 20, MaxMemoryBytes = 32 << 20, RequestTime = TimeSpan.FromSeconds(20) });
        await TestServer.JsonAsync(await server.PostAsync("/v2/models/translate/infer", Quick()));
        long before = Resident();
        var piece = new byte[Each];
        piece.AsSpan().Fill((byte)' ');
        List<TcpClient> clients = await SilentAsync(server, Clients);
        await Task.WhenAll(clients.Select(async client =>
        {
            NetworkStream stream = client.GetStream();
            try
            {
                // All but the last byte: it is held until the client goes.
                await stream.WriteAsync(
                    Encoding.ASCII.GetBytes(
                        $"POST /v2/models/impute/infer HTTP/1.1\r\nHost: {server.Server.Address.Authority}\r\nContent-Length: "
                        + $"{Each + 1}\r\n\r\n"));
                await stream.WriteAsync(piece).AsTask().WaitAsync(TimeSpan.FromSeconds(5));
            }
            catch (Exception problem) when (problem is IOException or TimeoutException)
            {
                // It was refused meanwhile.
            }
        }));
        var answers = new List<string?>();
        foreach (TcpClient client in clients)
        {
            using var reader = new StreamReader(client.GetStream(), leaveOpen: true);
            Task<string?> line = reader.ReadLineAsync();
            answers.Add(await Task.WhenAny(line, Task.Delay(200)) == line && line.IsCompletedSuccessfully ? await line : null);
        }
        long held = Resident() - before;
        HttpResponseMessage refused = await server.PostAsync("/v2/models/translate/infer", new byte[6 << 20], null);
        await TestServer.RefusedAsync(HttpStatusCode.ServiceUnavailable, "memory", refused);
        Assert.NotNull(refused.Headers.RetryAfter);
        Close(clients);
        HttpResponseMessage next;
        for (int i = 0; (next = await server.PostAsync("/v2/models/translate/infer", Quick())).StatusCode != HttpStatusCode.OK
            && i < 100; i++)
            await Task.Delay(50);
        await TestServer.JsonAsync(next);
        long after = Resident() - before;
        output.WriteLine(
            $"{Clients} bodies of {Each >> 20} MiB held open, {answers.Count(a => a is not null)} of them refused: {held >> 20} MiB more "
            + $"resident; {after >> 20} MiB more after they have gone");
        Assert.InRange(answers.Count(a => a == "HTTP/1.1 503 Service Unavailable"), Clients - 9, Clients - 1);
        // 32 MiB of bodies, as much again that the pipes of 40 connections and a loaded machine may hold: a bound, not a measurement.
        Assert.InRange(held, long.MinValue, 160L << 20);
    }

    [Fact]
    public async Task PackedBodiesAreTakenAndTheirLimitIsThatOfWhatComesOut()
    {
        await using TestServer server = await TestServer.StartAsync(new ServerOptions { MaxBodyBytes = 1 << 20 });
        foreach ((string name, Func<Stream, Stream> pack) in ((string, Func<Stream, Stream>)[])[
            ("gzip", s => new GZipStream(s, CompressionLevel.Fastest)),
            ("deflate", s => new ZLibStream(s, CompressionLevel.Fastest)), ("br", s => new BrotliStream(s, CompressionLevel.Fastest))])
        {
            await TestServer.JsonAsync(await SendAsync(server, name, pack, Encoding.UTF8.GetBytes(Quick())));
            // 8 MiB of blanks pack to some KiB.
            await TestServer.RefusedAsync(HttpStatusCode.RequestEntityTooLarge, "1048576",
                await SendAsync(server, name, pack, [.. Enumerable.Repeat((byte)' ', 8 << 20)]));
        }
    }

    private static Task<HttpResponseMessage> SendAsync(TestServer server, string encoding, Func<Stream, Stream> pack, byte[] body)
    {
        var packed = new MemoryStream();
        using (Stream stream = pack(packed))
            stream.Write(body);
        var content = new ByteArrayContent(packed.ToArray());
        content.Headers.ContentEncoding.Add(encoding);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return server.Client.PostAsync("/v2/models/translate/infer", content);
    }

    private static long Resident()
    {
        using Process self = Process.GetCurrentProcess();
        return self.WorkingSet64;
    }
}
