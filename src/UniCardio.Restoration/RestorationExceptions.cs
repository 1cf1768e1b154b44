using System.Globalization;
using UniCardio.Engine;

namespace UniCardio.Restoration;

/// <summary>Base of what goes wrong between a recording and its restoration. The message names channel and time.</summary>
public class RestorationException : UniCardioException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">What is wrong and what was expected.</param>
    /// <param name="inner">The cause, if another exception led here.</param>
    public RestorationException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}

/// <summary>A recording that is shorter than one window.</summary>
public sealed class RecordingShorterThanWindowException : RestorationException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="channel">The channel that gives the recording its length.</param>
    /// <param name="seconds">How long it lasts.</param>
    /// <param name="windowSeconds">How long a window lasts.</param>
    public RecordingShorterThanWindowException(string channel, double seconds, double windowSeconds)
        : base(FormattableString.Invariant(
            $"channel '{channel}' lasts {seconds:0.###} s; expected at least one window of {windowSeconds:0.###} s"))
    {
        Channel = channel;
        Seconds = seconds;
        WindowSeconds = windowSeconds;
    }

    /// <summary>The channel that gives the recording its length.</summary>
    public string Channel { get; }

    /// <summary>How long it lasts, in seconds.</summary>
    public double Seconds { get; }

    /// <summary>How long a window lasts, in seconds.</summary>
    public double WindowSeconds { get; }
}

/// <summary>A gap of a window's length or more with nothing measured in another signal to fill it from.</summary>
public sealed class GapTooLongException : RestorationException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="channel">The channel with the gap.</param>
    /// <param name="startSeconds">Where the gap starts.</param>
    /// <param name="endSeconds">Where it ends.</param>
    /// <param name="windowSeconds">How long a window lasts.</param>
    /// <param name="reason">Why no other signal helps.</param>
    public GapTooLongException(string channel, double startSeconds, double endSeconds, double windowSeconds, string reason)
        : base(string.Create(CultureInfo.InvariantCulture,
            $"channel '{channel}' has a gap from {startSeconds:0.###} s to {endSeconds:0.###} s, no shorter than a window of "
            + $"{windowSeconds:0.###} s, and {reason}"))
    {
        Channel = channel;
        StartSeconds = startSeconds;
        EndSeconds = endSeconds;
    }

    /// <summary>The channel with the gap.</summary>
    public string Channel { get; }

    /// <summary>Where the gap starts, in seconds from the start of the recording.</summary>
    public double StartSeconds { get; }

    /// <summary>Where the gap ends, in seconds from the start of the recording.</summary>
    public double EndSeconds { get; }
}
