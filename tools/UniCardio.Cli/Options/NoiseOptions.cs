using System.CommandLine;
using System.Globalization;
using UniCardio.Signals;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Cli.Options;

/// <summary>A gap to cut into one channel.</summary>
internal readonly record struct GapRequest(string Channel, double Start, double Seconds) : IParsable<GapRequest>
{
    public static GapRequest Parse(string s, IFormatProvider? provider = null) =>
        TryParse(s, provider, out GapRequest gap) ? gap
            : throw new FormatException($"'{s}' is not a gap; expected CHANNEL,START,SECONDS such as ABP,6,1.2");

    public static bool TryParse(string? s, IFormatProvider? provider, out GapRequest result)
    {
        result = default;
        if (s?.Split(',', StringSplitOptions.TrimEntries) is not [{ Length: > 0 } channel, string from, string length]
            || !double.TryParse(from, CultureInfo.InvariantCulture, out double start)
                || !double.TryParse(length, CultureInfo.InvariantCulture, out double seconds)
            || !(start >= 0 && seconds > 0 && double.IsFinite(start + seconds)))
            return false;
        result = new GapRequest(channel, start, seconds);
        return true;
    }
}

/// <summary>What spoils a synthetic recording: noise, artefacts, gaps.</summary>
internal sealed class NoiseOptions
{
    private readonly Option<double?> _snr =
        new("--snr") { Description = "White noise at this signal-to-noise ratio, dB; none if left out.", HelpName = "DB" };
    private readonly Option<double> _wander =
        SubjectOptions.Number("--wander", "Baseline wander, in standard deviations of the signal (PPG and ECG).", 0, "X");
    private readonly Option<double> _powerline =
        SubjectOptions.Number("--powerline", "50 Hz hum, in standard deviations of the signal (ECG).", 0, "X");
    private readonly Option<double> _motion = SubjectOptions.Number("--motion", "Bursts of motion a minute (PPG and ECG).", 0, "N");
    private readonly Option<double> _missing =
        SubjectOptions.Number("--missing", "Share of samples missing in gaps at random, 0 to 0.95.", 0, "X");
    private readonly Option<double> _missingSeconds =
        SubjectOptions.Number("--missing-seconds", "Mean length of the gaps at random.", 1, "S");
    private readonly Option<GapRequest[]> _gaps = Parsed.Many<GapRequest>("--gap",
        "A gap in one channel (PPG, ABP or ECG) from START for SECONDS; may be repeated.", "CHANNEL,START,SECONDS");

    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[_snr, _wander, _powerline, _motion, _missing, _missingSeconds, _gaps])
            command.Add(option);
    }

    /// <summary>The spoiled recording; the clean signals stay as they are.</summary>
    public Recording Apply(ParseResult parsed, SyntheticRecording clean)
    {
        Recording recording = clean.ToRecording();
        var channels = new List<Channel>();
        foreach (Channel channel in recording.Channels)
        {
            float[] samples = channel.Samples.ToArray();
            SignalCorruption.Apply(samples, channel.SampleRate, Of(parsed, channel.Kind),
                CounterRandom.Derive(clean.Seed, (ulong)channels.Count));
            channels.Add(channel.WithSamples(samples));
        }

        recording = recording.WithChannels(channels);
        foreach (GapRequest gap in parsed.GetValue(_gaps)!)
            recording = Cut(recording, gap);
        return recording;
    }

    private NoiseParameters Of(ParseResult parsed, ChannelKind kind)
    {
        bool electrical = kind == ChannelKind.Ecg, invasive = kind == ChannelKind.BloodPressure;
        return new NoiseParameters
        {
            SignalToNoiseDecibels = parsed.GetValue(_snr),
            BaselineWander = invasive ? 0 : parsed.GetValue(_wander),
            Powerline = electrical ? parsed.GetValue(_powerline) : 0,
            MotionBurstsPerMinute = invasive ? 0 : parsed.GetValue(_motion),
            MissingFraction = parsed.GetValue(_missing),
            GapSeconds = parsed.GetValue(_missingSeconds),
        };
    }

    private static Recording Cut(Recording recording, GapRequest gap)
    {
        Channel channel = recording.Require(gap.Channel);
        double rate = channel.SampleRate;
        if (gap.Start >= channel.DurationSeconds)
            throw new UsageException($"--gap {gap.Channel} starts at {gap.Start} s, but the recording lasts {channel.DurationSeconds} s");
        float[] samples = channel.Samples.ToArray();
        int from = (int)Math.Round(gap.Start * rate), to = (int)Math.Min(samples.Length, Math.Round((gap.Start + gap.Seconds) * rate));
        samples.AsSpan(from..to).Fill(float.NaN);
        return recording.WithChannels(recording.Channels.Select(c => c == channel ? c.WithSamples(samples) : c));
    }
}
