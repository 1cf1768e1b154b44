using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace UniCardio.Serving.Tests;

/// <summary>What a scraper and a page are told.</summary>
public partial class MetricsTests
{
    [GeneratedRegex(
        """^[a-zA-Z_][a-zA-Z0-9_]*(\{[a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\.)*"(,[a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\.)*")*\})? (?<value>\S+)$""", RegexOptions.ExplicitCapture)]
    private static partial Regex Sample();

    [Fact]
    public async Task MetricsAreInPrometheusTextAndHoldNothingOfAPatient()
    {
        await using TestServer server = await TestServer.StartAsync();
        string patient = $"secret{Guid.NewGuid():N}";
        await using LiveClient device = await LiveClient.ConnectAsync(server, patient);
        await device.SendAsync("""{"type":"open","channels":{"ppg":{"rate":125}},"generate":["bp"],"draws":2,"sampler":"ddim:1"}""");
        await device.PushAsync("ppg", 0, Wave.Make(3, 0.5f, 0.3f));
        await device.SendAsync("""{"type":"complete"}""");
        await device.FramesAsync();
        await TestServer.JsonAsync(
            await server.PostAsync("/v2/models/translate/infer",
                $$"""{"parameters":{"draws":1,"sampler":"ddim:1"},"inputs":[{{Wave.Json("ppg", Wave.Make(1, 1, 1), 1)}}]}"""));
        HttpResponseMessage response = await server.Client.GetAsync("/metrics");
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", response.Content.Headers.ContentType!.ToString());
        string text = await response.Content.ReadAsStringAsync();
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain(patient, text, StringComparison.Ordinal);
        var types = new Dictionary<string, string>();
        var values = new Dictionary<string, double>();
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
                types.Add(line.Split(' ')[2], line.Split(' ')[3]);
            else if (!line.StartsWith("# HELP ", StringComparison.Ordinal))
                values.Add(line[..line.LastIndexOf(' ')],
                    double.Parse(Sample().Match(line) is { Success: true } m
                        ? m.Groups["value"].Value.Replace("+Inf", "Infinity", StringComparison.Ordinal) : throw new FormatException(line),
                        CultureInfo.InvariantCulture));
        }
        Assert.Equal("counter", types["unicardio_streaming_windows_total"]);
        Assert.Equal("histogram", types["unicardio_serving_infer_duration_seconds"]);
        Assert.Equal("gauge", types["unicardio_serving_connections"]);
        // Other tests of the process count too.
        Assert.True(values["unicardio_streaming_hops_total"] >= 3);
        Assert.True(values["unicardio_serving_frames_sent_total"] >= 3);
        Assert.True(
            values["""unicardio_serving_infer_duration_seconds_count{unicardio_model="translate",http_response_status_code="200"}"""] >= 1);
        string series =
            """unicardio_serving_infer_duration_seconds_bucket{unicardio_model="translate",http_response_status_code="200",le=""";
        double[] buckets = [.. values.Where(v => v.Key.StartsWith(series, StringComparison.Ordinal)).Select(v => v.Value)];
        Assert.Equal(buckets.Order(), buckets);
        Assert.Equal(
            values["""unicardio_serving_infer_duration_seconds_count{unicardio_model="translate",http_response_status_code="200"}"""],
            buckets[^1]);
    }

    [Fact]
    public async Task APageIsToldOfPatientsAndLoad()
    {
        await using TestServer server = await TestServer.StartAsync();
        using HttpResponseMessage response = await server.Client.GetAsync("/events", HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        async Task<JsonElement> Next(string name)
        {
            while (true)
            {
                string read = (await reader.ReadLineAsync())!;
                string data = (await reader.ReadLineAsync())!;
                Assert.Equal("", await reader.ReadLineAsync());
                Assert.StartsWith("data: ", data, StringComparison.Ordinal);
                if (read == "event: " + name)
                    return JsonDocument.Parse(data[6..]).RootElement;
            }
        }
        Assert.Empty((await Next("patients")).GetProperty("patients").EnumerateArray());
        JsonElement metrics = await Next("metrics");
        Assert.True(metrics.GetProperty("ready").GetBoolean());
        Assert.Equal(1, metrics.GetProperty("connections").GetInt32());
        Assert.InRange(metrics.GetProperty("load").GetDouble(), 0, 1);
        await using LiveClient device = await LiveClient.ConnectAsync(server, "bed-7");
        await device.SendAsync("""{"type":"open","channels":{"ppg":{"rate":125}}}""");
        Assert.Equal(
            "bed-7", Assert.Single((await Next("patients")).GetProperty("patients").EnumerateArray()).GetProperty("patient").GetString());
        metrics = await Next("metrics");
        Assert.Equal((1, 2), (metrics.GetProperty("sessions").GetInt32(), metrics.GetProperty("connections").GetInt32()));
    }
}
