using System.Diagnostics;
using System.Globalization;
using UniCardio.Serving.Hosting;
using UniCardio.Serving.Metrics;

namespace UniCardio.Serving.Inference;

/// <summary>Runs infer requests, whichever way they came: one time limit, one budget of memory, one queue, one set of statistics.</summary>
internal sealed class InferRunner(ServerOptions options, ModelHost host, ByteBudget budget)
{
    private readonly Dictionary<string, ModelStatistics> _statistics =
        ModelFamily.All.ToDictionary(f => f.Name, _ => new ModelStatistics());

    /// <summary>What all models, or one of them, were asked and did.</summary>
    public object[] Statistics(ModelFamily? family = null) =>
        [.. _statistics.Where(s => family is null || s.Key == family.Name).Select(s => s.Value.Describe(s.Key))];

    /// <summary>Reads, computes and answers one request.</summary>
    /// <param name="context">Its call.</param>
    /// <param name="family">The model.</param>
    /// <param name="read">Makes the request of its bytes; gets the most values that a tensor may have.</param>
    /// <param name="answer">Sends the answer; the memory of the results counts until it is done.</param>
    /// <exception cref="RequestException">It is refused.</exception>
    public async Task<T> RunAsync<T>(HttpContext context, ModelFamily family, Func<int, CancellationToken, Task<InferRequest>> read,
        Func<InferAnswer, Task<T>> answer)
    {
        long start = Stopwatch.GetTimestamp();
        int status = StatusCodes.Status500InternalServerError;
        using Activity? activity = RequestSpan.Start("infer", context.Request);
        activity?.SetTag("unicardio.model", family.Name);
        InferJob? done = null;
        try
        {
            T result = await ComputeAsync(context, family, read, async a =>
            {
                T sent = await answer(a);
                done = a.Job;
                return sent;
            });
            status = StatusCodes.Status200OK;
            return result;
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

    private async Task<T> ComputeAsync<T>(HttpContext context, ModelFamily family,
        Func<int, CancellationToken, Task<InferRequest>> read, Func<InferAnswer, Task<T>> answer)
    {
        Served served = host.Require();
        await served.Infer.RequireRoomAsync(context.RequestAborted);
        using ByteBudget.Lease memory = budget.Take(0);
        using var time = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        time.CancelAfter(options.RequestTime);
        using var bodyTime = CancellationTokenSource.CreateLinkedTokenSource(time.Token, host.Bodies);
        bool isRead = false;
        try
        {
            InferAnswer result;
            Task computed;
            using (host.Reading())
            {
                InferRequest request = await read(options.MaxWindows * served.Model.Engine.Configuration.SlotSamples, bodyTime.Token);
                isRead = true;
                IReadOnlyList<InferOutput> wanted = InferResponse.Wanted(request);
                InferJob job = InferJob.Create(family, request, options, served.Model.Engine.Configuration);
                memory.GrowTo(job.Bytes);
                computed = served.Infer.RunAsync(job, time.Token);
                result = new InferAnswer(family, request, wanted, job, served.Model);
            }
            await computed;
            return await answer(result);
        }
        catch (OperationCanceledException problem) when (!isRead && host.Bodies.IsCancellationRequested && !time.IsCancellationRequested)
        {
            throw RequestException.Stopping("; the body had not come", problem);
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
}
