namespace UniCardio.Signals.Formats;

/// <summary>The files that a WFDB record is made of: those of one folder, by plain name.</summary>
internal abstract class RecordFiles
{
    /// <summary>The file's bytes.</summary>
    /// <exception cref="SignalFileException">It is missing or cannot be read.</exception>
    /// <exception cref="SignalLimitException">It is too long.</exception>
    public abstract byte[] Read(string name, long maxBytes);

    /// <summary>Whether there is such a file.</summary>
    public abstract bool Exists(string name);

    /// <summary>What to call it in messages.</summary>
    public abstract string Describe(string name);

    /// <summary>The files of a folder.</summary>
    public sealed class Folder(string path) : RecordFiles
    {
        public override byte[] Read(string name, long maxBytes) => BoundedFile.ReadAll(Describe(name), maxBytes);

        public override bool Exists(string name) => File.Exists(Describe(name));

        public override string Describe(string name) => Path.Combine(path, name);
    }

    /// <summary>Files in memory.</summary>
    public sealed class InMemory(IReadOnlyDictionary<string, byte[]> files) : RecordFiles
    {
        public override byte[] Read(string name, long maxBytes)
        {
            if (!files.TryGetValue(name, out byte[]? data))
                throw new SignalFileException(name, "there is no such file.");
            return data.Length <= maxBytes ? data : throw new SignalLimitException(name, "bytes", data.Length, maxBytes);
        }

        public override bool Exists(string name) => files.ContainsKey(name);

        public override string Describe(string name) => name;
    }
}
