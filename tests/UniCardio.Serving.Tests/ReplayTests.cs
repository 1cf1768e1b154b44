using System.Text.Json;
using UniCardio.Signals;
using UniCardio.Signals.Formats;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Serving.Tests;

/// <summary>Recordings replayed, and the demonstration.</summary>
public sealed class ReplayTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("unicardio-serving-").FullName;

    private string Write(string name, double seconds)
    {
        string path = Path.Combine(_folder, name);
        RecordingFile.Write(
            path, new CardiovascularSynthesizer().Generate(new SynthesisParameters(), (int)(seconds * 125), 3).ToRecording());
        return path;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task ARecordingIsReplayedByNameAndComesOutWhole()
    {
        Recording recording = RecordingFile.Read(Write("one.csv", 6));
        File.WriteAllText(Path.Combine(_folder, "notes.md"), "no recording");
        File.WriteAllText(Path.Combine(_folder, "one.beats.csv"), "time_s,sample\n0.5,62\n");
        await using TestServer server = await TestServer.StartAsync(new ServerOptions { Recordings = _folder });
        Assert.Equal(
            ["one"], (await server.GetJsonAsync("/recordings")).GetProperty("recordings").EnumerateArray().Select(e => e.GetString()!));
        await using LiveClient client = await LiveClient.ConnectAsync(server, "bed-1", "?frames=binary");
        foreach (string name in (string[])["one.csv", "../one", "two", "notes.md", "/etc/passwd"])
        {
            await client.SendAsync($$"""{"type":"replay","recording":"{{name}}"}""");
            Assert.Equal("not_found", (await client.NextAsync("error")).GetProperty("code").GetString());
        }
        await client.SendAsync("""{"type":"replay","id":"r","recording":"one","speed":100,"generate":[]}""");
        JsonElement session = await client.NextAsync("session");
        Assert.Equal(("replay", "one", 100),
            (session.GetProperty("source").GetString(), session.GetProperty("recording").GetString(),
                session.GetProperty("speed").GetDouble()));
        List<JsonElement> frames = await client.FramesAsync();
        Assert.Equal("completed", client.Others[^1].GetProperty("reason").GetString());
        // Hops end at multiples of themselves, so the first one begins before the recording does.
        int before = (int)Math.Round(-frames[0].GetProperty("start").GetDouble() * 125);
        Assert.InRange(before, 0, 50);
        foreach ((string modality, ChannelKind kind) in ((string, ChannelKind)[])[("ppg", ChannelKind.Ppg),
            ("bp", ChannelKind.BloodPressure), ("ecg", ChannelKind.Ecg)])
        {
            float[] values = [.. frames.SelectMany(f => Wave.Floats(f.GetProperty("signals").GetProperty(modality).GetProperty("values")))];
            float[] expected = recording.Require(kind).Samples.ToArray();
            Assert.Equal(expected, values.AsSpan(before, expected.Length).ToArray());
        }
        Assert.Equal(0, frames[^1].GetProperty("skipped_hops").GetInt64());
    }

    [Fact]
    public async Task WhyARecordingCannotBePlayedIsSaidWithoutItsFolder()
    {
        File.WriteAllText(Path.Combine(_folder, "broken.hea"), "broken 1 125 300\nbroken.dat 16 200/mmHg 12 0 0 0 0 ABP\n");
        File.WriteAllText(Path.Combine(_folder, "bare.csv"), "ppg\n1\n2\n");
        await using TestServer server = await TestServer.StartAsync(new ServerOptions { Recordings = _folder });
        await using LiveClient client = await LiveClient.ConnectAsync(server, "bed-1");
        foreach ((string name, string why) in ((string, string)[])[("broken", "broken.dat"), ("bare", "sample rate")])
        {
            await client.SendAsync($$"""{"type":"replay","recording":"{{name}}"}""");
            string message = (await client.NextAsync("error")).GetProperty("message").GetString()!;
            Assert.Contains(why, message, StringComparison.Ordinal);
            Assert.DoesNotContain(_folder, message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task AReplayLoopsAndCanBeStopped()
    {
        Write("one.csv", 2);
        await using TestServer server = await TestServer.StartAsync(new ServerOptions { Recordings = _folder });
        await using LiveClient client = await LiveClient.ConnectAsync(server, "bed-1", "?frames=binary");
        await client.SendAsync("""{"type":"replay","recording":"one","speed":50,"loop":true,"generate":[]}""");
        JsonElement frame;
        do
            frame = await client.NextAsync("frame");
        while (frame.GetProperty("start").GetDouble() < 5);
        Assert.Equal(0, frame.GetProperty("segment").GetInt32());
        await client.SendAsync("""{"type":"samples","modality":"ppg","time":0,"samples":[1]}""");
        Assert.Equal("conflict", (await client.NextAsync("error")).GetProperty("code").GetString());
        await client.SendAsync("""{"type":"stop"}""");
        Assert.Equal("stopped", (await client.NextAsync("ended")).GetProperty("reason").GetString());
    }

    [Fact]
    public async Task TheDemonstrationRunsFromTheStart()
    {
        await using TestServer server = await TestServer.StartAsync(new ServerOptions { Demo = Write("demo-recording.csv", 3) });
        await using LiveClient page = await LiveClient.ConnectAsync(server, "demo");
        JsonElement frame = await page.NextAsync("frame");
        Assert.Equal(
            "measured", (await page.NextAsync("frame")).GetProperty("signals").GetProperty("ecg").GetProperty("provenance").GetString());
        Assert.True(frame.GetProperty("count").GetInt32() > 0);
        JsonElement patient = Assert.Single((await server.GetJsonAsync("/patients")).GetProperty("patients").EnumerateArray());
        Assert.Equal(("demo", "demo", "demo-recording"),
            (patient.GetProperty("patient").GetString(), patient.GetProperty("source").GetString(),
                patient.GetProperty("recording").GetString()));
    }
}
