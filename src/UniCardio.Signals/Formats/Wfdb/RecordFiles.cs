namespace UniCardio.Signals.Formats.Wfdb;

/// <summary>The files that a WFDB record is made of: those of one folder, by plain name.</summary>
internal abstract class RecordFiles
{
    // A header of a million lines may name one large segment a million times.
    private const int MaxTotal = 4;

    private long _total;

    /// <summary>The file's bytes.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="maxBytes">Most bytes that it may have.</param>
    /// <param name="maxTotal">Most bytes of any one file of the record; all reads together may come to four times that.</param>
    /// <exception cref="SignalFileException">It is missing or cannot be read.</exception>
    /// <exception cref="SignalLimitException">It is too long, or too much has been read already.</exception>
    public byte[] Read(string name, long maxBytes, long maxTotal)
    {
        byte[] data = Load(name, maxBytes);
        _total += data.Length;
        return _total / MaxTotal <= maxTotal ? data : throw new SignalLimitException(Describe(name), "bytes of the record's files", _total,
            maxTotal * MaxTotal);
    }

    /// <summary>The file's bytes, if there are not more than <paramref name="maxBytes"/>.</summary>
    protected abstract byte[] Load(string name, long maxBytes);

    /// <summary>Whether there is such a file.</summary>
    public abstract bool Exists(string name);

    /// <summary>Its length in bytes, 0 if there is none.</summary>
    public abstract long LengthOf(string name);

    /// <summary>
    /// The name under which a file is there that a header calls by folder and name: records are often kept without the folders that they
    /// were
    /// made in.
    /// </summary>
    public string Resolve(string name)
    {
        string found = name.Contains('/', StringComparison.Ordinal) && !Exists(name) ? name[(name.LastIndexOf('/') + 1)..] : name;
        // Names in capitals, as some discs have them.
        return !Exists(found) && Exists(found.ToUpperInvariant()) ? found.ToUpperInvariant() : found;
    }

    /// <summary>What to call it in messages.</summary>
    public abstract string Describe(string name);

    /// <summary>The files of a folder. What a link in it leads out of it is refused before it is opened: a header names files, and may
    /// come from anybody.</summary>
    public sealed class Folder(string path) : RecordFiles
    {
        protected override byte[] Load(string name, long maxBytes)
        {
            RefuseLinkOut(name);
            return BoundedFile.ReadAll(Describe(name), maxBytes);
        }

        public override bool Exists(string name) => File.Exists(Describe(name));

        public override long LengthOf(string name)
        {
            if (!Exists(name))
                return 0;
            RefuseLinkOut(name);
            FileSystemInfo? target = File.ResolveLinkTarget(Describe(name), returnFinalTarget: true);
            return new FileInfo(target?.FullName ?? Describe(name)).Length;
        }

        public override string Describe(string name) => Path.Combine(path, name);

        private void RefuseLinkOut(string name)
        {
            string file = Describe(name);
            try
            {
                string root = Real(Path.GetFullPath(path)), real = Real(Path.GetFullPath(file));
                if (!real.StartsWith(Path.EndsInDirectorySeparator(root) ? root : root + Path.DirectorySeparatorChar,
                    StringComparison.Ordinal))
                    throw new SignalFileException(file, "is a link that leads out of the record's folder, and is not opened.");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                if (e is not (FileNotFoundException or DirectoryNotFoundException))
                    throw new SignalFileException(file, "cannot be read: " + e.Message, e);
            }
        }

        // Every part of the path may be a link.
        private static string Real(string full)
        {
            string? folder = Path.GetDirectoryName(full);
            if (folder is null)
                return full;
            string here = Path.Combine(Real(folder), Path.GetFileName(full));
            FileSystemInfo? target = Directory.Exists(here) ? Directory.ResolveLinkTarget(here, returnFinalTarget: true)
                : File.ResolveLinkTarget(here, returnFinalTarget: true);
            return target is null ? here : Real(Path.GetFullPath(target.FullName));
        }
    }

    /// <summary>Files in memory.</summary>
    public sealed class InMemory(IReadOnlyDictionary<string, byte[]> files) : RecordFiles
    {
        protected override byte[] Load(string name, long maxBytes)
        {
            if (!files.TryGetValue(name, out byte[]? data))
                throw new SignalFileException(name, "there is no such file.");
            return data.Length <= maxBytes ? data : throw new SignalLimitException(name, "bytes", data.Length, maxBytes);
        }

        public override bool Exists(string name) => files.ContainsKey(name);

        public override long LengthOf(string name) => files.TryGetValue(name, out byte[]? data) ? data.Length : 0;

        public override string Describe(string name) => name;
    }
}
