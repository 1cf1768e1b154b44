namespace UniCardio.Engine.Model;

/// <summary>A cardiovascular signal that the network knows; the value is the slot that holds it and the decoder that makes it.</summary>
public enum Modality
{
    /// <summary>Photoplethysmogram, scaled to [-1, 1] a window.</summary>
    Ppg = 0,

    /// <summary>Arterial blood pressure, (mmHg - 100) / 50.</summary>
    Bp = 1,

    /// <summary>Electrocardiogram, scaled to [-1, 1] a window.</summary>
    Ecg = 2,
}

/// <summary>One of the four stretches of S samples that the network's token axis is made of.</summary>
public enum Slot
{
    /// <summary>Slot A, PPG.</summary>
    Ppg = 0,

    /// <summary>Slot B, arterial blood pressure.</summary>
    Bp = 1,

    /// <summary>Slot C, ECG.</summary>
    Ecg = 2,

    /// <summary>Slot D, the restoration target: the noisy copy of the clean version of one of the three signals.</summary>
    Restoration = 3,
}

/// <summary>A set of modalities; bit i stands for modality i.</summary>
[Flags]
public enum ModalitySet
{
    /// <summary>No modality.</summary>
    None = 0,

    /// <summary>PPG.</summary>
    Ppg = 1,

    /// <summary>Arterial blood pressure.</summary>
    Bp = 2,

    /// <summary>ECG.</summary>
    Ecg = 4,

    /// <summary>All three.</summary>
    All = 7,
}

/// <summary>Set operations and names of modalities.</summary>
public static class Modalities
{
    /// <summary>The three modalities in slot order.</summary>
    public static IReadOnlyList<Modality> All { get; } = [Modality.Ppg, Modality.Bp, Modality.Ecg];

    /// <summary>The set that holds only <paramref name="modality"/>.</summary>
    public static ModalitySet ToSet(this Modality modality) => (ModalitySet)(1 << (int)modality);

    /// <summary>Whether <paramref name="set"/> holds <paramref name="modality"/>.</summary>
    public static bool Contains(this ModalitySet set, Modality modality) => (set & modality.ToSet()) != 0;

    /// <summary>How many modalities the set holds, 0 to 3.</summary>
    public static int Count(this ModalitySet set) => System.Numerics.BitOperations.PopCount((uint)set);

    /// <summary>The members of the set in slot order.</summary>
    public static IEnumerable<Modality> Members(this ModalitySet set) => All.Where(m => set.Contains(m));

    /// <summary>The lower-case name used in task texts: <c>ppg</c>, <c>bp</c>, <c>ecg</c>.</summary>
    public static string Name(this Modality modality) => modality switch
    {
        Modality.Ppg => "ppg",
        Modality.Bp => "bp",
        Modality.Ecg => "ecg",
        _ => throw new ArgumentOutOfRangeException(nameof(modality), modality, "not a modality"),
    };

    /// <summary>Reads a modality's name: <c>ppg</c>, <c>bp</c> (or <c>abp</c>), <c>ecg</c>, in any case.</summary>
    /// <returns>False where the text is none of them.</returns>
    public static bool TryParse(ReadOnlySpan<char> text, out Modality modality)
    {
        text = text.Trim();
        foreach (Modality candidate in All)
        {
            if (text.Equals(candidate.Name(), StringComparison.OrdinalIgnoreCase))
            {
                modality = candidate;
                return true;
            }
        }

        modality = Modality.Bp;
        return text.Equals("abp", StringComparison.OrdinalIgnoreCase);
    }
}
