namespace UniCardio.Files;

/// <summary>Files that are there whole or as they were: written beside under another name, flushed to the disk, renamed.</summary>
internal static class AtomicFile
{
    /// <summary>Writes a file.</summary>
    /// <param name="path">The file; replaced if it exists, and then of its mode: what was private stays so.</param>
    /// <param name="write">Writes the content.</param>
    /// <exception cref="IOException">It cannot be written; what was there is there, and nothing beside it.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        string current = path;
        Write([(path, write)], overwrite: true, ref current);
    }

    /// <summary>Writes bytes.</summary>
    public static void Write(string path, ReadOnlyMemory<byte> bytes) => Write(path, stream => stream.Write(bytes.Span));

    /// <summary>
    /// Writes several files and renames them in the order given once all are complete: the one that makes the rest findable (a header)
    /// comes last. Where one fails, all are as they were.
    /// </summary>
    /// <param name="files">Target and what to write there.</param>
    /// <param name="overwrite">Whether a target that exists may be replaced.</param>
    /// <param name="current">The file at which it stands, for messages.</param>
    /// <param name="obsolete">Files that are no more when the others are there; they need not exist.</param>
    /// <exception cref="IOException">One cannot be written; no file is there in part, and none beside them.</exception>
    public static void Write(IReadOnlyList<(string Path, Action<Stream> Write)> files, bool overwrite, ref string current,
        params ReadOnlySpan<string> obsolete)
    {
        var temporary = new List<string>(files.Count);
        var aside = new List<(string Path, string Kept)>();
        var renamed = new List<string>(files.Count);
        bool isDone = false;
        try
        {
            foreach ((string path, Action<Stream> write) in files)
            {
                current = path;
                string beside = Beside(path);
                temporary.Add(beside);
                using FileStream file = FileSteps.Create(beside);
                // Before anything is in it: what is private is so from the first byte.
                if (!OperatingSystem.IsWindows() && File.Exists(path))
                    File.SetUnixFileMode(beside, File.GetUnixFileMode(path));
                write(FileSteps.Before is null ? file : new WatchedStream(file));
                FileSteps.Flush(file);
            }
            foreach (string path in obsolete)
                SetAside(path, aside, ref current);
            for (int i = 0; i < files.Count; i++)
            {
                current = files[i].Path;
                // The last rename decides; what it replaces needs no way back.
                if (i < files.Count - 1 && overwrite)
                    SetAside(current, aside, ref current);
                FileSteps.Rename(temporary[i], current, overwrite);
                renamed.Add(current);
            }
            isDone = true;
        }
        finally
        {
            if (!isDone)
            {
                foreach (string path in renamed)
                    DeleteQuietly(path);
                foreach ((string path, string kept) in aside)
                    MoveQuietly(kept, path);
            }
            foreach (string beside in (IEnumerable<string>)[.. temporary, .. aside.Select(a => a.Kept)])
                DeleteQuietly(beside);
        }
    }

    private static string Beside(string path) => $"{Path.GetFullPath(path)}.{Guid.NewGuid().ToString("N")[..8]}.tmp";

    private static void SetAside(string path, List<(string Path, string Kept)> aside, ref string current)
    {
        current = path;
        if (!File.Exists(path))
            return;
        string kept = Beside(path);
        FileSteps.Rename(path, kept, overwrite: false);
        aside.Add((path, kept));
    }

    private static void MoveQuietly(string from, string to)
    {
        try
        {
            File.Move(from, to, overwrite: true);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            // The failure that brought us here is the one to report.
        }
    }

    private static void DeleteQuietly(string path)
    {
        try
        {
            if (File.Exists(path))
                File.Delete(path);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            // The failure that brought us here is the one to report.
        }
    }

    /// <summary>Tells of every write.</summary>
    private sealed class WatchedStream(FileStream file) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => file.CanSeek;

        public override bool CanWrite => true;

        public override long Length => file.Length;

        public override long Position
        {
            get => file.Position;
            set => file.Position = value;
        }

        public override void Flush() => file.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => file.Seek(offset, origin);

        public override void SetLength(long value) => file.SetLength(value);

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            FileSteps.Before?.Invoke(FileStep.Write, file.Name);
            file.Write(buffer);
        }
    }
}
