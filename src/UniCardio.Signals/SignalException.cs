using System.Globalization;
using System.Text;
using UniCardio.Signals.Formats;

namespace UniCardio.Signals;

/// <summary>Base of all that goes wrong with a recording or its file.</summary>
public class SignalException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">What is wrong and what was expected.</param>
    /// <param name="innerException">The cause, if any.</param>
    public SignalException(string message, Exception? innerException = null)
        : base(VisibleText.Escape(message), innerException)
    {
    }
}

/// <summary>Where in a file something is wrong. Every part is optional.</summary>
/// <param name="Line">Line of a text file, counted from 1.</param>
/// <param name="Channel">Name or column of the channel.</param>
/// <param name="Sample">Sample of the channel, counted from 0.</param>
/// <param name="ByteOffset">Offset in bytes from the start of the file.</param>
public readonly record struct SignalLocation(long? Line = null, string? Channel = null, long? Sample = null, long? ByteOffset = null);

/// <summary>A file does not hold what its format calls for.</summary>
public class SignalFormatException : SignalException
{
    /// <summary>Creates the exception; its message names the file and the place before <paramref name="problem"/>.</summary>
    /// <param name="file">The file at fault.</param>
    /// <param name="problem">What is wrong and what was expected.</param>
    /// <param name="location">Where.</param>
    /// <param name="innerException">The cause, if any.</param>
    public SignalFormatException(string file, string problem, SignalLocation location = default, Exception? innerException = null)
        : base(Describe(file, problem, location), innerException)
    {
        File = file;
        Location = location;
    }

    /// <summary>The file at fault.</summary>
    public string File { get; }

    /// <summary>Where in it.</summary>
    public SignalLocation Location { get; }

    private static string Describe(string file, string problem, SignalLocation at)
    {
        var text = new StringBuilder(file);
        if (at.Line is { } line)
            text.Append(CultureInfo.InvariantCulture, $", line {line}");
        if (at.Channel is { } channel)
            text.Append(CultureInfo.InvariantCulture, $", channel '{channel}'");
        if (at.Sample is { } sample)
            text.Append(CultureInfo.InvariantCulture, $", sample {sample}");
        if (at.ByteOffset is { } offset)
            text.Append(CultureInfo.InvariantCulture, $", byte {offset}");
        return text.Append(": ").Append(problem).ToString();
    }
}

/// <summary>A file is sound as far as it was read but larger than the limits in <see cref="RecordingReadOptions"/> allow.</summary>
public sealed class SignalLimitException : SignalFormatException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="file">The file.</param>
    /// <param name="what">What is counted, such as "samples".</param>
    /// <param name="actual">How many there are.</param>
    /// <param name="limit">How many are allowed.</param>
    public SignalLimitException(string file, string what, long actual, long limit)
        : base(file,
            string.Create(CultureInfo.InvariantCulture,
                $"{actual} {what} exceed the limit of {limit}; raise it in the read options if the file is meant to be that large."))
    {
        Actual = actual;
        Limit = limit;
    }

    /// <summary>How many there are.</summary>
    public long Actual { get; }

    /// <summary>How many are allowed.</summary>
    public long Limit { get; }
}

/// <summary>A file is missing or cannot be read or written.</summary>
public sealed class SignalFileException : SignalException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="file">The file.</param>
    /// <param name="problem">What is wrong with it.</param>
    /// <param name="innerException">The cause, if any.</param>
    public SignalFileException(string file, string problem, Exception? innerException = null)
        : base($"{file}: {problem}", innerException) => File = file;

    /// <summary>The file.</summary>
    public string File { get; }
}

/// <summary>A recording lacks a channel that was asked for.</summary>
public sealed class ChannelNotFoundException : SignalException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="recording">The recording.</param>
    /// <param name="wanted">What was asked for, such as "named 'ABP'".</param>
    public ChannelNotFoundException(Recording recording, string wanted)
        : base(
            $"Recording '{recording.Name}' has no channel {wanted}; it has "
            + $"{string.Join(", ", recording.Channels.Select(c => $"{c.Name} ({Word(c.Kind)})"))}.")
    {
    }

    /// <summary>A kind as the command line's options call it.</summary>
    internal static string Word(ChannelKind kind) => kind switch
    {
        ChannelKind.Ppg => "ppg",
        ChannelKind.BloodPressure => "bp",
        ChannelKind.Ecg => "ecg",
        _ => "other",
    };
}
