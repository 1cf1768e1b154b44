namespace UniCardio.Signals.Formats.Edf;

/// <summary>Recordings as EDF and EDF+ (16-bit) or BDF and BDF+ (24-bit) files.</summary>
/// <remarks>
/// <list type="bullet">
/// <item>Each signal comes at its own rate: samples in a data record over the record's duration.</item>
/// <item>In discontinuous files (EDF+D) data records are placed by their time stamps; what lies between is missing. The formats have no
/// missing value of their own.</item>
/// <item>Annotations are those of the 'EDF Annotations' signals, text in <see cref="Annotation.Symbol"/>, times from the first sample.</item>
/// <item>Text is ASCII by the standard; Latin-1 in units is read and reported.</item>
/// <item>A file shorter than its header states is an error, a longer one a warning.</item>
/// </list>
/// Standards: Kemp et al., Electroencephalogr. Clin. Neurophysiol. 82 (1992) 391-393; Kemp and Olivan, Clin. Neurophysiol. 114 (2003)
/// 1755-1761; BioSemi's description of BDF.
/// </remarks>
public static class EdfFormat
{
    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">How; the defaults if null.</param>
    /// <param name="cancellationToken">Checked between signals and data records.</param>
    /// <exception cref="SignalException">The file is missing, malformed or over a limit.</exception>
    public static Recording Read(string path, RecordingReadOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        options ??= RecordingReadOptions.Default;
        return Parse(BoundedFile.ReadAll(path, options.MaxFileBytes), path, options, cancellationToken);
    }

    /// <summary>Reads a file that is in memory already.</summary>
    /// <param name="data">The file's bytes.</param>
    /// <param name="file">What to call it in messages.</param>
    /// <param name="options">How.</param>
    /// <param name="cancellationToken">Checked between signals and data records.</param>
    /// <exception cref="SignalException">Malformed or over a limit.</exception>
    public static Recording Parse(byte[] data, string file, RecordingReadOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(options);
        return new EdfReader(data, EdfHeader.Parse(data, file, options), options).Read(cancellationToken);
    }
}
