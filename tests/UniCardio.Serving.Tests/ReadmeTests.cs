using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using UniCardio.Pipeline;
using UniCardio.Streaming;
using UniCardio.Weights;

namespace UniCardio.Serving.Tests;

/// <summary>The project's README: its lines are compiled and run, its settings are those that there are.</summary>
public class ReadmeTests
{
    [Fact]
    public async Task TheExamplesRun()
    {
        const string weights = "recipe:1,tiny";
        float[] ppg = Wave.Make(4, 0.5f, 0.3f);
        var shown = new List<(double Start, string? Provenance, JsonElement Values)>();
        void Show(double start, string? provenance, JsonElement values) => shown.Add((start, provenance, values));

        // README
        var options = new ServerOptions { Port = 0, Live = new LiveSampling { Draws = 4 } };
        await using UniCardioServer server = await UniCardioServer.StartAsync(options, _ => new ServedModel(WeightFile.Load(weights)));
        await server.Ready;
        Console.WriteLine(server.Address);
        // README

        // README
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{server.Address.Authority}/live/bed-1"), default);
        await Send("""{"type":"open","channels":{"ppg":{"rate":125}},"generate":["bp"],"draws":4,"wait":true}""");
        for (int i = 0; i + 25 <= ppg.Length; i += 25)
            await Send($$"""{"type":"samples","modality":"ppg","time":{{i / 125.0}},"samples":[{{string.Join(',', ppg[i..(i + 25)])}}]}""");
        await Send("""{"type":"complete"}""");
        for (JsonElement message = await Receive(); message.GetProperty("type").GetString() != "ended"; message = await Receive())
        {
            if (message.TryGetProperty("signals", out JsonElement signals))
                Show(message.GetProperty("start").GetDouble(), signals.GetProperty("bp").GetProperty("provenance").GetString(),
                    signals.GetProperty("bp").GetProperty("values"));
        }

        async Task Send(string json) => await socket.SendAsync(Encoding.UTF8.GetBytes(json), WebSocketMessageType.Text, true, default);
        async Task<JsonElement> Receive() =>
            (await JsonDocument.ParseAsync(WebSocketStream.CreateReadableMessageStream(socket))).RootElement;
        // README

        // The first window warms up; from then on there is a pressure.
        Assert.Contains(shown, f =>
            f.Provenance == "translated" && f.Values.EnumerateArray().All(v => v.ValueKind == JsonValueKind.Number));
        // Whole hops, the last of them not full.
        Assert.InRange(shown.Sum(f => f.Values.GetArrayLength()), ppg.Length, ppg.Length + shown[0].Values.GetArrayLength());
    }

    [Fact]
    public void ReadmeShowsTheseLines()
    {
        string shown = Readme();
        string[] parts = File.ReadAllText(Project.File("tests", "UniCardio.Serving.Tests", "ReadmeTests.cs")).ReplaceLineEndings("\n")
            .Split("        // README\n");
        Assert.Equal(5, parts.Length);
        foreach (string part in (string[])[parts[1], parts[3]])
        {
            string lines = string.Concat(part.TrimEnd().Split('\n').Select(l => (l.Length > 8 ? l[8..] : l) + "\n"));
            Assert.Contains(lines, shown, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void ReadmeNamesEverySetting()
    {
        string shown = Readme();
        Assert.All(ServerSetting.All, s => Assert.Contains($"`{s.Key}`", shown, StringComparison.Ordinal));
    }

    private static string Readme() =>
        File.ReadAllText(Project.File("src", "UniCardio.Serving", "README.md")).ReplaceLineEndings("\n");
}
