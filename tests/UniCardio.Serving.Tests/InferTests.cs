using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Engine.Sessions;
using UniCardio.Pipeline;
using UniCardio.Signals.Processing;

namespace UniCardio.Serving.Tests;

/// <summary>The Open Inference Protocol against the engine itself.</summary>
public class InferTests(SharedServer shared) : IClassFixture<SharedServer>
{
    private const string Quick = """ "draws":3,"sampler":"ddim:2","seed":7 """;

    // What a request should compute, straight from the engine: [draws, S] of each window in the target's unit.
    private static float[] Expected(CardioTask task, int windows, ulong seed, params (Modality Modality, float[] Values)[] signals)
    {
        using ServedModel model = TestServer.Tiny();
        using InferenceSession session = model.Engine.CreateSession(
            task, new SessionOptions { Windows = windows, Draws = 3, Sampler = SamplerOptions.Parse("ddim:2"), Seed = seed });
        const int S = TestServer.Samples;
        var conditions = new float[session.Plan.ConditionSamples];
        var scales = new AffineScale[windows];
        int count = session.Plan.Conditions.Count;
        for (int w = 0; w < windows; w++)
        {
            ReadOnlySpan<float> Row(Modality m) => signals.Single(s => s.Modality == m).Values.AsSpan(w * S, S);
            var window = new SampleRange(0, S);
            scales[w] = task.Kind != TaskKind.Translate
                ? WindowScale.Of(task.Output, Row(task.Output), window, task.Kind == TaskKind.Denoise)
                : AffineScale.Normalized;
            for (int c = 0; c < count; c++)
            {
                Modality condition = session.Plan.Conditions[c];
                AffineScale scale = condition == task.Output && task.Kind != TaskKind.Translate ? scales[w]
                    : WindowScale.Of(condition, Row(condition), window);
                scale.Forward(Row(condition), conditions.AsSpan(((w * count) + c) * S, S));
            }
        }
        var results = new float[session.Plan.StateSamples];
        session.Run(conditions, results);
        for (int w = 0; w < windows; w++)
            scales[w].Inverse(results.AsSpan(w * 3 * S, 3 * S), results.AsSpan(w * 3 * S, 3 * S));
        return results;
    }

    [Fact]
    public async Task ABodyMaySayOfItselfWhatItLikes()
    {
        // As curl -d sends it.
        string body = $$"""{"inputs":[{{Wave.Json("ppg", Wave.Make(1, 1, 1), 1)}}]}""";
        await TestServer.JsonAsync(await shared.Server.Client.PostAsync("/v2/models/translate/infer",
            new StringContent(body, Encoding.UTF8, "application/x-www-form-urlencoded")));
        await TestServer.JsonAsync(await shared.Server.Client.PostAsync("/v2/models/translate/infer",
            new ByteArrayContent(Encoding.UTF8.GetBytes(body))));
    }

    [Fact]
    public async Task TranslationIsWhatTheEngineComputes()
    {
        TestServer server = shared.Server;
        float[] ppg = Wave.Make(2, 0.5f, 0.3f), ecg = Wave.Make(2, 0, 1, 40);
        JsonElement answer = await TestServer.JsonAsync(await server.PostAsync("/v2/models/translate/infer",
            $$"""{"id":"a-1","parameters":{"target":"bp",{{Quick}}},"inputs":[{{Wave.Json("ppg", ppg, 2)}},{{Wave.Json("ecg", ecg, 2)}}]}"""));
        Assert.Equal("a-1", answer.GetProperty("id").GetString());
        Assert.Equal("translate", answer.GetProperty("model_name").GetString());
        Assert.Equal("ppg,ecg->bp", answer.GetProperty("parameters").GetProperty("task").GetString());
        // No other signal tells the level of a pressure.
        Assert.Equal("normalized", answer.GetProperty("parameters").GetProperty("unit").GetString());
        Assert.True(answer.GetProperty("parameters").GetProperty("untrained").GetBoolean());

        float[] expected = Expected(CardioTask.Parse("ppg,ecg->bp"), 2, 7, (Modality.Ppg, ppg), (Modality.Ecg, ecg));
        JsonElement draws = Wave.Output(answer, "draws");
        Assert.Equal([2, 3, 100], draws.GetProperty("shape").EnumerateArray().Select(e => e.GetInt32()));
        // A float32 in its shortest text is the same float32 when it is read again.
        Assert.Equal(expected, Wave.Floats(draws.GetProperty("data")));
        float[] signal = Wave.Floats(Wave.Output(answer, "signal").GetProperty("data")),
            low = Wave.Floats(Wave.Output(answer, "low").GetProperty("data")),
            high = Wave.Floats(Wave.Output(answer, "high").GetProperty("data"));
        Assert.Equal(200, signal.Length);
        for (int i = 0; i < signal.Length; i++)
        {
            float[] sorted = [.. Enumerable.Range(0, 3).Select(d => expected[(((i / 100) * 3) + d) * 100 + (i % 100)]).Order()];
            Assert.Equal(sorted[1], signal[i]);
            Assert.InRange(low[i], sorted[0], sorted[1]);
            Assert.InRange(high[i], sorted[1], sorted[2]);
        }
    }

    [Fact]
    public async Task ImputationKeepsWhatIsMeasuredAndDenoisingFillsNoGap()
    {
        TestServer server = shared.Server;
        float[] bp = Wave.Make(1, 95, 20), ppg = Wave.Make(1, 0.5f, 0.3f);
        for (int i = 0; i < bp.Length; i += 2)
            bp[i] += 3; // Something to take off.
        bp.AsSpan(30, 20).Fill(float.NaN);
        string body(
            string target) =>
                $$"""{"parameters":{"target":"{{target}}",{{Quick}}},"inputs":[{{Wave.Json("bp", bp, 1)}},{{Wave.Json("ppg", ppg, 1)}}],"outputs":[{"name":"signal"}]}""";

        JsonElement imputed = await TestServer.JsonAsync(await server.PostAsync("/v2/models/impute/infer", body("bp")));
        float[] expected = Expected(CardioTask.Parse("impute bp | ppg"), 1, 7, (Modality.Ppg, ppg), (Modality.Bp, bp));
        float[] signal = Wave.Floats(Assert.Single(imputed.GetProperty("outputs").EnumerateArray()).GetProperty("data"));
        for (int i = 0; i < 100; i++)
            Assert.Equal(float.IsNaN(bp[i]) ? Enumerable.Range(0, 3).Select(d => expected[(d * 100) + i]).Order().ElementAt(1)
                : bp[i], signal[i]);

        JsonElement denoised = await TestServer.JsonAsync(await server.PostAsync("/v2/models/denoise/infer", body("bp")));
        Assert.Equal("denoise bp | ppg", denoised.GetProperty("parameters").GetProperty("task").GetString());
        float[] clean = Wave.Floats(Assert.Single(denoised.GetProperty("outputs").EnumerateArray()).GetProperty("data"));
        for (int i = 0; i < 100; i++)
            Assert.Equal(float.IsNaN(bp[i]), float.IsNaN(clean[i]));
        Assert.NotEqual(bp[0], clean[0]);
    }

    [Fact]
    public async Task DenoisingEstimatesUnlessToldToDraw()
    {
        TestServer server = shared.Server;
        float[] bp = Wave.Make(2, 95, 20), ppg = Wave.Make(2, 0.5f, 0.3f), noise = new float[200];
        Engine.Sampling.PhiloxNormal.Fill(3, 0, 0, 0, noise);
        for (int i = 0; i < 200; i++)
            bp[i] += noise[i];
        bp.AsSpan(30, 20).Fill(float.NaN);
        async Task<JsonElement> Ask(string parameters, string outputs) =>
            await TestServer.JsonAsync(await server.PostAsync("/v2/models/denoise/infer",
            $$"""{"parameters":{"target":"bp",{{Quick}}{{parameters}}},"inputs":[{{Wave.Json("bp", bp, 2)}},{{Wave.Json("ppg", ppg, 2)}}]{{outputs}}}"""));
        JsonElement alone = await Ask("", ""","outputs":[{"name":"signal"}]"""), all = await Ask("", ""),
            median = await Ask(""","summary":"median" """, "");
        Assert.Equal("estimate", alone.GetProperty("parameters").GetProperty("summary").GetString());
        float[] signal = Wave.Floats(Wave.Output(alone, "signal").GetProperty("data"));
        Assert.Equal(signal, Wave.Floats(Wave.Output(all, "signal").GetProperty("data")));
        Assert.NotEqual(signal, Wave.Floats(Wave.Output(median, "signal").GetProperty("data")));
        foreach (string output in (string[])["low", "high", "draws"])
            Assert.Equal(Wave.Floats(Wave.Output(median, output).GetProperty("data")),
                Wave.Floats(Wave.Output(all, output).GetProperty("data")));

        float[] window = bp[..100], measured = [.. window], conditions = new float[200], expected = new float[100];
        AffineScale scale = AffineScale.BloodPressure;
        WindowScale.Of(Modality.Ppg, ppg, new(0, 100)).Forward(ppg.AsSpan(0, 100), conditions.AsSpan(0, 100));
        scale.Forward(window, conditions.AsSpan(100));
        GapBridge.FillAll(measured);
        using ServedModel model = TestServer.Tiny();
        using InferenceSession session = model.Engine.CreateSession(CardioTask.Parse("denoise bp | ppg"));
        session.Estimate(conditions, [.. measured.Select(scale.Forward)], WhiteNoise.Level(window) / scale.HalfRange, expected);
        for (int i = 0; i < 100; i++)
            Assert.Equal(float.IsNaN(window[i]) ? float.NaN : scale.Inverse(expected[i]), signal[i]);
        HttpResponseMessage refused = await server.PostAsync("/v2/models/impute/infer",
            $$"""{"parameters":{"summary":"estimate"},"inputs":[{{Wave.Json("bp", bp, 2)}}]}""");
        await TestServer.RefusedAsync(HttpStatusCode.BadRequest, "only model 'denoise'", refused);
    }

    [Fact]
    public async Task TensorsInBinaryAreTheSameAsInJson()
    {
        TestServer server = shared.Server;
        float[] bp = Wave.Make(1, 95, 20), ppg = Wave.Make(1, 0.5f, 0.3f);
        bp.AsSpan(70, 30).Fill(float.NaN);
        JsonElement text = await TestServer.JsonAsync(
            await server.PostAsync("/v2/models/impute/infer",
                $$"""{"parameters":{ {{Quick}} },"inputs":[{{Wave.Json("bp", bp, 1)}},{{Wave.Json("ppg", ppg, 1)}}]}"""));
        string header = "{\"parameters\":{" + Quick + """
            ,"binary_data_output":true},"inputs":[{"name":"bp","shape":[1,100],"datatype":"FP32","parameters":{"binary_data_size":400}},
            {"name":"ppg","shape":[1,100],"datatype":"FP32","parameters":{"binary_data_size":400}}],"outputs":[{"name":"draws"},{"name":"low","parameters":{"binary_data":false}},{"name":"signal"}]}
            """;
        byte[] body = [.. Encoding.UTF8.GetBytes(header), .. MemoryMarshal.AsBytes(bp.AsSpan()), .. MemoryMarshal.AsBytes(ppg.AsSpan())];
        HttpResponseMessage response =
            await server.PostAsync("/v2/models/impute/versions/1/infer", body, Encoding.UTF8.GetByteCount(header));
        byte[] answer = await response.Content.ReadAsByteArrayAsync();
        Assert.True(response.IsSuccessStatusCode, Encoding.UTF8.GetString(answer));
        Assert.Equal("application/octet-stream", response.Content.Headers.ContentType!.MediaType);
        int length = int.Parse(Assert.Single(response.Headers.GetValues("Inference-Header-Content-Length")));
        JsonElement json = JsonDocument.Parse(answer.AsMemory(0, length)).RootElement;
        Assert.Equal(["draws", "low", "signal"],
            json.GetProperty("outputs").EnumerateArray().Select(o => o.GetProperty("name").GetString()!));
        Assert.Equal(1200, Wave.Output(json, "draws").GetProperty("parameters").GetProperty("binary_data_size").GetInt32());
        Assert.False(Wave.Output(json, "low").TryGetProperty("parameters", out _));
        Assert.Equal(length + 1200 + 400, answer.Length);
        Assert.Equal(Wave.Floats(Wave.Output(text, "draws").GetProperty("data")),
            MemoryMarshal.Cast<byte, float>(answer.AsSpan(length, 1200)).ToArray());
        Assert.Equal(Wave.Floats(Wave.Output(text, "signal").GetProperty("data")),
            MemoryMarshal.Cast<byte, float>(answer.AsSpan(length + 1200)).ToArray());
        Assert.Equal(Wave.Floats(Wave.Output(text, "low").GetProperty("data")), Wave.Floats(Wave.Output(json, "low").GetProperty("data")));
    }

    [Fact]
    public async Task AClientThatKnowsOnlyTheProtocolIsServed()
    {
        TestServer server = shared.Server;
        Assert.True((await server.GetJsonAsync("/v2/health/live")).GetProperty("live").GetBoolean());
        Assert.True((await server.GetJsonAsync("/v2/health/ready")).GetProperty("ready").GetBoolean());
        JsonElement metadata = await server.GetJsonAsync("/v2");
        Assert.Contains("binary_tensor_data", metadata.GetProperty("extensions").EnumerateArray().Select(e => e.GetString()));
        Assert.NotEmpty(metadata.GetProperty("name").GetString()!);
        Assert.NotEmpty(metadata.GetProperty("version").GetString()!);
        foreach (string model in (string[])["impute", "denoise", "translate"])
        {
            Assert.True((await server.GetJsonAsync($"/v2/models/{model}/ready")).GetProperty("ready").GetBoolean());
            JsonElement described = await server.GetJsonAsync($"/v2/models/{model}");
            Assert.Equal(model, described.GetProperty("name").GetString());
            Assert.NotEmpty(described.GetProperty("platform").GetString()!);
            // Every input as the metadata has it, a batch of one where the extent is open, some values.
            string inputs = string.Join(',', described.GetProperty("inputs").EnumerateArray().Select(input =>
            {
                long[] shape = [.. input.GetProperty("shape").EnumerateArray().Select(e => Math.Max(1, e.GetInt64()))];
                Assert.Equal("FP32", input.GetProperty("datatype").GetString());
                return $$"""{"name":"{{input.GetProperty("name").GetString()}}","shape":[{{string.Join(',', shape)}}],"datatype":"FP32","data":[{{string.Join(',', Enumerable.Range(0, (int)shape.Aggregate((a, b) => a * b)).Select(i => i % 10))}}]}""";
            }));
            JsonElement answer =
                await TestServer.JsonAsync(await server.PostAsync($"/v2/models/{model}/infer", $$"""{"inputs":[{{inputs}}]}"""));
            foreach (JsonElement expected in described.GetProperty("outputs").EnumerateArray())
            {
                JsonElement output = Wave.Output(answer, expected.GetProperty("name").GetString()!);
                long[] shape = [.. output.GetProperty("shape").EnumerateArray().Select(e => e.GetInt64())];
                Assert.Equal(expected.GetProperty("datatype").GetString(), output.GetProperty("datatype").GetString());
                Assert.Equal(expected.GetProperty("shape").GetArrayLength(), shape.Length);
                Assert.All(expected.GetProperty("shape").EnumerateArray().Zip(shape), pair =>
                    Assert.True(pair.First.GetInt64() == -1 || pair.First.GetInt64() == pair.Second));
                Assert.Equal(shape.Aggregate((a, b) => a * b), output.GetProperty("data").GetArrayLength());
            }
        }
    }

    public static TheoryData<string, string> BadBodies() => new()
    {
        { "", "not JSON" },
        { "[]", "expected a JSON object" },
        { "{", "not JSON" },
        { "{}", "'inputs' is missing" },
        { """{"inputs":[]}""", "needs another signal" },
        { """{"inputs":{}}""", "should be a list" },
        { """{"inputs":[1]}""", "should be an object" },
        { """{"inputs":[{"name":"ppg"}]}""", "lacks" },
        { """{"inputs":[{"name":"ppg","shape":[1,100],"datatype":"FP32"}]}""", "neither" },
        { """{"inputs":[{"name":"ppg","shape":[1,100],"datatype":"INT32","data":[1]}]}""", "expected FP32" },
        { """{"inputs":[{"name":"ppg","shape":[1,100],"datatype":"FP32","data":[1,2]}]}""", "has 2 values" },
        { """{"inputs":[{"name":"ppg","shape":[1,2],"datatype":"FP32","data":[1,2]}]}""", "expected [windows, 100]" },
        { """{"inputs":[{"name":"ppg","shape":[-1,-100],"datatype":"FP32","data":[]}]}""", "negative" },
        { """{"inputs":[{"name":"ppg","shape":[4000000000,4000000000],"datatype":"FP32","data":[]}]}""", "as many as this server takes" },
        { """{"inputs":[{"name":"ppg","shape":[1,100],"datatype":"FP32","data":["a"]}]}""", "expected a number" },
        { """{"inputs":[{"name":"ppg","shape":[1,100],"datatype":"FP32","data":[1e99]}]}""", "not a float32" },
        { """{"inputs":[{"name":"ppg","shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":8}}]}""", "0 are left" },
        { """{"inputs":[]} x""", "not JSON" },
    };

    [Theory]
    [MemberData(nameof(BadBodies))]
    public async Task BodiesThatAreNoRequestAreRefusedWithTheirPlace(string body, string words)
    {
        TestServer server = shared.Server;
        await TestServer.RefusedAsync(HttpStatusCode.BadRequest, words, await server.PostAsync("/v2/models/translate/infer", body));
    }

    [Theory]
    [InlineData("translate", """{"target":"bp"}""", "ppg", HttpStatusCode.OK, "")]
    [InlineData("translate", """{"target":"ppg"}""", "ppg", HttpStatusCode.BadRequest, "another signal")]
    [InlineData("impute", """{"target":"bp"}""", "ppg", HttpStatusCode.BadRequest, "needs the signal itself")]
    [InlineData("impute", """{"target":"eeg"}""", "ppg", HttpStatusCode.BadRequest, "one of ppg, bp and ecg")]
    [InlineData("impute", """{"target":"ppg","draws":0}""", "ppg", HttpStatusCode.BadRequest, "from 1 to 64")]
    [InlineData("impute", """{"target":"ppg","draws":1e3}""", "ppg", HttpStatusCode.BadRequest, "from 1 to 64")]
    [InlineData("impute", """{"target":"ppg","draws":"8"}""", "ppg", HttpStatusCode.BadRequest, "from 1 to 64")]
    [InlineData("impute", """{"target":"ppg","steps":51}""", "ppg", HttpStatusCode.BadRequest, "steps")]
    [InlineData("impute", """{"target":"ppg","sampler":"euler"}""", "ppg", HttpStatusCode.BadRequest, "not a sampler")]
    [InlineData("impute", """{"target":"ppg","seed":-1}""", "ppg", HttpStatusCode.BadRequest, "seed")]
    [InlineData("impute", """{"target":"ppg","sede":1}""", "ppg", HttpStatusCode.BadRequest, "no parameter 'sede'")]
    [InlineData("impute", """{"target":[]}""", "ppg", HttpStatusCode.BadRequest, "should be a text")]
    [InlineData("impute", """{"target":"ppg"}""", "eeg", HttpStatusCode.BadRequest, "no input 'eeg'")]
    [InlineData("restore", """{"target":"ppg"}""", "ppg", HttpStatusCode.NotFound, "no model")]
    [InlineData("impute/versions/2", """{"target":"ppg"}""", "ppg", HttpStatusCode.NotFound, "version")]
    public async Task ParametersAndModelsAreHeldAgainstWhatThereIs(string model, string parameters, string input, HttpStatusCode status,
        string words)
    {
        TestServer server = shared.Server;
        HttpResponseMessage response = await server.PostAsync($"/v2/models/{model}/infer",
            $$"""{"parameters":{{parameters}},"inputs":[{{Wave.Json(input, Wave.Make(1, 1, 1), 1)}}]}""");
        if (status == HttpStatusCode.OK)
            await TestServer.JsonAsync(response);
        else
            await TestServer.RefusedAsync(status, words, response);
    }

    [Fact]
    public async Task AWindowWithoutAMeasuredSampleIsNamed()
    {
        TestServer server = shared.Server;
        float[] ppg = Wave.Make(2, 1, 1);
        ppg.AsSpan(100).Fill(float.NaN);
        await TestServer.RefusedAsync(HttpStatusCode.BadRequest, "input 'ppg', window 1",
            await server.PostAsync("/v2/models/translate/infer", $$"""{"inputs":[{{Wave.Json("ppg", ppg, 2)}}]}"""));
    }
}
