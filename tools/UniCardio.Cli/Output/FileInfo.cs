using System.Globalization;
using System.Text.Json.Serialization;
using UniCardio.Engine.Model;
using UniCardio.Signals;
using UniCardio.Signals.Processing;
using UniCardio.Weights;

namespace UniCardio.Cli.Output;

/// <summary>What <c>info</c> says of a channel.</summary>
internal sealed record ChannelInfo
{
    public required string Name { get; init; }
    public required string Kind { get; init; }
    public required string Unit { get; init; }
    public required double RateHz { get; init; }
    public required int Samples { get; init; }
    public required int Missing { get; init; }
    public required int Gaps { get; init; }
    public required double MaxGapSeconds { get; init; }

    /// <summary>Smallest sample, null where all are missing.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public float? Min { get; init; }

    /// <summary>Largest sample, null where all are missing.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public float? Max { get; init; }

    public static ChannelInfo Of(ChannelReport report)
    {
        Channel channel = report.Channel;
        (float low, float high) = (float.PositiveInfinity, float.NegativeInfinity);
        foreach (float x in channel.Samples.Span)
            (low, high) = float.IsNaN(x) ? (low, high) : (Math.Min(low, x), Math.Max(high, x));
        return new ChannelInfo
        {
            Name = channel.Name, Kind = NameOf(channel.Kind), Unit = channel.Unit, RateHz = channel.SampleRate, Samples = channel.Length,
            Missing = channel.Length - report.Measured, Gaps = report.Gaps.Count,
            MaxGapSeconds = report.Gaps.Count == 0 ? 0 : report.Gaps.Max(g => g.Length) / channel.SampleRate,
            Min = low <= high ? low : null,
            Max = low <= high ? high : null,
        };
    }

    /// <summary>The commands' word for a kind.</summary>
    public static string NameOf(ChannelKind kind) => kind switch
    {
        ChannelKind.Ppg => "ppg",
        ChannelKind.BloodPressure => "bp",
        ChannelKind.Ecg => "ecg",
        _ => "other",
    };
}

/// <summary>What <c>info</c> says of a recording.</summary>
internal sealed record RecordingInfo(string File, string Kind, string Name, double Seconds, IReadOnlyList<ChannelInfo> Channels,
    int Annotations, IReadOnlyList<string> Remarks)
{
    /// <summary>Wall clock at the first sample, ISO 8601; the time alone where no date is known, null where neither is.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? Start { get; init; }

    public static RecordingInfo Of(string file, Recording recording)
    {
        ChannelReport[] reports = [.. recording.Channels.Select(RecordingPreparation.Inspect)];
        return new RecordingInfo(file, "recording", recording.Name, recording.DurationSeconds, [.. reports.Select(ChannelInfo.Of)],
            recording.Annotations.Count,
            [.. recording.Warnings.Concat(reports.SelectMany(r => r.Warnings())).Select(w => w.Message)])
        {
            Start = recording.StartTime is { } start ? start.ToString(start.Year > 1 ? "yyyy-MM-ddTHH:mm:ss.FFFFFF" : "HH:mm:ss.FFFFFF",
                CultureInfo.InvariantCulture) : null,
        };
    }

    public void WriteTo(Terminal terminal)
    {
        string from = Start is { } start ? $", from {start.Replace('T', ' ')}" : "";
        terminal.Say($"{File}: recording '{Name}', {Seconds.In("0.###")} s, {Annotations} annotations{from}");
        var table = ResultTable.Create("channel", "signal", "unit", ">Hz", ">samples", ">missing", ">gaps", ">max s", ">from", ">to");
        table.KeepNarrow();
        foreach (ChannelInfo c in Channels)
        {
            table.Add(c.Name, c.Kind, c.Unit.Length == 0 ? "?" : c.Unit, c.RateHz, c.Samples, c.Missing, c.Gaps,
                c.MaxGapSeconds.In("0.##"),
                Short(c.Min), Short(c.Max));
        }

        terminal.Write(table);
        foreach (string remark in Remarks)
            terminal.Say($"remark: {remark}");

        // At most eight columns.
        static string? Short(float? value) => ((double?)value)?.In(Math.Abs(value!.Value) is 0 or (>= 1e-3f and < 1e6f) ? "G5" : "0.##e0");
    }
}

/// <summary>What <c>info</c> says of weights.</summary>
internal sealed record WeightInfo
{
    public required string File { get; init; }
    public required string Kind { get; init; }
    public required WeightFormat Format { get; init; }
    public required IReadOnlyDictionary<string, string> Configuration { get; init; }
    public required int Tensors { get; init; }
    public required long ParameterCount { get; init; }
    public required string? Untrained { get; init; }
    public required string? Trained { get; init; }
    public required IReadOnlyList<string> Notes { get; init; }

    public static WeightInfo Of(LoadedWeights weights) => new()
    {
        File = weights.Source,
        Kind = "weights",
        Format = weights.Format,
        Configuration = weights.Configuration.ToMetadata(),
        Tensors = weights.Weights.Tensors.Count,
        ParameterCount = Parameters(weights.Weights),
        Untrained = weights.Recipe,
        Trained = weights.Description,
        Notes = weights.Notes,
    };

    public static long Parameters(ModelWeights weights) => weights.Tensors.Sum(t => (long)t.Data.Length);

    public void WriteTo(Terminal terminal)
    {
        terminal.Say($"{File}: weights ({Format}), {Tensors} tensors, {ParameterCount} parameters");
        var table = ResultTable.Create("setting", ">value");
        foreach ((string key, string value) in Configuration)
            table.Add(key, value);
        terminal.Write(table);
        if (Trained is not null)
            terminal.Say($"trained: {Trained}");
        foreach (string note in Notes)
            terminal.Say(note);
    }
}
