namespace UniCardio.Signals.Formats;

/// <summary>Names files by their first bytes that are none of the formats read here, whatever their extension says.</summary>
internal static class ForeignFile
{
    private static readonly (byte[] Start, string What)[] s_known =
    [
        ([0x1F, 0x8B], "compressed (gzip); unpack it first"), ("BZh"u8.ToArray(), "compressed (bzip2); unpack it first"),
        ([0xFD, 0x37, 0x7A, 0x58, 0x5A], "compressed (xz); unpack it first"), ([0x28, 0xB5, 0x2F, 0xFD],
            "compressed (zstd); unpack it first"),
        ("MATLAB 5.0"u8.ToArray(), "a MATLAB file; a WFDB record's is read by its .hea, others as CSV or NPY"),
        ([0x89, 0x48, 0x44, 0x46], "an HDF5 file (MATLAB 7.3 too); save its signals as CSV, NPY or EDF"),
        ("PAR1"u8.ToArray(), "a Parquet file; save its signals as CSV or NPY"),
        ("version https://git-lfs"u8.ToArray(), "a pointer of Git LFS and not the file itself; fetch it (git lfs pull)"),
    ];

    /// <summary>Refuses a file that is known to be something else.</summary>
    /// <exception cref="SignalFormatException">It is; the message says what.</exception>
    public static void Refuse(ReadOnlySpan<byte> bytes, string file)
    {
        foreach ((byte[] start, string what) in s_known)
        {
            if (bytes.StartsWith(start))
                throw new SignalFormatException(file, $"is {what}.");
        }
    }
}
