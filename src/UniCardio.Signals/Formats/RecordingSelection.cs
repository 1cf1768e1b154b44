using System.Globalization;

namespace UniCardio.Signals.Formats;

/// <summary>What every reader does last: cut to the time asked for, keep the channels asked for, check their plausibility.</summary>
internal static class RecordingSelection
{
    /// <summary>Applies the options to a recording that was read whole.</summary>
    /// <param name="recording">The recording.</param>
    /// <param name="options">Start, end and channels wanted.</param>
    /// <param name="annotationRate">Time base of <see cref="Annotation.Sample"/> in Hz; the first channel's rate if left out.</param>
    /// <param name="alreadyCut">Whether the reader has cut the time itself.</param>
    /// <exception cref="SignalException">The time lies outside the recording, or a channel is not there.</exception>
    public static Recording Apply(Recording recording, RecordingReadOptions options, double? annotationRate = null, bool alreadyCut = false)
    {
        CheckTimes(options);
        recording = ChannelLabels.Apply(recording, options);
        if (!alreadyCut && (options.StartSeconds > 0 || options.EndSeconds is not null))
            recording = Cut(recording, options.StartSeconds, options.EndSeconds, annotationRate ?? recording.Channels[0].SampleRate);
        if (options.Channels is { } wanted)
            recording = recording.WithChannels(wanted.Select(w => Pick(recording, w)).ToArray());
        double duration = recording.DurationSeconds;
        int late = recording.Annotations.Count(a => a.TimeSeconds > duration);
        if (late > 0)
            recording = recording.WithWarnings([new SignalWarning(SignalWarningKind.Annotation,
                $"Recording '{recording.Name}': {late} annotations lie after its end.")]);
        SignalWarning[] findings = RecordingChecks.Check(recording);
        return findings.Length == 0 ? recording : recording.WithWarnings(findings);
    }

    /// <exception cref="SignalException">Start and end are not a stretch of time.</exception>
    public static void CheckTimes(RecordingReadOptions options)
    {
        double end = options.EndSeconds ?? double.PositiveInfinity;
        if (!(options.StartSeconds >= 0 && double.IsFinite(options.StartSeconds) && end > options.StartSeconds))
        {
            throw new SignalException(string.Create(CultureInfo.InvariantCulture,
                $"The stretch from {options.StartSeconds} s to {end} s was asked for; expected a start of at least 0 and an "
                + $"end after it."));
        }
    }

    /// <summary>Annotations within a stretch, moved to its beginning.</summary>
    public static IEnumerable<Annotation> Move(IEnumerable<Annotation> annotations, double start, double end, double rate)
    {
        long first = (long)Math.Round(start * rate);
        return annotations.Select(a => a.TimeSeconds < start && UnmeasuredStretch.Of(a) is { } stretch
                && stretch.StartSeconds + stretch.DurationSeconds is double until && until > start
                ? (stretch with { StartSeconds = start, DurationSeconds = until - start }).ToAnnotation(rate) : a)
            .Where(a => a.TimeSeconds >= start && a.TimeSeconds < end)
            .Select(a => a with { TimeSeconds = a.TimeSeconds - start, Sample = a.Sample - first });
    }

    /// <summary>Start and end (exclusive) as samples of a rate, to the nearest, within a length.</summary>
    public static (long First, long End) Range(double start, double? end, double rate, long length)
    {
        double last = end is { } e ? Math.Round(e * rate) : double.PositiveInfinity;
        long first = (long)Math.Min(Math.Round(start * rate), length);
        return (first, last >= length ? length : Math.Max(first, (long)last));
    }

    private static Recording Cut(Recording recording, double start, double? end, double annotationRate)
    {
        if (start >= recording.DurationSeconds)
            throw Outside(recording.Name, start, recording.DurationSeconds);
        var channels = new List<Channel>(recording.Channels.Count);
        foreach (Channel channel in recording.Channels)
        {
            (long first, long last) = Range(start, end, channel.SampleRate, channel.Length);
            channels.Add(channel.WithSamples(channel.Samples[(int)first..(int)last]));
        }
        return new Recording(recording.Name, channels, Move(recording.Annotations, start, end ?? double.PositiveInfinity, annotationRate),
            Later(recording.StartTime, start), recording.Warnings, recording.Comments)
        {
            RelativeStart = recording.RelativeStart == 0 ? 0 : recording.RelativeStart + start,
        };
    }

    public static SignalException Outside(string name, double start, double duration) =>
        new(string.Create(CultureInfo.InvariantCulture, $"Recording '{name}' lasts {duration:G6} s; it was to be read from {start} s on."));

    /// <summary>A wall-clock time moved on, null where it is unknown or would leave the calendar.</summary>
    public static DateTime? Later(DateTime? time, double seconds) =>
        time is { } t && seconds < (DateTime.MaxValue - t).TotalSeconds - 1 ? t.AddSeconds(seconds) : null;

    private static Channel Pick(Recording recording, string wanted)
    {
        if (recording.Find(wanted) is { } named)
            return named;
        return int.TryParse(wanted, NumberStyles.None, CultureInfo.InvariantCulture, out int index) && index < recording.Channels.Count
            ? recording.Channels[index]
            : recording.Require(wanted);
    }
}
