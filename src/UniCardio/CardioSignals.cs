using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Signals;
using UniCardio.Signals.Beats;

namespace UniCardio;

/// <summary>Signals of one person over the same time, as arrays. A missing sample is <see cref="float.NaN"/>; a signal that is not there is
/// empty.</summary>
/// <param name="SampleRate">Samples a second of every array, 25 to 4,000.</param>
public sealed record CardioSignals(double SampleRate)
{
    /// <summary>Photoplethysmogram in any unit.</summary>
    public ReadOnlyMemory<float> Ppg { get; init; }

    /// <summary>Arterial blood pressure in mmHg.</summary>
    public ReadOnlyMemory<float> BloodPressure { get; init; }

    /// <summary>Electrocardiogram in mV.</summary>
    public ReadOnlyMemory<float> Ecg { get; init; }

    /// <summary>Which signals are there.</summary>
    public ModalitySet Present => Modalities.All.Where(m => !Of(m).IsEmpty).Aggregate(ModalitySet.None, (set, m) => set | m.ToSet());

    /// <summary>The samples of one signal; empty where it is not there.</summary>
    /// <param name="modality">Which.</param>
    public ReadOnlyMemory<float> Of(Modality modality) => modality switch
    {
        Modality.Ppg => Ppg,
        Modality.Bp => BloodPressure,
        _ => Ecg,
    };

    internal Channel Channel(Modality m) => new(m.Name(), Unit(m), SampleRate, Of(m), NetworkSignal.KindOf(m));

    internal Recording ToRecording()
    {
        Channel[] channels = [.. Modalities.All.Where(m => !Of(m).IsEmpty).Select(Channel)];
        if (channels.Length == 0)
            throw new ArgumentException("no signal is given: set at least one of Ppg, BloodPressure and Ecg");
        if (channels.FirstOrDefault(c => c.Length != channels[0].Length) is Channel other)
            throw new ArgumentException(
                $"{other.Name} has {other.Length} samples, {channels[0].Name} {channels[0].Length}: signals of one call cover "
                + $"the same time");
        return new Recording("signals", channels);
    }

    private static string Unit(Modality modality) => modality switch
    {
        Modality.Bp => SignalUnit.MillimetresOfMercury,
        Modality.Ecg => "mV",
        _ => "",
    };
}

/// <summary>Simple signs of how far a signal can be relied on. Research software: they are no clinical judgement.</summary>
/// <param name="Missing">Share of its samples that are NaN.</param>
/// <param name="Flat">Share in stretches of a second or more that do not move.</param>
/// <param name="Clipped">Share at an end of its range.</param>
/// <param name="Beats">How far its beats agree in shape and time, 0 to 1; 0 without a rhythm.</param>
/// <param name="RateBpm">Their rate, null without a rhythm.</param>
/// <param name="Absence">Why there is no rhythm.</param>
public sealed record CardioQuality(double Missing, double Flat, double Clipped, double Beats, double? RateBpm, NoBeatReason Absence);

/// <summary>A restored or generated signal: every sample with where it comes from.</summary>
/// <param name="Samples">In the unit that came in (a translated PPG or ECG is normalised), NaN where there is nothing to say.</param>
/// <param name="Low">5% of the draws lie below; empty where there was one draw or an estimate.</param>
/// <param name="High">5% of the draws lie above.</param>
/// <param name="Provenance">Measured, bridged, imputed, denoised or translated, sample by sample.</param>
/// <param name="Warnings">What a reader should know, in sentences.</param>
public sealed record CardioResult(
    ReadOnlyMemory<float> Samples,
    ReadOnlyMemory<float> Low,
    ReadOnlyMemory<float> High,
    ReadOnlyMemory<Provenance> Provenance,
    IReadOnlyList<string> Warnings)
{
    /// <summary>To be shown beside every picture or number made of a result.</summary>
    public const string Remark = Restoration.RestorationResult.Remark;

    /// <summary>How many samples the network made.</summary>
    public int Generated
    {
        get
        {
            int count = 0;
            foreach (Provenance p in Provenance.Span)
                count += p.IsGenerated() ? 1 : 0;
            return count;
        }
    }
}
