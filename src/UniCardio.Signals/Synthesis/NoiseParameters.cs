namespace UniCardio.Signals.Synthesis;

/// <summary>
/// What <see cref="SignalCorruption"/> does to a clean signal, in this order: baseline wander, powerline, motion, motion of electrodes,
/// muscle noise and white noise are added, the sum is clipped, then quantised, then gaps are cut. Sizes are multiples of the clean signal's
/// standard deviation. By default nothing is done.
/// </summary>
// Constants without a source beside them are chosen.
internal sealed record NoiseParameters
{
    /// <summary>Signal-to-noise ratio of white Gaussian noise, -20 to 80 dB of the clean signal's variance, or null for none.</summary>
    public double? SignalToNoiseDecibels { get; init; }

    /// <summary>Baseline wander: a sum of sines at 0.05 to 0.4 Hz of this standard deviation, 0 to 10.</summary>
    public double BaselineWander { get; init; }

    /// <summary>Amplitude of the powerline, 0 to 10.</summary>
    public double Powerline { get; init; }

    /// <summary>Frequency of the powerline, 45 to 65 Hz.</summary>
    public double PowerlineFrequency { get; init; } = 50;

    /// <summary>Bursts of motion a minute (a Poisson process), 0 to 60. Each lasts 0.4 to 3 s.</summary>
    public double MotionBurstsPerMinute { get; init; }

    /// <summary>Size of a burst, 0 to 50.</summary>
    public double MotionAmplitude { get; init; } = 2;

    /// <summary>Motion of an electrode, of this standard deviation, 0 to 10: without a pause, most of it 0.8 to 3.2 Hz, where beats are, as
    /// in the recordings that <see cref="SignalCorruption"/> names.</summary>
    public double ElectrodeMotion { get; init; }

    /// <summary>Muscle noise: high-pass noise that swells and fades within seconds, of this standard deviation where it is strongest, 0 to
    /// 10.</summary>
    public double MuscleNoise { get; init; }

    /// <summary>The middle share of the corrupted signal's range that is kept, 0.01 to 1; what lies beyond is clipped. Null: no
    /// clipping.</summary>
    public double? ClippingRange { get; init; }

    /// <summary>Bits of a converter that spans the corrupted signal's range, 2 to 24, or null for none.</summary>
    public int? QuantizationBits { get; init; }

    /// <summary>Share of samples that are missing, 0 to 0.95.</summary>
    public double MissingFraction { get; init; }

    /// <summary>Mean length of a gap, 0.02 to 3600 s.</summary>
    public double GapSeconds { get; init; } = 1;

    /// <summary>Checks every value.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range; the exception names it, what it is and what it may
    /// be.</exception>
    public void Validate()
    {
        if (SignalToNoiseDecibels is { } snr)
            ParameterRange.Require(nameof(SignalToNoiseDecibels), snr, -20, 80);
        ParameterRange.Require(nameof(BaselineWander), BaselineWander, 0, 10);
        ParameterRange.Require(nameof(Powerline), Powerline, 0, 10);
        ParameterRange.Require(nameof(PowerlineFrequency), PowerlineFrequency, 45, 65);
        ParameterRange.Require(nameof(MotionBurstsPerMinute), MotionBurstsPerMinute, 0, 60);
        ParameterRange.Require(nameof(MotionAmplitude), MotionAmplitude, 0, 50);
        ParameterRange.Require(nameof(ElectrodeMotion), ElectrodeMotion, 0, 10);
        ParameterRange.Require(nameof(MuscleNoise), MuscleNoise, 0, 10);
        if (ClippingRange is { } range)
            ParameterRange.Require(nameof(ClippingRange), range, 0.01, 1);
        if (QuantizationBits is { } bits)
            ParameterRange.Require(nameof(QuantizationBits), bits, 2, 24);
        ParameterRange.Require(nameof(MissingFraction), MissingFraction, 0, 0.95);
        ParameterRange.Require(nameof(GapSeconds), GapSeconds, 0.02, 3600);
    }
}
