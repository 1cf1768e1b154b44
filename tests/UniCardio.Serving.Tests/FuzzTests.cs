using System.Globalization;
using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using UniCardio.Serving.Protocol;
using UniCardio.Tests.Shared;

namespace UniCardio.Serving.Tests;

/// <summary>Malformed bodies and messages: right statuses, and the server stays up. UNICARDIO_FUZZ sets how many.</summary>
public class FuzzTests
{
    private static readonly string Request =
        $$"""{"id":"a","parameters":{"target":"bp","draws":1,"sampler":"ddim:1","steps":1,"seed":3,"summary":"mean"},"inputs":[{{Wave.Json("ppg", [.. Wave.Make(1, 1, 1).Select(x => MathF.Round(x, 2))], 1)}}],"outputs":[{"name":"signal","parameters":{"binary_data":true} }]}""";

    private static readonly string[] Messages =
    [
        """{"type":"open","id":1,"channels":{"ppg":{"rate":125,"min_value":-10,"max_value":10},"ecg":{"rate":250}},"generate":["bp"],"denoise":[],"muted":["ecg"],"draws":1,"sampler":"ddim:1","seed":"7","hop":0.4,"lateness":0.1,"own_signals":true,"min_index":0.5,"restart":true}""",
        """{"type":"samples","id":"x","modality":"ppg","time":1.25,"samples":[0.1,0.2,null,0.4]}""",
        """{"type":"set","muted":["ppg"],"generate":[],"steps":1,"draws":2}""",
        """{"type":"advance","time":3.5}""",
        """{"type":"replay","recording":"one","speed":2.5,"loop":false}""",
        """{"type":"counts"}""",
        """{"type":"complete"}""",
    ];

    // A header, then 100 floats after it.
    private static byte[] BinaryRequest()
    {
        byte[] json = Encoding.UTF8.GetBytes(
            """{"parameters":{"draws":1,"sampler":"ddim:1"},"inputs":[{"name":"ppg","shape":[1,100],"datatype":"FP32","parameters":{"binary_data_size":400}}]}""");
        return [.. json, .. Wave.Make(1, 1, 1).SelectMany(BitConverter.GetBytes)];
    }

    private static byte[] Samples() => [0x55, 0x43, 1, 1, 40, 0, 0, 0, 64, 66, 15, 0, 0, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0,
        .. ((float[])[1, 2, float.NaN, 4]).SelectMany(BitConverter.GetBytes)];

    [Fact]
    public async Task BodiesGet200Or400AndTheServerStaysUp()
    {
        await using TestServer server = await TestServer.StartAsync();
        byte[][] seeds = [Encoding.UTF8.GetBytes(Request), BinaryRequest()];
        int binaryHeader = BinaryRequest().Length - 400, accepted = 0, count = MutationFuzzer.CountFor(1500);
        var statuses = new SortedDictionary<int, int>();
        for (int i = 0; i < count; i++)
        {
            byte[] body = MutationFuzzer.Mutant(seeds, 11, i);
            // The header says what the sound one would, or whatever.
            int? header = (i % 4) switch { 0 => null, 1 => binaryHeader, 2 => body.Length, _ => i % 997 };
            using HttpResponseMessage response = await server.PostAsync("/v2/models/translate/infer", body, header);
            int status = (int)response.StatusCode;
            statuses[status] = statuses.GetValueOrDefault(status) + 1;
            string text = await response.Content.ReadAsStringAsync();
            Assert.True(status is 200 or 400, $"mutant {i}: {status} {text}");
            if (status == 400)
                Assert.NotEmpty(JsonDocument.Parse(text).RootElement.GetProperty("error").GetString()!);
            else
                accepted++;
        }
        Assert.True(accepted > 0 && statuses[400] > count / 3, string.Join(", ", statuses));
        await TestServer.JsonAsync(await server.Client.GetAsync("/v2/health/ready"));
    }

    [Fact]
    public async Task MessagesGetAnAnswerOrAnErrorAndTheServerStaysUp()
    {
        await using TestServer server = await TestServer.StartAsync(new ServerOptions { Linger = TimeSpan.FromSeconds(0.1) });
        byte[][] seeds = [.. Messages.Select(Encoding.UTF8.GetBytes), Samples()];
        int count = MutationFuzzer.CountFor(1500);
        LiveClient? client = null;
        var errors = new SortedDictionary<string, int>(StringComparer.Ordinal);
        for (int i = 0; i < count; i++)
        {
            client ??= await LiveClient.ConnectAsync(server, "fuzz");
            byte[] message = MutationFuzzer.Mutant(seeds, 12, i);
            await client.SendAsync(message, i % 3 == 0 ? WebSocketMessageType.Binary : WebSocketMessageType.Text);
            bool probed = false, isText = i % 3 == 0 || Utf8.IsValid(message);
            while (true)
            {
                JsonElement? answer = null;
                bool isBroken = false;
                try
                {
                    // An answer that must come: to this, or the error that the message was worth.
                    if (!probed)
                        await client.SendAsync("""{"type":"counts","id":"probe"}""");
                    probed = true;
                    answer = await client.ReceiveAsync();
                }
                catch (WebSocketException) when (!isText)
                {
                    // A text that is none ends the connection below the protocol (RFC 6455, 8.1).
                    isBroken = true;
                }
                if (answer is null)
                {
                    Assert.True(isBroken || client.Closed == WebSocketCloseStatus.InvalidPayloadData, $"mutant {i}: {client.Closed}");
                    await client.DisposeAsync();
                    client = null;
                    break;
                }
                if (LiveClient.Type(answer.Value) == "error")
                {
                    string code = answer.Value.GetProperty("code").GetString()!;
                    errors[code] = errors.GetValueOrDefault(code) + 1;
                    Assert.True(code is "malformed" or "invalid" or "conflict" or "not_found", $"mutant {i}: {answer}");
                }
                if (answer.Value.TryGetProperty("id", out JsonElement id) && id.ValueKind == JsonValueKind.String
                    && id.GetString() == "probe")
                    break;
            }
        }
        Assert.True(errors["malformed"] > count / 4 && errors["invalid"] > 0, string.Join(", ", errors));
        await TestServer.JsonAsync(await server.Client.GetAsync("/v2/health/ready"));
    }

    [Fact]
    public void TheReaderOfMessagesThrowsNothingElse()
    {
        var reader = new MessageReader();
        byte[][] seeds = [.. Messages.Select(Encoding.UTF8.GetBytes)];
        FuzzReport text =
            MutationFuzzer.Run(seeds, MutationFuzzer.CountFor(20_000), 13, input => reader.ReadText(input), e => e is ProtocolException);
        FuzzReport binary = MutationFuzzer.Run([Samples()], MutationFuzzer.CountFor(20_000), 14, input => reader.ReadBinary(input), e =>
            e is ProtocolException);
        Assert.True(text.Accepted > 0 && text.Refused > text.Accepted, text.ToString());
        Assert.True(binary.Accepted > 0 && binary.Refused > 0, binary.ToString());
    }

    [Fact]
    public void TheReaderOfRequestsThrowsNothingElse()
    {
        FuzzReport report = MutationFuzzer.Run([Encoding.UTF8.GetBytes(Request)], MutationFuzzer.CountFor(20_000), 15, input =>
            Inference.InferRequestReader.Read(input, null, 6400), e => e is Hosting.RequestException { Status: 400 });
        Assert.True(report.Accepted > 0 && report.Refused > report.Accepted, report.ToString());
    }
}
