using System.Globalization;

namespace UniCardio.Signals;

/// <summary>Tells where a channel's values do not look like the unit it states, and what they look like instead.</summary>
/// <remarks>
/// The ranges are those of living adults, with room: arterial pressure from about 30 to 260 mmHg with a mean from 40 to 160; an
/// electrocardiogram of 0.1 to 20 mV from trough to crest. Quantiles (1% and 99% of at most 4096 samples spread over the channel) are
/// compared, so that flushes of the arterial line and artefacts do not count. Research use only: this finds mix-ups of units, not disease.
/// </remarks>
internal static class RecordingChecks
{
    private const int MaxProbes = 4096;

    /// <summary>Checks every channel.</summary>
    /// <param name="recording">The recording.</param>
    /// <returns>What looks wrong; empty if nothing does.</returns>
    public static SignalWarning[] Check(Recording recording)
    {
        ArgumentNullException.ThrowIfNull(recording);
        return [.. recording.Channels.SelectMany(Check)];
    }

    /// <summary>Checks one channel.</summary>
    /// <param name="channel">The channel.</param>
    public static IEnumerable<SignalWarning> Check(Channel channel)
    {
        ArgumentNullException.ThrowIfNull(channel);
        if (Quantiles(channel.Samples.Span) is not { } q)
            return [new SignalWarning(SignalWarningKind.Data, $"Channel '{channel.Name}' holds no sample: all are missing.", channel.Name)];
        return channel.Kind switch
        {
            ChannelKind.BloodPressure => CheckPressure(channel, q),
            ChannelKind.Ecg => CheckEcg(channel, q),
            _ => [],
        };
    }

    /// <summary>What values of an arterial pressure look like, whatever unit is stated.</summary>
    /// <param name="low">1% quantile.</param>
    /// <param name="median">Median.</param>
    /// <param name="high">99% quantile.</param>
    /// <returns>"mmHg", "kPa", "V" (1 V for 100 mmHg), "Pa", "NU" (normalised), or "" where it is none of these.</returns>
    public static string GuessPressureUnit(double low, double median, double high)
    {
        // Pulse pressure keeps a wave's crest between 1.1 and 4 times its trough in any unit that has a true zero.
        bool trueZero = low > 0 && high >= 1.1 * low && high <= 4 * low;
        if (median is >= 30 and <= 200 && low > -30 && high <= 320)
            return SignalUnit.MillimetresOfMercury;
        if (trueZero && median is >= 5 and <= 25 && high <= 40)
            return "kPa";
        if (trueZero && median is >= 4000 and <= 25000)
            return "Pa";
        if (trueZero && median is >= 0.4 and <= 2 && high is >= 0.75 and <= 3)
            return "V";
        if (Math.Max(Math.Abs(low), Math.Abs(high)) <= 10)
            return SignalUnit.Normalized;
        return SignalUnit.None;
    }

    private static IEnumerable<SignalWarning> CheckPressure(Channel channel, (double Low, double Median, double High) q)
    {
        string range = string.Create(CultureInfo.InvariantCulture, $"1% to 99% of its values lie from {q.Low:G4} to {q.High:G4}");
        string looks = GuessPressureUnit(q.Low, q.Median, q.High);
        if (SignalUnit.TryGetFactor(channel.Unit, SignalUnit.MillimetresOfMercury, out double factor) && factor != 1)
        {
            yield return new SignalWarning(SignalWarningKind.Unit, string.Create(CultureInfo.InvariantCulture,
                $"Blood pressure '{channel.Name}' is in {channel.Unit}; the engine works in mmHg (multiply by {factor:G6})."),
                channel.Name);
            looks = GuessPressureUnit(q.Low * factor, q.Median * factor, q.High * factor);
            if (looks != SignalUnit.MillimetresOfMercury)
                yield return new SignalWarning(SignalWarningKind.Unit,
                    $"Blood pressure '{channel.Name}' is not plausible in {channel.Unit}: {range}.", channel.Name);
            yield break;
        }
        if (SignalUnit.IsVoltage(channel.Unit))
        {
            yield return new SignalWarning(SignalWarningKind.Unit,
                $"Blood pressure '{channel.Name}' is in {channel.Unit}: it was not calibrated to mmHg; {range}.", channel.Name);
            yield break;
        }
        string stated = channel.Unit.Length == 0 ? "states no unit" : $"is stated in {channel.Unit}";
        switch (looks)
        {
            case SignalUnit.MillimetresOfMercury:
                if (channel.Unit != SignalUnit.MillimetresOfMercury)
                    yield return new SignalWarning(SignalWarningKind.Unit,
                        $"Blood pressure '{channel.Name}' {stated}; it looks like mmHg: {range}.", channel.Name);
                // A mean of 95 mmHg is 129 cmH2O. Crises reach that in mmHg too, so this can only be a hint.
                if (q.Median > 125)
                    yield return new SignalWarning(SignalWarningKind.Unit,
                        $"Blood pressure '{channel.Name}' is high for mmHg; it would be usual for cmH2O (1 mmHg is 1.35951 "
                        + $"cmH2O): {range}.", channel.Name);
                break;
            case SignalUnit.Normalized:
                yield return new SignalWarning(SignalWarningKind.Normalized,
                    $"Blood pressure '{channel.Name}' {stated} but looks already normalised: {range}; expected mmHg, some 40 to 180.",
                    channel.Name);
                break;
            case "kPa":
                yield return new SignalWarning(SignalWarningKind.Unit,
                    $"Blood pressure '{channel.Name}' {stated} but looks like kPa: {range}; in mmHg it would be 7.50062 times that.",
                    channel.Name);
                break;
            case "Pa":
                yield return new SignalWarning(SignalWarningKind.Unit,
                    $"Blood pressure '{channel.Name}' {stated} but looks like Pa: {range}; expected mmHg.", channel.Name);
                break;
            case "V":
                yield return new SignalWarning(SignalWarningKind.Unit,
                    $"Blood pressure '{channel.Name}' {stated} but looks like volts of a transducer (1 V for 100 mmHg) or like a "
                    + $"normalised wave: {range}; expected mmHg.", channel.Name);
                break;
            default:
                yield return new SignalWarning(SignalWarningKind.Unit,
                    $"Blood pressure '{channel.Name}' {stated} but is not plausible in mmHg: {range} (raw digital values?).", channel.Name);
                break;
        }
    }

    private static IEnumerable<SignalWarning> CheckEcg(Channel channel, (double Low, double Median, double High) q)
    {
        double size = q.High - q.Low;
        if (!SignalUnit.TryGetFactor(channel.Unit, SignalUnit.Millivolts, out double factor))
            yield break;
        double millivolts = size * factor;
        if (millivolts is >= 0.02 and <= 50 || millivolts == 0)
            yield break;
        string looks = (channel.Unit, millivolts > 50) switch
        {
            ("mV", true) => "microvolts or raw digital values",
            ("mV", false) => "volts, or a detached electrode",
            ("uV", false) => "millivolts, or a detached electrode",
            ("V", true) => "millivolts",
            _ => "another unit",
        };
        yield return new SignalWarning(SignalWarningKind.Unit, string.Create(CultureInfo.InvariantCulture,
            $"ECG '{channel.Name}' spans {size:G4} {channel.Unit} from its 1% to its 99% quantile; that looks like {looks}."),
            channel.Name);
    }

    // Null if every sample is missing.
    private static (double Low, double Median, double High)? Quantiles(ReadOnlySpan<float> samples)
    {
        int present = 0;
        foreach (float sample in samples)
            present += float.IsNaN(sample) ? 0 : 1;
        if (present == 0)
            return null;
        int stride = (present + MaxProbes - 1) / MaxProbes;
        var probes = new List<float>(Math.Min(present, MaxProbes));
        int seen = 0;
        foreach (float sample in samples)
        {
            if (!float.IsNaN(sample) && seen++ % stride == 0)
                probes.Add(sample);
        }
        probes.Sort();
        return (probes[(int)(0.01 * (probes.Count - 1))], probes[(probes.Count - 1) / 2],
            probes[(int)Math.Ceiling(0.99 * (probes.Count - 1))]);
    }
}
