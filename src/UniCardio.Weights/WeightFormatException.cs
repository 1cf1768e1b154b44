using System.Globalization;
using UniCardio.Engine;

namespace UniCardio.Weights;

/// <summary>A weight file or recipe text that cannot be read; the message names the file, the entry at fault and what was
/// expected.</summary>
public sealed class WeightFormatException : UniCardioException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="file">The file as it was named, or the recipe text.</param>
    /// <param name="problem">What is wrong and what was expected.</param>
    /// <param name="entry">The tensor, metadata key or archive entry at fault, if there is one.</param>
    /// <param name="offset">Byte in the file (or in the archive entry) where it was seen, if known.</param>
    /// <param name="inner">The cause, if another exception led here.</param>
    public WeightFormatException(string file, string problem, string? entry = null, long? offset = null, Exception? inner = null)
        : base(Describe(file, problem, entry, offset), inner)
    {
        File = file;
        Entry = entry;
        Offset = offset;
    }

    /// <summary>The file as it was named, or the recipe text.</summary>
    public string File { get; }

    /// <summary>The tensor, metadata key or archive entry at fault; null where the whole file is.</summary>
    public string? Entry { get; }

    /// <summary>Byte in the file, or in the archive entry, where the fault was seen; null where there is no one place.</summary>
    public long? Offset { get; }

    private static string Describe(string file, string problem, string? entry, long? offset) =>
        $"{file}: {(entry is null ? "" : Shorten(entry) + ": ")}{problem}{(offset is null ? "" : $" (byte {offset})")}";

    // Names come out of files that may be hostile: keep messages one readable line.
    internal static string Shorten(string text)
    {
        string cut = text.Length <= 200 ? text : text[..200] + "...";
        return string.Concat(cut.Select(c => char.IsControl(c)
            || char.GetUnicodeCategory(c) is UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
            ? $"\\u{(int)c:X4}" : c.ToString()));
    }
}
