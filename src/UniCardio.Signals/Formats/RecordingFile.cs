using UniCardio.Signals.Formats;
using UniCardio.Signals.Formats.Csv;
using UniCardio.Signals.Formats.Edf;
using UniCardio.Signals.Formats.Npy;
using UniCardio.Signals.Formats.Wfdb;

namespace UniCardio.Signals.Formats;

/// <summary>Reads and writes recordings, choosing the format by extension, and by content where the extension says nothing.</summary>
/// <remarks>Research software, not a medical device: what is read is not checked for clinical use.</remarks>
public static class RecordingFile
{
    /// <summary>Reads a recording.</summary>
    /// <param name="path">
    /// A .csv, .tsv or .txt table; a .npy array; a WFDB record by its .hea, .dat, .mat or .atr file or by its name without extension; an
    /// .edf or .bdf file.
    /// </param>
    /// <param name="options">How; the defaults if null.</param>
    /// <param name="cancellation">Checked between blocks of samples.</param>
    /// <exception cref="SignalException">The file is missing, malformed or over a limit.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static Recording Read(string path, RecordingReadOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        options ??= RecordingReadOptions.Default;
        return Warn(path, FormatOf(path) switch
        {
            RecordingFormat.Npy => NpyFormat.Read(path, options, cancellation),
            RecordingFormat.Wfdb => Agreeing(path, options, WfdbFormat.Read(path, options, cancellation)),
            RecordingFormat.Csv => CsvFormat.Read(path, options, cancellation),
            _ => Agreeing(path, options, EdfFormat.Read(path, options, cancellation)),
        });
    }

    /// <summary>Writes a recording: beside the target under a temporary name, then renamed, so that no partial file is left.</summary>
    /// <param name="path">A .csv, .npy, .edf (EDF+) or .hea file (WFDB format 16: a .dat file beside the .hea, and an .atr file if there
    /// are annotations).</param>
    /// <param name="recording">The recording.</param>
    /// <param name="options">How; the defaults if null.</param>
    /// <param name="cancellation">Checked between blocks of samples.</param>
    /// <exception cref="SignalException">The format cannot hold the recording, or the file cannot be written.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; nothing is left.</exception>
    public static void Write(string path, Recording recording, RecordingWriteOptions? options = null,
        CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(recording);
        options ??= RecordingWriteOptions.Default;
        switch (Extension(path))
        {
            case ".csv":
                CsvFormat.Write(path, recording, options, cancellation);
                break;
            case ".npy":
                NpyFormat.Write(path, recording, options, cancellation);
                break;
            case ".hea":
                WfdbFormat.Write(path, recording, options, cancellation);
                break;
            case ".edf":
                EdfFormat.Write(path, recording, options, cancellation);
                break;
            default:
                throw new SignalFileException(path,
                    $"'{Extension(path)}' is not a format that can be written; expected .csv, .npy, .hea (WFDB) or .edf.");
        }
    }

    /// <summary>Extensions by which recordings are found in a folder: one file a recording, and no text or data file that may be something
    /// else.</summary>
    public static IReadOnlyList<string> ListedExtensions { get; } = [".csv", ".npy", ".hea", ".edf", ".bdf"];

    /// <summary>Whether a file of a folder is taken for a recording, by <see cref="ListedExtensions"/>.</summary>
    /// <param name="path">The file.</param>
    public static bool IsListed(string path) => ListedExtensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    /// <summary>The recordings of a folder, in the order of their names. A table of beats beside its recording (rec.beats.csv beside
    /// rec.csv, as synth writes them) holds no signal and is none.</summary>
    /// <param name="folder">The folder; what is in folders below is not looked at.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    internal static string[] ListIn(string folder)
    {
        const string BeatTable = ".beats.csv";
        string[] paths = [.. Directory.EnumerateFiles(folder).Where(IsListed).Order(StringComparer.Ordinal)];
        var names = paths.Select(p => Path.GetFileNameWithoutExtension(p)!).ToHashSet(StringComparer.Ordinal);
        return [.. paths.Where(p => !p.EndsWith(BeatTable, StringComparison.OrdinalIgnoreCase)
            || !names.Contains(Path.GetFileName(p)[..^BeatTable.Length]))];
    }

    /// <summary>The format of a file, by its extension, else by its first bytes.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="SignalFileException">Neither tells, or there is no such file.</exception>
    public static RecordingFormat FormatOf(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Extension(path) switch
        {
            ".csv" or ".tsv" or ".txt" => RecordingFormat.Csv,
            ".npy" => RecordingFormat.Npy,
            ".edf" or ".bdf" => RecordingFormat.Edf,
            ".hea" or ".dat" or ".mat" or ".atr" => RecordingFormat.Wfdb,
            _ => FormatByContent(path),
        };
    }

    private static RecordingFormat FormatByContent(string path)
    {
        // A record is named by what its files have in common; names may hold points.
        if (!File.Exists(path) && File.Exists(path + ".hea"))
            return RecordingFormat.Wfdb;
        byte[] start = BoundedFile.ReadStart(path, 8);
        if (start.AsSpan().StartsWith("PK\x03\x04"u8))
            throw new SignalFileException(path, Extension(path) == ".npz"
                ? "is an npz archive of arrays; save the one that is meant with numpy.save (.npy)."
                : "is a zip archive, which is no recording; expected .csv, .npy, .hea (WFDB), .edf or .bdf.");
        if (start.AsSpan().StartsWith((ReadOnlySpan<byte>)[0x93, (byte)'N', (byte)'U', (byte)'M']))
            return RecordingFormat.Npy;
        if ((start.Length == 8 && start[0] == (byte)'0' && start.AsSpan(1).IndexOfAnyExcept((byte)' ', (byte)0) < 0)
            || start.AsSpan().StartsWith((ReadOnlySpan<byte>)[0xFF, (byte)'B', (byte)'I', (byte)'O']))
            return RecordingFormat.Edf;
        throw new SignalFileException(path, "is of no known format; expected .csv, .npy, .hea (WFDB), .edf or .bdf.");
    }

    // A rate that is given for a file that states its own must be one of those.
    private static Recording Agreeing(string path, RecordingReadOptions options, Recording recording) =>
        options.SampleRate is not { } given || recording.Channels.Any(c => Math.Abs(c.SampleRate - given) <= 0.01 * c.SampleRate)
            ? recording
            : throw new SignalFormatException(path, string.Create(System.Globalization.CultureInfo.InvariantCulture,
                $"states {string.Join(" and ", recording.Channels.Select(c => c.SampleRate).Distinct())} Hz, but {given} Hz was given."));

    private static Recording Warn(string path, Recording recording)
    {
        SignalWarning[] warnings = [.. recording.Unmeasured.GroupBy(s => (s.Channel, s.Origin)).Select(g =>
            new SignalWarning(SignalWarningKind.Unmeasured, string.Create(System.Globalization.CultureInfo.InvariantCulture,
                $"{path}: {g.Sum(s => s.DurationSeconds):0.###} s of '{g.Key.Channel}' are {g.Key.Origin}, not measured."),
                g.Key.Channel))];
        return warnings.Length == 0 ? recording : recording.WithWarnings(warnings);
    }

    private static string Extension(string path) => Path.GetExtension(path).ToLowerInvariant();
}
