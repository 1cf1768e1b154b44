using UniCardio.Engine;

namespace UniCardio.Serving.Hosting;

/// <summary>A request that is answered with a status and a message.</summary>
internal sealed class RequestException : UniCardioException
{
    /// <param name="status">HTTP status.</param>
    /// <param name="message">What is wrong and what was expected; goes to the client.</param>
    /// <param name="retryAfter">Seconds after which the client may try again, or null.</param>
    /// <param name="inner">The cause, if any.</param>
    public RequestException(int status, string message, int? retryAfter = null, Exception? inner = null)
        : base(message, inner)
    {
        Status = status;
        RetryAfter = retryAfter;
    }

    public int Status { get; }

    public int? RetryAfter { get; }

    /// <summary>400: the request cannot be.</summary>
    public static RequestException Bad(string message, Exception? inner = null) =>
        new(StatusCodes.Status400BadRequest, message, inner: inner);

    /// <summary>503: never again from this process.</summary>
    public static RequestException Stopping(string? detail = null, Exception? inner = null) => new(StatusCodes.Status503ServiceUnavailable,
        "the server is shutting down" + detail, 5, inner);

    /// <summary>503: not now.</summary>
    public static RequestException Unavailable(string message, int retryAfter = 1) =>
        new(StatusCodes.Status503ServiceUnavailable, message, retryAfter);
}
