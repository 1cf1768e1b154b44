using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using UniCardio.Cli.Output;

namespace UniCardio.Cli.Tests;

/// <summary>The server as a user starts it, with the tiny untrained network.</summary>
public class ServeTests
{
    private static readonly string[] Tiny = ["--weights", "recipe:1,tiny", "--untrained", "--threads", "1"];

    /// <summary>Runs the command until the work on its address is done, then ends it as a signal would.</summary>
    private static async Task<CliResult> ServeAsync(Func<Uri, Task> work, params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        using TextWriter safeOutput = TextWriter.Synchronized(output), safeError = TextWriter.Synchronized(error);
        using var cancellation = new CancellationTokenSource();
        Task<int> running = Task.Run(() =>
            CommandLine.RunAsync(["serve", "--port", "0", .. args], new Terminal(safeOutput, safeError), cancellation.Token));
        while (!Text(safeError, error).Contains("ready", StringComparison.Ordinal) && !running.IsCompleted)
            await Task.Delay(10);
        if (!running.IsCompleted)
            await work(new Uri(Text(safeOutput, output).Trim()));
        await cancellation.CancelAsync();
        return new CliResult(await running, Text(safeOutput, output), Text(safeError, error));
    }

    [Fact]
    public async Task ItPrintsItsAddressAnswersThereAndEndsWell()
    {
        CliResult result = await ServeAsync(
            async address =>
            {
                using var client = new HttpClient { BaseAddress = address };
                Assert.True((await client.GetFromJsonAsync<JsonElement>("v2/health/ready")).GetProperty("ready").GetBoolean());
                Assert.True((await client.GetFromJsonAsync<JsonElement>("v2/models/impute")).GetProperty("parameters")
                    .GetProperty("untrained").GetBoolean());
            },
            Tiny);
        Assert.Equal(ExitCode.Success, result.Code);
        Assert.Contains("not a medical device", result.Error, StringComparison.Ordinal);
        Assert.Contains("stopping", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheDemonstrationRunsAndLogsAreJsonLines()
    {
        CliResult result = await ServeAsync(
            async address =>
            {
                using var client = new HttpClient { BaseAddress = address };
                JsonElement patients = await client.GetFromJsonAsync<JsonElement>("patients");
                Assert.Equal("demo", Assert.Single(patients.GetProperty("patients").EnumerateArray()).GetProperty("patient").GetString());
                Assert.Contains("<html", await client.GetStringAsync("/"), StringComparison.Ordinal);
            },
            ["--demo", .. Tiny]);
        Assert.Equal(ExitCode.Success, result.Code);
        string[] lines = [.. result.Error.Split('\n').Where(l => l.StartsWith('{'))];
        JsonElement opened = lines.Select(l => JsonDocument.Parse(l).RootElement).First(l => l.TryGetProperty("source", out _));
        Assert.Equal("demo", opened.GetProperty("source").GetString());
        Assert.Equal("information", opened.GetProperty("level").GetString());
    }

    [Fact]
    public async Task TracesReachACollectorAndHoldNoPatient()
    {
        await using Collector collector = await Collector.StartAsync();
        string patient = $"bed{Guid.NewGuid():N}";
        const string Caller = "0af7651916cd43dd8448eb211c80319c";
        CliResult result = await ServeAsync(
            async address =>
            {
                using var client = new HttpClient { BaseAddress = address };
                float[] ppg = [.. Enumerable.Range(0, 100).Select(i => 0.5f + (0.3f * MathF.Sin(i / 8f)))];
                object request = new { parameters = new { draws = 1, sampler = "ddim:2" },
                    inputs = new[] { new { name = "ppg", datatype = "FP32", shape = (int[])[1, 100], data = ppg } } };
                using var message =
                    new HttpRequestMessage(HttpMethod.Post, "v2/models/translate/infer") { Content = JsonContent.Create(request) };
                message.Headers.Add("traceparent", $"00-{Caller}-b7ad6b7169203331-01");
                using HttpResponseMessage response = await client.SendAsync(message);
                Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
                using var socket = new ClientWebSocket();
                await socket.ConnectAsync(new Uri($"ws://{address.Authority}/live/{patient}"), CancellationToken.None);
                await socket.SendAsync("""{"type":"open","channels":{"ppg":{"rate":125}}}"""u8.ToArray(), WebSocketMessageType.Text, true,
                    CancellationToken.None);
                await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
            },
            ["--traces", collector.Address.ToString(), "--log", "trace", .. Tiny]);
        Assert.Equal(ExitCode.Success, result.Code);
        // The program sends what is left before it ends, so that all has come by now.
        Assert.NotEmpty(collector.Posts);
        Assert.All(collector.Posts, post => Assert.Equal("application/x-protobuf", post.Type));
        Assert.Equal(["/v1/metrics", "/v1/traces"], collector.Posts.Select(post => post.Path).Distinct().Order());
        string spans = string.Concat(collector.Posts.Where(p => p.Path == "/v1/traces").Select(p => p.Body));
        Assert.All(collector.Posts, post => Assert.DoesNotContain(patient, post.Body, StringComparison.Ordinal));
        foreach (string name in (string[])["unicardio", "infer", "infer.wait", "infer.compute", "live.connection", "ppg->bp"])
            Assert.Contains(name, spans, StringComparison.Ordinal);
        Assert.Contains(Encoding.Latin1.GetString(Convert.FromHexString(Caller)), spans, StringComparison.Ordinal);
        Assert.DoesNotContain(patient, spans, StringComparison.Ordinal);
        Assert.Contains("opened", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(patient, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatCannotBeServedIsRefusedInOneLine()
    {
        // Weights are loaded while the server listens already.
        CliResult untrained = Cli.Run("serve", "--port", "0", "--weights", "recipe:1,tiny", "--log", "none");
        Assert.Equal(ExitCode.BadInput, untrained.Code);
        Assert.Contains("error: recipe:1,tiny holds untrained weights", untrained.Error, StringComparison.Ordinal);
        Cli.Refuse("token is needed", "serve", "--address", "0.0.0.0", "--log", "none", "--weights", "recipe:1,tiny");
        Cli.Refuse("--port", "serve", "--port", "many");
        Cli.Refuse("http://", "serve", "--traces", "collector:4317");
        Cli.Refuse("nowhere.json", "serve", "--config", "nowhere.json");
    }

    // A synchronised writer locks itself, and does not show what it holds.
    private static string Text(TextWriter safe, StringWriter text)
    {
        lock (safe)
            return text.ToString();
    }

    [Fact]
    public void ATaskThatFailedAndThatNobodyAwaitedIsLogged()
    {
        using var output = new StringWriter();
        using TextWriter safe = TextWriter.Synchronized(output);
        using (new UnobservedFaults(safe))
        {
            Abandon();
            // It is noticed when it is collected.
            for (int i = 0; i < 200 && !Text(safe, output).Contains("abandoned", StringComparison.Ordinal); i++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                Thread.Sleep(5);
            }
        }
        JsonElement line = JsonDocument.Parse(Text(safe, output).Split('\n').First(l => l.Contains("abandoned", StringComparison.Ordinal)))
            .RootElement;
        Assert.Equal(("error", "TimeZoneNotFoundException"),
            (line.GetProperty("level").GetString(), line.GetProperty("error").GetString()));
        Assert.Contains("abandoned", line.GetProperty("exception").GetString(), StringComparison.Ordinal);
    }

    // Of a kind that nothing else here throws; in a method of its own, so that nobody holds it.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Abandon() => Task.FromException(new TimeZoneNotFoundException("abandoned"));
}
