using System.Diagnostics;
using System.Globalization;
using UniCardio.Serving.Hosting;
using UniCardio.Serving.Metrics;
using UniCardio.Serving.Protocol;

namespace UniCardio.Serving.Inference;

/// <summary>The Open Inference Protocol v2 over REST, with the binary tensor data extension.</summary>
internal sealed class InferEndpoints(ServerOptions options, ModelHost host, ByteBudget budget)
{
    private const string HeaderLength = "Inference-Header-Content-Length";

    private readonly Dictionary<string, ModelStatistics> _statistics =
        ModelFamily.All.ToDictionary(f => f.Name, _ => new ModelStatistics());

    public void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/v2", ServerMetadata);
        endpoints.MapGet("/v2/health/live", context => WriteAsync(context, StatusCodes.Status200OK, new { live = true }));
        endpoints.MapGet("/v2/health/ready", context =>
            WriteAsync(context, Status(host.IsReady), new { live = true, ready = host.IsReady }));
        endpoints.MapPost("/v2/repository/index", RepositoryIndex);
        endpoints.MapGet("/v2/models/stats", context => WriteAsync(context, StatusCodes.Status200OK,
            new { model_stats = _statistics.Select(s => s.Value.Describe(s.Key)).ToArray() }));
        foreach (string version in (string[])["", "/versions/{version}"])
        {
            endpoints.MapGet("/v2/models/{model}" + version, ModelMetadata);
            endpoints.MapGet("/v2/models/{model}" + version + "/ready", ModelReady);
            endpoints.MapGet("/v2/models/{model}" + version + "/stats", Statistics);
            endpoints.MapPost("/v2/models/{model}" + version + "/infer", InferAsync);
        }
    }

    private Task RepositoryIndex(HttpContext context) => WriteAsync(context, StatusCodes.Status200OK, ModelFamily.All.Select(f => new
    {
        name = f.Name,
        version = ModelFamily.Version,
        state = host.IsReady ? "READY" : "UNAVAILABLE",
        reason = host.IsReady ? "" : "the weights are not packed, or the server is shutting down",
    }).ToArray());

    private Task Statistics(HttpContext context)
    {
        ModelFamily family = Family(context);
        return WriteAsync(context, StatusCodes.Status200OK,
            new { model_stats = (object[])[_statistics[family.Name].Describe(family.Name)] });
    }

    private static int Status(bool ready) => ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;

    private static Task ServerMetadata(HttpContext context) => WriteAsync(context, StatusCodes.Status200OK, new
    {
        name = "unicardio",
        version = typeof(InferEndpoints).Assembly.GetName().Version!.ToString(3),
        extensions = (string[])["binary_tensor_data", "model_repository", "statistics"],
        models = ModelFamily.All.Select(f => f.Name).ToArray(),
        remark = Signals.Plotting.SignalPlot.Disclaimer,
    });

    private Task ModelMetadata(HttpContext context) =>
        WriteAsync(context, StatusCodes.Status200OK, Family(context).Describe(options, host.Require().Model));

    private Task ModelReady(HttpContext context) =>
        WriteAsync(context, Status(host.IsReady), new { name = Family(context).Name, ready = host.IsReady });

    private static ModelFamily Family(HttpContext context) =>
        ModelFamily.Find((string)context.GetRouteValue("model")!, (string?)context.GetRouteValue("version"));

    private async Task InferAsync(HttpContext context)
    {
        ModelFamily family = Family(context);
        long start = Stopwatch.GetTimestamp();
        int status = StatusCodes.Status500InternalServerError;
        using Activity? activity = RequestSpan.Start("infer", context.Request);
        activity?.SetTag("unicardio.model", family.Name);
        InferJob? done = null;
        try
        {
            done = await InferAsync(context, family);
            status = StatusCodes.Status200OK;
        }
        catch (Exception problem)
        {
            status = problem is RequestException refused ? refused.Status : problem is Engine.UniCardioException
                ? StatusCodes.Status400BadRequest : status;
            activity?.SetStatus(ActivityStatusCode.Error, problem.GetType().Name);
            throw;
        }
        finally
        {
            _statistics[family.Name].Note(Stopwatch.GetElapsedTime(start), done);
            ServingMetrics.InferDuration.Record(Stopwatch.GetElapsedTime(start).TotalSeconds, new("unicardio.model", family.Name),
                new("http.response.status_code", status));
        }
    }

    private async Task<InferJob> InferAsync(HttpContext context, ModelFamily family)
    {
        Served served = host.Require();
        using ByteBudget.Lease memory = budget.Take(0);
        using var time = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        time.CancelAfter(options.RequestTime);
        bool isRead = false;
        try
        {
            InferRequest request;
            using (RequestBody body = await RequestBody.ReadAsync(context.Request, options.MaxBodyBytes, budget, time.Token))
            {
                isRead = true;
                request = InferRequestReader.Read(body.Bytes, JsonLength(context.Request),
                    options.MaxWindows * served.Model.Engine.Configuration.SlotSamples);
            }
            IReadOnlyList<InferOutput> wanted = InferResponse.Wanted(request);
            InferJob job = InferJob.Create(family, request, options, served.Model.Engine.Configuration);
            memory.GrowTo(job.Bytes);
            await served.Infer.RunAsync(job, time.Token);
            await InferResponse.WriteAsync(context, options, new InferAnswer(family, request, wanted, job, served.Model));
            return job;
        }
        catch (OperationCanceledException problem) when (!context.RequestAborted.IsCancellationRequested)
        {
            string limit = options.RequestTime.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture);
            throw isRead
                ? new RequestException(StatusCodes.Status504GatewayTimeout,
                    $"not computed within {limit} s, which is as long as a request may take; send fewer windows, draws or steps",
                    inner: problem)
                : new RequestException(StatusCodes.Status408RequestTimeout, $"the body did not come within {limit} s", inner: problem);
        }
    }

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
