using System.Globalization;
using System.Text;

namespace UniCardio.Signals.Formats.Edf;

/// <summary>
/// Time-stamped annotation lists of EDF+ (Kemp and Olivan 2003, section 2.2): an onset, perhaps a duration, and texts, set apart by
/// bytes 20 and 21 and closed by byte 0. The first list of a data record with an empty text is the record's own time.
/// </summary>
internal static class EdfAnnotationList
{
    private const byte Separator = 20, DurationMark = 21;

    /// <summary>Reads the lists of one annotation signal in one data record.</summary>
    /// <param name="data">Its bytes.</param>
    /// <param name="found">Receives annotations, times counted from the file's start.</param>
    /// <param name="malformed">Counts lists that are not as they should be and were left out.</param>
    /// <returns>The record's own time, null if its first list does not state one.</returns>
    public static double? Read(ReadOnlySpan<byte> data, List<Annotation> found, ref int malformed)
    {
        double? own = null;
        bool first = true;
        while (!data.IsEmpty)
        {
            int end = data.IndexOf((byte)0);
            ReadOnlySpan<byte> list = end < 0 ? data : data[..end];
            data = end < 0 ? [] : data[(end + 1)..];
            if (list.IsEmpty)
                continue;
            int stamp = list.IndexOf(Separator);
            if (stamp < 0 || !TryStamp(list[..stamp], out double onset, out double? duration))
            {
                malformed++;
                first = false;
                continue;
            }
            ReadOnlySpan<byte> texts = list[(stamp + 1)..];
            if (first && (texts.IsEmpty || texts[0] == Separator))
                own = onset;
            first = false;
            AddTexts(texts, onset, duration, found);
        }
        return own;
    }

    private static void AddTexts(ReadOnlySpan<byte> texts, double onset, double? duration, List<Annotation> found)
    {
        while (!texts.IsEmpty)
        {
            int end = texts.IndexOf(Separator);
            ReadOnlySpan<byte> text = end < 0 ? texts : texts[..end];
            texts = end < 0 ? [] : texts[(end + 1)..];
            if (!text.IsEmpty)
                found.Add(new Annotation(onset, 0, Encoding.UTF8.GetString(text)) { DurationSeconds = duration });
        }
    }

    private static bool TryStamp(ReadOnlySpan<byte> stamp, out double onset, out double? duration)
    {
        duration = null;
        int mark = stamp.IndexOf(DurationMark);
        if (mark >= 0)
        {
            if (!TryNumber(stamp[(mark + 1)..], out double length) || length < 0)
            {
                onset = 0;
                return false;
            }
            duration = length;
            stamp = stamp[..mark];
        }
        return TryNumber(stamp, out onset) && stamp[0] is (byte)'+' or (byte)'-';
    }

    private static bool TryNumber(ReadOnlySpan<byte> text, out double value) =>
        double.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out value)
            && double.IsFinite(value);
}
