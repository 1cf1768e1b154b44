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
        + "TRANSIT AMPLITUDE PACE PACER OFF BEAT BEATS RPEAK RPEAKS PEAK PEAKS RHYTHM SNR LABEL LABELS TIME TIMESTAMP TIMESTAMPS CLASS "
        + "CODE SCORE"
        + " CONFIDENCE VALID STATE BATTERY GAIN OFFSET ZERO PROBE LEADOFF CURRENT DERIVATIVE SLOPE DPDT DELAY COUNTER SEQ VAR "
        + "MITTELWERT MITTEL MEDIA MEDIO MOYENNE MOYEN MITTELDRUCK ACC ACCX ACCY ACCZ GYRO AMBIENT");

    // Beginnings of such words in languages that monitors are set to (accents are taken off before).
    private static readonly string[] DerivedBeginnings =
        ["SYSTOL", "SISTOL", "DIASTOL", "FREQU", "FRECU", "HERZFREQ", "PULSFREQ", "VARIAB", "VARIAT", "ACCEL"];

    // Endings (and beginnings) glued to a stem without any sign: ABPSYS, SYSABP, ABPMEAN, PLETHRATE.
    private static readonly string[] DerivedParts = ["MEAN", "SYST", "DIAST", "DIAS", "SYS", "DIA", "RATE", "SBP", "DBP", "MBP", "HR"];

    private static readonly string[] GluedStems = ["ECG", "EKG", "PPG", "PLETH", "ABP", "BVP"];

    private static readonly FrozenSet<string> OtherWords = Words(
        "RESP RESPIRATION RESPIRATORY RESPI BREATH BREATHING RIP EDR THORAX THORACIC ABDOMEN ABDOMINAL FLOW AIRFLOW VELOCITY NASAL "
        + "CANNULA MASK VENT"
        + " VENTILATOR CO2 ETCO2 PCO2 PACO2 TCPCO2 INCO2 FICO2 O2 PO2 PAO2 SAO2 STO2 ETO2 FIO2 INO2 VOLUME TIDAL SNORE EEG EMG EOG EDA "
        + "GSR IMPEDANCE PH DOPPLER INDUCTANCE INDUCTIVE");

    // Where an electrode sits or which input it is plugged into, beside "ECG": Thorax ECG, EEG ECG-Ref, RespiBAN ECG.
    private static readonly FrozenSet<string> PlacesOfEcg = Words("THORAX THORACIC ABDOMEN ABDOMINAL EEG EMG EOG RESPI");

    private static readonly FrozenSet<string> OtherPressureWords = Words(
        "CVP PAP PA ICP IC LAP RAP LVP RVP LA RA LV RV PAW AWP PCWP PAWP PCW CPP IAP UVP UV CUFF VENOUS VEIN PULMONARY PULM "
        + "INTRACRANIAL CRANIAL"
        + " CEREBRAL CSF AIRWAY ESOPHAGEAL OESOPHAGEAL PES PGA PDI GASTRIC BLADDER INTRAABDOMINAL VENTRICULAR VENTRICLE ATRIAL ATRIUM "
        + "WEDGE PORTAL"
        + " CPAP BIPAP IPAP EPAP PEEP NBP AMBIENT BAROMETRIC BAROMETER BARO ATMOSPHERIC ATM PAMB URETHRAL RECTAL TRANSPULMONARY "
        + "COMPARTMENT DIALYSIS CPB BYPASS ECMO CIRCUIT PUMP BALLOON IABP");

    private static readonly string[] OtherPressureBeginnings = ["PULM", "VENOS", "VEIN", "VENEN"];

    private static readonly FrozenSet<string> PressureWords = Words(
        "ABP ART IBP BP AOP AO AORTIC AORTA FABP FAP UAP UAC BAP RABP RADIAL FEMORAL FEM BRACHIAL UMBILICAL ARTERIAL ARTERY FINAP FIAP "
        + "FINABP FINAPRES FINOMETER"
        + " PORTAPRES NEXFIN CLEARSIGHT CNAP REBAP AOBP ARTP CAROTID AORT PEDIS PICCO");

    // Arterial pressure in other languages.
    private static readonly string[] PressureBeginnings =
        ["ARTERI", "BLUTDRUCK", "BLOEDDRUK", "BLODTRYCK", "BLODTRYK", "VERENPAINE", "血圧", "血压", "動脈圧", "动脉压"];

    // A cuff's label in most monitors, a finger cuff's wave in some recordings.
    private static readonly FrozenSet<string> WeakPressureWords = Words("NIBP NIABP");

    private static readonly FrozenSet<string> PressureWordsThatNeedTheUnit = Words("AP FE UA PART AR INVP INVBP PAI BLOODPRESSURE АД");

    private static readonly FrozenSet<string> LeadWords = Words(
        "MLI MLII MLIII ML2 MCL MCL1 MCL6 MV1 MV2 MV5 AVR AVL AVF V1 V2 V3 V4 V5 V6 V7 V8 V9 V3R V4R VX VY VZ CM5 CM2 CC5 CS5 DI DII "
        + "DIII D1 D2 D3 LEADI LEADII"
        + " LEADIII ELECTROCARDIOGRAM ELEKTROKARDIOGRAMM MODV1 MODV5 VCG");

    private static readonly FrozenSet<string> BareLeads = Words("I II III V");

    private static readonly FrozenSet<string> SaysLead =
        Words("LEAD ABLEITUNG ABL DERIVATION DERIVACION DERIVAZIONE DERIVACAO EINTHOVEN GOLDBERGER");

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
        bool isEcg = words.Concat(parts).Any(IsPlainEcg);
        bool isVolumePulse = Has(words, parts, "BLOOD") && Has(words, parts, "VOLUME") && Has(words, parts, "PULSE");
        if (IsUnitOfNumbers(canonical) || IsDerived(words, parts) || (IsOther(words, parts, isEcg) && !isVolumePulse))
            return (ChannelKind.Other, 0);
        if (isVolumePulse || words.Any(IsPlainPpg) || parts.Any(IsPlainPpg))
            return SignalUnit.IsPressure(canonical) || (canonical == "%" && words.Contains("PULSEOX")) ? default : (ChannelKind.Ppg, 2);
        if (words.Any(w => w is "PULSE" or "SPO2" or "OXY") && canonical != "%" && !SignalUnit.IsPressure(canonical))
            return (ChannelKind.Ppg, 1);
        if (isEcg)
            return CanBeEcg(canonical, strict: false) ? (ChannelKind.Ecg, 2) : default;
        if (SignalUnit.IsVoltage(canonical) && words.Count(LimbElectrodes.Contains) == 2)
            return (ChannelKind.Ecg, 2);
        if (words.Select(Stem).Concat(parts).Any(w => OtherPressureWords.Contains(w) || Begins(w, OtherPressureBeginnings)))
            return (ChannelKind.Other, 0);
        if (Pressure(words, parts, canonical) is > 0 and var strength)
            return (ChannelKind.BloodPressure, strength);
        return IsLead(words, canonical) ? (ChannelKind.Ecg, 2) : default;
    }

    private static bool IsUnitOfNumbers(string unit) =>
        unit is "bpm" or "1/min" or "l/min" or "degC" or "deg" or "Ohm" || unit.EndsWith("/s", StringComparison.Ordinal)
            || unit.ToUpperInvariant() is "MM" or "CM" or "S" or "MS" or "US" or "HZ" or "C" or "ML" or "L" or "DB" or "G" or "RPM"
                or "M/S2" or "M/S^2" or "LUX";

    private static bool IsPlainPpg(string word) =>
        Contains(word, "PLETH") || Contains(word, "PLETISM") || Contains(word, "PLETYSM")
            || word.StartsWith("PPG", StringComparison.Ordinal) || word is "RPPG" or "IPPG"
        || Stem(word) is "BVP" or "PULSEOX" or "ФПГ" || Contains(word, "脈波") || Contains(word, "脉搏波");

    // ECG1, EKG, fECG; IECG is a catheter's.
    private static bool IsPlainEcg(string word) =>
        word.StartsWith("ECG", StringComparison.Ordinal) || word.StartsWith("EKG", StringComparison.Ordinal)
            || word is "FECG" or "MECG" || Stem(word) == "ЭКГ" || Contains(word, "心電") || Contains(word, "心电");

    private static bool IsOther(string[] words, string[] parts, bool isEcg) =>
        words.Any(w => (OtherWords.Contains(w) || OtherWords.Contains(Stem(w))) && !(isEcg && PlacesOfEcg.Contains(Stem(w))))
            || parts.Any(p => p != "O2" && OtherWords.Contains(p) && !(isEcg && PlacesOfEcg.Contains(p)));

    private static bool Contains(string word, string part) => word.Contains(part, StringComparison.Ordinal);

    private static bool Has(string[] words, string[] parts, string word) => words.Contains(word) || parts.Contains(word);

    private static bool Begins(string word, string[] beginnings) => beginnings.Any(b => word.StartsWith(b, StringComparison.Ordinal));

    private static bool IsDerived(string[] words, string[] parts)
    {
        if (words.Any(DerivedWords.Contains) || words.Concat(parts).Any(w => Begins(w, DerivedBeginnings)))
            return true;
        // PiCCO is no cardiac output.
        if (!words.Any(PressureWords.Contains) && parts.Any(DerivedWords.Contains))
            return true;
        // The pulse pressure is a difference; dP/dt a slope.
        if ((Has(words, parts, "PULSE") && Has(words, parts, "PRESSURE")) || (words.Contains("DP") && words.Contains("DT")))
            return true;
        // PLETH_SPO2: the number beside the wave of that name.
        if (words.Length > 1 && words[^1] == "SPO2" && words.Any(IsPlainPpg))
            return true;
        for (int i = 0; i < words.Length; i++)
        {
            if (DerivedParts.Any(p => (words[i].EndsWith(p, StringComparison.Ordinal) && IsStem(words[i][..^p.Length]))
                || (words[i].StartsWith(p, StringComparison.Ordinal) && IsStem(words[i][p.Length..]))))
                return true;
            // ecgquality, plethsqi in small letters.
            if (GluedStems.Any(p => words[i].StartsWith(p, StringComparison.Ordinal) && DerivedWords.Contains(words[i][p.Length..])))
                return true;
            // ABP_S, ART D, BP.M, ART_1_M; ABPS, ARTD, PAPM; mABP.
            string? before = words.Take(i).LastOrDefault(w => !char.IsDigit(w[0]));
            if (before is not null && words[i] is "S" or "D" or "M" && IsPressureStem(before))
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
            || OtherPressureWords.Contains(stem) || stem is "NI" or "NIABP" or "FE" or "UA" or "AR");

    // 2: sure, 1: weak, 0: none.
    private static int Pressure(string[] words, string[] parts, string unit)
    {
        bool isPressure = SignalUnit.IsPressure(unit);
        if (!isPressure && !(unit is "" or SignalUnit.Normalized or "adu" || SignalUnit.IsVoltage(unit) || !SignalUnit.IsKnown(unit)))
            return 0;
        string[] stems = [.. words.Select(Stem), .. parts];
        if (stems.Any(w => PressureWords.Contains(w) || Begins(w, PressureBeginnings))
            || (Has(words, parts, "BLOOD") && Has(words, parts, "PRESSURE")))
            return words.Contains("NON") || words.Contains("NONINVASIVE") ? 1 : 2;
        if (stems.Any(WeakPressureWords.Contains))
            return 1;
        if (!isPressure)
            return 0;
        if (stems.Any(PressureWordsThatNeedTheUnit.Contains) || (words.Contains("FINGER") && words.Contains("PRESSURE"))
            || (words.Length == 2 && words[0] == "A" && words[1] == "LINE"))
            return 2;
        // A monitor's inputs P2 to P8 are whatever was plugged in, most often a vein.
        return words.Length == 1 && words[0] is "P" or "P1" ? 1 : 0;
    }

    private static bool IsLead(string[] words, string unit)
    {
        if (words.Any(LeadWords.Contains))
            return CanBeEcg(unit, strict: !words.Any(w => w.StartsWith("AV", StringComparison.Ordinal)
                || w.StartsWith("ML", StringComparison.Ordinal)));
        bool bare = words.Length == 1 ? BareLeads.Contains(words[0]) : words.Any(SaysLead.Contains)
            && words.Any(w => BareLeads.Contains(w) || w is "1" or "2" or "3");
        bare |= words.Contains("FRANK") && words.Any(w => w is "X" or "Y" or "Z");
        return bare && CanBeEcg(unit, strict: true);
    }

    private static bool CanBeEcg(string unit, bool strict) =>
        unit is "" or SignalUnit.Normalized or "adu" || SignalUnit.IsVoltage(unit) || (!strict && !SignalUnit.IsKnown(unit));

    // "ABP2" and "ART1" are ABP and ART; a lead's number belongs to its name and is compared whole.
    private static string Stem(string word) => word.TrimEnd("0123456789".ToCharArray()) is { Length: > 0 } stem ? stem : word;

    // Words at signs, and their parts where the case of letters tells them: "NBPMean" is one word of two parts.
    private static (string[] Words, string[] Parts) Split(string name)
    {
        char[] letters = WithoutAccents(name).ToCharArray();
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
                // Two small letters at least: PLETHr is no heart rate.
                bool ends = i + 2 < word.Length && char.IsUpper(word[i - 1]) && char.IsUpper(word[i]) && char.IsLower(word[i + 1])
                    && char.IsLower(word[i + 2]);
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
        return ([.. words.Select(w => Plain(w.ToUpperInvariant()))],
            [.. parts.Where(p => p.Length > 1 || char.IsDigit(p[0])).Select(p => p.ToUpperInvariant())]);
    }

    // "SPO2WAVE" and "LEADV1" are SPO2 and V1: what is glued to them says nothing.
    private static string Plain(string word)
    {
        foreach (string wave in (ReadOnlySpan<string>)["WAVEFORM", "WAVE", "CURVE"])
        {
            if (word.Length > wave.Length + 1 && word.EndsWith(wave, StringComparison.Ordinal))
                return word[..^wave.Length];
        }
        if (!word.StartsWith("LEAD", StringComparison.Ordinal) || word.Length < 5)
            return word;
        string lead = word[4..];
        return LeadWords.Contains(lead) ? lead : lead is "1" or "2" or "3" ? "D" + lead : word;
    }

    // Written out, since a host without globalisation data normalises nothing.
    private static string WithoutAccents(string text)
    {
        const string accented = "ÀÁÂÃÄÅÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝàáâãäåçèéêëìíîïñòóôõöøùúûüýÿ";
        const string plain = "AAAAAACEEEEIIIINOOOOOOUUUUYaaaaaaceeeeiiiinoooooouuuuyy";
        return string.Create(text.Length, text, (letters, from) =>
        {
            int written = 0;
            foreach (char c in from)
            {
                if (c is >= '\u0300' and <= '\u036f')
                    continue;
                int at = accented.IndexOf(c, StringComparison.Ordinal);
                letters[written++] = at < 0 ? c : plain[at];
            }
            letters[written..].Fill(' ');
        });
    }

    private static FrozenSet<string> Words(string list) => list.Split(' ').ToFrozenSet(StringComparer.Ordinal);
}
