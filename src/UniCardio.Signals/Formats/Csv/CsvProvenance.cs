using System.Text;

namespace UniCardio.Signals.Formats.Csv;

/// <summary>A column of words beside a channel that holds samples which no sensor measured: <c>ABP_provenance</c>.</summary>
internal sealed class CsvProvenance(string channel)
{
    private const string Suffix = "_provenance", Measured = "measured";

    private readonly List<(int Start, string Origin)> _changes = [];
    private int _rows;

    /// <summary>The channel whose column a heading names, or null.</summary>
    public static string? ChannelOf(string heading) =>
        heading.Length > Suffix.Length && heading.EndsWith(Suffix, StringComparison.OrdinalIgnoreCase) ? heading[..^Suffix.Length] : null;

    /// <summary>The heading of a channel's column.</summary>
    public static string Heading(Channel channel) => channel.Name + Suffix;

    /// <summary>The words of a channel, sample by sample; null where all that is there is measured.</summary>
    public static string[]? Of(Recording recording, Channel channel)
    {
        UnmeasuredStretch[] stretches = [.. recording.Unmeasured.Where(s => s.Channel == channel.Name)];
        if (stretches.Length == 0)
            return null;
        var words = new string[channel.Length];
        ReadOnlySpan<float> samples = channel.Samples.Span;
        for (int i = 0; i < words.Length; i++)
            words[i] = float.IsNaN(samples[i]) ? "" : Measured;
        foreach (UnmeasuredStretch stretch in stretches)
        {
            (int start, int end) = stretch.In(channel.SampleRate, words.Length);
            words.AsSpan(start, end - start).Fill(stretch.Origin);
        }
        return words;
    }

    /// <summary>Takes the next row's cell.</summary>
    /// <returns>Whether it is a word of such a column. One that is not may mean anything but that the sample was measured.</returns>
    public bool Add(ReadOnlySpan<byte> cell)
    {
        string? word = WordOf(CsvCell.TrimBlanks(cell));
        if ((_changes.Count == 0 ? "" : _changes[^1].Origin) != (word ?? ""))
            _changes.Add((_rows, word ?? ""));
        _rows++;
        return word is not null;
    }

    // Programs that write a table again turn words to capitals, and what is blank to a word for it.
    private static string? WordOf(ReadOnlySpan<byte> cell)
    {
        if (Ascii.EqualsIgnoreCase(cell, Measured) || CsvCell.Read(cell, false, out _) == CsvCellKind.Missing)
            return "";
        foreach (string origin in UnmeasuredStretch.Origins)
        {
            if (Ascii.EqualsIgnoreCase(cell, origin))
                return origin;
        }
        return null;
    }

    /// <summary>What the column said, as annotations.</summary>
    /// <param name="rate">Rows a second.</param>
    /// <param name="place">Where in the recording a row lies, as rows may be missing from a file.</param>
    public IEnumerable<Annotation> Annotations(double rate, Func<int, int> place)
    {
        for (int i = 0; i < _changes.Count; i++)
        {
            (int start, string origin) = _changes[i];
            if (origin.Length == 0)
                continue;
            int first = place(start), end = place((i + 1 < _changes.Count ? _changes[i + 1].Start : _rows) - 1) + 1;
            yield return new UnmeasuredStretch(channel, first / rate, (end - first) / rate, origin).ToAnnotation(rate);
        }
    }
}
