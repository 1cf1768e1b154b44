using System.Globalization;
using System.Text.RegularExpressions;

namespace UniCardio.Signals;

/// <summary>
/// Samples of a channel that no sensor measured. Recordings carry them as annotations ("not measured: imputed 1.2 s ABP"), so that WFDB and
/// EDF+ keep them and every program that shows annotations says so; CSV has a column of words beside the channel; NPY has no room for them.
/// </summary>
/// <param name="Channel">The channel's name.</param>
/// <param name="StartSeconds">From the start of the recording.</param>
/// <param name="DurationSeconds">How long; 0 or more.</param>
/// <param name="Origin">What they are: <c>imputed</c>, <c>denoised</c>, <c>translated</c>, or <c>bridged</c> by a straight line.</param>
public sealed partial record UnmeasuredStretch(string Channel, double StartSeconds, double DurationSeconds, string Origin)
{
    /// <summary>The words that <see cref="Origin"/> may be.</summary>
    public static IReadOnlyList<string> Origins { get; } = ["imputed", "denoised", "translated", "bridged"];

    /// <summary>The stretch as an annotation.</summary>
    /// <param name="sampleRate">The channel's.</param>
    public Annotation ToAnnotation(double sampleRate) => new(StartSeconds, (long)Math.Round(StartSeconds * sampleRate),
        string.Create(CultureInfo.InvariantCulture, $"not measured: {Origin} {DurationSeconds:0.######} s {Channel}"))
        { DurationSeconds = DurationSeconds };

    /// <summary>The stretch that an annotation tells of, or null.</summary>
    /// <param name="annotation">The annotation, as any format has it.</param>
    public static UnmeasuredStretch? Of(Annotation annotation)
    {
        ArgumentNullException.ThrowIfNull(annotation);
        Match match = Said().Match(annotation.Symbol);
        if (!match.Success)
            match = Said().Match(annotation.Text);
        return match.Success && double.TryParse(match.Groups["seconds"].ValueSpan, NumberStyles.AllowDecimalPoint,
            CultureInfo.InvariantCulture, out double seconds)
            ? new UnmeasuredStretch(match.Groups["channel"].Value, annotation.TimeSeconds, seconds, match.Groups["origin"].Value) : null;
    }

    /// <summary>First and first sample after, of a channel of so many samples.</summary>
    internal (int Start, int End) In(double sampleRate, int length)
    {
        double start = Math.Round(StartSeconds * sampleRate), end = Math.Round((StartSeconds + DurationSeconds) * sampleRate);
        return ((int)Math.Clamp(start, 0, length), (int)Math.Clamp(end, 0, length));
    }

    [GeneratedRegex("^not measured: (?<origin>imputed|denoised|translated|bridged) (?<seconds>[0-9]{1,12}(\\.[0-9]{1,9})?) s "
        + "(?<channel>.+)$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Said();
}
