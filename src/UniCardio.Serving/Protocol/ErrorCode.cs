using System.Net.WebSockets;

namespace UniCardio.Serving.Protocol;

/// <summary>What a live connection is told of a problem, and whether it ends with it.</summary>
internal enum ErrorCode
{
    /// <summary>Not a message of the protocol.</summary>
    Malformed,

    /// <summary>A message over the limit.</summary>
    TooLarge,

    /// <summary>A value out of range.</summary>
    Invalid,

    /// <summary>No session is open, or one that does not fit.</summary>
    Conflict,

    /// <summary>No such recording.</summary>
    NotFound,

    /// <summary>As many sessions as allowed.</summary>
    Full,

    /// <summary>The weights are not packed yet.</summary>
    NotReady,

    /// <summary>The client has not read for too long.</summary>
    Slow,

    /// <summary>The server's fault.</summary>
    Failed,

    /// <summary>The server is going down.</summary>
    Shutdown,
}

/// <summary>Words and close codes of <see cref="ErrorCode"/>.</summary>
internal static class ErrorCodes
{
    private const WebSocketCloseStatus GoingAway = WebSocketCloseStatus.EndpointUnavailable;

    /// <summary>The protocol's word.</summary>
    public static string Name(this ErrorCode code) => code switch
    {
        ErrorCode.Malformed => "malformed",
        ErrorCode.TooLarge => "too_large",
        ErrorCode.Invalid => "invalid",
        ErrorCode.Conflict => "conflict",
        ErrorCode.NotFound => "not_found",
        ErrorCode.Full => "full",
        ErrorCode.NotReady => "not_ready",
        ErrorCode.Slow => "slow",
        ErrorCode.Shutdown => "shutdown",
        _ => "failed",
    };

    /// <summary>What the connection closes with (RFC 6455, 7.4.1), or null if it stays open.</summary>
    public static WebSocketCloseStatus? Closes(this ErrorCode code) => code switch
    {
        ErrorCode.Malformed => WebSocketCloseStatus.InvalidPayloadData,
        ErrorCode.TooLarge => WebSocketCloseStatus.MessageTooBig,
        ErrorCode.Slow => WebSocketCloseStatus.PolicyViolation,
        ErrorCode.Failed => WebSocketCloseStatus.InternalServerError,
        ErrorCode.Shutdown => GoingAway,
        _ => null,
    };
}
