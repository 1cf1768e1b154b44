using UniCardio.Engine.Model;
using UniCardio.Signals;
using UniCardio.Signals.Processing;
using UniCardio.Weights;

namespace UniCardio.Cli.Output;

/// <summary>What <c>info</c> says of a channel.</summary>
internal sealed record ChannelInfo(string Name, ChannelKind Kind, string Unit, double SampleRate, int Samples, int Measured, int Gaps,
    double LongestGapSeconds, double? Minimum, double? Maximum)
{
    public static ChannelInfo Of(ChannelReport report)
    {
        Channel channel = report.Channel;
        (float low, float high) = (float.PositiveInfinity, float.NegativeInfinity);
        foreach (float x in channel.Samples.Span)
            (low, high) = float.IsNaN(x) ? (low, high) : (Math.Min(low, x), Math.Max(high, x));
        return new ChannelInfo(channel.Name, channel.Kind, channel.Unit, channel.SampleRate, channel.Length, report.Measured,
            report.Gaps.Count,
            report.Gaps.Count == 0 ? 0 : report.Gaps.Max(g => g.Length) / channel.SampleRate, low <= high ? low : null, low <= high ? high
                : null);
    }
}

/// <summary>What <c>info</c> says of a recording.</summary>
internal sealed record RecordingInfo(string File, string Kind, string Name, double Seconds, DateTime? Start,
    IReadOnlyList<ChannelInfo> Channels, int Annotations, IReadOnlyList<string> Warnings)
{
    public static RecordingInfo Of(string file, Recording recording)
    {
        ChannelReport[] reports = [.. recording.Channels.Select(RecordingPreparation.Inspect)];
        return new RecordingInfo(file, "recording", recording.Name, recording.DurationSeconds, recording.StartTime,
            [.. reports.Select(ChannelInfo.Of)], recording.Annotations.Count,
            [.. recording.Warnings.Concat(reports.SelectMany(r => r.Warnings())).Select(w => w.Message)]);
    }

    public void WriteTo(Terminal terminal)
    {
        terminal.Out.WriteLine($"{File}: recording '{Name}', {Seconds.In("0.###")} s, {Annotations} annotations{(Start is { } start ? $", from {start:yyyy-MM-dd HH:mm:ss}" : "")}");
        var table = ResultTable.Create("channel", "measures", "unit", ">Hz", ">samples", ">missing", ">gaps", ">longest gap (s)", ">from", ">to");
        foreach (ChannelInfo c in Channels)
        {
            table.Add(c.Name, c.Kind, c.Unit.Length == 0 ? "?" : c.Unit, c.SampleRate, c.Samples, c.Samples - c.Measured, c.Gaps,
                c.LongestGapSeconds.In("0.##"),
                c.Minimum?.In("G5"), c.Maximum?.In("G5"));
        }

        terminal.Write(table);
        foreach (string warning in Warnings)
            terminal.Out.WriteLine($"warning: {warning}");
    }
}

/// <summary>What <c>info</c> says of weights.</summary>
internal sealed record WeightInfo(
    string File,
    string Kind,
    WeightFormat Format,
    IReadOnlyDictionary<string, string> Configuration,
    int Tensors,
    long ParameterCount,
    string? Untrained,
    string? Trained,
    IReadOnlyList<string> Notes)
{
    public static WeightInfo Of(LoadedWeights weights) => new(
        weights.Source,
        "weights",
        weights.Format,
        weights.Configuration.ToMetadata(),
        weights.Weights.Tensors.Count,
        Parameters(weights.Weights),
        weights.Recipe,
        weights.Description,
        weights.Notes);

    public static long Parameters(ModelWeights weights) => weights.Tensors.Sum(t => (long)t.Data.Length);

    public void WriteTo(Terminal terminal)
    {
        terminal.Out.WriteLine($"{File}: weights ({Format}), {Tensors} tensors, {ParameterCount} parameters");
        var table = ResultTable.Create("setting", ">value");
        foreach ((string key, string value) in Configuration)
            table.Add(key, value);
        terminal.Write(table);
        if (Trained is not null)
            terminal.Out.WriteLine($"trained: {Trained}");
        foreach (string note in Notes)
            terminal.Out.WriteLine(note);
    }
}
