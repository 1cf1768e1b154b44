namespace UniCardio.Signals.Formats;

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
