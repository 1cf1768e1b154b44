using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;
using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using UniCardio.Serving.Inference.Grpc;
using Xunit.Abstractions;

namespace UniCardio.Serving.Tests;

/// <summary>The generated client against the server: results are those of REST, limits too.</summary>
public class GrpcTests(ITestOutputHelper output)
{
    private static ServerOptions Options => new() { GrpcPort = 0, Sampler = Engine.Sampling.SamplerOptions.Parse("ddim:2"), Draws = 2 };

    private static GrpcChannel Connect(TestServer server, int? most = null) => GrpcChannel.ForAddress(server.Server.GrpcAddress!,
        new GrpcChannelOptions { MaxSendMessageSize = null, MaxReceiveMessageSize = null, HttpHandler =
            new SocketsHttpHandler { MaxConnectionsPerServer = most ?? int.MaxValue, EnableMultipleHttp2Connections = true } });

    private static ModelInferRequest Request(bool raw, float[] ppg, string type = "FP32")
    {
        var request = new ModelInferRequest { ModelName = "translate", Id = "a" };
        request.Parameters.Add("seed", new InferParameter { Int64Param = 7 });
        var input = new ModelInferRequest.Types.InferInputTensor { Name = "ppg", Datatype = type };
        input.Shape.AddRange([ppg.Length / TestServer.Samples, TestServer.Samples]);
        request.Inputs.Add(input);
        if (raw)
            request.RawInputContents.Add(ByteString.CopyFrom(MemoryMarshal.AsBytes(ppg.AsSpan())));
        else if (type == "FP64")
            (input.Contents = new InferTensorContents()).Fp64Contents.AddRange(ppg.Select(x => (double)x));
        else
            (input.Contents = new InferTensorContents()).Fp32Contents.AddRange(ppg);
        return request;
    }

    private static async Task RefusedAsync(StatusCode code, string words, Func<Task> call)
    {
        RpcException problem = await Assert.ThrowsAsync<RpcException>(call);
        Assert.Equal(code, problem.StatusCode);
        Assert.Contains(words, problem.Status.Detail, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task ItsResultsAreThoseOfRest()
    {
        await using TestServer server = await TestServer.StartAsync(Options);
        using GrpcChannel channel = Connect(server);
        var client = new GRPCInferenceService.GRPCInferenceServiceClient(channel);
        Assert.True((await client.ServerLiveAsync(new ServerLiveRequest())).Live);
        Assert.True((await client.ServerReadyAsync(new ServerReadyRequest())).Ready);
        Assert.True((await client.ModelReadyAsync(new ModelReadyRequest { Name = "impute" })).Ready);
        Assert.Equal("unicardio", (await client.ServerMetadataAsync(new ServerMetadataRequest())).Name);
        ModelMetadataResponse metadata = await client.ModelMetadataAsync(new ModelMetadataRequest { Name = "denoise", Version = "1" });
        Assert.Equal(["ppg", "bp", "ecg"], metadata.Inputs.Select(i => i.Name));
        Assert.Equal([-1, TestServer.Samples], metadata.Inputs[0].Shape);
        float[] ppg = Wave.Make(2, 1, 1);
        JsonElement rest = await TestServer.JsonAsync(await server.PostAsync("/v2/models/translate/infer",
            $$"""{"id":"a","parameters":{"seed":7},"inputs":[{{Wave.Json("ppg", ppg, 2)}}]}"""));
        foreach ((bool raw, string type) in ((bool, string)[])[(true, "FP32"), (false, "FP32"), (false, "FP64")])
        {
            ModelInferResponse answer = await client.ModelInferAsync(Request(raw, ppg, type));
            Assert.Equal(("translate", "1", "a"), (answer.ModelName, answer.ModelVersion, answer.Id));
            Assert.Equal(rest.GetProperty("parameters").GetProperty("task").GetString(), answer.Parameters["task"].StringParam);
            Assert.Contains("not a medical device", answer.Parameters["remark"].StringParam, StringComparison.OrdinalIgnoreCase);
            Assert.Equal(["signal", "low", "high", "draws"], answer.Outputs.Select(o => o.Name));
            for (int i = 0; i < 4; i++)
            {
                JsonElement expected = rest.GetProperty("outputs")[i];
                Assert.Equal(expected.GetProperty("shape").EnumerateArray().Select(x => x.GetInt64()), answer.Outputs[i].Shape);
                float[] values = raw ? MemoryMarshal.Cast<byte, float>(answer.RawOutputContents[i].Span).ToArray()
                    : [.. answer.Outputs[i].Contents.Fp32Contents];
                Assert.Equal(expected.GetProperty("data").EnumerateArray().Select(x => x.GetSingle()), values);
            }
        }
    }

    [Fact]
    public async Task RefusalsHaveTheCodesThatGoWithTheStatuses()
    {
        await using TestServer server =
            await TestServer.StartAsync(Options with { MaxBodyBytes = 1 << 20, MaxMemoryBytes = 4 << 20, MaxWaiting = 0 });
        using GrpcChannel channel = Connect(server);
        var client = new GRPCInferenceService.GRPCInferenceServiceClient(channel);
        async Task Ask(ModelInferRequest request) => await client.ModelInferAsync(request);
        float[] ppg = Wave.Make(1, 1, 1);
        ModelInferRequest With(Action<ModelInferRequest> change)
        {
            ModelInferRequest request = Request(true, ppg);
            change(request);
            return request;
        }
        await RefusedAsync(StatusCode.NotFound, "impute", () => Ask(With(r => r.ModelName = "other")));
        await RefusedAsync(StatusCode.NotFound, "version", () => Ask(With(r => r.ModelVersion = "2")));
        await RefusedAsync(StatusCode.InvalidArgument, "raw", () => Ask(With(r => r.RawInputContents.Add(ByteString.Empty))));
        await RefusedAsync(StatusCode.InvalidArgument, "400", () => Ask(With(r => r.RawInputContents[0] = ByteString.CopyFrom(1, 2))));
        await RefusedAsync(StatusCode.InvalidArgument, "contents beside", () =>
            Ask(With(r => r.Inputs[0].Contents = new InferTensorContents())));
        await RefusedAsync(StatusCode.InvalidArgument, "INT8", () => Ask(With(r => r.Inputs[0].Datatype = "INT8")));
        await RefusedAsync(StatusCode.InvalidArgument, "negative", () => Ask(With(r => r.Inputs[0].Shape[0] = -1)));
        await RefusedAsync(StatusCode.InvalidArgument, "has no value", () => Ask(With(r => r.Parameters.Add("draws", new()))));
        await RefusedAsync(StatusCode.InvalidArgument, "no parameter", () =>
            Ask(With(r => r.Parameters.Add("temperature", new InferParameter { DoubleParam = 1 }))));
        await RefusedAsync(StatusCode.InvalidArgument, "infinite", () => Ask(Request(false, [.. ppg[..99], float.PositiveInfinity])));
        await RefusedAsync(StatusCode.ResourceExhausted, "", () =>
            Ask(With(r => r.RawInputContents[0] = ByteString.CopyFrom(new byte[2 << 20]))));
        await RefusedAsync(StatusCode.DeadlineExceeded, "", async () => await client.ModelInferAsync(
            With(r => r.Parameters.Add("sampler", new InferParameter { StringParam = "ddpm" })),
                deadline: DateTime.UtcNow.AddMilliseconds(1)));
        await client.ModelInferAsync(Request(true, ppg));
    }

    [Fact]
    public async Task WithATokenItIsAskedForHereToo()
    {
        await using TestServer server = await TestServer.StartAsync(Options with { Token = "0123456789abcdef" });
        using GrpcChannel channel = Connect(server);
        var client = new GRPCInferenceService.GRPCInferenceServiceClient(channel);
        await RefusedAsync(StatusCode.Unauthenticated, "", async () => await client.ModelInferAsync(Request(true, Wave.Make(1, 1, 1))));
        var token = new Metadata { { "authorization", "Bearer 0123456789abcdef" } };
        Assert.Single((await client.ModelInferAsync(Request(true, Wave.Make(1, 1, 1)), token)).Parameters, p => p.Key == "task");
    }

    /// <summary>Messages that never end are counted while they come, and their memory comes back.</summary>
    [Fact]
    public async Task MessagesHeldOpenShareTheBudget()
    {
        const int Calls = 30, Each = 2 << 20;
        await using TestServer server = await TestServer.StartAsync(
            Options with { MaxBodyBytes = 4 << 20, MaxMemoryBytes = 32 << 20, RequestTime = TimeSpan.FromMinutes(10) });
        using GrpcChannel channel = Connect(server);
        var client = new GRPCInferenceService.GRPCInferenceServiceClient(channel);
        await client.ModelInferAsync(Request(true, Wave.Make(1, 1, 1)));
        long before = Process.GetCurrentProcess().WorkingSet64;
        using var handler = new SocketsHttpHandler { EnableMultipleHttp2Connections = true };
        using var http = new HttpClient(handler) { DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        using var release = new CancellationTokenSource();
        Task<string>[] held = [.. Enumerable.Range(0, Calls).Select(async _ =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(server.Server.GrpcAddress!,
                "/inference.GRPCInferenceService/ModelInfer")) { Version = HttpVersion.Version20,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = new Unfinished(Each, release.Token) };
            try
            {
                using HttpResponseMessage answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
                return answer.Headers.TryGetValues("grpc-status", out IEnumerable<string>? status) ? status.Single() : "none";
            }
            catch (HttpRequestException)
            {
                return "released";
            }
            catch (OperationCanceledException)
            {
                return "released";
            }
        })];
        await TestServer.UntilAsync(() => held.Count(h => h.IsCompleted) >= Calls - 8, "too few messages are refused");
        long most = Process.GetCurrentProcess().WorkingSet64 - before;
        Task<string>[] refused = [.. held.Where(h => h.IsCompleted)];
        // 32 MiB are eight messages of 2 MiB, each counted twice.
        Assert.InRange(refused.Length, Calls - 8, Calls - 1);
        Assert.All(refused, r => Assert.Equal("14", r.Result));
        await release.CancelAsync();
        await Task.WhenAll(held);
        await TestServer.UntilAsync(() => server.Server.Memory.Used == 0, "the memory of messages that were given up is not given back");
        await client.ModelInferAsync(Request(true, Wave.Make(1, 1, 1)));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{Calls} messages of {Each >> 20} MiB held open: {refused.Length} refused, {most >> 20} MiB more resident, the client's too"));
    }

    private sealed class Unfinished(int bytes, CancellationToken release) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            var head = new byte[5 + bytes];
            System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(1), bytes + 1);
            await stream.WriteAsync(head, release);
            await stream.FlushAsync(release);
            await Task.Delay(Timeout.Infinite, release);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            Headers.ContentType = new("application/grpc");
            return false;
        }
    }
}
