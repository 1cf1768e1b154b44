namespace UniCardio.Signals.Formats.Wfdb;

/// <summary>Recordings as WFDB records (PhysioNet): a header, signal files, annotations.</summary>
/// <remarks>
/// <list type="bullet">
/// <item>Storage formats 8, 16, 24, 32, 61, 80, 160, 212, 310 and 311, FLAC (508, 516, 524), and MATLAB level 4 files, which are format 16
/// after a byte
/// offset; several signals a file, several samples a frame, skew, records of several segments in fixed or variable layout.</item>
/// <item>The lowest value of a storage format (-32768 for 16, 61 and 160, -128 for 80, -2048 for 212, -512 for 310 and 311, -2^23 for
/// 24, -2^31 for 32) is a missing sample. Format 8 has none. What a skewed signal lacks at the end is missing too.</item>
/// <item>Each signal comes at its own rate, frame rate times samples per frame, unless
/// <see cref="RecordingReadOptions.AverageFrames"/> asks for the frame rate.</item>
/// <item>Checksums are verified where a signal is read whole; one that differs is a warning, as headers of edited records often have
/// stale ones. A signal file shorter than its header states gives what it holds, with a warning; a longer one is a warning too.</item>
/// <item>Files are looked for in the header's folder and below; names that lead out of it, and links that do, are refused. A folder in a
/// name that is not there is left out.</item>
/// <item>Annotations are those of record.atr, if there is one, or of the annotator asked for.</item>
/// </list>
/// Standards: header(5), signal(5) and annot(5) of the WFDB Applications Guide.
/// </remarks>
internal static class WfdbFormat
{
    /// <summary>Reads a record.</summary>
    /// <param name="path">Its .hea file, another of its files beside the .hea, or its name without extension.</param>
    /// <param name="options">How; the defaults if null.</param>
    /// <param name="cancellation">Checked between blocks of samples.</param>
    /// <exception cref="SignalException">A file is missing, malformed or over a limit.</exception>
    public static Recording Read(string path, RecordingReadOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        (string folder, string record) = Locate(path);
        return new WfdbRecordReader(new RecordFiles.Folder(folder), options ?? RecordingReadOptions.Default,
            cancellation).Read(record);
    }

    /// <summary>Writes a record in format 16: signals to a .dat file, annotations, if any, to an .atr file, and the header last.</summary>
    /// <param name="path">The .hea file; its name without extension, of letters, digits, underscores and hyphens, names the record.</param>
    /// <param name="recording">The recording. Its rates must be multiples of a common one, which becomes the frame rate.</param>
    /// <param name="options">How; the defaults if null.</param>
    /// <param name="cancellation">Checked between blocks of samples.</param>
    /// <remarks>
    /// A sample becomes round(gain * value + baseline), halves to even, so that reading back is off by at most half a step; NaN becomes
    /// -32768. Gain and baseline are the ones the channel was read with where every sample falls on a step of theirs and in range
    /// (nothing is lost then); otherwise they spread the channel's range over -32000..32000, so that a step is 1/64000 of the range.
    /// A unit is one word: blanks become underscores, and where there is none 'NU' is written, since WFDB takes no unit for mV.
    /// Shorter channels end in missing samples.
    /// </remarks>
    /// <exception cref="SignalException">The name or the rates do not suit, or a file cannot be written.</exception>
    public static void Write(string path, Recording recording, RecordingWriteOptions? options = null,
        CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(recording);
        WfdbWriter.Write(path, recording, options ?? RecordingWriteOptions.Default, cancellation);
    }

    private static (string Folder, string Record) Locate(string path)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path)) ?? "";
        string name = Path.GetFileName(path);
        if (name.EndsWith(".hea", StringComparison.OrdinalIgnoreCase))
            return (folder, name[..^4]);
        return (folder, File.Exists(Path.Combine(folder, name + ".hea")) ? name : Path.GetFileNameWithoutExtension(name));
    }
}
