using UniCardio.Serving.Protocol;
using UniCardio.Signals;
using UniCardio.Signals.Formats;

namespace UniCardio.Serving.Live;

/// <summary>
/// The operator's folder of recordings. Clients name what stands in its listing; no text of theirs becomes part of a path. A recording is
/// called as its file is without the extension, or with it where two would have one name.
/// </summary>
internal sealed class ReplayFolder(string? folder)
{
    private const int MaxRecordings = 10_000;

    /// <summary>Names and paths, in the order of the names.</summary>
    /// <exception cref="IOException">The folder cannot be read.</exception>
    public IReadOnlyDictionary<string, string> List()
    {
        var recordings = new SortedDictionary<string, string>(StringComparer.Ordinal);
        if (folder is null)
            return recordings;
        string[] paths = [.. RecordingFile.ListIn(folder).Take(MaxRecordings)];
        foreach (IGrouping<string, string> same in paths.GroupBy(p => Path.GetFileNameWithoutExtension(p), StringComparer.Ordinal))
        {
            foreach (string path in same)
                recordings.Add(same.Count() == 1 ? same.Key : Path.GetFileName(path), path);
        }
        return recordings;
    }

    /// <exception cref="ProtocolException">There is none of this name.</exception>
    public string Find(string name) =>
        List().GetValueOrDefault(name) ?? throw new ProtocolException(ErrorCode.NotFound, folder is null ? "this server has no recordings"
            : "there is no recording of this name; /recordings lists them");

    /// <summary>Reads a recording.</summary>
    /// <param name="path">Its file.</param>
    /// <param name="memory">Bytes that file and samples may take.</param>
    /// <param name="cancellation">Stops reading.</param>
    /// <exception cref="ProtocolException">It cannot be read; the message holds no path.</exception>
    public static Recording Read(string path, long memory, CancellationToken cancellation)
    {
        try
        {
            return RecordingFile.Read(
                path, new RecordingReadOptions { MaxFileBytes = memory / 2, MaxSamples = memory / 2 / sizeof(float) / 2 },
                cancellation);
        }
        catch (SignalLimitException problem)
        {
            throw new ProtocolException(ErrorCode.Full, "the recording takes more memory than this server has for replays now", problem);
        }
        catch (SignalException problem)
        {
            // Messages begin with the file, whose folder is the operator's affair.
            string why = problem.Message.Replace(Path.GetDirectoryName(path) + Path.DirectorySeparatorChar, "", StringComparison.Ordinal);
            throw new ProtocolException(ErrorCode.Invalid, $"the recording cannot be read: {VisibleText.Escape(why)}", problem);
        }
    }
}
