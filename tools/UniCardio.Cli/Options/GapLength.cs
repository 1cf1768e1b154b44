using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace UniCardio.Cli.Options;

/// <summary>A gap's length: seconds (<c>1.2</c>, <c>1.2s</c>) or a share of the window (<c>30%</c>).</summary>
/// <param name="Value">Seconds, or the share as a fraction.</param>
/// <param name="IsShare">Whether it is a share.</param>
internal readonly record struct GapLength(double Value, bool IsShare) : IParsable<GapLength>
{
    /// <summary>As it is written.</summary>
    public override string ToString() => IsShare ? string.Create(CultureInfo.InvariantCulture, $"{100 * Value:0.##}%")
        : string.Create(CultureInfo.InvariantCulture, $"{Value:0.###}");

    /// <summary>In seconds.</summary>
    public double Seconds(double windowSeconds) => IsShare ? Value * windowSeconds : Value;

    public static GapLength Parse(string s, IFormatProvider? provider = null) =>
        TryParse(s, provider, out GapLength gap) ? gap
            : throw new FormatException($"'{s}' is not a gap; expected seconds (1.2) or a share of the window (30%)");

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, [MaybeNullWhen(false)] out GapLength result)
    {
        string text = (s ?? "").Trim();
        bool share = text.EndsWith('%');
        bool read = double.TryParse(text.TrimEnd('%', 's'), NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
            && double.IsFinite(value);
        result = new GapLength(share ? value / 100 : value, share);
        return read;
    }
}
