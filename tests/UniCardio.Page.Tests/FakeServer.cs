using System.Collections.Concurrent;
using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using UniCardio.Serving.Hosting;

namespace UniCardio.Page.Tests;

/// <summary>
/// The page's server without an engine: real page files, and live signals of known figures that follow the switches as PROTOCOL.md says.
/// </summary>
internal sealed class FakeServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<WebSocket, SemaphoreSlim> _sockets = new();
    private readonly Lock _gate = new();
    private readonly JsonObject _session;
    private readonly Task _clock;
    private volatile bool _ended;

    private FakeServer(WebApplication app, int session)
    {
        _app = app;
        _session = new JsonObject
        {
            ["type"] = "session", ["session"] = session, ["source"] = "demo", ["recording"] = "fake", ["speed"] = 1,
            ["channels"]
            = new JsonObject { ["ppg"] = new JsonObject { ["rate"] = 125 }, ["bp"] = new JsonObject { ["rate"] = 125 },
                ["ecg"] = new JsonObject { ["rate"] = 125 } },
            ["generate"] = new JsonArray("ppg", "bp", "ecg"), ["denoise"] = new JsonArray(), ["muted"] = new JsonArray(),
            ["draws"] = 8, ["sampler"] = "dpm++2m:6", ["steps"] = 6, ["seed"] = "1", ["window"] = 4, ["hop"] = 0.5, ["lateness"] = 0.1,
            ["own_signals"] = false, ["min_index"] = 0, ["algorithmic_delay"] = 0.6, ["time"] = null,
        };
        _clock = Task.Run(SendFramesAsync);
    }

    public Uri Address { get; private set; } = null!;

    /// <summary>Half the width of generated pressure's band, mmHg.</summary>
    public double HalfBand { get; set; } = 5;

    /// <summary>Half the width of the band of a generated ECG or PPG, of which each is 1 high.</summary>
    public double WaveHalfBand { get; set; } = 0.1;

    /// <summary>Control messages that came, in order.</summary>
    public ConcurrentQueue<JsonObject> Received { get; } = new();

    public static async Task<FakeServer> StartAsync(int port = 0, int session = 1)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRouting();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
        WebApplication app = builder.Build();
        var server = new FakeServer(app, session);
        app.UseRouting();
        app.UseWebSockets();
        PageFiles.Map(app);
        app.MapGet("/events", server.EventsAsync);
        app.MapGet("/recordings", context => context.Response.WriteAsync("""{"recordings":["fake","other"]}"""));
        app.MapGet("/live/{patient}", server.LiveAsync);
        await app.StartAsync();
        server.Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        return server;
    }

    private async Task EventsAsync(HttpContext context)
    {
        context.Response.ContentType = "text/event-stream";
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _stop.Token);
        await context.Response.WriteAsync(
            "event: patients\ndata: {\"patients\":[{\"patient\":\"bed-2\"},{\"patient\":\"demo\"}],\"max_patients\":64}\n\n");
        try
        {
            while (true)
            {
                await context.Response.WriteAsync(
                    "event: metrics\ndata: {\"ready\":true,\"sessions\":2,\"delay_p50\":0.21,\"delay_p99\":0.34,\"load\":0.41}\n\n",
                    ends.Token);
                await context.Response.Body.FlushAsync(ends.Token);
                await Task.Delay(1000, ends.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The page or the server has gone.
        }
    }

    private async Task LiveAsync(HttpContext context)
    {
        Assert.Equal("binary", context.Request.Query["frames"]);
        using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync("unicardio.v1");
        JsonObject hello;
        lock (_gate)
        {
            hello = new JsonObject
            {
                ["type"] = "hello", ["protocol"] = 1, ["patient"] = (string?)context.Request.RouteValues["patient"], ["ready"] = true,
                ["weights"] = "19600 updates", ["network"] = "fake.safetensors", ["untrained"] = false,
                ["remark"] = "", ["sample_rate"] = 125, ["window"] = 4, ["session"] = _session.DeepClone(),
            };
        }
        await socket.SendAsync(Encoding.UTF8.GetBytes(hello.ToJsonString()), WebSocketMessageType.Text, true, _stop.Token);
        _sockets[socket] = new SemaphoreSlim(1);
        try
        {
            await ReceiveAsync(socket);
        }
        catch (Exception problem) when (problem is WebSocketException or OperationCanceledException)
        {
            // The page or the server has gone.
        }
        _sockets.TryRemove(socket, out _);
    }

    private async Task ReceiveAsync(WebSocket socket)
    {
        var buffer = new byte[4096];
        while (true)
        {
            WebSocketReceiveResult result = await socket.ReceiveAsync(buffer, _stop.Token);
            if (result.MessageType == WebSocketMessageType.Close)
                return;
            JsonObject message = JsonNode.Parse(buffer.AsSpan(0, result.Count))!.AsObject();
            Received.Enqueue(message);
            await SendAsync(socket, Encoding.UTF8.GetBytes(Answer(message)), WebSocketMessageType.Text);
        }
    }

    private string Answer(JsonObject message)
    {
        if ((string?)message["type"] != "set")
            return $$"""{"type":"error","code":"conflict","message":"the fake only sets","id":{{message["id"]}}}""";
        lock (_gate)
        {
            foreach ((string name, JsonNode? value) in message.Where(p => p.Key is not ("type" or "id")))
                _session[name] = value!.DeepClone();
            JsonObject answer = _session.DeepClone().AsObject();
            answer["id"] = message["id"]!.DeepClone();
            return answer.ToJsonString();
        }
    }

    private async Task SendFramesAsync()
    {
        try
        {
            for (int index = 0; ; index++)
            {
                await Task.Delay(500, _stop.Token);
                byte[] frame;
                lock (_gate)
                    frame = FakeFrame.Make(index, modality => (Has("muted", modality), Has("generate", modality), Has("denoise", modality)),
                        HalfBand, WaveHalfBand);
                foreach (WebSocket socket in _ended ? [] : _sockets.Keys)
                    await SendAsync(socket, frame, WebSocketMessageType.Binary);
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    /// <summary>Ends the session, as a server does.</summary>
    public void End(string reason)
    {
        _ended = true;
        foreach (WebSocket socket in _sockets.Keys)
            _ = SendAsync(
                socket, Encoding.UTF8.GetBytes($$"""{"type":"ended","reason":"{{reason}}","message":"a test asked for it","id":null}"""),
                WebSocketMessageType.Text);
    }

    private bool Has(string setting, string modality) => _session[setting]!.AsArray().Any(m => (string?)m == modality);

    private async Task SendAsync(WebSocket socket, byte[] message, WebSocketMessageType type)
    {
        if (!_sockets.TryGetValue(socket, out SemaphoreSlim? turn))
            return;
        await turn.WaitAsync();
        try
        {
            await socket.SendAsync(message, type, true, _stop.Token);
        }
        catch (WebSocketException)
        {
            // The page has gone.
        }
        finally
        {
            turn.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _clock;
        await _app.DisposeAsync();
    }
}
