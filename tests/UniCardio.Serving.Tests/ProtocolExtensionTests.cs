using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;

namespace UniCardio.Serving.Tests;

/// <summary>What clients of other servers of the protocol send along or ask for.</summary>
public sealed class ProtocolExtensionTests(SharedServer shared) : IClassFixture<SharedServer>
{
    // One decimal place of a binary fraction: exact in every type that is taken.
    private static readonly float[] Values = [.. Wave.Make(1, 1, 1).Select(v => MathF.Round(v * 64) / 64)];

    private static byte[] Bytes(string type)
    {
        int width = type switch { "FP64" => 8, "FP32" => 4, _ => 2 };
        var bytes = new byte[width * Values.Length];
        for (int i = 0; i < Values.Length; i++)
        {
            Span<byte> to = bytes.AsSpan(width * i);
            float x = i == 7 ? float.NaN : Values[i];
            switch (type)
            {
                case "FP64":
                    BinaryPrimitives.WriteDoubleLittleEndian(to, x);
                    break;
                case "FP16":
                    BinaryPrimitives.WriteHalfLittleEndian(to, (Half)x);
                    break;
                case "BF16":
                    BinaryPrimitives.WriteUInt16LittleEndian(to, (ushort)(BitConverter.SingleToUInt32Bits(x) >> 16));
                    break;
                default:
                    BinaryPrimitives.WriteSingleLittleEndian(to, x);
                    break;
            }
        }
        return bytes;
    }

    private async Task<HttpResponseMessage> SendAsync(string type, byte[] data, int declared)
    {
        string json =
            $$"""{"parameters":{"priority":1,"timeout":100000},"inputs":[{"name":"ppg","shape":[1,100],"datatype":"{{type}}","parameters":{"binary_data_size":{{declared}} } }],"outputs":[{"name":"signal"}]}""";
        byte[] head = Encoding.UTF8.GetBytes(json);
        return await shared.Server.PostAsync("/v2/models/translate/infer", [.. head, .. data], head.Length);
    }

    [Theory]
    [InlineData("FP64")]
    [InlineData("FP16")]
    [InlineData("BF16")]
    public async Task OtherFloatsGiveTheResultOfTheirValuesInFp32(string type)
    {
        // bfloat16 has 8 bits: the values that it can hold are those compared.
        float[] held =
            [.. Values.Select(v => type == "BF16" ? BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(v) & 0xFFFF0000) : v)];
        held[7] = float.NaN;
        byte[] plain = new byte[4 * held.Length];
        for (int i = 0; i < held.Length; i++)
            BinaryPrimitives.WriteSingleLittleEndian(plain.AsSpan(4 * i), held[i]);
        float[] expected = Wave.Floats(
            Wave.Output(await TestServer.JsonAsync(await SendAsync("FP32", plain, plain.Length)), "signal").GetProperty("data"));
        byte[] bytes = Bytes(type);
        float[] found =
            Wave.Floats(Wave.Output(await TestServer.JsonAsync(await SendAsync(type, bytes, bytes.Length)), "signal").GetProperty("data"));
        Assert.Equal(expected, found);
        await TestServer.RefusedAsync(HttpStatusCode.BadRequest, "binary_data_size", await SendAsync(type, bytes, 400));
    }

    [Fact]
    public async Task ADoubleThatIsNoFloatIsRefusedAndSoAreIntegers()
    {
        byte[] bytes = Bytes("FP64");
        BinaryPrimitives.WriteDoubleLittleEndian(bytes.AsSpan(16), 0.1);
        await TestServer.RefusedAsync(HttpStatusCode.BadRequest, "value 2 is no float32", await SendAsync("FP64", bytes, 800));
        await TestServer.RefusedAsync(HttpStatusCode.BadRequest, "FP32", await SendAsync("INT32", new byte[400], 400));
    }

    [Theory]
    [InlineData("NaN")]
    [InlineData("-Infinity")]
    public async Task WhoWritesNaNInJsonIsToldToWriteNull(string word)
    {
        string data = string.Join(',', Values.Select((v, i) => i == 3 ? word : v.ToString("R", CultureInfo.InvariantCulture)));
        await TestServer.RefusedAsync(HttpStatusCode.BadRequest, "write null", await shared.Server.PostAsync("/v2/models/translate/infer",
            $$"""{"inputs":[{"name":"ppg","shape":[1,100],"datatype":"FP32","data":[{{data}}]}]}"""));
    }

    [Fact]
    public async Task TheRepositoryListsTheModelsAndTheirStatisticsCount()
    {
        JsonElement index = await TestServer.JsonAsync(await shared.Server.PostAsync("/v2/repository/index", "{}"));
        Assert.Equal(["impute", "denoise", "translate"], index.EnumerateArray().Select(m => m.GetProperty("name").GetString()));
        Assert.All(index.EnumerateArray(), m => Assert.Equal("READY", m.GetProperty("state").GetString()));
        async Task<(long Windows, long Success, long Fail)> Read()
        {
            JsonElement stats = Assert.Single(
                (await shared.Server.GetJsonAsync("/v2/models/translate/versions/1/stats")).GetProperty("model_stats").EnumerateArray());
            JsonElement infer = stats.GetProperty("inference_stats");
            Assert.True(infer.GetProperty("success").GetProperty("ns").GetInt64() >= infer.GetProperty("compute_infer").GetProperty("ns")
                .GetInt64());
            return (stats.GetProperty("inference_count").GetInt64(), infer.GetProperty("success").GetProperty("count").GetInt64(),
                infer.GetProperty("fail").GetProperty("count").GetInt64());
        }
        (long windows, long success, long fail) = await Read();
        await TestServer.JsonAsync(
            await shared.Server.PostAsync("/v2/models/translate/infer", $$"""{"inputs":[{{Wave.Json("ppg", Wave.Make(3, 1, 1), 3)}}]}"""));
        await shared.Server.PostAsync("/v2/models/translate/infer", "{}");
        Assert.Equal((windows + 3, success + 1, fail + 1), await Read());
        Assert.Equal(3, (await shared.Server.GetJsonAsync("/v2/models/stats")).GetProperty("model_stats").GetArrayLength());
    }
}
