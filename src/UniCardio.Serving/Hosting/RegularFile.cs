namespace UniCardio.Serving.Hosting;

/// <summary>Reads small files that somebody else has named: bounded, and never a pipe or a device, which may not end.</summary>
internal static class RegularFile
{
    /// <summary>Reads a file whole.</summary>
    /// <exception cref="FormatException">It is empty, no regular file, or longer than <paramref name="maxBytes"/>.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static byte[] Read(string path, int maxBytes)
    {
        // A pipe or a device has no length: asked before it is opened.
        var named = new FileInfo(path);
        if ((named.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? named) is { Exists: true, Length: 0 })
            throw new FormatException("it is empty, or no regular file");
        using FileStream file = File.OpenRead(path);
        if (!file.CanSeek)
            throw new FormatException("it is no regular file");
        if (file.Length > maxBytes)
            throw new FormatException($"it has more than {maxBytes} bytes");
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }
}
