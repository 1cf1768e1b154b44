using UniCardio.Signals;
using UniCardio.Signals.Beats;

namespace UniCardio.Cli.Options;

/// <summary>The channels of a recording that beats are looked for in.</summary>
internal static class SignalChannels
{
    /// <summary>Every ECG, PPG and arterial pressure; one whose rate is out of range is passed over with a note.</summary>
    /// <param name="recording">The recording.</param>
    /// <param name="note">Told what is passed over.</param>
    /// <exception cref="UsageException">There is none.</exception>
    public static IReadOnlyList<Channel> Of(Recording recording, Action<string> note)
    {
        var channels = new List<Channel>();
        foreach (Channel channel in recording.Channels.Where(c => c.Kind != ChannelKind.Other))
        {
            if (channel.SampleRate >= BeatDetector.MinRate(channel.Kind) && channel.SampleRate <= BeatDetector.MaxRate)
                channels.Add(channel);
            else
                note($"passed over: {channel.Name} has {channel.SampleRate} Hz, beats need {BeatDetector.MinRate(channel.Kind)} to "
                    + $"{BeatDetector.MaxRate}");
        }

        return channels.Count > 0 ? channels
            : throw new UsageException(
                "no channel is an ECG, a PPG or an arterial pressure by its name "
                + $"({string.Join(", ", recording.Channels.Select(c => c.Name))}); "
                + "--columns says what they are");
    }
}
