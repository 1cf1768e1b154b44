using UniCardio.Files;

namespace UniCardio.Signals.Formats;

/// <summary>Whole files in and out: bounded on the way in, atomic on the way out.</summary>
internal static class BoundedFile
{
    /// <summary>Reads a file whole.</summary>
    /// <exception cref="SignalFileException">It is missing or cannot be read.</exception>
    /// <exception cref="SignalLimitException">It is longer than <paramref name="maxBytes"/>.</exception>
    public static byte[] ReadAll(string path, long maxBytes)
    {
        return Open(path, stream =>
        {
            // Devices and pipes have no length that memory could be bounded by.
            if (!stream.CanSeek)
                throw new SignalFileException(path, "is not a regular file.");
            long length = stream.Length;
            if (length > Math.Min(maxBytes, Array.MaxLength))
                throw new SignalLimitException(path, "bytes", length, Math.Min(maxBytes, Array.MaxLength));
            var bytes = new byte[length];
            stream.ReadExactly(bytes);
            if (length < 1024 && bytes.AsSpan().StartsWith("version https://git-lfs"u8))
                throw new SignalFileException(path, "is a Git LFS pointer, not the file itself; fetch it with 'git lfs pull'.");
            return bytes;
        });
    }

    /// <summary>Reads the first bytes of a file, fewer if it is shorter.</summary>
    /// <exception cref="SignalFileException">It is missing or cannot be read.</exception>
    public static byte[] ReadStart(string path, int count) => Open(path, stream =>
    {
        var bytes = new byte[count];
        return bytes[..stream.ReadAtLeast(bytes, count, throwOnEndOfStream: false)];
    });

    private static byte[] Open(string path, Func<FileStream, byte[]> read)
    {
        RefuseWhatIsNoFile(path);
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1);
            return read(stream);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new SignalFileException(path, "there is no such file.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new SignalFileException(path, "cannot be read: " + e.Message, e);
        }
    }

    /// <summary>
    /// Refuses what opening might hang on or never end: pipes, sockets and devices. They have no length, as empty files have none, so that
    /// nothing needs to be opened to tell.
    /// </summary>
    /// <exception cref="SignalFileException">It is empty, a pipe, a device or a folder.</exception>
    public static void RefuseWhatIsNoFile(string path)
    {
        try
        {
            FileSystemInfo? target = File.ResolveLinkTarget(path, returnFinalTarget: true);
            var file = new FileInfo(target?.FullName ?? path);
            if (Directory.Exists(file.FullName))
                throw new SignalFileException(path, "is a folder; expected a file.");
            if (file.Exists && file.Length == 0)
                throw new SignalFileException(path, "is empty, or no regular file (a pipe or a device), which is not opened.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            if (e is not (FileNotFoundException or DirectoryNotFoundException))
                throw new SignalFileException(path, "cannot be read: " + e.Message, e);
        }
    }

    /// <summary>
    /// Writes files under temporary names in the target's folder, and renames them in the order given once all are complete. What fails
    /// leaves no temporary file, and no target that is not whole.
    /// </summary>
    /// <param name="files">Target path and what to write there; the file that makes the rest findable (a header) comes last.</param>
    /// <param name="overwrite">Whether a target that exists may be replaced.</param>
    /// <param name="obsolete">Files that are no more when the others are there; they need not exist.</param>
    /// <exception cref="SignalFileException">A file cannot be written, or exists; all are as they were.</exception>
    public static void WriteAtomically(IReadOnlyList<(string Path, Action<Stream> Write)> files, bool overwrite,
        params ReadOnlySpan<string> obsolete)
    {
        string current = "";
        try
        {
            foreach ((string path, _) in files)
            {
                if (!overwrite && File.Exists(path))
                    throw new SignalFileException(path, "exists already, and replacing it was not allowed.");
            }
            AtomicFile.Write(files, overwrite, ref current, obsolete);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new SignalFileException(current, "cannot be written: " + e.Message, e);
        }
    }
}
