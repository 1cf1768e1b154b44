using System.Net.WebSockets;
using System.Text.Json;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Pipeline;
using UniCardio.Streaming;

namespace UniCardio.Serving.Tests;

/// <summary>Live sessions through WebSockets against the streaming library itself.</summary>
public class LiveTests(SharedServer shared) : IClassFixture<SharedServer>
{
    private const string Open =
        """{"type":"open","id":1,"channels":{"ppg":{"rate":125},"ecg":{"rate":125}},"generate":["bp"],"draws":3,"sampler":"ddim:2","seed":"5","wait":true}""";

    private static readonly float[] Ppg = Wave.Make(5, 0.5f, 0.3f), Ecg = Wave.Make(5, 0, 1, 40);

    private static string Patient() => $"p-{Guid.NewGuid():N}";

    // What the session should say, from the library on an engine of its own.
    private static List<StreamingFrame> Expected()
    {
        using ServedModel model = TestServer.Tiny();
        using var host = new StreamingHost(model.Engine, new StreamingHostOptions { OwnThread = false });
        var frames = new List<StreamingFrame>();
        var options = new StreamingSessionOptions
        {
            Ppg = new ChannelOptions(125),
            Ecg = new ChannelOptions(125),
            Generate = ModalitySet.Bp,
            Sampling = new LiveSampling { Draws = 3, Sampler = SamplerOptions.Parse("ddim:2") },
            Seed = 5,
            Hop = TimeSpan.FromSeconds(0.4),
            Fade = TimeSpan.FromSeconds(0.08),
            ImputeFor = TimeSpan.FromSeconds(0.24),
            Deadline = TimeSpan.FromHours(1),
        };
        using StreamingSession session = host.Open(options, (_, frame) => frames.Add(frame.Clone()));
        for (int i = 0; i < Ppg.Length; i += 10)
        {
            session.Push(Modality.Ppg, TimeSpan.FromSeconds(100 + (i / 125.0)), Ppg.AsSpan(i, 10));
            session.Push(Modality.Ecg, TimeSpan.FromSeconds(100 + (i / 125.0)), Ecg.AsSpan(i, 10));
            host.RunPending();
        }
        session.Complete();
        host.RunPending();
        return frames;
    }

    private static async Task PushAllAsync(LiveClient client, bool binary, int from = 0, int to = 500)
    {
        for (int i = from; i < to; i += 10)
        {
            await (binary ? client.PushBinaryAsync(0, 100 + (i / 125.0), Ppg.AsSpan(i, 10))
                : client.PushAsync("ppg", 100 + (i / 125.0), Ppg.AsSpan(i, 10)));
            await (binary ? client.PushBinaryAsync(2, 100 + (i / 125.0), Ecg.AsSpan(i, 10))
                : client.PushAsync("ecg", 100 + (i / 125.0), Ecg.AsSpan(i, 10)));
        }
    }

    private static void AssertEqual(List<StreamingFrame> expected, List<JsonElement> frames)
    {
        Assert.Equal(expected.Count, frames.Count);
        for (int f = 0; f < frames.Count; f++)
        {
            StreamingFrame e = expected[f];
            JsonElement a = frames[f];
            Assert.Equal(e.Index, a.GetProperty("index").GetInt64());
            Assert.Equal(e.Window, a.GetProperty("window").GetInt64());
            Assert.Equal(e.Count, a.GetProperty("count").GetInt32());
            Assert.Equal(e.IsLast, a.GetProperty("last").GetBoolean());
            Assert.Equal(e.Start.TotalSeconds, a.GetProperty("start").GetDouble(), 6);
            Assert.Equal(e.AlgorithmicDelay.TotalSeconds, a.GetProperty("algorithmic_delay").GetDouble(), 6);
            foreach (Modality m in Modalities.All)
            {
                JsonElement signal = a.GetProperty("signals").GetProperty(m.Name());
                Assert.Equal(e.Values(m).ToArray(), Wave.Floats(signal.GetProperty("values")));
                Assert.Equal(e.Status(m).Task.IsValid ? e.Status(m).Task.ToString() : null, signal.GetProperty("task").GetString());
                Assert.Equal(e.Status(m).IsNormalized, signal.GetProperty("normalized").GetBoolean());
                Assert.Equal(e.Status(m).Quality.Usable, signal.GetProperty("quality").GetProperty("usable").GetSingle());
                Assert.Equal(e.Status(m).Quality.Missing, signal.GetProperty("quality").GetProperty("missing").GetSingle());
                string[] provenance = [.. signal.GetProperty("stretches").EnumerateArray()
                    .SelectMany(s => Enumerable.Repeat(s.GetProperty("provenance").GetString()!, s.GetProperty("count").GetInt32()))];
                Assert.Equal(e.Provenance(m).ToArray()
                    .Select(p => p == Provenance.NoSignal ? "no_signal" : p.ToString().ToLowerInvariant()), provenance);
                bool band = e.Low(m).IndexOfAnyExcept(float.NaN) >= 0;
                Assert.Equal(band, signal.TryGetProperty("low", out JsonElement low));
                if (band)
                {
                    Assert.Equal(e.Low(m).ToArray(), Wave.Floats(low));
                    Assert.Equal(e.High(m).ToArray(), Wave.Floats(signal.GetProperty("high")));
                }
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task FramesAreWhatTheLibraryMakesOfTheSamples(bool pushesBinary)
    {
        List<StreamingFrame> expected = Expected();
        Assert.True(expected.Count >= 8 && expected.Exists(f => f.Status(Modality.Bp).Provenance == Provenance.Translated));
        string patient = Patient();
        await using LiveClient device = await LiveClient.ConnectAsync(shared.Server, patient);
        await using LiveClient page = await LiveClient.ConnectAsync(shared.Server, patient, "?frames=binary");
        await device.SendAsync(Open);
        JsonElement session = await device.NextAsync("session");
        Assert.Equal(1, session.GetProperty("id").GetInt32());
        Assert.Equal("device", session.GetProperty("source").GetString());
        Assert.Equal(["bp"], session.GetProperty("generate").EnumerateArray().Select(e => e.GetString()!));
        Assert.Equal("5", session.GetProperty("seed").GetString());
        Assert.Equal(0.8, session.GetProperty("window").GetDouble());
        Assert.Equal(JsonValueKind.Null, (await page.NextAsync("session")).GetProperty("id").ValueKind);
        await PushAllAsync(device, pushesBinary);
        await device.SendAsync("""{"type":"complete","id":"end"}""");
        Task<List<JsonElement>> binary = page.FramesAsync();
        AssertEqual(expected, await device.FramesAsync());
        AssertEqual(expected, await binary);
        JsonElement ended = device.Others[^1];
        Assert.Equal("completed", ended.GetProperty("reason").GetString());
        Assert.Equal("end", ended.GetProperty("id").GetString());
        Assert.DoesNotContain(patient, (await shared.Server.GetJsonAsync("/patients")).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task OwnSignalsAndTheGateOfConditionsAreAskedForWhenASessionOpensAndLeaveItsDelay()
    {
        await using LiveClient plain = await LiveClient.ConnectAsync(shared.Server, Patient());
        await plain.SendAsync(Open);
        JsonElement without = await plain.NextAsync("session");
        Assert.False(without.GetProperty("own_signals").GetBoolean());
        Assert.Equal(0, without.GetProperty("min_index").GetDouble());
        await using LiveClient device = await LiveClient.ConnectAsync(shared.Server, Patient());
        await device.SendAsync(Open.Replace("\"draws\"", "\"own_signals\":true,\"min_index\":0.5,\"draws\"", StringComparison.Ordinal));
        JsonElement with = await device.NextAsync("session");
        Assert.True(with.GetProperty("own_signals").GetBoolean());
        Assert.Equal(0.5, with.GetProperty("min_index").GetDouble());
        Assert.Equal(without.GetProperty("algorithmic_delay").GetDouble(), with.GetProperty("algorithmic_delay").GetDouble());

        await using LiveClient wrong = await LiveClient.ConnectAsync(shared.Server, Patient());
        await wrong.SendAsync(Open.Replace("\"draws\"", "\"min_index\":2,\"draws\"", StringComparison.Ordinal));
        Assert.Equal("invalid", (await wrong.NextAsync("error")).GetProperty("code").GetString());
        await wrong.SendAsync("""{"type":"set","own_signals":true}""");
        Assert.Equal("malformed", (await wrong.NextAsync("error")).GetProperty("code").GetString());
    }

    [Fact]
    public async Task ASwitchedOffModalityIsGeneratedAndItsInputSaysSo()
    {
        string patient = Patient();
        await using LiveClient device = await LiveClient.ConnectAsync(shared.Server, patient);
        await device.SendAsync(Open.Replace("\"bp\"", "\"ppg\"", StringComparison.Ordinal));
        await PushAllAsync(device, true, 0, 250);
        await device.SendAsync("""{"type":"set","id":2,"muted":["ppg"],"steps":3}""");
        JsonElement set = await device.NextAsync("session");
        while (set.GetProperty("id").ValueKind == JsonValueKind.Null || set.GetProperty("id").GetInt32() != 2)
            set = await device.NextAsync("session");
        Assert.Equal("ddim:3", set.GetProperty("sampler").GetString());
        Assert.Equal(["ppg"], set.GetProperty("muted").EnumerateArray().Select(e => e.GetString()!));
        await PushAllAsync(device, true, 250);
        JsonElement patients = (await shared.Server.GetJsonAsync("/patients")).GetProperty("patients");
        JsonElement own = patients.EnumerateArray().Single(p => p.GetProperty("patient").GetString() == patient);
        Assert.Equal(["ppg", "ecg"], own.GetProperty("channels").EnumerateArray().Select(e => e.GetString()!));
        Assert.Equal(1, own.GetProperty("connections").GetInt32());
        await device.SendAsync("""{"type":"complete"}""");
        List<JsonElement> frames = await device.FramesAsync();
        JsonElement last = frames[^1].GetProperty("signals").GetProperty("ppg");
        Assert.Equal("muted", last.GetProperty("quality").GetProperty("absence").GetString());
        Assert.Contains(last.GetProperty("provenance").GetString(), (string[])["imputed", "translated"]);
        Assert.DoesNotContain(Wave.Floats(last.GetProperty("values")), float.IsNaN);
    }

    [Fact]
    public async Task CountsAndPushedSumToWhatWasSent()
    {
        await using LiveClient device = await LiveClient.ConnectAsync(shared.Server, Patient());
        await device.SendAsync(Open);
        await device.PushAsync("ppg", 0, Ppg.AsSpan(0, 100));
        await device.SendAsync("""{"type":"samples","id":"twice","modality":"ppg","time":0,"samples":[1,2,null,4]}""");
        JsonElement pushed = await device.NextAsync("pushed");
        Assert.Equal("twice", pushed.GetProperty("id").GetString());
        Assert.Equal(
            (0, 4, 0, 0),
            (pushed.GetProperty("taken").GetInt32(), pushed.GetProperty("repeated").GetInt32(), pushed.GetProperty("late").GetInt32(),
                pushed.GetProperty("set_aside").GetInt32()));
        await device.SendAsync("""{"type":"advance","time":1.5}""");
        await device.SendAsync("""{"type":"counts","id":9}""");
        JsonElement counts = await device.NextAsync("counts");
        Assert.Equal(9, counts.GetProperty("id").GetInt32());
        Assert.Equal(104, counts.GetProperty("input").GetProperty("ppg").GetProperty("samples").GetInt64());
        Assert.Equal(1, counts.GetProperty("input").GetProperty("ppg").GetProperty("duplicate_blocks").GetInt64());
        Assert.True(counts.GetProperty("hops").GetInt64() > 1);
        await device.SendAsync("""{"type":"stop"}""");
        Assert.Equal("stopped", (await device.NextAsync("ended")).GetProperty("reason").GetString());
    }

    [Theory]
    [InlineData("""{"type":"samples","modality":"ppg","time":0,"samples":[1]}""", "conflict", null)]
    [InlineData("""{"type":"stop"}""", "conflict", null)]
    [InlineData("""{"type":"open","channels":{}}""", "invalid", null)]
    [InlineData("""{"type":"open","channels":{"ppg":{"rate":1}}}""", "invalid", null)]
    [InlineData("""{"type":"open","channels":{"ppg":{"rate":125}},"hop":7}""", "invalid", null)]
    [InlineData("""{"type":"open","channels":{"ppg":{"rate":125}},"draws":65}""", "invalid", null)]
    [InlineData("""{"type":"open","channels":{"ppg":{"rate":125}},"sampler":"euler"}""", "invalid", null)]
    [InlineData("""{"type":"replay","recording":"../../etc/passwd"}""", "not_found", null)]
    [InlineData("""{"type":"replay","recording":"x","speed":0.5}""", "invalid", null)]
    [InlineData("""{"type":"advance","time":1e12}""", "invalid", null)]
    [InlineData("""{"type":"open","channels":{"ppg":{"rate":125}},"seeed":1}""", "malformed", WebSocketCloseStatus.InvalidPayloadData)]
    [InlineData("""{"type":"open","channels":{"eeg":{"rate":125}}}""", "malformed", WebSocketCloseStatus.InvalidPayloadData)]
    [InlineData("""{"type":"leave"}""", "malformed", WebSocketCloseStatus.InvalidPayloadData)]
    [InlineData("""{"type":"samples","modality":"ppg","time":0,"samples":["a"]}""", "malformed", WebSocketCloseStatus.InvalidPayloadData)]
    [InlineData("[]", "malformed", WebSocketCloseStatus.InvalidPayloadData)]
    [InlineData("", "malformed", WebSocketCloseStatus.InvalidPayloadData)]
    public async Task WhatCannotBeIsRefusedByName(string message, string code, WebSocketCloseStatus? closes)
    {
        await using LiveClient client = await LiveClient.ConnectAsync(shared.Server, Patient());
        await client.SendAsync(message);
        JsonElement error = await client.NextAsync("error");
        Assert.Equal(code, error.GetProperty("code").GetString());
        Assert.NotEmpty(error.GetProperty("message").GetString()!);
        if (closes is null)
        {
            // It continues.
            await client.SendAsync(Open);
            await client.NextAsync("session");
            return;
        }
        Assert.Null(await client.UntilClosedAsync());
        Assert.Equal(closes, client.Closed);
    }

    [Fact]
    public async Task BinaryMessagesThatAreNoneAndMessagesThatAreTooLongCloseTheConnection()
    {
        foreach ((byte[] message, WebSocketMessageType type,
            WebSocketCloseStatus status) in ((byte[], WebSocketMessageType, WebSocketCloseStatus)[])
            [([1, 2, 3], WebSocketMessageType.Binary, WebSocketCloseStatus.InvalidPayloadData),
                (new byte[(1 << 20) + 1], WebSocketMessageType.Text, WebSocketCloseStatus.MessageTooBig)])
        {
            await using LiveClient client = await LiveClient.ConnectAsync(shared.Server, Patient());
            await client.SendAsync(message, type);
            await client.NextAsync("error");
            Assert.Null(await client.UntilClosedAsync());
            Assert.Equal(status, client.Closed);
        }
    }

    [Fact]
    public async Task ADeviceThatComesBackGoesOnAndOtherChannelsAreAConflict()
    {
        string patient = Patient();
        await using LiveClient page = await LiveClient.ConnectAsync(shared.Server, patient);
        LiveClient device = await LiveClient.ConnectAsync(shared.Server, patient);
        await device.SendAsync(Open);
        long number = (await device.NextAsync("session")).GetProperty("session").GetInt64();
        await PushAllAsync(device, true, 0, 250);
        // Aborting drops what is on its way.
        await device.SendAsync("""{"type":"counts"}""");
        await device.NextAsync("counts");
        device.Abort();

        await using LiveClient again = await LiveClient.ConnectAsync(shared.Server, patient);
        await again.SendAsync("""{"type":"open","channels":{"bp":{"rate":125}}}""");
        Assert.Equal("conflict", (await again.NextAsync("error")).GetProperty("code").GetString());
        await again.SendAsync(Open);
        Assert.Equal(number, (await again.NextAsync("session")).GetProperty("session").GetInt64());
        // Some of it twice, as a device does that does not know what has arrived.
        await PushAllAsync(again, true, 200);
        await again.SendAsync("""{"type":"complete"}""");
        AssertEqual(Expected(), await page.FramesAsync());
    }
}
