using Grpc.Core;
using UniCardio.Serving.Hosting;

namespace UniCardio.Serving.Inference.Grpc;

/// <summary>The Open Inference Protocol v2 over gRPC: the calls of <see cref="InferEndpoints"/>, with the same limits and
/// statistics.</summary>
internal sealed class GrpcInference(ServerOptions options, ModelHost host, InferRunner runner, ILogger<GrpcInference> log)
    : GRPCInferenceService.GRPCInferenceServiceBase
{
    public override Task<ServerLiveResponse> ServerLive(ServerLiveRequest request, ServerCallContext context) =>
        Task.FromResult(new ServerLiveResponse { Live = true });

    public override Task<ServerReadyResponse> ServerReady(ServerReadyRequest request, ServerCallContext context) =>
        Task.FromResult(new ServerReadyResponse { Ready = host.IsReady });

    public override Task<ModelReadyResponse> ModelReady(ModelReadyRequest request, ServerCallContext context) => AnswerAsync(() =>
    {
        Find(request.Name, request.Version);
        return Task.FromResult(new ModelReadyResponse { Ready = host.IsReady });
    });

    public override Task<ServerMetadataResponse> ServerMetadata(ServerMetadataRequest request, ServerCallContext context)
    {
        var answer = new ServerMetadataResponse
        {
            Name = "unicardio",
            Version = typeof(GrpcInference).Assembly.GetName().Version!.ToString(3),
        };
        return Task.FromResult(answer);
    }

    public override Task<ModelMetadataResponse> ModelMetadata(ModelMetadataRequest request, ServerCallContext context) => AnswerAsync(() =>
    {
        ModelMetadata model = Find(request.Name, request.Version).Describe(options, host.Require().Model);
        var answer = new ModelMetadataResponse { Name = model.Name, Platform = model.Platform };
        answer.Versions.AddRange(model.Versions);
        answer.Inputs.AddRange(model.Inputs.Select(Tensor));
        answer.Outputs.AddRange(model.Outputs.Select(Tensor));
        return Task.FromResult(answer);
    });

    public override Task<ModelInferResponse> ModelInfer(ModelInferRequest request, ServerCallContext context) => AnswerAsync(() =>
        runner.RunAsync(context.GetHttpContext(), Find(request.ModelName, request.ModelVersion),
            (maxValues, _) => Task.FromResult(GrpcTensors.Read(request, maxValues)),
            answer => Task.FromResult(GrpcTensors.Write(answer))));

    /// <summary>A refusal with the code that goes with an HTTP status.</summary>
    public static RpcException Refusal(int status, string message) => new(new Status(status switch
    {
        StatusCodes.Status400BadRequest or StatusCodes.Status415UnsupportedMediaType => StatusCode.InvalidArgument,
        StatusCodes.Status404NotFound => StatusCode.NotFound,
        StatusCodes.Status408RequestTimeout or StatusCodes.Status504GatewayTimeout => StatusCode.DeadlineExceeded,
        StatusCodes.Status413PayloadTooLarge => StatusCode.ResourceExhausted,
        StatusCodes.Status422UnprocessableEntity => StatusCode.FailedPrecondition,
        StatusCodes.Status503ServiceUnavailable => StatusCode.Unavailable,
        _ => StatusCode.Internal,
    }, message));

    private static ModelFamily Find(string name, string version) => ModelFamily.Find(name, version.Length > 0 ? version : null);

    private static ModelMetadataResponse.Types.TensorMetadata Tensor(TensorMetadata tensor)
    {
        var answer = new ModelMetadataResponse.Types.TensorMetadata { Name = tensor.Name, Datatype = tensor.Datatype };
        answer.Shape.AddRange(tensor.Shape);
        return answer;
    }

    private async Task<T> AnswerAsync<T>(Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (OperationCanceledException)
        {
            // The client has gone, or its deadline.
            throw new RpcException(Status.DefaultCancelled);
        }
#pragma warning disable CA1031 // Every failure is an answer, as over HTTP.
        catch (Exception problem) when (problem is not RpcException)
#pragma warning restore CA1031
        {
            (int status, string message, _) = ErrorBodies.Answer(problem, log);
            throw Refusal(status, message);
        }
    }
}
