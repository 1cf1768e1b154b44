using System.Globalization;
using System.Text;

namespace UniCardio.Signals;

/// <summary>Text out of files, made fit to be shown: what a terminal, a page or a log would act upon instead of showing is written
/// out.</summary>
internal static class VisibleText
{
    /// <summary>
    /// The text with control characters, line ends among them, halves of surrogate pairs, and characters that turn the direction of text
    /// or take
    /// no room written as escapes: <c>\u001B</c> for the one that terminal commands begin with.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <returns>The same object where there is nothing to escape.</returns>
    public static string Escape(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int first = 0;
        while (first < text.Length && !IsHidden(text, first))
            first++;
        if (first == text.Length)
            return text;
        var visible = new StringBuilder(text, 0, first, text.Length + 16);
        for (int i = first; i < text.Length; i++)
        {
            if (IsHidden(text, i))
                visible.Append(CultureInfo.InvariantCulture, $"\\u{(int)text[i]:X4}");
            else
                visible.Append(text[i]);
        }
        return visible.ToString();
    }

    private static bool IsHidden(string text, int at)
    {
        char c = text[at];
        if (c is >= ' ' and <= '~')
            return false;
        if (char.IsSurrogate(c))
        {
            return !(char.IsHighSurrogate(c) ? at + 1 < text.Length && char.IsLowSurrogate(text[at + 1]) : at > 0
                && char.IsHighSurrogate(text[at - 1]));
        }
        return char.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
            or UnicodeCategory.ParagraphSeparator;
    }
}
