namespace UniCardio.Signals.Formats;

/// <summary>How to write a recording.</summary>
public sealed record RecordingWriteOptions
{
    /// <summary>The defaults.</summary>
    public static RecordingWriteOptions Default { get; } = new();

    /// <summary>CSV: begin each row with the time in seconds, so that the file states its own rate. On unless told otherwise.</summary>
    public bool TimeColumn { get; init; } = true;

    /// <summary>Replace a file that exists. On unless told otherwise.</summary>
    public bool Overwrite { get; init; } = true;
}
