using System.Globalization;

namespace UniCardio.Signals.Formats;

/// <summary>For formats that hold one table of samples.</summary>
internal static class CommonRate
{
    /// <exception cref="SignalException">The channels' rates differ.</exception>
    public static double Require(Recording recording, string format)
    {
        double rate = recording.Channels[0].SampleRate;
        foreach (Channel channel in recording.Channels)
        {
            if (channel.SampleRate != rate)
            {
                throw new SignalException(string.Create(CultureInfo.InvariantCulture,
                    $"{format} holds one sample rate, but '{recording.Channels[0].Name}' has {rate} Hz and '{channel.Name}' "
                    + $"{channel.SampleRate} Hz; resample first, or write WFDB."));
            }
        }
        return rate;
    }
}
