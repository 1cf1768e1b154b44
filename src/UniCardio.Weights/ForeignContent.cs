namespace UniCardio.Weights;

/// <summary>Files that stand where weights were expected, told by their first bytes so that the message can say what to do.</summary>
internal static class ForeignContent
{
    public static void Refuse(FileContent content)
    {
        ReadOnlySpan<byte> start = content.Slice(0, (int)Math.Min(64, content.Length));
        if (start.StartsWith("version https://git-lfs"u8))
            throw new WeightFormatException(content.Name, "is a Git LFS pointer, not the weights themselves; fetch them with 'git lfs pull'", offset: 0);
        if (start.StartsWith("<!DOCTYPE"u8) || start.StartsWith("<!doctype"u8) || start.StartsWith("<html"u8))
            throw new WeightFormatException(content.Name, "is a web page, not weights; the download gave a page instead of the file", offset: 0);
    }
}
