using UniCardio.Engine.Model;
using UniCardio.Signals;
using UniCardio.Signals.Processing;

namespace UniCardio.Pipeline;

/// <summary>What the network takes of a recording: its rate, and for each modality the kind of channel and the unit. The one place where
/// the two meet.</summary>
internal static class NetworkSignal
{
    /// <summary>Rate that UniCardio works at (Hz).</summary>
    public const double Rate = 125;

    /// <summary>The kind of channel that holds a modality.</summary>
    /// <param name="modality">The modality.</param>
    public static ChannelKind KindOf(Modality modality) => modality switch
    {
        Modality.Ppg => ChannelKind.Ppg,
        Modality.Bp => ChannelKind.BloodPressure,
        Modality.Ecg => ChannelKind.Ecg,
        _ => throw new ArgumentOutOfRangeException(nameof(modality), modality, "not a modality"),
    };

    /// <summary>The network's unit (mmHg for blood pressure) over the channel's; 1 where the network takes any unit, and where the
    /// channel's is not known.</summary>
    /// <param name="modality">What the channel is taken for.</param>
    /// <param name="channel">The channel.</param>
    public static double UnitFactor(Modality modality, Channel channel)
    {
        ArgumentNullException.ThrowIfNull(channel);
        return modality == Modality.Bp && SignalUnit.TryGetFactor(channel.Unit, SignalUnit.MillimetresOfMercury, out double factor)
            ? factor : 1;
    }

    /// <summary>Brings samples to the network's unit in place.</summary>
    /// <param name="samples">[n] in the channel's unit, NaN where missing.</param>
    /// <param name="factor"><see cref="UnitFactor"/>.</param>
    public static void ToNetworkUnit(Span<float> samples, double factor)
    {
        if (factor == 1)
            return;
        foreach (ref float x in samples)
            x = (float)(x * factor);
    }

    /// <summary>A resampler between a channel's rate and the network's, in either direction.</summary>
    /// <param name="inputRate">Samples a second of what goes in.</param>
    /// <param name="outputRate">Samples a second of what comes out.</param>
    /// <param name="channel">Name of the channel, for the error.</param>
    /// <exception cref="SignalException">One rate is more than 1024 times the other.</exception>
    public static Resampler ResamplerOf(double inputRate, double outputRate, string channel)
    {
        if (inputRate / outputRate is not (>= 1.0 / 1024 and <= 1024))
            throw new SignalException(
                FormattableString.Invariant(
                    $"channel '{channel}' has {inputRate} or is to have {outputRate} samples a second; expected a ratio of at most 1024"));
        return new Resampler(inputRate, outputRate);
    }
}
