using UniCardio.Engine;

namespace UniCardio.Serving.Protocol;

/// <summary>A message that is answered with an error.</summary>
internal sealed class ProtocolException : UniCardioException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="code">What kind of problem.</param>
    /// <param name="message">What is wrong and what was expected; goes to the client.</param>
    /// <param name="inner">The cause, if any.</param>
    public ProtocolException(ErrorCode code, string message, Exception? inner = null)
        : base(message, inner) => Code = code;

    /// <summary>What kind of problem.</summary>
    public ErrorCode Code { get; }
}
