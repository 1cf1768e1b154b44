namespace UniCardio.Signals;

/// <summary>How a channel was, or is to be, stored as integers: physical = (digital - <see cref="Baseline"/>) /
/// <see cref="Gain"/>.</summary>
/// <param name="Gain">Digital steps a physical unit; finite and not 0.</param>
/// <param name="Baseline">Digital value of physical 0.</param>
/// <param name="Resolution">Bits of the converter; 0 if unknown.</param>
/// <param name="AdcZero">Digital value in the middle of the converter's range.</param>
public sealed record ChannelQuantization(double Gain, double Baseline, int Resolution = 0, int AdcZero = 0);

/// <summary>One signal of a recording, in physical units. Immutable.</summary>
public sealed class Channel
{
    /// <summary>Creates a channel.</summary>
    /// <param name="name">Name, not empty, such as "ABP" or "II".</param>
    /// <param name="unit">Unit in any spelling that <see cref="SignalUnit.Canonicalize"/> knows, or empty.</param>
    /// <param name="sampleRate">Samples a second, finite and above 0.</param>
    /// <param name="samples">Values in <paramref name="unit"/>; NaN is a missing sample. Not copied: the caller must not change them
    /// afterwards.</param>
    /// <param name="kind">What it measures; recognised from name and unit if left out.</param>
    /// <param name="quantization">How it was stored, for writers that store integers.</param>
    /// <exception cref="ArgumentException"><paramref name="name"/> is empty or a sample is infinite.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="sampleRate"/> is not finite or not above 0.</exception>
    public Channel(string name, string unit, double sampleRate, ReadOnlyMemory<float> samples, ChannelKind? kind = null,
        ChannelQuantization? quantization = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(unit);
        if (!double.IsFinite(sampleRate) || sampleRate <= 0)
            throw new ArgumentOutOfRangeException(nameof(sampleRate), sampleRate, "A sample rate is finite and above 0 Hz.");
        int infinite = FirstInfinite(samples.Span);
        if (infinite >= 0)
            throw new ArgumentException($"Sample {infinite} of channel '{name}' is infinite; expected finite values, NaN where missing.",
                nameof(samples));
        Name = VisibleText.Escape(name);
        Unit = VisibleText.Escape(SignalUnit.Canonicalize(unit));
        SampleRate = sampleRate;
        Samples = samples;
        Kind = kind ?? ChannelKindRecognition.Recognize(name, Unit);
        Quantization = quantization;
    }

    /// <summary>Name as the file states it, without unit; what a terminal would act upon is written out
    /// (<see cref="VisibleText"/>).</summary>
    public string Name { get; }

    /// <summary>Canonical unit (see <see cref="SignalUnit"/>), "" if unknown.</summary>
    public string Unit { get; }

    /// <summary>Samples a second (Hz).</summary>
    public double SampleRate { get; }

    /// <summary>The samples in <see cref="Unit"/>, NaN where missing.</summary>
    public ReadOnlyMemory<float> Samples { get; }

    /// <summary>What the channel measures.</summary>
    public ChannelKind Kind { get; }

    /// <summary>How the channel was stored as integers, if it was.</summary>
    public ChannelQuantization? Quantization { get; }

    /// <summary>Number of samples.</summary>
    public int Length => Samples.Length;

    /// <summary>Length in seconds.</summary>
    public double DurationSeconds => Samples.Length / SampleRate;

    /// <summary>The same channel with other samples, at the same or another rate.</summary>
    /// <param name="samples">The new samples (not copied).</param>
    /// <param name="sampleRate">Their rate; this channel's if left out.</param>
    public Channel WithSamples(ReadOnlyMemory<float> samples, double? sampleRate = null) =>
        new(Name, Unit, sampleRate ?? SampleRate, samples, Kind, Quantization);

    /// <summary>The same channel taken to measure something else (a user's choice over recognition by name).</summary>
    /// <param name="kind">What it measures.</param>
    public Channel WithKind(ChannelKind kind) => new(Name, Unit, SampleRate, Samples, kind, Quantization);

    /// <summary>The same samples under another name or unit, without conversion.</summary>
    /// <param name="name">The new name, or null to keep it.</param>
    /// <param name="unit">The new unit, or null to keep it.</param>
    public Channel Relabel(string? name = null, string? unit = null) =>
        new(name ?? Name, unit ?? Unit, SampleRate, Samples, Kind, unit is null ? Quantization : null);

    private static int FirstInfinite(ReadOnlySpan<float> samples)
    {
        for (int i = 0; i < samples.Length; i++)
        {
            if (float.IsInfinity(samples[i]))
                return i;
        }
        return -1;
    }
}
