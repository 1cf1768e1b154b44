using System.Collections.Frozen;

namespace UniCardio.Signals;

/// <summary>Tells from a channel's name and unit what it measures.</summary>
/// <remarks>
/// <para>A name is split into words at everything that is neither letter nor digit, and once more where capitals tell parts of a word
/// (ABPSys: ABP, Sys). Words decide, the unit only checks. In this order:</para>
/// <list type="number">
/// <item>A word or ending for a derived number (rate, mean, sys, dia, HR, ST, status, ...), or a unit of rate, length, temperature or time:
/// <see cref="ChannelKind.Other"/>. Monitors export trends beside the waves.</item>
/// <item>Respiration, gases and flow: <see cref="ChannelKind.Other"/>, whatever stands beside them ("Resp Art").</item>
/// <item>PLETH*, PPG*, BVP, PULSE, or SPO2 that is no percentage: <see cref="ChannelKind.Ppg"/>.</item>
/// <item>ECG*, EKG*: <see cref="ChannelKind.Ecg"/>, unless the unit is one of pressure.</item>
/// <item>Venous, pulmonary, cardiac, intracranial, airway and ambient pressures (CVP, PAP, LVP, ICP, PAW, ...): <see
/// cref="ChannelKind.Other"/>.</item>
/// <item>ABP, ART, BP, IBP, AO, FEM, UA and the like, with a number after them or none: <see cref="ChannelKind.BloodPressure"/>, unless the
/// unit is not one of pressure, of a transducer's voltage or of normalised waves. Two letters that mean other things elsewhere
/// (AP, FE, UA, P1) need the unit of pressure.</item>
/// <item>The leads I, II, III, V, V1 to V9, aVR, MLII, MCL1, ...: <see cref="ChannelKind.Ecg"/>; I, II, III and V only alone or beside
/// "lead", and with a unit that an electrocardiogram can have.</item>
/// </list>
/// <para>A unit alone says nothing: airways, ventricles and the weather are measured in mmHg, respiration in mV.</para>
/// Lead names are those of the WFDB header convention (PhysioNet, header(5)) and of IEC 60601-2-25; pressure labels those of bedside
/// monitors (ISO/IEEE 11073-10101 and the label tables of MIMIC and VitalDB).
/// </remarks>
internal static class ChannelKindRecognition
{
    private static readonly FrozenSet<string> DerivedWords = Words(
        "RATE HR PR RR RESPRATE PULSERATE HEARTRATE MEAN AVG AVERAGE SYS SYST SYSTOLIC SYSTOLE DIA DIAS DIAST DIASTOLIC DIASTOLE SBP DBP "
        + "MAP MBP NIMAP"
        + " STATUS QUALITY SQI INDEX IDX PI PVI PVC PVCS SVV PPV CO CI SV SVI SVR CCO ST QT QTC PERF PERFUSION MIN MAX ALARM ALARMS "
        + "TREND NUMERIC"
        + " BPM TEMP FREQ FREQUENCY COUNT FLAG ANN ANNOTATION ANNOTATIONS EVENT EVENTS MARKER INTERVAL PTT PAT PWV HRV IBI SAP DAP "
        + "TRANSIT AMPLITUDE PACE PACER OFF");

    // Endings (and beginnings) glued to a stem without any sign: ABPSYS, SYSABP, ABPMEAN, PLETHRATE.
    private static readonly string[] DerivedParts = ["MEAN", "SYST", "DIAST", "DIAS", "SYS", "DIA", "RATE", "SBP", "DBP", "MBP", "HR"];

    private static readonly FrozenSet<string> OtherWords = Words(
        "RESP RESPIRATION RESPIRATORY RESPI BREATH BREATHING RIP EDR THORAX THORACIC ABDOMEN ABDOMINAL FLOW AIRFLOW VELOCITY NASAL "
        + "CANNULA MASK VENT"
        + " VENTILATOR CO2 ETCO2 PCO2 PACO2 TCPCO2 INCO2 FICO2 O2 PO2 PAO2 SAO2 STO2 ETO2 FIO2 INO2 VOLUME TIDAL SNORE EEG EMG EOG EDA "
        + "GSR IMPEDANCE PH DOPPLER");

    private static readonly FrozenSet<string> OtherPressureWords = Words(
        "CVP PAP PA ICP IC LAP RAP LVP RVP LA RA LV RV PAW AWP PCWP PAWP PCW CPP IAP UVP UV CUFF VENOUS VEIN PULMONARY PULM "
        + "INTRACRANIAL CRANIAL"
        + " CEREBRAL CSF AIRWAY ESOPHAGEAL OESOPHAGEAL PES PGA PDI GASTRIC BLADDER INTRAABDOMINAL VENTRICULAR VENTRICLE ATRIAL ATRIUM "
        + "WEDGE PORTAL"
        + " CPAP BIPAP IPAP EPAP PEEP NBP AMBIENT BAROMETRIC BAROMETER BARO ATMOSPHERIC ATM PAMB URETHRAL RECTAL TRANSPULMONARY "
        + "COMPARTMENT");

    private static readonly FrozenSet<string> PressureWords = Words(
        "ABP ART IBP BP AOP AO AORTIC AORTA FABP FAP UAP UAC BAP RABP RADIAL FEMORAL FEM BRACHIAL UMBILICAL ARTERIAL ARTERY FINAP FIAP "
        + "FINABP FINAPRES FINOMETER"
        + " PORTAPRES NEXFIN CLEARSIGHT CNAP REBAP BLUTDRUCK AOBP ARTP CAROTID");

    // A cuff's label in most monitors, a finger cuff's wave in some recordings.
    private static readonly FrozenSet<string> WeakPressureWords = Words("NIBP NIABP");

    private static readonly FrozenSet<string> PressureWordsThatNeedTheUnit = Words("AP FE UA PART");

    private static readonly FrozenSet<string> LeadWords = Words(
        "MLI MLII MLIII ML2 MCL MCL1 MCL6 MV1 MV2 MV5 AVR AVL AVF V1 V2 V3 V4 V5 V6 V7 V8 V9 V3R V4R VX VY VZ CM5 CM2 CC5 CS5 DI DII "
        + "DIII D1 D2 D3 LEADI LEADII"
        + " LEADIII ELECTROCARDIOGRAM ELEKTROKARDIOGRAMM MODV1 MODV5");

    private static readonly FrozenSet<string> BareLeads = Words("I II III V");

    private static readonly FrozenSet<string> LimbElectrodes = Words("LA RA LL RL");

    /// <summary>Recognises a channel.</summary>
    /// <param name="name">Its name, without unit; see <see cref="SignalUnit.SplitName"/> for names that carry one.</param>
    /// <param name="unit">Its unit; empty if unknown.</param>
    /// <returns>The kind, <see cref="ChannelKind.Other"/> where the name does not tell it or the unit forbids it.</returns>
    public static ChannelKind Recognize(string name, string unit) => Judge(name, unit).Kind;

    /// <summary>How sure the name is, for the choice among channels of one kind: 2 where it can mean nothing else, 1 where it often means
    /// a number or another place.</summary>
    internal static (ChannelKind Kind, int Strength) Judge(string name, string unit)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(unit);
        (string[] words, string[] parts) = Split(name);
        string canonical = SignalUnit.Canonicalize(unit);
        if (IsUnitOfNumbers(canonical) || IsDerived(words, parts) || words.Any(w => OtherWords.Contains(w) || OtherWords.Contains(Stem(w)))
            || parts.Any(p => p != "O2" && OtherWords.Contains(p)))
            return (ChannelKind.Other, 0);
        if (words.Any(IsPlainPpg) || parts.Any(IsPlainPpg))
            return SignalUnit.IsPressure(canonical) ? default : (ChannelKind.Ppg, 2);
        if (words.Any(w => w is "PULSE" or "SPO2") && !words.Contains("PRESSURE") && canonical != "%" && !SignalUnit.IsPressure(canonical))
            return (ChannelKind.Ppg, 1);
        if (words.Concat(parts).Any(w => w.StartsWith("ECG", StringComparison.Ordinal) || w.StartsWith("EKG", StringComparison.Ordinal)))
            return CanBeEcg(canonical, strict: false) ? (ChannelKind.Ecg, 2) : default;
        if (SignalUnit.IsVoltage(canonical) && words.Count(LimbElectrodes.Contains) == 2)
            return (ChannelKind.Ecg, 2);
        if (words.Select(Stem).Concat(parts).Any(OtherPressureWords.Contains))
            return (ChannelKind.Other, 0);
        if (Pressure(words, parts, canonical) is > 0 and var strength)
            return (ChannelKind.BloodPressure, strength);
        return IsLead(words, canonical) ? (ChannelKind.Ecg, 2) : default;
    }

    private static bool IsUnitOfNumbers(string unit) =>
        unit is "bpm" or "1/min" or "l/min" or "degC" or "deg" or "Ohm" || unit.EndsWith("/s", StringComparison.Ordinal)
            || unit.ToUpperInvariant() is "MM" or "CM" or "S" or "MS" or "US" or "HZ" or "C" or "ML" or "L";

    private static bool IsPlainPpg(string word) =>
        word.StartsWith("PLETH", StringComparison.Ordinal) || word.StartsWith("PPG", StringComparison.Ordinal)
            || word.StartsWith("PHOTOPLETH", StringComparison.Ordinal)
        || Stem(word) is "BVP" or "PULSEOX";

    private static bool IsDerived(string[] words, string[] parts)
    {
        if (words.Concat(parts).Any(DerivedWords.Contains))
            return true;
        // PLETH_SPO2: the number beside the wave of that name.
        if (words.Length > 1 && words[^1] == "SPO2" && words.Any(IsPlainPpg))
            return true;
        for (int i = 0; i < words.Length; i++)
        {
            if (DerivedParts.Any(p => (words[i].EndsWith(p, StringComparison.Ordinal) && IsStem(words[i][..^p.Length]))
                || (words[i].StartsWith(p, StringComparison.Ordinal) && IsStem(words[i][p.Length..]))))
                return true;
            // ABP_S, ART D, BP.M; ABPS, ARTD, PAPM; mABP.
            if (i > 0 && words[i] is "S" or "D" or "M" && IsPressureStem(words[i - 1]))
                return true;
            if (words[i].Length > 2 && !PressureWords.Contains(words[i])
                && ((words[i][^1] is 'S' or 'D' or 'M' && IsPressureStem(words[i][..^1])) || (words[i][0] is 'S' or 'D' or 'M'
                    && IsPressureStem(words[i][1..]))))
                return true;
        }
        return false;
    }

    private static bool IsStem(string word) => IsPressureStem(word) || IsPlainPpg(word)
        || word is "ECG" or "EKG" or "PULSE" or "RESP" or "HEART" or "SPO2";

    private static bool IsPressureStem(string word) =>
        Stem(word) is var stem && stem.Length > 1 && (PressureWords.Contains(stem) || WeakPressureWords.Contains(stem)
            || OtherPressureWords.Contains(stem) || stem is "NI" or "NIABP" or "FE" or "UA");

    // 2: sure, 1: weak, 0: none.
    private static int Pressure(string[] words, string[] parts, string unit)
    {
        bool isPressure = SignalUnit.IsPressure(unit);
        if (!isPressure && !(unit is "" or SignalUnit.Normalized or "adu" || SignalUnit.IsVoltage(unit) || !SignalUnit.IsKnown(unit)))
            return 0;
        string[] stems = [.. words.Select(Stem), .. parts];
        if (stems.Any(PressureWords.Contains) || (words.Contains("BLOOD") && words.Contains("PRESSURE")))
            return words.Contains("NON") || words.Contains("NONINVASIVE") ? 1 : 2;
        if (stems.Any(WeakPressureWords.Contains))
            return 1;
        if (isPressure && stems.Any(PressureWordsThatNeedTheUnit.Contains))
            return 2;
        return isPressure && words.Length == 1 && stems[0] == "P" ? 1 : 0;
    }

    private static bool IsLead(string[] words, string unit)
    {
        if (words.Any(LeadWords.Contains))
            return CanBeEcg(unit, strict: !words.Any(w => w.StartsWith("AV", StringComparison.Ordinal)
                || w.StartsWith("ML", StringComparison.Ordinal)));
        bool bare = words.Length == 1 ? BareLeads.Contains(words[0]) : words.Any(w => w is "LEAD" or "ABLEITUNG")
            && words.Any(BareLeads.Contains);
        return bare && CanBeEcg(unit, strict: true);
    }

    private static bool CanBeEcg(string unit, bool strict) =>
        unit is "" or SignalUnit.Normalized or "adu" || SignalUnit.IsVoltage(unit) || (!strict && !SignalUnit.IsKnown(unit));

    // "ABP2" and "ART1" are ABP and ART; a lead's number belongs to its name and is compared whole.
    private static string Stem(string word) => word.TrimEnd("0123456789".ToCharArray()) is { Length: > 0 } stem ? stem : word;

    // Words at signs, and their parts where the case of letters tells them: "NBPMean" is one word of two parts.
    private static (string[] Words, string[] Parts) Split(string name)
    {
        char[] letters = name.ToCharArray();
        for (int i = 0; i < letters.Length; i++)
        {
            if (!char.IsLetterOrDigit(letters[i]))
                letters[i] = ' ';
        }
        string[] words = new string(letters).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var parts = new List<string>();
        foreach (string word in words)
        {
            int start = 0;
            for (int i = 1; i < word.Length; i++)
            {
                bool rises = char.IsLower(word[i - 1]) && char.IsUpper(word[i]);
                bool ends = i + 2 < word.Length && char.IsUpper(word[i - 1]) && char.IsUpper(word[i]) && char.IsLower(word[i + 1]);
                if (rises || ends)
                {
                    parts.Add(word[start..i]);
                    start = i;
                }
            }
            // A word of one part is there already; single letters are no words: aVR, fiAP's first two.
            if (start > 0)
                parts.Add(word[start..]);
        }
        return ([.. words.Select(w => w.ToUpperInvariant())],
            [.. parts.Where(p => p.Length > 1 || char.IsDigit(p[0])).Select(p => p.ToUpperInvariant())]);
    }

    private static FrozenSet<string> Words(string list) => list.Split(' ').ToFrozenSet(StringComparer.Ordinal);
}
