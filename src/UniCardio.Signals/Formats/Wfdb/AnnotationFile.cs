namespace UniCardio.Signals.Formats.Wfdb;

/// <summary>WFDB annotation files by themselves (MIT format), without the record that they belong to.</summary>
public static class AnnotationFile
{
    private const long MaxBytes = 64 << 20;

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="sampleRate">Samples a second of its record, unless the file states its own time base.</param>
    /// <returns>The annotations in order of time.</returns>
    /// <exception cref="SignalException">The file cannot be read or is malformed.</exception>
    public static IReadOnlyList<Annotation> Read(string path, double sampleRate) =>
        WfdbAnnotations.Read(BoundedFile.ReadAll(path, MaxBytes), path, sampleRate, RecordingReadOptions.Default.MaxAnnotations)
            .Annotations;

    /// <summary>Writes a file, whole or not at all.</summary>
    /// <param name="path">The file.</param>
    /// <param name="annotations">The annotations; their times are rounded to samples.</param>
    /// <param name="sampleRate">Samples a second of its record.</param>
    /// <exception cref="SignalFileException">It cannot be written.</exception>
    public static void Write(string path, IEnumerable<Annotation> annotations, double sampleRate) =>
        BoundedFile.WriteAtomically([(path, stream => WfdbAnnotations.Write(stream, annotations, sampleRate, sampleRate))],
            overwrite: true);
}
