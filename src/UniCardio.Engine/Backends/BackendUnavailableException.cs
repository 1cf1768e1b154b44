namespace UniCardio.Engine.Backends;

/// <summary>A backend that was asked for and cannot run here; the message says why.</summary>
public sealed class BackendUnavailableException : UniCardioException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="backend">The backend, e.g. <c>gpu</c>.</param>
    /// <param name="reason">Why it cannot run.</param>
    /// <param name="inner">The cause, if another exception led here.</param>
    public BackendUnavailableException(string backend, string reason, Exception? inner = null)
        : base($"the {backend} backend is not available: {reason}", inner)
    {
        Backend = backend;
        Reason = reason;
    }

    /// <summary>The backend.</summary>
    public string Backend { get; }

    /// <summary>Why it cannot run.</summary>
    public string Reason { get; }
}
