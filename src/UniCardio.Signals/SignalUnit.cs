using System.Collections.Frozen;

namespace UniCardio.Signals;

/// <summary>The units that channels come in, as canonical text: "mmHg", "mV", "uV", "NU" and so on; "" where none is known.</summary>
internal static class SignalUnit
{
    /// <summary>Unit of blood pressure that the engine works in.</summary>
    public const string MillimetresOfMercury = "mmHg";

    /// <summary>Usual unit of the electrocardiogram.</summary>
    public const string Millivolts = "mV";

    /// <summary>Normalised units: the wave's shape is meant, its size is not.</summary>
    public const string Normalized = "NU";

    /// <summary>No unit known.</summary>
    public const string None = "";

    private static readonly FrozenDictionary<string, string> Spellings = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
    {
        ["mmHg"] = "mmHg", ["mm Hg"] = "mmHg", ["mm_Hg"] = "mmHg", ["torr"] = "mmHg", ["mm[Hg]"] = "mmHg",
        ["mmHg."] = "mmHg", ["mm-Hg"] = "mmHg", ["mm of Hg"] = "mmHg", ["мм рт. ст."] = "mmHg", ["мм рт.ст."] = "mmHg",
        ["kPa"] = "kPa", ["Pa"] = "Pa", ["hPa"] = "hPa", ["mbar"] = "hPa",
        ["cmH2O"] = "cmH2O", ["cm H2O"] = "cmH2O", ["cmH20"] = "cmH2O", ["cm_H2O"] = "cmH2O",
        ["mV"] = "mV", ["millivolt"] = "mV", ["millivolts"] = "mV", ["мВ"] = "mV",
        ["uV"] = "uV", ["microvolt"] = "uV", ["microvolts"] = "uV", ["microV"] = "uV", ["мкВ"] = "uV",
        ["nV"] = "nV", ["V"] = "V", ["volt"] = "V", ["volts"] = "V",
        ["NU"] = "NU", ["n.u."] = "NU", ["nd"] = "NU", ["norm"] = "NU", ["normalised"] = "NU", ["normalized"] = "NU",
        ["a.u."] = "NU", ["a.u"] = "NU", ["au"] = "NU", ["arb. unit"] = "NU", ["arb. units"] = "NU", ["adu"] = "adu",
        ["%"] = "%", ["percent"] = "%", ["bpm"] = "bpm", ["beats/min"] = "bpm", ["1/min"] = "1/min", ["/min"] = "1/min", ["pm"]
        = "1/min", ["breaths/min"] = "1/min",
        ["ohm"] = "Ohm", ["ohms"] = "Ohm", ["l/min"] = "l/min", ["deg"] = "deg", ["degC"] = "degC",
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenDictionary<string, (char Quantity, double Scale)> Scales =
        new Dictionary<string, (char, double)>(StringComparer.Ordinal)
    {
        // Conventional millimetre of mercury: 133.322387415 Pa (NIST SP 811, appendix B.8); centimetre of water: 98.0665 Pa.
        ["mmHg"] = ('p', 133.322387415), ["kPa"] = ('p', 1000), ["hPa"] = ('p', 100), ["Pa"] = ('p', 1), ["cmH2O"] = ('p', 98.0665),
        ["V"] = ('v', 1), ["mV"] = ('v', 1e-3), ["uV"] = ('v', 1e-6), ["nV"] = ('v', 1e-9),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The canonical spelling of a unit.</summary>
    /// <param name="text">The unit as a file states it.</param>
    /// <returns>"mmHg" for "mmhg" or "mm Hg", "uV" for "µV", ...; a unit that is not known is given back trimmed.</returns>
    public static string Canonicalize(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        // Both micro sign (U+00B5) and Greek mu (U+03BC) are met.
        string plain = text.Trim().Replace('\u00b5', 'u').Replace('\u03bc', 'u');
        // A photodiode's picoampere is no pascal.
        return plain != "pA" && Spellings.TryGetValue(plain, out string? canonical) ? canonical : plain;
    }

    /// <summary>Whether the text is a unit known to <see cref="Canonicalize"/>, in any spelling.</summary>
    /// <param name="text">The text.</param>
    public static bool IsKnown(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Spellings.ContainsKey(text.Trim().Replace('\u00b5', 'u').Replace('\u03bc', 'u'));
    }

    /// <summary>Whether the unit measures pressure.</summary>
    /// <param name="unit">The unit.</param>
    public static bool IsPressure(string unit) => Scales.TryGetValue(Canonicalize(unit), out (char Quantity, double Scale) s)
        && s.Quantity == 'p';

    /// <summary>Whether the unit measures voltage.</summary>
    /// <param name="unit">The unit.</param>
    public static bool IsVoltage(string unit) => Scales.TryGetValue(Canonicalize(unit), out (char Quantity, double Scale) s)
        && s.Quantity == 'v';

    /// <summary>The factor by which values in one unit are multiplied to be in another.</summary>
    /// <param name="from">Unit of the values.</param>
    /// <param name="to">Unit wanted.</param>
    /// <param name="factor">The factor; 1 where both are the same unit, 0 where there is none.</param>
    /// <returns>Whether the units measure the same quantity.</returns>
    public static bool TryGetFactor(string from, string to, out double factor)
    {
        string source = Canonicalize(from), target = Canonicalize(to);
        if (source == target)
        {
            factor = 1;
            return true;
        }
        if (Scales.TryGetValue(source, out (char Quantity, double Scale) a)
            && Scales.TryGetValue(target, out (char Quantity, double Scale) b)
            && a.Quantity == b.Quantity)
        {
            factor = a.Scale / b.Scale;
            return true;
        }
        factor = 0;
        return false;
    }

    /// <summary>Splits a column heading such as <c>abp_mmHg</c>, <c>ECG [mV]</c> or <c>ABP (mmHg)</c> into name and unit.</summary>
    /// <param name="heading">The heading.</param>
    /// <returns>
    /// Name and canonical unit. What stands in brackets at the end is always the unit; what follows the last underscore, slash or blank is
    /// one only if it is known (and not the bare "V", which is a lead's name too), so that <c>lead_II</c> stays whole.
    /// </returns>
    public static (string Name, string Unit) SplitName(string heading)
    {
        ArgumentNullException.ThrowIfNull(heading);
        string text = heading.Trim();
        if (text.Length > 2 && text[^1] is ']' or ')')
        {
            int open = text.LastIndexOf(text[^1] == ']' ? '[' : '(');
            if (open > 0)
                return (text[..open].TrimEnd(' ', '_', '\t'), Canonicalize(text[(open + 1)..^1]));
        }
        int cut = text.LastIndexOfAny(['_', ' ', '/']);
        if (cut > 0 && cut < text.Length - 1)
        {
            string tail = text[(cut + 1)..];
            if (IsKnown(tail) && !tail.Equals("V", StringComparison.OrdinalIgnoreCase))
                return (text[..cut].TrimEnd(' ', '_'), Canonicalize(tail));
        }
        return (text, None);
    }
}
