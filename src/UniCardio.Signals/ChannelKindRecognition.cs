using System.Collections.Frozen;

namespace UniCardio.Signals;

/// <summary>Tells from a channel's name and unit what it measures.</summary>
/// <remarks>
/// <para>The name is split at everything that is neither letter nor digit and compared without regard to case. In this order:</para>
/// <list type="number">
/// <item>A name with a word for a derived number (rate, mean, sys, dia, HR, PR, ...) or a unit of rate (bpm, 1/min) is
/// <see cref="ChannelKind.Other"/>: monitors export trends beside the waves.</item>
/// <item>PLETH*, PPG*, PULSE, or SPO2 unless its unit is a percentage: <see cref="ChannelKind.Ppg"/>.</item>
/// <item>ABP*, ART*, BP, IBP*, AOP, AO, FABP, UAP, RADIAL and the like: <see cref="ChannelKind.BloodPressure"/>. Venous, pulmonary,
/// intracranial and airway pressures (CVP, PAP, ICP, PAW, ...) are <see cref="ChannelKind.Other"/>.</item>
/// <item>ECG*, EKG*, the leads MLII, MCL1, aVR, aVL, aVF, V1..V9, and I, II, III or V standing alone or beside the word
/// "lead": <see cref="ChannelKind.Ecg"/>.</item>
/// <item>A name that says nothing but a unit of pressure: <see cref="ChannelKind.BloodPressure"/>. A unit of voltage says nothing, as
/// electroencephalograms and respiration bear it too.</item>
/// </list>
/// Lead names are those of the WFDB header convention (PhysioNet, header(5)) and of IEC 60601-2-25.
/// </remarks>
public static class ChannelKindRecognition
{
    private static readonly FrozenSet<string> DerivedWords = FrozenSet.Create(StringComparer.Ordinal,
        "RATE", "HR", "PR", "RR", "MEAN", "SYS", "SYSTOLIC", "DIA", "DIASTOLIC", "SBP", "DBP", "MAP", "MBP", "STATUS", "QUALITY", "INDEX");

    private static readonly FrozenSet<string> PressureWords = FrozenSet.Create(StringComparer.Ordinal,
        "BP", "AOP", "AO", "AORTIC", "FABP", "FAP", "UAP", "UAC", "BAP", "RADIAL", "FEMORAL", "BRACHIAL", "ARTERIAL", "FINAP", "FINAPRES", "PORTAPRES", "NIBP", "CNAP");

    private static readonly FrozenSet<string> OtherPressureWords = FrozenSet.Create(StringComparer.Ordinal,
        "CVP", "PAP", "PA", "ICP", "LAP", "RAP", "LVP", "RVP", "PAW", "AWP", "PCWP", "CPP", "IAP", "CUFF", "VENOUS", "PULMONARY", "INTRACRANIAL", "AIRWAY");

    private static readonly FrozenSet<string> LeadWords = FrozenSet.Create(StringComparer.Ordinal,
        "MLI", "MLII", "MLIII", "ML2", "MCL", "MCL1", "MCL6", "MV1", "MV2", "MV5", "AVR", "AVL", "AVF",
        "V1", "V2", "V3", "V4", "V5", "V6", "V7", "V8", "V9", "V3R", "V4R", "VX", "VY", "VZ", "CM5", "CC5", "ELECTROCARDIOGRAM");

    private static readonly FrozenSet<string> BareLeads = FrozenSet.Create(StringComparer.Ordinal, "I", "II", "III", "V");

    /// <summary>Recognises a channel.</summary>
    /// <param name="name">Its name, without unit; see <see cref="SignalUnit.SplitName"/> for names that carry one.</param>
    /// <param name="unit">Its unit; empty if unknown.</param>
    /// <returns>The kind, <see cref="ChannelKind.Other"/> where neither tells.</returns>
    public static ChannelKind Recognize(string name, string unit)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(unit);
        string[] words = Words(name);
        string canonical = SignalUnit.Canonicalize(unit);
        if (canonical is "bpm" or "1/min" || words.Any(DerivedWords.Contains))
            return ChannelKind.Other;
        if (words.Any(w => IsPpg(w, canonical)))
            return ChannelKind.Ppg;
        if (words.Any(OtherPressureWords.Contains))
            return ChannelKind.Other;
        if (words.Any(IsPressure))
            return ChannelKind.BloodPressure;
        if (IsEcg(words))
            return ChannelKind.Ecg;
        return SignalUnit.IsPressure(canonical) ? ChannelKind.BloodPressure : ChannelKind.Other;
    }

    private static bool IsPpg(string word, string unit) =>
        word.StartsWith("PLETH", StringComparison.Ordinal) || word.StartsWith("PPG", StringComparison.Ordinal)
        || word.StartsWith("PHOTOPLETH", StringComparison.Ordinal) || word is "PULSE" or "PULSEOX"
        || (word is "SPO2" && unit != "%");

    private static bool IsPressure(string word) =>
        PressureWords.Contains(word) || StartsWithNumbered(word, "ABP") || StartsWithNumbered(word, "ART")
        || StartsWithNumbered(word, "IBP");

    private static bool IsEcg(string[] words) =>
        words.Any(w => w.StartsWith("ECG", StringComparison.Ordinal) || w.StartsWith("EKG", StringComparison.Ordinal) || LeadWords.Contains(w))
        || (words.Length == 1 && BareLeads.Contains(words[0]))
        || (words.Contains("LEAD") && words.Any(BareLeads.Contains));

    // "ABP", "ABP2", "ART1"; not "ARTEFACT".
    private static bool StartsWithNumbered(string word, string stem) =>
        word.StartsWith(stem, StringComparison.Ordinal) && word.AsSpan(stem.Length).IndexOfAnyExceptInRange('0', '9') < 0;

    private static string[] Words(string name)
    {
        char[] letters = name.ToUpperInvariant().ToCharArray();
        for (int i = 0; i < letters.Length; i++)
        {
            if (!char.IsLetterOrDigit(letters[i]))
                letters[i] = ' ';
        }
        return new string(letters).Split(' ', StringSplitOptions.RemoveEmptyEntries);
    }
}
