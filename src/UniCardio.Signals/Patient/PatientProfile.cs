using System.Text.Json;
using UniCardio.Signals.Processing;

namespace UniCardio.Signals.Patient;

/// <summary>What is known of one signal of a patient.</summary>
internal sealed record SignalProfile
{
    /// <summary>Which.</summary>
    public required ChannelKind Kind { get; init; }

    /// <summary>Beats that it was learned from.</summary>
    public required int Beats { get; init; }

    /// <summary>Median heart rate; NaN is never stored.</summary>
    public required double RateBpm { get; init; }

    /// <summary>Spread of the intervals over their median (1.48 median absolute differences).</summary>
    public required double IntervalSpread { get; init; }

    /// <summary>[64] the mean beat from a fifth of an interval before its instant to four fifths after it, in the signal's unit.</summary>
    public required double[] MeanBeat { get; init; }

    /// <summary>[64] standard deviation of the beats about it.</summary>
    public required double[] BeatSpread { get; init; }

    /// <summary>What a beat's height changes by, in shares of it, where the interval before it is twice as long.</summary>
    public required double RateDependence { get; init; }

    /// <summary>Mean of the signal.</summary>
    public required double Level { get; init; }

    /// <summary>Height of the mean beat.</summary>
    public required double Gain { get; init; }

    /// <summary>Standard deviation of its white noise.</summary>
    public required double Noise { get; init; }

    /// <summary>Median systolic pressure (mmHg), for a pressure; else null.</summary>
    public required double? Systolic { get; init; }

    /// <summary>Median diastolic pressure (mmHg), for a pressure; else null.</summary>
    public required double? Diastolic { get; init; }
}

/// <summary>What is known of two signals of a patient together.</summary>
internal sealed record PairProfile
{
    /// <summary>The signal that places.</summary>
    public required ChannelKind From { get; init; }

    /// <summary>The signal that is placed.</summary>
    public required ChannelKind To { get; init; }

    /// <summary>Median delay.</summary>
    public required double DelaySeconds { get; init; }

    /// <summary>How a beat's delay differs from its neighbours'.</summary>
    public required double SpreadSeconds { get; init; }

    /// <summary>Slope of a line through the delays (Theil and Sen).</summary>
    public required double DriftMsPerMinute { get; init; }

    /// <summary>Standard error of the drift; null in profiles that do not hold it.</summary>
    public double? DriftErrorMsPerMinute { get; init; }

    /// <summary>Whether the drift is one of clocks: above 20 ms a minute, and three times its own error, for three minutes or more, which
    /// no vessel does.</summary>
    public required bool IsClockDrift { get; init; }

    /// <summary>Median delay of each minute, seconds.</summary>
    public required double[] DelayPerMinute { get; init; }

    /// <summary>[64] the mean of the second signal about the first one's beats, from a fifth of an interval before to four fifths
    /// after.</summary>
    public required double[] MeanBeat { get; init; }

    /// <summary>Error of the own beat so placed, over the second signal's standard deviation, measured on beats that it does not
    /// see.</summary>
    public required double BeatError { get; init; }
}

/// <summary>What was learned of a patient from measured seconds: beats, delays, levels, and some of the seconds themselves, by which a
/// translation can be calibrated later.</summary>
/// <remarks>A JSON file of some 200 kB. It holds signals of a person: treat it as the recording that it comes from.</remarks>
internal sealed record PatientProfile
{
    /// <summary>Points of a mean beat.</summary>
    public const int Points = 64;

    private const int FormatVersion = 1, MinBeats = 8;
    private const double ReferenceSeconds = 60, ClockDrift = 20;

    private static readonly ProfileJson s_json = new(new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new System.Text.Json.Serialization.JsonStringEnumConverter<ChannelKind>(JsonNamingPolicy.SnakeCaseLower) } });

    /// <summary>Version of the file.</summary>
    public int Version { get; init; } = FormatVersion;

    /// <summary>Seconds that it was learned from.</summary>
    public double Seconds { get; init; }

    /// <summary>Samples a second of <see cref="Reference"/>.</summary>
    public double SampleRate { get; init; }

    /// <summary>The signals.</summary>
    public IReadOnlyList<SignalProfile> Signals { get; init; } = [];

    /// <summary>The pairs of signals.</summary>
    public IReadOnlyList<PairProfile> Pairs { get; init; } = [];

    /// <summary>The minute in which most is measured: for each signal its samples, float32 in base 64, little-endian, NaN where
    /// missing.</summary>
    public IReadOnlyDictionary<string, string> Reference { get; init; } = new Dictionary<string, string>();

    /// <summary>Learns a patient, in one pass over the recording.</summary>
    /// <param name="signals">The signals.</param>
    public static PatientProfile Learn(PatientSignals signals)
    {
        ArgumentNullException.ThrowIfNull(signals);
        ChannelKind[] kinds = [.. PatientSignals.Kinds.Where(k => signals.Has(k) && signals.BeatsOf(k).Count >= MinBeats)];
        SampleRange minute = Fullest(signals, (int)Math.Min(signals.Length, ReferenceSeconds * signals.SampleRate));
        return new PatientProfile
        {
            Seconds = signals.Length / signals.SampleRate,
            SampleRate = signals.SampleRate,
            Signals = [.. kinds.Select(k => Of(signals, k))],
            Pairs = [.. kinds.SelectMany(from => kinds.Where(to => to != from).Select(to => Of(signals, from, to))).OfType<PairProfile>()],
            Reference = kinds.ToDictionary(
                Name, k => Convert.ToBase64String(
                    System.Runtime.InteropServices.MemoryMarshal.AsBytes(signals[k].Slice(minute.Start, minute.Length)))),
        };
    }

    /// <summary>The reference seconds as a recording, with channels PPG, ABP and ECG.</summary>
    /// <param name="name">Name of the recording.</param>
    /// <exception cref="SignalException">The file's samples are damaged.</exception>
    public Recording ToRecording(string name)
    {
        var channels = new List<Channel>();
        foreach (ChannelKind kind in PatientSignals.Kinds)
        {
            if (!Reference.TryGetValue(Name(kind), out string? text))
                continue;
            byte[] bytes = new byte[text.Length];
            if (!Convert.TryFromBase64String(text, bytes, out int count) || count % sizeof(float) != 0)
                throw new SignalException($"the profile's reference of {Name(kind)} is not base 64 of float32 samples");
            float[] samples = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(bytes.AsSpan(0, count)).ToArray();
            if (samples.Any(float.IsInfinity))
                throw new SignalException($"the profile's reference of {Name(kind)} holds an infinite sample");
            channels.Add(
                new Channel(kind == ChannelKind.BloodPressure ? "ABP" : kind == ChannelKind.Ppg ? "PPG" : "ECG",
                    kind == ChannelKind.BloodPressure ? SignalUnit.MillimetresOfMercury : "", SampleRate, samples, kind));
        }

        return channels.Count > 0 ? new Recording(name, channels) : throw new SignalException("the profile holds no reference seconds");
    }

    /// <summary>The profile as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, s_json.PatientProfile);

    /// <summary>Reads a profile.</summary>
    /// <param name="json">What <see cref="ToJson"/> wrote.</param>
    /// <exception cref="SignalException">It is no profile, or one of another version.</exception>
    public static PatientProfile Parse(string json)
    {
        try
        {
            PatientProfile? profile = JsonSerializer.Deserialize(json, s_json.PatientProfile);
            bool isWhole = profile is { Version: FormatVersion, SampleRate: >= 50 and <= 1000, Reference: not null, Signals: not null,
                Pairs: not null } && !profile.Reference.Values.Contains(null!);
            if (!isWhole)
                throw new SignalException($"no patient profile of version {FormatVersion}");
            return profile!;
        }
        catch (JsonException problem)
        {
            throw new SignalException("no patient profile: " + problem.Message, problem);
        }
    }

    private static string Name(ChannelKind kind) => kind switch { ChannelKind.Ppg => "ppg", ChannelKind.BloodPressure => "bp", _ => "ecg" };

    private static SignalProfile Of(PatientSignals signals, ChannelKind kind)
    {
        BeatTrain beats = signals.BeatsOf(kind);
        float[] signal = signals[kind].ToArray();
        (double[] mean, double[] spread, List<(double LogInterval, double Height, double Low, double High)> each) =
            MeanBeat(signal, beats, beats.Interval);
        double height = mean.Max() - mean.Min();
        double[] intervals =
            [.. Enumerable.Range(0, beats.Count - 1).Select(k => Math.Abs(beats[k + 1] - beats[k] - beats.Interval)).Order()];
        bool pressure = kind == ChannelKind.BloodPressure && each.Count > 0;
        return new SignalProfile
        {
            Kind = kind, Beats = beats.Count, RateBpm = 60 * signals.SampleRate / beats.Interval,
            IntervalSpread = 1.48 * intervals[intervals.Length / 2] / beats.Interval, MeanBeat = mean, BeatSpread = spread,
            RateDependence = Dependence(each), Level = SignalMoments.Of(signal)?.Mean ?? 0, Gain = height,
            Noise = WhiteNoise.Level(signal), Systolic = pressure ? Middle(each.Select(e => e.High)) : null,
            Diastolic = pressure ? Middle(each.Select(e => e.Low)) : null,
        };
    }

    private static PairProfile? Of(PatientSignals signals, ChannelKind from, ChannelKind to)
    {
        double rate = signals.SampleRate;
        if (BeatDelay.Between(signals.BeatsOf(from), signals.BeatsOf(to), BeatDelay.Usual(from, to, rate)) is not { } delay)
            return null;
        (double At, double Delay)[] pairs = [.. delay.All];
        (double slope, double error) = Slope(pairs);
        double drift = slope * 60 * 1000, driftError = error * 60 * 1000, minutes = (pairs[^1].At - pairs[0].At) / rate / 60;
        double[] perMinute =
            [.. pairs.GroupBy(p => (int)(p.At / rate / 60)).OrderBy(g => g.Key).Select(g => Middle(g.Select(p => p.Delay)) / rate)];
        float[] signal = signals[to].ToArray();
        double[] mean = MeanBeat(signal, signals.BeatsOf(from), signals.BeatsOf(from).Interval).Mean;
        return new PairProfile
        {
            From = from, To = to, DelaySeconds = delay.Median / rate, SpreadSeconds = delay.Spread / rate, DriftMsPerMinute = drift,
            DriftErrorMsPerMinute = driftError,
            IsClockDrift = Math.Abs(drift) > Math.Max(ClockDrift, 3 * driftError) && minutes >= 3,
            DelayPerMinute = perMinute, MeanBeat = mean, BeatError = Error(signals, from, to),
        };
    }

    // The own beat's error where it does not see itself, on at most two minutes.
    private static double Error(PatientSignals signals, ChannelKind from, ChannelKind to)
    {
        SampleRange part = Fullest(signals, (int)Math.Min(signals.Length, 120 * signals.SampleRate));
        var wave = new double[part.Length];
        if (OwnBeat.Create(signals, to, from, part, new OwnBeatOptions()) is not { } beat
            || SignalMoments.Of(signals[to].Slice(part.Start, part.Length)) is not { Deviation: > 0 } moments)
            return 1;
        beat.Render(part, wave, []);
        double sum = 0;
        int n = 0;
        for (int t = 0; t < wave.Length; t++)
        {
            double e = wave[t] - signals[to][part.Start + t];
            if (double.IsNaN(e))
                continue;
            sum += e * e;
            n++;
        }

        return n == 0 ? 1 : Math.Sqrt(sum / n) / moments.Deviation;
    }

    private static (double[] Mean, double[] Spread, List<(double LogInterval, double Height, double Low, double High)> Each) MeanBeat(
        float[] signal, BeatTrain beats, double interval)
    {
        double[] mean = new double[Points], squares = new double[Points], wave = new double[Points];
        var each = new List<(double, double, double, double)>();
        for (int k = 1; k + 1 < beats.Count; k++)
        {
            bool whole = true;
            for (int p = 0; p < Points && whole; p++)
            {
                wave[p] = OwnBeat.At(signal, beats[k] + (interval * ((p / (Points - 1.0)) - 0.2)));
                whole = !double.IsNaN(wave[p]);
            }

            if (!whole)
                continue;
            for (int p = 0; p < Points; p++)
            {
                mean[p] += wave[p];
                squares[p] += wave[p] * wave[p];
            }

            each.Add((Math.Log((beats[k] - beats[k - 1]) / interval), wave.Max() - wave.Min(), wave.Min(), wave.Max()));
        }

        double n = Math.Max(1, each.Count);
        for (int p = 0; p < Points; p++)
        {
            mean[p] /= n;
            squares[p] = Math.Sqrt(Math.Max(0, (squares[p] / n) - (mean[p] * mean[p])));
        }

        return (mean, squares, each);
    }

    // Least squares of the relative height on the logarithm of the interval before, times ln 2.
    private static double Dependence(List<(double LogInterval, double Height, double Low, double High)> each)
    {
        double height = each.Count == 0 ? 0 : each.Average(e => e.Height), x = each.Count == 0 ? 0 : each.Average(e => e.LogInterval);
        double xx = each.Sum(e => (e.LogInterval - x) * (e.LogInterval - x)), xy = each.Sum(e => (e.LogInterval - x) * (e.Height - height));
        return xx > 1e-9 && height > 0 ? xy / xx / height * Math.Log(2) : 0;
    }

    // Median of the slopes between beats half a recording apart (Theil 1950, Sen 1968, thinned): samples a sample.
    // Each beat is in one slope alone, so that they are independent: the error of their median is 1.25 deviations over the root of their
    // number, the deviation by the median distance from it, as a normal one's (1.48), since delays have outliers.
    private static (double Slope, double Error) Slope((double At, double Delay)[] pairs)
    {
        int half = pairs.Length / 2;
        if (half < 2)
            return (0, 0);
        double[] slopes = [.. Enumerable.Range(0, pairs.Length - half)
            .Select(k => (pairs[k + half].Delay - pairs[k].Delay) / (pairs[k + half].At - pairs[k].At))];
        double slope = Middle(slopes);
        return (slope, 1.25 * 1.48 * Middle(slopes.Select(s => Math.Abs(s - slope))) / Math.Sqrt(slopes.Length));
    }

    private static SampleRange Fullest(PatientSignals signals, int length)
    {
        int step = Math.Max(1, length / 6), best = 0, max = -1;
        for (int start = 0; start + length <= signals.Length; start += step)
        {
            int measured = PatientSignals.Kinds.Where(signals.Has).Min(k => GapFinder.CountMeasured(signals[k].Slice(start, length)));
            (best, max) = measured > max ? (start, measured) : (best, max);
        }

        return new SampleRange(best, length);
    }

    private static double Middle(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return 0.5 * (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]);
    }
}

// Written by the compiler, so that ahead-of-time builds need no reflection.
[System.Text.Json.Serialization.JsonSerializable(typeof(PatientProfile))]
internal sealed partial class ProfileJson : System.Text.Json.Serialization.JsonSerializerContext;
