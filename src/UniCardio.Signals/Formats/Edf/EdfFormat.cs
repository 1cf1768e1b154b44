namespace UniCardio.Signals.Formats.Edf;

/// <summary>Recordings as EDF and EDF+ (16-bit) or BDF and BDF+ (24-bit) files.</summary>
/// <remarks>
/// <list type="bullet">
/// <item>Each signal comes at its own rate: samples in a data record over the record's duration.</item>
/// <item>In discontinuous files (EDF+D) data records are placed by their time stamps; what lies between is missing. The formats have no
/// missing value of their own.</item>
/// <item>Annotations are those of the 'EDF Annotations' signals, text in <see cref="Annotation.Symbol"/>, times from the first
/// sample.</item>
/// <item>Text is ASCII by the standard; Latin-1 in units is read and reported.</item>
/// <item>Signals that cannot be read (limits that give no gain, no samples) are left out, each with a warning; of a file that ends early
/// the whole data records are read. Decimal commas, limits written with a point, other marks in date and time, and text after a zero byte
/// are put up with.</item>
/// <item>Written as EDF+C: every channel at its own rate, missing samples as -32768 below a digital range that begins at -32767 (reading
/// takes them for missing again), annotations with their durations, the start to a fraction of a second. No names of people are
/// written.</item>
/// </list>
/// Standards: Kemp et al., Electroencephalogr. Clin. Neurophysiol. 82 (1992) 391-393; Kemp and Olivan, Clin. Neurophysiol. 114 (2003)
/// 1755-1761; BioSemi's description of BDF.
/// </remarks>
internal static class EdfFormat
{
    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">How; the defaults if null.</param>
    /// <param name="cancellation">Checked between signals and data records.</param>
    /// <exception cref="SignalException">The file is missing, malformed or over a limit.</exception>
    public static Recording Read(string path, RecordingReadOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        options ??= RecordingReadOptions.Default;
        return Parse(BoundedFile.ReadAll(path, options.MaxFileBytes), path, options, cancellation);
    }

    /// <summary>Writes a recording with its annotations as EDF+C, samples of 16 bits.</summary>
    /// <param name="path">The file.</param>
    /// <param name="recording">The recording. Its rates must go into data records of a common length.</param>
    /// <param name="options">How; the defaults if null.</param>
    /// <param name="cancellation">Checked between data records.</param>
    /// <exception cref="SignalException">The rates do not suit, or the file cannot be written.</exception>
    public static void Write(string path, Recording recording, RecordingWriteOptions? options = null,
        CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(recording);
        var writer = new EdfWriter(recording);
        BoundedFile.WriteAtomically([(path, stream => writer.Write(stream, cancellation))],
            (options ?? RecordingWriteOptions.Default).Overwrite);
    }

    /// <summary>Reads a file that is in memory already.</summary>
    /// <param name="data">The file's bytes.</param>
    /// <param name="file">What to call it in messages.</param>
    /// <param name="options">How.</param>
    /// <param name="cancellation">Checked between signals and data records.</param>
    /// <exception cref="SignalException">Malformed or over a limit.</exception>
    public static Recording Parse(byte[] data, string file, RecordingReadOptions options, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(options);
        return new EdfReader(data, EdfHeader.Parse(data, file, options), options).Read(cancellation);
    }
}
