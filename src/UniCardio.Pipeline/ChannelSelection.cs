using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Signals;

namespace UniCardio.Pipeline;

/// <summary>
/// Which channel of a recording is which signal. What is left null is found by <see cref="Channel.Kind"/>: the first that fits.
/// </summary>
public sealed record ChannelSelection
{
    /// <summary>Every signal by its kind.</summary>
    public static ChannelSelection ByKind { get; } = new();

    /// <summary>Name of the channel that is the PPG (case is ignored if no name matches exactly).</summary>
    public string? Ppg { get; init; }

    /// <summary>Name of the channel that is the arterial blood pressure.</summary>
    public string? BloodPressure { get; init; }

    /// <summary>Name of the channel that is the ECG.</summary>
    public string? Ecg { get; init; }

    /// <summary>The name given for a modality, or null.</summary>
    /// <param name="modality">The modality.</param>
    public string? NameOf(Modality modality) => modality switch
    {
        Modality.Ppg => Ppg,
        Modality.Bp => BloodPressure,
        _ => Ecg,
    };

    /// <summary>The recording's channel for each modality.</summary>
    /// <param name="recording">The recording.</param>
    /// <param name="modalities">What is needed.</param>
    /// <param name="warnings">Takes a warning where a kind is ambiguous.</param>
    /// <exception cref="ChannelNotFoundException">There is no such channel; the message lists those there are.</exception>
    /// <exception cref="ConfigurationException">One channel was chosen for two signals.</exception>
    public IReadOnlyDictionary<Modality, Channel> Pick(Recording recording, ModalitySet modalities, ICollection<SignalWarning> warnings)
    {
        var picked = new Dictionary<Modality, Channel>();
        foreach (Modality modality in modalities.Members())
        {
            ChannelKind kind = NetworkSignal.KindOf(modality);
            Channel channel = NameOf(modality) is { } name ? recording.Require(name) : recording.Require(kind);
            foreach ((Modality other, Channel taken) in picked)
            {
                if (ReferenceEquals(taken, channel))
                    throw new ConfigurationException("channels",
                        $"'{channel.Name}' was chosen for both {other.Name()} and {modality.Name()}");
            }
            picked.Add(modality, channel);

            Channel[] candidates = [.. recording.Channels.Where(c => c.Kind == kind)];
            if (NameOf(modality) is null && candidates.Length > 1)
            {
                warnings.Add(new SignalWarning(SignalWarningKind.Data,
                    $"{candidates.Length} channels are {modality.Name()} ({string.Join(", ", candidates.Select(c => c.Name))}); "
                    + $"'{channel.Name}' is used unless another is named.", channel.Name));
            }
        }
        return picked;
    }
}
