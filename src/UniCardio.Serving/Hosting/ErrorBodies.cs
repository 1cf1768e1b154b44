using UniCardio.Engine;
using UniCardio.Engine.Sessions;
using UniCardio.Serving.Protocol;

namespace UniCardio.Serving.Hosting;

/// <summary>
/// The outermost frame of every request: whatever goes wrong becomes a status and <c>{"error": "..."}</c>, as the Open Inference Protocol
/// has it.
/// </summary>
internal sealed partial class ErrorBodies(RequestDelegate next, ILogger<ErrorBodies> log)
{
    public async Task InvokeAsync(HttpContext context)
    {
        ConnectionGuard.HasRequest(context);
        try
        {
            await next(context);
            if (context.Response is { HasStarted: false, StatusCode: >= 400, ContentLength: null } response
                && !context.WebSockets.IsWebSocketRequest)
                await WriteAsync(context, response.StatusCode, Text(context, response.StatusCode));
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is left to be answered.
            if (!context.Response.HasStarted)
                context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
        }
        catch (Exception problem) when (!context.Response.HasStarted)
        {
            await AnswerAsync(context, problem);
        }
#pragma warning disable CA1031 // Past this frame the exception would be logged as it is, with whatever its message holds.
        catch (Exception problem)
#pragma warning restore CA1031
        {
            if (!Fault.IsExpected(problem) && problem is not OperationCanceledException)
                LogFault(log, problem.GetType().Name, Fault.Describe(problem));
            context.Abort();
        }
    }

    /// <summary>What a client is told; what is no answer but a fault is logged.</summary>
    public static (int Status, string Message, int? Retry) Answer(Exception problem, ILogger log)
    {
        (int Status, string Message, int? Retry) answer = problem switch
        {
            RequestException r => (r.Status, r.Message, r.RetryAfter),
            BadHttpRequestException b => (b.StatusCode, b.Message, null),
            NonFiniteResultException n => (StatusCodes.Status422UnprocessableEntity, n.Message, null),
            UniCardioException u => (StatusCodes.Status400BadRequest, u.Message, null),
            _ => (StatusCodes.Status500InternalServerError, "the server failed; its log has the cause", null),
        };
        if (answer.Status >= 500 && problem is not RequestException)
            LogFault(log, problem.GetType().Name, Fault.Describe(problem));
        return answer;
    }

    private async Task AnswerAsync(HttpContext context, Exception problem)
    {
        (int status, string message, int? retry) = Answer(problem, log);
        if (retry is int seconds)
            context.Response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        await WriteAsync(context, status, message);
    }

    private static string Text(HttpContext context, int status) => status switch
    {
        StatusCodes.Status404NotFound => "there is nothing at this address",
        StatusCodes.Status405MethodNotAllowed => $"{context.Request.Method} is not for this address",
        _ => $"status {status}",
    };

    private static async Task WriteAsync(HttpContext context, int status, string message)
    {
        byte[] body = ProtocolJson.Bytes(new ErrorBody(message));
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
            await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }

    [LoggerMessage(1, LogLevel.Error, "A request failed with {Error}: {Fault}")]
    private static partial void LogFault(ILogger log, string error, string fault);
}
