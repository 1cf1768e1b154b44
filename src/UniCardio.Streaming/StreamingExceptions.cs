using UniCardio.Engine;

namespace UniCardio.Streaming;

/// <summary>
/// A checkpoint that does not hold what it should: cut short, damaged, of another version, or of another network's window.
/// </summary>
public sealed class CheckpointException : UniCardioException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="offset">Byte at which the reader found out.</param>
    /// <param name="problem">What is wrong and what was expected.</param>
    /// <param name="inner">The cause, if any.</param>
    public CheckpointException(int offset, string problem, Exception? inner = null)
        : base($"checkpoint, byte {offset}: {problem}", inner) => Offset = offset;

    /// <summary>Byte at which the reader found out.</summary>
    public int Offset { get; }
}

/// <summary>A host holds as many sessions as it was told to allow.</summary>
public sealed class TooManySessionsException : UniCardioException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="limit">How many are allowed.</param>
    public TooManySessionsException(int limit)
        : base(
            $"{limit} sessions are open, which is as many as this host allows; close one or raise "
            + $"{nameof(StreamingHostOptions)}.{nameof(StreamingHostOptions.MaxSessions)}") => Limit = limit;

    /// <summary>How many are allowed.</summary>
    public int Limit { get; }
}

/// <summary>A session takes no more samples: it was completed or closed, or its frame handler failed.</summary>
public sealed class SessionClosedException : UniCardioException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="inner">What the frame handler threw, if that closed it.</param>
    public SessionClosedException(Exception? inner = null)
        : base(inner is null ? "the session was completed or closed and takes no more samples"
            : $"the session was closed because its frame handler failed: {inner.Message}", inner)
    {
    }
}
