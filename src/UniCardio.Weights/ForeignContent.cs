namespace UniCardio.Weights;

/// <summary>Files that stand where weights were expected, told by their first bytes so that the message can say what to do.</summary>
internal static class ForeignContent
{
    public static void Refuse(FileContent content)
    {
        ReadOnlySpan<byte> start = content.Slice(0, (int)Math.Min(512, content.Length));
        if (start.StartsWith("version https://git-lfs"u8))
            throw new WeightFormatException(content.Name,
                "is a Git LFS pointer, not the weights themselves; fetch them with 'git lfs pull'", offset: 0);
        if (start.StartsWith("<!DOCTYPE"u8) || start.StartsWith("<!doctype"u8) || start.StartsWith("<html"u8))
            throw new WeightFormatException(content.Name, "is a web page, not weights; the download gave a page instead of the file",
                offset: 0);
        if (start.Length >= 265 && start[257..].StartsWith("ustar"u8))
            throw new WeightFormatException(content.Name,
                "is a tar archive, as torch wrote before version 0.4 and as checkpoints are packed; unpack it, or save it again with "
                + "torch.save of a current PyTorch", offset: 257);
        if (start.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]))
            throw new WeightFormatException(content.Name, "is compressed with gzip; unpack it first", offset: 0);
        if (start.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'H', (byte)'D', (byte)'F']))
            throw new WeightFormatException(content.Name, "is an HDF5 file (Keras), not weights of PyTorch", offset: 0);
        if (start.StartsWith((ReadOnlySpan<byte>)[0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y']))
            throw new WeightFormatException(content.Name, "is a NumPy array, not a file of weights", offset: 0);
    }
}
