namespace UniCardio.Signals;

/// <summary>File formats of recordings.</summary>
public enum RecordingFormat
{
    /// <summary>Comma-separated text.</summary>
    Csv,

    /// <summary>NumPy array.</summary>
    Npy,

    /// <summary>WFDB record (header, signal files, annotations).</summary>
    Wfdb,

    /// <summary>EDF or EDF+, BDF or BDF+.</summary>
    Edf,
}

/// <summary>Reads and writes recordings, choosing the format by extension and content.</summary>
public static class RecordingFile
{
    /// <summary>Reads a recording.</summary>
    /// <param name="path">A .csv, .npy, .hea (or WFDB record name without extension), .edf or .bdf file.</param>
    /// <param name="options">How; the defaults if null.</param>
    /// <param name="cancellationToken">Checked between blocks of samples.</param>
    /// <exception cref="SignalException">The file is missing, malformed or over a limit.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static Recording Read(string path, RecordingReadOptions? options = null, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    /// <summary>Writes a recording: beside the target under a temporary name, then renamed, so that no partial file is left.</summary>
    /// <param name="path">A .csv, .npy or .hea file.</param>
    /// <param name="recording">The recording.</param>
    /// <param name="options">How; the defaults if null.</param>
    /// <param name="cancellationToken">Checked between blocks of samples.</param>
    /// <exception cref="SignalException">The format cannot hold the recording, or the file cannot be written.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; nothing is left behind.</exception>
    public static void Write(string path, Recording recording, RecordingWriteOptions? options = null, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();
}
