namespace UniCardio.Files;

/// <summary>What writing a file is made of.</summary>
internal enum FileStep
{
    Open,
    Write,
    Flush,
    Rename,
    Delete,
}

/// <summary>The one place through which files are changed: a test lets the n-th step fail, as a disk may.</summary>
internal static class FileSteps
{
    private static readonly AsyncLocal<Action<FileStep, string>?> Hook = new();

    /// <summary>Called before every step of this flow of control and of what it starts; what it throws is the step's failure.</summary>
    public static Action<FileStep, string>? Before
    {
        get => Hook.Value;
        set => Hook.Value = value;
    }

    public static FileStream Create(string path)
    {
        Hook.Value?.Invoke(FileStep.Open, path);
        return new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1 << 16);
    }

    /// <summary>Opens a file that is added to; made if it is not there.</summary>
    public static FileStream OpenToAppend(string path)
    {
        Hook.Value?.Invoke(FileStep.Open, path);
        return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
    }

    /// <summary>Writes to a file that is added to.</summary>
    public static void Write(FileStream file, ReadOnlySpan<byte> bytes)
    {
        Hook.Value?.Invoke(FileStep.Write, file.Name);
        file.Write(bytes);
    }

    public static void Flush(FileStream file)
    {
        Hook.Value?.Invoke(FileStep.Flush, file.Name);
        // On disk before the name points at it, so that a power cut leaves the old file or the new one.
        file.Flush(flushToDisk: true);
    }

    public static void Rename(string from, string to, bool overwrite)
    {
        Hook.Value?.Invoke(FileStep.Rename, to);
        File.Move(from, to, overwrite);
    }

    public static void Delete(string path)
    {
        Hook.Value?.Invoke(FileStep.Delete, path);
        File.Delete(path);
    }
}
