using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;

namespace UniCardio.Hosting.Tests;

/// <summary>Every sample, as a process of its own.</summary>
public class SampleTests
{
    private static ProcessStartInfo Start(string sample, params string[] args)
    {
        string configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        string program = Project.File("tools", "samples", sample, "bin", configuration, "net10.0", $"Samples.{sample}.dll");
        var start = new ProcessStartInfo("dotnet", [program, .. args]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["ASPNETCORE_URLS"] = "http://127.0.0.1:0";
        start.Environment["DOTNET_hostBuilder__reloadConfigOnChange"] = "false";
        return start;
    }

    private static async Task<string> RunAsync(string sample)
    {
        using Process process = Process.Start(Start(sample))!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        using var time = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        await process.WaitForExitAsync(time.Token);
        Assert.True(process.ExitCode == 0, await error);
        return await output;
    }

    private static async Task WithAsync(string sample, Func<HttpClient, Task> test)
    {
        using Process process = Process.Start(Start(sample))!;
        try
        {
            string? address = null;
            while (address is null && await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(1)) is string line)
            {
                int at = line.IndexOf("listening on: ", StringComparison.Ordinal);
                address = at < 0 ? null : line[(at + 14)..].Trim();
            }
            Assert.NotNull(address);
            _ = process.StandardOutput.ReadToEndAsync();
            _ = process.StandardError.ReadToEndAsync();
            using var client = new HttpClient { BaseAddress = new Uri(address), Timeout = TimeSpan.FromMinutes(1) };
            for (int i = 0; (await client.GetAsync("/healthz")).StatusCode != HttpStatusCode.OK && i < 300; i++)
                await Task.Delay(100);
            Assert.Equal("Healthy", await client.GetStringAsync("/healthz"));
            await test(client);
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
    }

    [Fact]
    public async Task ConsoleFillsAGap()
    {
        string output = await RunAsync("Console");
        // 1.2 beats a second, by onsets that lie on samples of 8 ms: within 1%.
        Assert.Matches("150 samples generated; 7[123] beats a minute", output);
        Assert.Contains("not a medical device", output, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task CustomBackendIsAskedForEveryStep() =>
        Assert.Contains("1 windows, 5 steps", await RunAsync("CustomBackend"), StringComparison.Ordinal);

    [Fact]
    public Task MinimalApiFillsAGap() => WithAsync("MinimalApi", async client =>
    {
        float[] wave = [.. Enumerable.Range(0, 750).Select(i => MathF.Sin(i * 0.06f))];
        HttpResponseMessage response = await client.PostAsJsonAsync("/fill", new
        {
            rate = 125, ppg = wave, pressure = wave.Select((x, i) => i is >= 300 and < 400 ? (float?)null : 90 + (20 * x)).ToArray(),
        });
        JsonElement answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
        Assert.Equal(100, answer.GetProperty("generated").EnumerateArray().Count(g => g.GetBoolean()));
        Assert.All(answer.GetProperty("pressure").EnumerateArray(), x => Assert.InRange(x.GetSingle(), 0, 250));
        // What cannot be is told to whoever asked: no signal, one that is too short, one that is not there, a rate that is none.
        foreach ((string body, string why) in ((string, string)[])[
            ("{}", "no signal is given"),
            ("""{"rate":125,"ppg":[1,2,3],"pressure":[1,2,3]}""", "window"),
            ($$"""{"rate":125,"ppg":[{{string.Join(',', Enumerable.Range(0, 600))}}]}""", "no channel"),
            ("""{"rate":1e300,"ppg":[1,2],"pressure":[1,2]}""", "ratio"),
            ("""{"rate":-1,"ppg":[1,2],"pressure":[1,2]}""", "rate")])
        {
            response = await client.PostAsync("/fill", new StringContent(body, Encoding.UTF8, "application/json"));
            Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
            Assert.Contains(why, await response.Content.ReadAsStringAsync(), StringComparison.OrdinalIgnoreCase);
        }
    });

    [Fact]
    public Task LivePageIsInAnApplicationOfItsOwn() => WithAsync("LivePage", async client =>
    {
        Assert.Contains("/monitor/", await client.GetStringAsync("/"), StringComparison.Ordinal);
        Assert.Contains("UniCardio", await client.GetStringAsync("/monitor/"), StringComparison.Ordinal);
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{client.BaseAddress!.Authority}/monitor/live/bed-1"), default);
        var buffer = new byte[4096];
        WebSocketReceiveResult hello = await socket.ReceiveAsync(buffer, default);
        Assert.Contains("\"ready\":true", Encoding.UTF8.GetString(buffer, 0, hello.Count), StringComparison.Ordinal);
    });
}
