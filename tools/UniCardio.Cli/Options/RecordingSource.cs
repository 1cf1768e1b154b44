using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace UniCardio.Cli.Options;

/// <summary>Recordings to measure on: <c>FILE|DIR[,rate=HZ][,columns=A/B/C][,subject=NAME]</c>.</summary>
/// <param name="Path">A recording, or a folder of recordings.</param>
internal sealed record RecordingSource(string Path) : IParsable<RecordingSource>
{
    /// <summary>Samples a second of files that do not state it.</summary>
    public double? Rate { get; init; }

    /// <summary>The rate of all recordings that do not tell theirs.</summary>
    public double? CommonRate { get; init; }

    /// <summary>Names of columns that have none.</summary>
    public IReadOnlyList<string>? Columns { get; init; }

    /// <summary>Whose recording it is; the recording's own name if null.</summary>
    public string? Subject { get; init; }

    /// <summary>Known beats: WFDB annotations, or a .csv of sample numbers.</summary>
    public string? Beats { get; init; }

    public static RecordingSource Parse(string s, IFormatProvider? provider = null)
    {
        // A path may hold commas: settings are what stands at the end.
        string[] parts = s.Split(',');
        int settings = parts.Length;
        while (settings > 1 && IsSetting(parts[settings - 1]))
            settings--;
        var source = new RecordingSource(string.Join(',', parts[..settings]).Trim());
        if (source.Path.Length == 0)
            throw new FormatException($"'{s}' names no file or folder");
        foreach (string part in parts[settings..])
        {
            string[] pair = part.Split('=', 2, StringSplitOptions.TrimEntries);
            source = pair[0].ToLowerInvariant() switch
            {
                "rate" when double.TryParse(pair[1], CultureInfo.InvariantCulture, out double rate) && rate > 0 && double.IsFinite(rate) =>
                    source with { Rate = rate },
                "columns" when pair[1].Length > 0 => source with { Columns = pair[1].Split('/') },
                "subject" when pair[1].Length > 0 => source with { Subject = pair[1] },
                "beats" when pair[1].Length > 0 => source with { Beats = pair[1] },
                _ => throw new FormatException(
                    $"'{part}' is not a setting of a recording; expected rate=HZ, columns=A/B/C, subject=NAME or beats=FILE"),
            };
        }

        return source;
    }

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, [MaybeNullWhen(false)] out RecordingSource result)
    {
        try
        {
            result = s is null ? null : Parse(s, provider);
        }
        catch (FormatException)
        {
            result = null;
        }

        return result is not null;
    }

    private static bool IsSetting(string part) => part.TrimStart() is { } text
        && (text.StartsWith("rate=", StringComparison.OrdinalIgnoreCase) || text.StartsWith("columns=", StringComparison.OrdinalIgnoreCase)
            || text.StartsWith("subject=", StringComparison.OrdinalIgnoreCase)
            || text.StartsWith("beats=", StringComparison.OrdinalIgnoreCase));
}
