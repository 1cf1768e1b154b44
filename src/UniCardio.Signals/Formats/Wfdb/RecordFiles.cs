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
        return _total / MaxTotal <= maxTotal ? data : throw new SignalLimitException(Describe(name), "bytes of the record's files", _total, maxTotal * MaxTotal);
    }

    /// <summary>The file's bytes, if there are not more than <paramref name="maxBytes"/>.</summary>
    protected abstract byte[] Load(string name, long maxBytes);

    /// <summary>Whether there is such a file.</summary>
    public abstract bool Exists(string name);

    /// <summary>What to call it in messages.</summary>
    public abstract string Describe(string name);

    /// <summary>The files of a folder.</summary>
    public sealed class Folder(string path) : RecordFiles
    {
        protected override byte[] Load(string name, long maxBytes) => BoundedFile.ReadAll(Describe(name), maxBytes);

        public override bool Exists(string name) => File.Exists(Describe(name));

        public override string Describe(string name) => Path.Combine(path, name);
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

        public override string Describe(string name) => name;
    }
}
