using System.Net;
using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using UniCardio.Engine;

namespace UniCardio.Hosting.Tests;

/// <summary>The model and its addresses in a host's application.</summary>
public class HostingTests
{
    private static async Task<(WebApplication App, HttpClient Client)> StartAsync(Action<UniCardioOptions>? configure = null,
        Action<WebApplication>? map = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Services.AddRouting().AddLogging();
        builder.Services.AddUniCardio(options =>
        {
            (options.Weights, options.AllowUntrained, options.Threads) = ("recipe:1,tiny", true, 1);
            configure?.Invoke(options);
        });
        WebApplication app = builder.Build();
        app.MapHealthChecks("/healthz");
        app.MapGet("/", () => "the application's own");
        if (map is null)
            app.MapUniCardio("/ward");
        else
            map(app);
        await app.StartAsync();
        string address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        var client = new HttpClient { BaseAddress = new Uri(address), Timeout = TimeSpan.FromSeconds(30) };
        return (app, client);
    }

    private static async Task ReadyAsync(HttpClient client)
    {
        for (int i = 0; (await client.GetAsync("/healthz")).StatusCode != HttpStatusCode.OK && i < 300; i++)
            await Task.Delay(50);
        Assert.Equal("Healthy", await client.GetStringAsync("/healthz"));
    }

    [Fact]
    public async Task EverythingIsUnderThePrefixAndTheRestIsTheApplicationS()
    {
        (WebApplication app, HttpClient client) = await StartAsync();
        await using (app)
        {
            await ReadyAsync(client);
            Assert.Equal("the application's own", await client.GetStringAsync("/"));
            Assert.Contains("monitor", await client.GetStringAsync("/ward"), StringComparison.Ordinal);
            Assert.Contains("baseURI", await client.GetStringAsync("/ward/js/event-stream.js"), StringComparison.Ordinal);
            Assert.Contains("impute", await client.GetStringAsync("/ward/v2"), StringComparison.Ordinal);
            Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("/v2")).StatusCode);
            // Refusals are the protocol's, faults of the application its own.
            HttpResponseMessage refused = await client.PostAsync("/ward/v2/models/impute/infer", new StringContent("no JSON"));
            Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
            Assert.Contains("\"error\"", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            using var foreign = new HttpRequestMessage(HttpMethod.Get, "/ward/patients");
            foreign.Headers.Add("Origin", "https://elsewhere.example");
            Assert.Equal(HttpStatusCode.Forbidden, (await client.SendAsync(foreign)).StatusCode);
            // The same model for the application's own code.
            Assert.Equal("recipe:1,tiny", app.Services.GetRequiredService<CardioModel>().Source);
            client.Dispose();
        }
    }

    [Fact]
    public async Task ALiveSessionRunsAndStoppingLetsItEnd()
    {
        string folder = Directory.CreateTempSubdirectory("hosting").FullName;
        (WebApplication app, HttpClient client) = await StartAsync(o => o.Checkpoints = folder);
        await ReadyAsync(client);
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{client.BaseAddress!.Authority}/ward/live/bed-1"), default);
        await socket.SendAsync(
            Encoding.UTF8.GetBytes("""{"type":"open","channels":{"ppg":{"rate":125}},"generate":["bp"],"draws":2,"sampler":"ddim:2"}"""),
            WebSocketMessageType.Text, true, default);
        for (int block = 0; block < 10; block++)
        {
            string samples = string.Join(',', Enumerable.Range(0, 50).Select(i => MathF.Sin(((block * 50) + i) * 0.06f)
                .ToString(System.Globalization.CultureInfo.InvariantCulture)));
            string time = (block * 0.4).ToString(System.Globalization.CultureInfo.InvariantCulture);
            await socket.SendAsync(
                Encoding.UTF8.GetBytes($$"""{"type":"samples","modality":"ppg","time":{{time}},"samples":[{{samples}}]}"""),
                WebSocketMessageType.Text, true, default);
        }
        var seen = new StringBuilder();
        var buffer = new byte[1 << 16];
        while (!seen.ToString().Contains("\"frame\"", StringComparison.Ordinal))
        {
            Task<WebSocketReceiveResult> receiving = socket.ReceiveAsync(buffer, default);
            Assert.True(await Task.WhenAny(receiving, Task.Delay(TimeSpan.FromSeconds(20))) == receiving, $"no frame after {seen}");
            WebSocketReceiveResult part = await receiving;
            seen.Append(Encoding.UTF8.GetString(buffer, 0, part.Count));
        }
        Task stopping = app.StopAsync();
        while (socket.State == WebSocketState.Open)
            await socket.ReceiveAsync(buffer, new CancellationTokenSource(TimeSpan.FromSeconds(20)).Token);
        if (socket.State == WebSocketState.CloseReceived)
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, default);
        await stopping;
        Assert.True(File.Exists(Path.Combine(folder, "bed-1.checkpoint")));
        await app.DisposeAsync();
        client.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void OptionsComeFromConfigurationAndAreChecked()
    {
        IConfiguration configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["UniCardio:MaxPatients"] = "3", ["UniCardio:DrainTime"] = "00:00:05", ["UniCardio:Origins:0"] = "https://ward.example",
        }).Build();
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddUniCardio(configuration.GetSection("UniCardio"));
        using ServiceProvider provider = services.BuildServiceProvider();
        var options = provider.GetRequiredService<Serving.ServerOptions>();
        Assert.Equal((3, TimeSpan.FromSeconds(5), "https://ward.example"),
            (options.MaxPatients, options.DrainTime, options.Origins.Single()));
        var wrong = new ServiceCollection();
        wrong.AddUniCardio(o => o.MaxPatients = 0);
        using ServiceProvider refusing = wrong.BuildServiceProvider();
        Assert.Contains("max_patients", Assert.Throws<ConfigurationException>(() => refusing.GetRequiredService<Serving.ServerOptions>())
            .Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WeightsThatCannotBeLoadedAreAnUnhealthyApplicationThatStillAnswers()
    {
        (WebApplication app, HttpClient client) = await StartAsync(o => o.AllowUntrained = false);
        await using (app)
        {
            for (int i = 0; i < 100 && !(await client.GetStringAsync("/")).StartsWith("the", StringComparison.Ordinal); i++)
                await Task.Delay(20);
            await Task.Delay(300);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, (await client.GetAsync("/healthz")).StatusCode);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, (await client.GetAsync("/ward/v2/health/ready")).StatusCode);
            client.Dispose();
        }
    }
}
