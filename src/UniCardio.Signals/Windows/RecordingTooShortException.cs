namespace UniCardio.Signals.Windows;

/// <summary>A recording is shorter than one window.</summary>
public sealed class RecordingTooShortException : SignalException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="length">Samples of the recording.</param>
    /// <param name="windowLength">Samples of a window.</param>
    public RecordingTooShortException(int length, int windowLength)
        : base($"The recording has {length} samples; expected at least one window of {windowLength}.")
    {
        Length = length;
        WindowLength = windowLength;
    }

    /// <summary>Samples of the recording.</summary>
    public int Length { get; }

    /// <summary>Samples of a window.</summary>
    public int WindowLength { get; }
}
