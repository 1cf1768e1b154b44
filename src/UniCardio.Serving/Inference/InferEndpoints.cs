using System.Globalization;
using UniCardio.Serving.Hosting;
using UniCardio.Serving.Protocol;

namespace UniCardio.Serving.Inference;

/// <summary>The Open Inference Protocol v2 over REST, with the binary tensor data extension.</summary>
internal sealed class InferEndpoints(ServerOptions options, ModelHost host, ByteBudget budget, InferRunner runner)
{
    private const string HeaderLength = "Inference-Header-Content-Length";
    private const string Tag = "Open Inference Protocol v2";

    /// <summary>Extensions of the protocol that are served.</summary>
    public static IReadOnlyList<string> Extensions { get; } = ["binary_tensor_data", "model_repository", "statistics"];

    public void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/v2", ServerMetadata).Describe(Tag, "What the server is.", typeof(ServerDescription));
        endpoints.MapGet("/v2/health/live", context => WriteAsync(context, StatusCodes.Status200OK, new Liveness(true)))
            .Describe(Tag, "Whether the process answers.", typeof(Liveness));
        endpoints.MapGet("/v2/health/ready", context => WriteAsync(context, Status(host.IsReady), new Readiness(true, host.IsReady)))
            .Describe(Tag, "Whether requests are computed; 503 while they are not.", typeof(Readiness),
                StatusCodes.Status503ServiceUnavailable);
        endpoints.MapPost("/v2/repository/index", RepositoryIndex).Describe(Tag, "The models and their states.", typeof(IndexEntry[]));
        endpoints.MapGet("/v2/models/stats", context => WriteAsync(context, StatusCodes.Status200OK,
            new StatisticsList(runner.Statistics()))).Describe(Tag, "What all models were asked and did.", typeof(StatisticsList));
        foreach (string version in (string[])["", "/versions/{version}"])
        {
            string model = "/v2/models/{model}" + version;
            endpoints.MapGet(model, ModelMetadata)
                .Describe(Tag, "Inputs, outputs and defaults of a model: impute, denoise or translate.", typeof(ModelMetadata),
                    StatusCodes.Status404NotFound, StatusCodes.Status503ServiceUnavailable);
            endpoints.MapGet(model + "/ready", ModelReady)
                .Describe(Tag, "Whether a model is computed; 503 while it is not.", typeof(ModelReadiness), StatusCodes.Status404NotFound,
                    StatusCodes.Status503ServiceUnavailable);
            endpoints.MapGet(model + "/stats", context => WriteAsync(context, StatusCodes.Status200OK,
                new StatisticsList(runner.Statistics(Family(context)))))
                .Describe(Tag, "What a model was asked and did.", typeof(StatisticsList), StatusCodes.Status404NotFound);
            endpoints.MapPost(model + "/infer", InferAsync)
                .Describe(Tag, "Windows in, windows out: JSON, or JSON and then tensors as bytes.", typeof(InferBody),
                    400, 404, 408, 413, 415, 422, 503, 504)
                .WithMetadata(new DescribedBody(typeof(InferRequestBody), ["application/json", "application/octet-stream"]));
        }
    }

    private Task RepositoryIndex(HttpContext context) =>
        WriteAsync(context, StatusCodes.Status200OK, ModelFamily.All.Select(f => new IndexEntry(f.Name, ModelFamily.Version,
            host.IsReady ? "READY" : "UNAVAILABLE",
            host.IsReady ? "" : "the weights are not packed, or the server is shutting down")).ToArray());

    private static int Status(bool ready) => ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;

    private static Task ServerMetadata(HttpContext context) => WriteAsync(context, StatusCodes.Status200OK,
        new ServerDescription("unicardio", typeof(InferEndpoints).Assembly.GetName().Version!.ToString(3), [.. Extensions],
            [.. ModelFamily.All.Select(f => f.Name)], Signals.Plotting.SignalPlot.Disclaimer));

    private Task ModelMetadata(HttpContext context) =>
        WriteAsync(context, StatusCodes.Status200OK, Family(context).Describe(options, host.Require().Model));

    private Task ModelReady(HttpContext context) =>
        WriteAsync(context, Status(host.IsReady), new ModelReadiness(Family(context).Name, host.IsReady));

    private static ModelFamily Family(HttpContext context) =>
        ModelFamily.Find((string)context.GetRouteValue("model")!, (string?)context.GetRouteValue("version"));

    private Task InferAsync(HttpContext context) => runner.RunAsync(context, Family(context), async (maxValues, cancellation) =>
    {
        using RequestBody body = await RequestBody.ReadAsync(context.Request, options.MaxBodyBytes, budget, cancellation);
        return InferRequestReader.Read(body.Bytes, JsonLength(context.Request), maxValues);
    }, async answer =>
    {
        await InferResponse.WriteAsync(context, options, answer);
        return true;
    });

    private static int? JsonLength(HttpRequest request)
    {
        string header = request.Headers[HeaderLength].ToString();
        if (header.Length == 0)
            return null;
        return int.TryParse(header, NumberStyles.None, CultureInfo.InvariantCulture, out int length) ? length
            : throw RequestException.Bad($"{HeaderLength} should be a number of bytes");
    }

    private static Task WriteAsync<T>(HttpContext context, int status, T message)
    {
        byte[] body = ProtocolJson.Bytes(message);
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        return context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }
}
