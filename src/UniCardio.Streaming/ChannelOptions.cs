using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Pipeline;
using UniCardio.Signals.Processing;

namespace UniCardio.Streaming;

/// <summary>One modality's input of a session: its rate, and what counts as no signal. Checked when the session is opened.</summary>
/// <remarks>
/// Units: blood pressure in mmHg, ECG in mV, PPG in any unit. The limits below are those of a sensor that works, with room; they tell a
/// detached sensor from a signal, not a healthy patient from a sick one.
/// </remarks>
public sealed record ChannelOptions
{
    /// <summary>MinValue rate that a channel can have (Hz).</summary>
    public const double MinRate = 25;

    /// <summary>MaxValue rate that a channel can have (Hz).</summary>
    public const double MaxRate = 4000;

    /// <summary>Options for a channel of a rate.</summary>
    /// <param name="sampleRate">Samples a second, <see cref="MinRate"/> to <see cref="MaxRate"/>.</param>
    public ChannelOptions(double sampleRate = NetworkSignal.Rate) => SampleRate = sampleRate;

    /// <summary>Samples a second (Hz).</summary>
    public double SampleRate { get; init; }

    /// <summary>
    /// MinValue plausible value; a sample below counts as missing. Null for the modality's own: BP 0 mmHg, ECG -50 mV, PPG -1e6.
    /// </summary>
    public float? MinValue { get; init; }

    /// <summary>
    /// MaxValue plausible value; a sample above counts as missing. Null for the modality's own: BP 300 mmHg, ECG 50 mV, PPG 1e6.
    /// </summary>
    public float? MaxValue { get; init; }

    /// <summary>
    /// Least distance between the highest and the lowest sample of a window; a signal that moves less is implausible as a whole. Null for
    /// the modality's own: BP 5 mmHg (damped line, transducer open to air), ECG 0.02 mV (detached electrode), PPG 0 (any).
    /// </summary>
    public float? MinSpan { get; init; }

    /// <summary>Seconds without movement from which on the signal is flat and counts as missing; 0.1 to 4.</summary>
    public double FlatSeconds { get; init; } = 1;

    /// <summary>Largest difference within a flat stretch, in the channel's unit; 0 or more.</summary>
    public float FlatTolerance { get; init; }

    /// <summary>
    /// Seconds that a signal stands at an end of its window's range from which on it is clipped there: twice or more for so long, or once
    /// for <see cref="ClippedOnceSeconds"/>. 0.02 to 4.
    /// </summary>
    public double ClippedSeconds { get; init; } = 0.08;

    /// <summary>Seconds of a single plateau that is clipped; <see cref="ClippedSeconds"/> to 4.</summary>
    public double ClippedOnceSeconds { get; init; } = 0.2;

    /// <summary>
    /// Distance in seconds between a block's time stamp and the end of the samples before it up to which the block follows them without a
    /// gap or an overlap; 0 to 0.2. Null for nine tenths of a sample. More swallows overlaps of that length: set it only where stamps are
    /// known to wander.
    /// </summary>
    public double? JitterSeconds { get; init; }

    /// <summary>The options of a modality with every default replaced by what it stands for, checked.</summary>
    /// <exception cref="ConfigurationException">A setting is out of range; it is named.</exception>
    internal ChannelOptions Resolve(Modality modality)
    {
        string name = modality.Name();
        (double low, double high) = PlausibleRange.Of(Modality.Bp);
        var resolved = this with
        {
            MinValue = MinValue ?? modality switch { Modality.Bp => AffineScale.BloodPressure.Inverse((float)low), Modality.Ecg => -50, _ =>
                -1e6f },
            MaxValue = MaxValue
                ?? modality switch { Modality.Bp => AffineScale.BloodPressure.Inverse((float)high), Modality.Ecg => 50, _ => 1e6f },
            MinSpan = MinSpan ?? modality switch { Modality.Bp => 5, Modality.Ecg => 0.02f, _ => 0 },
            JitterSeconds = JitterSeconds ?? 0.9 / SampleRate,
        };
        Require(SampleRate is >= MinRate and <= MaxRate, name,
            $"sample rate {SampleRate} is not between {MinRate} and {MaxRate} Hz");
        Require(MathF.Abs(resolved.MinValue.Value) <= 1e9f && MathF.Abs(resolved.MaxValue.Value) <= 1e9f
                && resolved.MinValue < resolved.MaxValue, name,
            $"{resolved.MinValue} to {resolved.MaxValue} is not a range within 1e9 of 0");
        Require(resolved.MinSpan is >= 0 and <= 1e9f, name, $"least span {MinSpan} is not between 0 and 1e9");
        Require(FlatSeconds is >= 0.1 and <= 4, name, $"flat after {FlatSeconds} s is not between 0.1 and 4 s");
        Require(FlatTolerance is >= 0 and <= 1e9f, name, $"flat tolerance {FlatTolerance} is not between 0 and 1e9");
        Require(ClippedSeconds is >= 0.02 and <= 4, name, $"clipped after {ClippedSeconds} s is not between 0.02 and 4 s");
        Require(ClippedOnceSeconds >= ClippedSeconds && ClippedOnceSeconds <= 4, name,
            $"clipped once after {ClippedOnceSeconds} s is not between {ClippedSeconds} and 4 s");
        Require(resolved.JitterSeconds is >= 0 and <= 0.2, name, $"jitter {JitterSeconds} s is not between 0 and 0.2 s");
        return resolved;
    }

    private static void Require(bool holds, string channel, FormattableString otherwise)
    {
        if (!holds)
            throw new ConfigurationException(channel, FormattableString.Invariant(otherwise));
    }
}
