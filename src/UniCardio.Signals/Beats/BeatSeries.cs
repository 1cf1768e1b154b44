namespace UniCardio.Signals.Beats;

/// <summary>The beats of a whole signal.</summary>
/// <param name="Kind">What the signal is.</param>
/// <param name="SampleRate">Samples a second.</param>
/// <param name="Beats">The beats in order of time.</param>
/// <param name="IsInverted">Whether they point down: an inverted lead, an inverted PPG.</param>
/// <param name="Reason">Why there are none, or <see cref="NoBeatReason.None"/>.</param>
public sealed record BeatSeries(ChannelKind Kind, double SampleRate, IReadOnlyList<Beat> Beats, bool IsInverted, NoBeatReason Reason)
{
    private const int Block = 4096;

    /// <summary>Times of the beats in seconds: R peaks of an ECG, onsets of a pulse wave.</summary>
    public double[] Times() => [.. Beats.Select(b => (Kind == ChannelKind.Ecg ? b.Sample : b.Onset) / SampleRate)];

    /// <summary>Mean rate in beats a minute over the intervals between neighbours, those of lost beats (over 2.2 medians or 3.2 s) left
    /// out; null with fewer than three beats.</summary>
    public double? RateBpm => HeartRate.Mean(Times());

    /// <summary>Mean of the beats' quality, 0 to 1; 0 without beats.</summary>
    public double Quality => Beats.Count == 0 ? 0 : Beats.Average(b => b.Quality);

    /// <summary>Finds the beats of a channel.</summary>
    /// <param name="channel">An ECG, PPG or arterial pressure.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="ArgumentOutOfRangeException">The channel is of another kind, or its rate is too low.</exception>
    public static BeatSeries Of(Channel channel, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(channel);
        return Of(channel.Samples.Span, channel.SampleRate, channel.Kind, channel.Unit, cancellation: cancellation);
    }

    /// <summary>Finds the beats of a signal, as a <see cref="BeatDetector"/> would while it arrives.</summary>
    /// <param name="samples">The signal, [n], NaN where missing.</param>
    /// <param name="sampleRate">Samples a second.</param>
    /// <param name="kind">What it is.</param>
    /// <param name="unit">Its unit, for the absolute floors; "" where it is unknown or the signal is normalised.</param>
    /// <param name="assumesRhythm">Whether beats are known to be there: for windows of some seconds, too short to prove it.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="ArgumentOutOfRangeException">The kind has no beats, or the rate is too low.</exception>
    public static BeatSeries Of(ReadOnlySpan<float> samples, double sampleRate, ChannelKind kind, string unit = "", bool assumesRhythm =
        false, CancellationToken cancellation = default)
    {
        var detector = new BeatDetector(kind, sampleRate, unit, assumesRhythm);
        var beats = new List<Beat>();
        while (samples.Length > 0)
        {
            cancellation.ThrowIfCancellationRequested();
            ReadOnlySpan<float> block = samples[..Math.Min(Block, samples.Length)];
            detector.Push(block);
            Read(detector, beats);
            samples = samples[block.Length..];
        }
        detector.Complete();
        Read(detector, beats);
        NoBeatReason reason = beats.Count > 0 ? NoBeatReason.None : detector.Absence == NoBeatReason.None ? NoBeatReason.NoPulse
            : detector.Absence;
        return new BeatSeries(kind, sampleRate, beats, detector.IsInverted, reason);
    }

    private static void Read(BeatDetector detector, List<Beat> beats)
    {
        while (detector.TryRead(out Beat beat))
            beats.Add(beat);
    }
}
