using System.Diagnostics.CodeAnalysis;

namespace UniCardio.Engine.Model;

/// <summary>What a task does with its target.</summary>
public enum TaskKind
{
    /// <summary>Makes a signal that was not measured from others that were.</summary>
    Translate,

    /// <summary>Fills the gaps of a signal.</summary>
    Impute,

    /// <summary>Takes the noise off a signal.</summary>
    Denoise,
}

/// <summary>
/// One of the 33 tasks as data: which slots are conditions, which slot is the target, which decoder reads it.
/// </summary>
/// <remarks>
/// Text form, which parses back: <c>ppg-&gt;ecg</c> and <c>ppg,bp-&gt;ecg</c> (translation), <c>impute ecg</c> and
/// <c>impute ecg | ppg,bp</c>, <c>denoise ppg</c> and <c>denoise ppg | bp</c> (restoration: the restored signal's own dirty slot
/// is always a condition, those after the bar are the others). To the network, imputing and denoising are one task; they
/// differ in how a window is scaled and which samples are kept. Source: arXiv 2505.22306.
/// </remarks>
public readonly record struct CardioTask : IParsable<CardioTask>
{
    private CardioTask(TaskKind kind, ModalitySet conditions, Modality output)
    {
        Kind = kind;
        Conditions = conditions;
        Output = output;
    }

    /// <summary>Translation, imputation or denoising.</summary>
    public TaskKind Kind { get; }

    /// <summary>The slots that hold conditions, the restored signal's own dirty slot included. Never empty in a valid task.</summary>
    public ModalitySet Conditions { get; }

    /// <summary>The modality that comes out; it names the decoder.</summary>
    public Modality Output { get; }

    /// <summary>The slot that is denoised: the output's own slot in translation, slot D in restoration.</summary>
    public Slot Target => Kind == TaskKind.Translate ? (Slot)(int)Output : Slot.Restoration;

    /// <summary>False for <c>default</c>, which names no condition.</summary>
    public bool IsValid => Conditions != ModalitySet.None;

    /// <summary>The conditions beside the restored signal itself.</summary>
    internal ModalitySet Others => Kind == TaskKind.Translate ? Conditions : Conditions & ~Output.ToSet();

    /// <summary>All 33 tasks: 9 translations, 12 imputations, 12 denoisings.</summary>
    public static IReadOnlyList<CardioTask> All { get; } = [.. Enumerate()];

    /// <summary>Translation of <paramref name="conditions"/> into <paramref name="output"/>.</summary>
    /// <exception cref="ConfigurationException">No condition, or the output is among the conditions.</exception>
    public static CardioTask Translate(ModalitySet conditions, Modality output)
    {
        CheckModality(output);
        CheckSet(conditions);
        if (conditions.Contains(output))
            throw new ConfigurationException("task", $"'{output.Name()}' cannot be translated from itself; impute or denoise it instead");
        return new CardioTask(TaskKind.Translate, conditions, output);
    }

    /// <summary>Filling of the gaps of <paramref name="output"/>, given its own measured samples and <paramref name="others"/>.</summary>
    public static CardioTask Impute(Modality output, ModalitySet others = ModalitySet.None) => Restore(TaskKind.Impute, output, others);

    /// <summary>Denoising of <paramref name="output"/>, given its noisy samples and <paramref name="others"/>.</summary>
    public static CardioTask Denoise(Modality output, ModalitySet others = ModalitySet.None) => Restore(TaskKind.Denoise, output, others);

    /// <summary>The same task from other conditions beside the restored signal itself.</summary>
    internal CardioTask WithOthers(ModalitySet others) => Kind switch
    {
        TaskKind.Translate => Translate(others, Output),
        TaskKind.Impute => Impute(Output, others),
        _ => Denoise(Output, others),
    };

    /// <summary>The task that the network sees for these slots and this decoder (restoration comes back as imputation).</summary>
    /// <exception cref="ConfigurationException">The combination is not one of the 21 of the published model.</exception>
    public static CardioTask FromSlots(ModalitySet conditions, Slot target, Modality decoder)
    {
        CheckModality(decoder);
        CheckSet(conditions);
        if (target != Slot.Restoration)
        {
            if ((int)target != (int)decoder)
                throw new ConfigurationException("task", $"target slot {(int)target} needs decoder {(int)target}, not {(int)decoder}");
            return Translate(conditions, decoder);
        }

        if (!conditions.Contains(decoder))
            throw new ConfigurationException("task", $"restoring '{decoder.Name()}' needs its dirty signal among the conditions");
        return new CardioTask(TaskKind.Impute, conditions, decoder);
    }

    /// <summary>Reads the text form.</summary>
    /// <exception cref="FormatException">The text is not a task; the message says why.</exception>
    public static CardioTask Parse(string s, IFormatProvider? provider = null)
    {
        ArgumentNullException.ThrowIfNull(s);
        (CardioTask task, string? problem) = Read(s);
        return problem is null ? task
            : throw new FormatException(
                $"'{s}' is not a task: {problem}. Examples: 'ppg->ecg', 'ppg,bp->ecg', 'impute ecg | ppg,bp', 'denoise ppg'.");
    }

    /// <summary>Reads the text form.</summary>
    /// <returns>False where the text is not a task.</returns>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out CardioTask result)
    {
        string? problem = "no text";
        result = default;
        if (s is not null)
            (result, problem) = Read(s);
        return problem is null;
    }

    /// <summary>The text form, which <see cref="Parse"/> reads back.</summary>
    public override string ToString()
    {
        if (!IsValid)
            return "(no task)";
        if (Kind == TaskKind.Translate)
            return $"{Names(Conditions)}->{Output.Name()}";
        ModalitySet others = Conditions & ~Output.ToSet();
        string verb = Kind == TaskKind.Impute ? "impute" : "denoise";
        return others == ModalitySet.None ? $"{verb} {Output.Name()}" : $"{verb} {Output.Name()} | {Names(others)}";
    }

    private static string Names(ModalitySet set) => string.Join(',', set.Members().Select(m => m.Name()));

    private static CardioTask Restore(TaskKind kind, Modality output, ModalitySet others)
    {
        CheckModality(output);
        if ((others & ~ModalitySet.All) != 0)
            throw new ConfigurationException("task", $"conditions {(int)others} hold an unknown modality");
        return new CardioTask(kind, others | output.ToSet(), output);
    }

    private static void CheckModality(Modality modality)
    {
        if (modality is < Modality.Ppg or > Modality.Ecg)
            throw new ConfigurationException("task", $"{(int)modality} is not a modality (0 PPG, 1 BP, 2 ECG)");
    }

    private static void CheckSet(ModalitySet conditions)
    {
        if (conditions == ModalitySet.None || (conditions & ~ModalitySet.All) != 0)
            throw new ConfigurationException("task", "at least one of PPG, BP, ECG must be a condition");
    }

    private static IEnumerable<CardioTask> Enumerate()
    {
        for (ModalitySet set = ModalitySet.Ppg; set <= ModalitySet.All; set++)
        {
            foreach (Modality output in Modalities.All.Where(m => !set.Contains(m)))
                yield return Translate(set, output);
        }

        foreach (TaskKind kind in (TaskKind[])[TaskKind.Impute, TaskKind.Denoise])
        {
            for (ModalitySet set = ModalitySet.Ppg; set <= ModalitySet.All; set++)
            {
                foreach (Modality output in set.Members())
                    yield return new CardioTask(kind, set, output);
            }
        }
    }

    private static (CardioTask Task, string? Problem) Read(string text)
    {
        ReadOnlySpan<char> rest = text.AsSpan().Trim();
        int arrow = rest.IndexOf("->", StringComparison.Ordinal);
        if (arrow >= 0)
        {
            if (!ReadSet(rest[..arrow], out ModalitySet from))
                return (default, "left of '->' should stand one or two of ppg, bp, ecg, each once");
            if (!Modalities.TryParse(rest[(arrow + 2)..], out Modality to))
                return (default, "right of '->' should stand one of ppg, bp, ecg");
            return from.Contains(to) ? (default, "a signal cannot be translated from itself") : (Translate(from, to), null);
        }

        int space = rest.IndexOfAny(' ', '\t');
        ReadOnlySpan<char> verb = space < 0 ? rest : rest[..space];
        bool impute = verb.Equals("impute", StringComparison.OrdinalIgnoreCase);
        if (space < 0 || (!impute && !verb.Equals("denoise", StringComparison.OrdinalIgnoreCase)))
            return (default, "expected 'A->B', 'impute A [| B,C]' or 'denoise A [| B,C]'");
        rest = rest[space..];
        int bar = rest.IndexOf('|');
        if (!Modalities.TryParse(bar < 0 ? rest : rest[..bar], out Modality output))
            return (default, "the restored signal should be one of ppg, bp, ecg");
        ModalitySet others = ModalitySet.None;
        if (bar >= 0 && (!ReadSet(rest[(bar + 1)..], out others) || others.Contains(output)))
            return (default, "after '|' the other conditions are expected, each once");
        return (impute ? Impute(output, others) : Denoise(output, others), null);
    }

    private static bool ReadSet(ReadOnlySpan<char> text, out ModalitySet set)
    {
        set = ModalitySet.None;
        foreach (Range part in text.Split(','))
        {
            if (!Modalities.TryParse(text[part], out Modality modality) || set.Contains(modality))
                return false;
            set |= modality.ToSet();
        }

        return set != ModalitySet.None;
    }
}
