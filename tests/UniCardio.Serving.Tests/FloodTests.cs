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

    // Ends when the other side has closed it. How long that may take is no matter of these tests: they wait for as long as a hung test may.
    private static async Task<bool> IsClosedAsync(TcpClient client)
    {
        try
        {
            return await client.GetStream().ReadAsync(new byte[1]).AsTask().WaitAsync(TestServer.Patience) == 0;
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

    private static async Task<char> FirstLetterAsync(TcpClient client)
    {
        var letter = new byte[1];
        await client.GetStream().ReadExactlyAsync(letter).AsTask().WaitAsync(TestServer.Patience);
        return (char)letter[0];
    }

    private static byte[] Head(TestServer server, string first, string rest = "") =>
        Encoding.ASCII.GetBytes($"{first} HTTP/1.1\r\nHost: {server.Server.Address.Authority}\r\n{rest}\r\n");

    private static HttpClient Fresh(Uri address) => new() { BaseAddress = address, Timeout = TimeSpan.FromSeconds(20) };

    [Fact]
    public async Task SilentConnectionsAreClosedInTimeAndThoseWithARequestAreNot()
    {
        var clock = new ManualClock();
        await using TestServer server =
            await TestServer.StartAsync(new ServerOptions { FirstRequest = TimeSpan.FromSeconds(0.5), Clock = clock });
        List<TcpClient> silent = await SilentAsync(server, 3);
        await silent[1].GetStream().WriteAsync("GET /v2 HT"u8.ToArray());
        await silent[2].GetStream().WriteAsync(Head(server, "GET /v2"));
        Assert.Equal('H', await FirstLetterAsync(silent[2]));
        // A connection's time begins when the server has it, so the clock moves until both are gone.
        Task<bool>[] closing = [IsClosedAsync(silent[0]), IsClosedAsync(silent[1])];
        for (Task both = Task.WhenAll(closing); await Task.WhenAny(both, Task.Delay(10)) != both;)
            clock.Advance(TimeSpan.FromSeconds(0.5));
        Assert.True(await closing[0], "a silent connection stays");
        Assert.True(await closing[1], "a connection with half a request stays");
        clock.Advance(TimeSpan.FromSeconds(0.7));
        await silent[2].GetStream().WriteAsync(Head(server, "GET /v2/health/live", "Connection: close\r\n"));
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
        // A clock that stands still: nobody is closed for having been silent.
        await using TestServer server =
            await TestServer.StartAsync(new ServerOptions { MaxConnectionsOfAnAddress = 4, Clock = new ManualClock() });
        // These have asked, so none of them makes room for a fifth.
        List<TcpClient> asked = await SilentAsync(server, 4, "127.0.0.9");
        foreach (TcpClient client in asked)
        {
            await client.GetStream().WriteAsync(Head(server, "GET /v2/health/live"));
            Assert.Equal('H', await FirstLetterAsync(client));
        }
        Assert.True(await IsTurnedAwayAsync());
        Assert.Equal(HttpStatusCode.OK, (await server.Client.GetAsync("/v2/health/live")).StatusCode);
        Close([.. asked]);

        // A server that is quicker than the client's thread has closed the connection before connecting to it has returned.
        async Task<bool> IsTurnedAwayAsync()
        {
            try
            {
                List<TcpClient> fifth = await SilentAsync(server, 1, "127.0.0.9");
                bool closed = await IsClosedAsync(fifth[0]);
                Close([.. fifth]);
                return closed;
            }
            catch (SocketException turnedAway) when (turnedAway.SocketErrorCode == SocketError.ConnectionReset)
            {
                return true;
            }
        }
    }

    [Fact]
    public async Task BodiesHeldOpenShareABudgetAndItsMemoryComesBack()
    {
        const int Each = 4 << 20, Clients = 40;
        await using TestServer server = await TestServer.StartAsync(
            new ServerOptions { MaxBodyBytes = 16 << 20, MaxMemoryBytes = 32 << 20, RequestTime = TimeSpan.FromMinutes(10) });
        await TestServer.JsonAsync(await server.PostAsync("/v2/models/translate/infer", Quick()));
        var piece = new byte[Each];
        piece.AsSpan().Fill((byte)' ');
        long before = Resident();
        List<TcpClient> clients = await SilentAsync(server, Clients);
        var answers = new List<Task<string?>>();
        // One after another till the budget is taken, then the others together: how many are held does not depend on who is faster.
        while (answers.Count < Clients && !answers.Any(a => a.IsCompleted))
        {
            answers.Add(HoldAsync(server, clients[answers.Count], piece));
            await AreSettledAsync(server, answers, Each);
        }
        answers.AddRange(clients.Skip(answers.Count).Select(client => HoldAsync(server, client, piece)));
        await AreSettledAsync(server, answers, Each);
        long held = Resident() - before;
        HttpResponseMessage refused = await server.PostAsync("/v2/models/translate/infer", new byte[6 << 20], null);
        await TestServer.RefusedAsync(HttpStatusCode.ServiceUnavailable, "memory", refused);
        Assert.NotNull(refused.Headers.RetryAfter);
        string?[] told = [.. answers.Where(a => a.IsCompleted).Select(a => a.Result)];
        Close(clients);
        await TestServer.UntilAsync(() => server.Server.Memory.Used == 0, "the memory of bodies whose clients have gone is not given back");
        await TestServer.JsonAsync(await server.PostAsync("/v2/models/translate/infer", Quick()));
        long after = Resident() - before;
        output.WriteLine(
            $"{Clients} bodies of {Each >> 20} MiB held open, {told.Length} of them refused: {held >> 20} MiB more "
            + $"resident; {after >> 20} MiB more after they have gone");
        Assert.InRange(told.Count(a => a == "HTTP/1.1 503 Service Unavailable"), Clients - 9, Clients - 1);
        // 32 MiB of bodies, as much again that the pipes of 40 connections and a loaded machine may hold: a bound, not a measurement.
        Assert.InRange(held, long.MinValue, 160L << 20);
        await Task.WhenAll(answers);
    }

    // Sends all of a body but its last byte, and ends with the first line of the answer: null if none came.
    private static async Task<string?> HoldAsync(TestServer server, TcpClient client, byte[] piece)
    {
        NetworkStream stream = client.GetStream();
        // Read from the start: an answer that lies unread is lost when the connection is closed.
        using var reader = new StreamReader(stream, leaveOpen: true);
        Task<string?> line = reader.ReadLineAsync();
        try
        {
            await stream.WriteAsync(Head(server, "POST /v2/models/impute/infer", $"Content-Length: {piece.Length + 1}\r\n"));
            await stream.WriteAsync(piece);
        }
        catch (IOException)
        {
            // It was refused meanwhile.
        }
        try
        {
            return await line;
        }
        catch (Exception problem) when (problem is IOException or ObjectDisposedException)
        {
            return null;
        }
    }

    // Each is answered, or the server has all of its body that was sent.
    private static Task AreSettledAsync(TestServer server, List<Task<string?>> answers, int each) => TestServer.UntilAsync(
        () => server.Server.Memory.Used >= (long)each * answers.Count(a => !a.IsCompleted), "bodies neither come nor are refused");

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
