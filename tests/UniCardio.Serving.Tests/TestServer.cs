using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using UniCardio.Engine.Sessions;
using UniCardio.Weights;

namespace UniCardio.Serving.Tests;

/// <summary>A server on a free loopback port, with the tiny untrained network: 100 samples a window.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    public const int Samples = 100;

    /// <summary>After how long a test that waits for something is held to hang.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromMinutes(1);

    private TestServer(UniCardioServer server, HttpClient client)
    {
        Server = server;
        Client = client;
    }

    public UniCardioServer Server { get; }

    public HttpClient Client { get; }

    public static ServedModel Tiny(CancellationToken cancellation = default) =>
        new(WeightFile.Load("recipe:1,tiny"), w => new InferenceEngine(w.Weights, new EngineOptions { Threads = 1 }));

    public static async Task<TestServer> StartAsync(ServerOptions? options = null, Func<CancellationToken, ServedModel>? load = null,
        bool waits = true)
    {
        UniCardioServer server = await UniCardioServer.StartAsync((options ?? new ServerOptions()) with { Port = 0 }, load ?? Tiny);
        var test = new TestServer(server, new HttpClient { BaseAddress = server.Address, Timeout = TimeSpan.FromMinutes(2) });
        if (waits)
            await server.Ready;
        return test;
    }

    public static TestServer Of(UniCardioServer server) =>
        new(server, new HttpClient { BaseAddress = server.Address, Timeout = TimeSpan.FromMinutes(2) });

    /// <summary>Waits for a state of the server, however slow the machine is.</summary>
    public static async Task UntilAsync(Func<bool> condition, string otherwise)
    {
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(start) < Patience, otherwise);
            await Task.Delay(10);
        }
    }

    /// <summary>Posts JSON.</summary>
    public Task<HttpResponseMessage> PostAsync(string path, string json) =>
        Client.PostAsync(path, new StringContent(json, Encoding.UTF8, "application/json"));

    /// <summary>Posts bytes, the first <paramref name="header"/> of which are said to be JSON.</summary>
    public Task<HttpResponseMessage> PostAsync(string path, byte[] body, int? header)
    {
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        if (header is int length)
            content.Headers.Add("Inference-Header-Content-Length", length.ToString());
        return Client.PostAsync(path, content);
    }

    public async Task<JsonElement> GetJsonAsync(string path) => await JsonAsync(await Client.GetAsync(path));

    /// <summary>The body of an answer that must be 200.</summary>
    public static async Task<JsonElement> JsonAsync(HttpResponseMessage response)
    {
        string text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, $"{(int)response.StatusCode}: {text}");
        return JsonDocument.Parse(text).RootElement;
    }

    /// <summary>Holds an answer against a status and words of its message.</summary>
    public static async Task RefusedAsync(HttpStatusCode status, string words, HttpResponseMessage response)
    {
        string text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == status, $"{(int)response.StatusCode}, expected {(int)status}: {text}");
        Assert.Equal("application/json", response.Content.Headers.ContentType!.MediaType);
        JsonElement body = JsonDocument.Parse(text).RootElement;
        Assert.Equal("error", Assert.Single(body.EnumerateObject()).Name);
        Assert.Contains(words, body.GetProperty("error").GetString(), StringComparison.OrdinalIgnoreCase);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Server.DisposeAsync();
    }
}

/// <summary>One server for all tests of a class, with quick defaults.</summary>
public sealed class SharedServer : IAsyncLifetime
{
    internal TestServer Server { get; private set; } = null!;

    public async Task InitializeAsync() =>
        Server = await TestServer.StartAsync(new ServerOptions { Sampler = Engine.Sampling.SamplerOptions.Parse("ddim:2"), Draws = 2 });

    public async Task DisposeAsync() => await Server.DisposeAsync();
}
