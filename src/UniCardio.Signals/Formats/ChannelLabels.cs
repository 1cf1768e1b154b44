namespace UniCardio.Signals.Formats;

/// <summary>Names, units and kinds of a recording's channels, made such that each can be told from the others.</summary>
internal static class ChannelLabels
{
    /// <summary>Applies the units that the caller gave, tells channels of one name apart, and of channels that fit one signal takes the
    /// better.</summary>
    /// <exception cref="SignalException">A unit was given for a channel that is not there.</exception>
    public static Recording Apply(Recording recording, RecordingReadOptions options)
    {
        var warnings = new List<SignalWarning>();
        Channel[] channels = [.. recording.Channels];
        Choose(recording.Name, channels, warnings);
        SetUnits(recording, channels, options.Units);
        TellApart(recording.Name, channels, warnings);
        return recording.WithChannels(channels).WithWarnings(warnings);
    }

    /// <summary>The names that the caller gave, over those of a file that names its channels; "-" leaves one out.</summary>
    /// <exception cref="SignalFormatException">There are not as many as channels.</exception>
    public static IReadOnlyList<Channel> Override(IReadOnlyList<Channel> channels, RecordingReadOptions options, string file)
    {
        if (options.ColumnNames is not { } names)
            return channels;
        if (names.Count != channels.Count)
            throw new SignalFormatException(file, $"has {channels.Count} channels, but {names.Count} names were given.");
        Channel[] named = [.. channels.Zip(names, (c, n) => SignalUnit.SplitName(n) is var (name, unit)
            && name.Length > 0 ? new Channel(name, unit.Length > 0 ? unit : c.Unit, c.SampleRate, c.Samples, quantization: c.Quantization)
            : c)
            .Where(c => c.Name != "-")];
        return named.Length > 0 ? named : throw new SignalFormatException(file, "has no channel left: all were given the name '-'.");
    }

    private static void SetUnits(Recording recording, Channel[] channels, IReadOnlyDictionary<string, string>? units)
    {
        foreach ((string key, string unit) in units ?? new Dictionary<string, string>())
        {
            ChannelKind? kind = key.ToUpperInvariant() switch { "PPG" => ChannelKind.Ppg, "BP" => ChannelKind.BloodPressure,
                "ECG" => ChannelKind.Ecg, _ => null };
            int[] meant = [.. Enumerable.Range(0, channels.Length).Where(i => channels[i].Name.Equals(key,
                StringComparison.OrdinalIgnoreCase))];
            if (meant.Length == 0 && kind is { } k)
                meant = [.. Enumerable.Range(0, channels.Length).Where(i => channels[i].Kind == k)];
            if (meant.Length == 0)
                throw new ChannelNotFoundException(recording, $"named '{key}', which the unit {unit} was given for");
            foreach (int i in meant)
                channels[i] = new Channel(channels[i].Name, unit, channels[i].SampleRate, channels[i].Samples, kind ?? channels[i].Kind);
        }
    }

    private static void TellApart(string file, Channel[] channels, List<SignalWarning> warnings)
    {
        var names = new HashSet<string>(channels.Select(c => c.Name), StringComparer.OrdinalIgnoreCase);
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        for (int i = 0; i < channels.Length; i++)
        {
            if (seen.Add(channels[i].Name))
                continue;
            int number = 2;
            while (names.Contains($"{channels[i].Name}_{number}"))
                number++;
            string name = $"{channels[i].Name}_{number}";
            names.Add(name);
            seen.Add(name);
            warnings.Add(new SignalWarning(SignalWarningKind.Header,
                $"{file}: two channels are called '{channels[i].Name}'; number {i + 1} of the channels is now '{name}'.",
                channels[i].Name));
            channels[i] = new Channel(name, channels[i].Unit, channels[i].SampleRate, channels[i].Samples, channels[i].Kind,
                channels[i].Quantization);
        }
    }

    // Leads of an ECG are as good as each other; of pressures and pulse waves the one whose name and unit say more is meant.
    private static void Choose(string file, Channel[] channels, List<SignalWarning> warnings)
    {
        foreach (ChannelKind kind in (ReadOnlySpan<ChannelKind>)[ChannelKind.BloodPressure, ChannelKind.Ppg])
        {
            int[] fitting = [.. Enumerable.Range(0, channels.Length).Where(i => channels[i].Kind == kind)];
            if (fitting.Length < 2)
                continue;
            int best = fitting.MaxBy(i => Rank(channels[i]));
            int[] lesser = [.. fitting.Where(i => Rank(channels[i]) / 2 < Rank(channels[best]) / 2)];
            foreach (int i in lesser)
                channels[i] = channels[i].WithKind(ChannelKind.Other);
            string what = kind == ChannelKind.Ppg ? "PPG" : "arterial pressure";
            warnings.Add(new SignalWarning(SignalWarningKind.Header,
                $"{file}: '{Label(channels[best])}' is taken for the {what}; "
                + $"{string.Join(", ", fitting.Where(i => i != best).Select(i => $"'{Label(channels[i])}'"))} would fit too (choose with "
                + $"--channel).", channels[best].Name));
        }
    }

    private static string Label(Channel channel) => channel.Unit.Length == 0 ? channel.Name : $"{channel.Name} [{channel.Unit}]";

    /// <summary>How well a channel fits its kind: the name first, then a unit that says the same, then whether it was measured at
    /// all.</summary>
    public static int Rank(Channel channel)
    {
        (ChannelKind kind, int strength) = ChannelKindRecognition.Judge(channel.Name, channel.Unit);
        bool unit = kind != ChannelKind.BloodPressure || SignalUnit.IsPressure(channel.Unit);
        return (4 * (kind == channel.Kind ? strength : 0)) + (unit ? 2
            : 0) + (channel.Samples.Span.ContainsAnyInRange(float.NegativeInfinity, float.PositiveInfinity) ? 1 : 0);
    }
}
