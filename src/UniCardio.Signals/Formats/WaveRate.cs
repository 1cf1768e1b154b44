using System.Globalization;

namespace UniCardio.Signals.Formats;

/// <summary>The rates at which waves are sampled.</summary>
internal static class WaveRate
{
    /// <summary>Least and most samples a second: a pulse of 60/min needs more than 1 Hz; electrograms come at up to some kHz.</summary>
    public const double Min = 2, Max = 20_000;

    /// <summary>Whether a recording can have this rate.</summary>
    /// <param name="rate">Hz.</param>
    /// <param name="hasWaves">Whether one of its channels is an ECG, a PPG or an arterial pressure.</param>
    public static bool IsPlausible(double rate, bool hasWaves) => rate > 0 && (!hasWaves || rate is >= Min and <= Max);

    /// <summary>Refuses a rate that was given for waves and cannot be theirs.</summary>
    /// <exception cref="SignalFormatException">No such signal is sampled at this rate.</exception>
    public static void Require(string file, double rate, bool hasWaves)
    {
        if (!IsPlausible(rate, hasWaves))
            throw new SignalFormatException(file, string.Create(CultureInfo.InvariantCulture,
                $"holds waves, and no such signal is sampled at {rate} Hz; expected {Min} to {Max} Hz."));
    }
}
