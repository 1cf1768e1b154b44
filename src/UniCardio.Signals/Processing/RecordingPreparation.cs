using System.Globalization;

namespace UniCardio.Signals.Processing;

/// <summary>What a person should know about a channel before its samples are used.</summary>
/// <param name="Channel">The channel.</param>
/// <param name="Measured">How many of its samples are measured.</param>
/// <param name="Gaps">Its missing stretches.</param>
/// <param name="FlatRuns">Stretches of a second or more in which it does not move.</param>
/// <param name="ClippedRuns">Stretches in which it stands at an end of its range.</param>
internal sealed record ChannelReport(
    Channel Channel, int Measured, IReadOnlyList<SampleRange> Gaps, IReadOnlyList<FlatRun> FlatRuns, IReadOnlyList<ClippedRun> ClippedRuns)
{
    /// <summary>Flat and clipped stretches as warnings, at most one of each kind.</summary>
    public IEnumerable<SignalWarning> Warnings()
    {
        if (FlatRuns.Count > 0)
            yield return Warning(
                $"is flat in {Stretches(FlatRuns.Count)}, {Seconds(FlatRuns.Sum(r => (long)r.Range.Length))} s in all, the first at "
                + $"{Seconds(FlatRuns[0].Range.Start)} s");
        if (ClippedRuns.Count > 0)
            yield return Warning($"is clipped in {Stretches(ClippedRuns.Count)}, the first at {Seconds(ClippedRuns[0].Range.Start)} s");
    }

    private static string Stretches(int count) => count == 1 ? "one stretch" : $"{count} stretches";

    private SignalWarning Warning(string what) => new(SignalWarningKind.Data, $"Channel '{Channel.Name}' {what}.", Channel.Name);

    private string Seconds(long samples) => (samples / Channel.SampleRate).ToString("0.0", CultureInfo.InvariantCulture);
}

/// <summary>Looks over a recording and brings it to one rate and one length.</summary>
internal static class RecordingPreparation
{
    /// <summary>Looks for gaps, flat lines and clipping. Do so before resampling, which rounds plateaus.</summary>
    /// <param name="channel">The channel as recorded.</param>
    public static ChannelReport Inspect(Channel channel)
    {
        ArgumentNullException.ThrowIfNull(channel);
        ReadOnlySpan<float> samples = channel.Samples.Span;
        int Samples(double seconds, int min) => (int)Math.Clamp(Math.Ceiling(seconds * channel.SampleRate), min, int.MaxValue);
        // 32 ms is four samples at 125 Hz; a plateau of 128 ms at an extreme is no crest, nor is one of an R wave.
        return new ChannelReport(channel, GapFinder.CountMeasured(samples), GapFinder.Find(samples),
            SignalQuality.FindFlatRuns(samples, Samples(1, 8)),
            SignalQuality.FindClippedRuns(samples, Samples(0.032, 3), Samples(0.128, 8)));
    }

    /// <summary>Resamples every channel to one rate and makes them equally long.</summary>
    /// <param name="recording">The recording.</param>
    /// <param name="rate">The rate wanted (Hz).</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <returns>
    /// The recording at that rate; the same object if it already is so. Lengths that differ by a sample or two, as they do between channels
    /// of different rates, are cut to the shortest; a channel that ends earlier than that is filled up with missing samples.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException">The rate is not finite and above 0, or more than 1024 times a channel's or less than
    /// 1/1024.</exception>
    /// <exception cref="SignalException">A channel would become longer than an array can be.</exception>
    public static Recording Resample(Recording recording, double rate, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(recording);
        int first = recording.Channels[0].Length;
        if (recording.Channels.All(c => c.SampleRate == rate && c.Length == first))
            return recording;

        var resamplers = new Dictionary<double, Resampler>();
        var channels = new List<Channel>(recording.Channels.Count);
        foreach (Channel channel in recording.Channels)
        {
            if (!resamplers.TryGetValue(channel.SampleRate, out Resampler? resampler))
                resamplers.Add(channel.SampleRate, resampler = new Resampler(channel.SampleRate, rate));
            channels.Add(resampler.IsIdentity ? channel
                : channel.WithSamples(resampler.Resample(channel.Samples.Span, cancellation), rate));
        }
        int shortest = channels.Min(c => c.Length), longest = channels.Max(c => c.Length);
        int length = longest - shortest <= 2 ? shortest : longest;
        return recording.WithChannels(channels.Select(c => WithLength(c, length)));
    }

    private static Channel WithLength(Channel channel, int length)
    {
        if (channel.Length == length)
            return channel;
        if (channel.Length > length)
            return channel.WithSamples(channel.Samples[..length]);
        var samples = new float[length];
        channel.Samples.Span.CopyTo(samples);
        samples.AsSpan(channel.Length).Fill(float.NaN);
        return channel.WithSamples(samples);
    }
}
