using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Restoration;
using UniCardio.Signals;
using UniCardio.Signals.Plotting;
using UniCardio.Signals.Processing;

namespace UniCardio.Cli.Output;

/// <summary>The picture of a run: the restored signal with its band on top, the signals it was made from below.</summary>
internal static class RestorationPlot
{
    private const double LeadSeconds = 4;

    /// <summary>Makes the picture.</summary>
    /// <param name="recording">What was measured.</param>
    /// <param name="result">What came of it.</param>
    /// <param name="truth">What is known to be true, or null.</param>
    /// <param name="remark">What must stand below.</param>
    /// <param name="start">Where it begins, in seconds; null for some seconds before the first generated sample.</param>
    /// <param name="seconds">How much it shows.</param>
    public static SignalPlot Of(Recording recording, RestorationResult result, Recording? truth, string remark, double? start,
        double seconds)
    {
        Channel made = result.Channel;
        SampleRange range = Range(result, start, seconds);
        bool hasTruth = truth is not null && TruthFinder.Samples(result, truth) is not null;
        List<PlotPanel> panels = result.Task.Kind == TaskKind.Denoise ? Denoised(recording, result, truth, range)
            : [Restored(recording, result, truth, range)];
        panels.AddRange(recording.Channels.Where(c => IsShown(c, recording, result, hasTruth))
            .Select(c => Measured(c, result, range)));
        return new SignalPlot
        {
            Title = $"{Title(result.Task)}: {recording.Name}",
            SampleRate = made.SampleRate,
            StartSeconds = range.Start / made.SampleRate,
            Panels = panels,
            Remark = remark.Replace(SignalPlot.Disclaimer, "", StringComparison.Ordinal).Trim(),
        };
    }

    private static SampleRange Range(RestorationResult result, double? start, double seconds)
    {
        double rate = result.Channel.SampleRate;
        int length = result.Channel.Length, count = (int)Math.Clamp(Math.Round(seconds * rate), 1, length);
        IReadOnlyList<SampleRange> generated = result.GeneratedRanges;
        double from = start ?? (generated.Count > 0 ? (generated[0].Start / rate) - LeadSeconds : 0);
        if (start is double given && !(given >= 0 && given * rate < length))
            throw new UsageException($"--plot-start {given} s lies outside the recording of {length / rate} s");
        int first = (int)Math.Clamp(Math.Round(from * rate), 0, start is null ? length - count : length - 1);
        return SampleRange.Between(first, Math.Min(length, first + count));
    }

    private static PlotPanel Restored(Recording recording, RestorationResult result, Recording? truth, SampleRange range)
    {
        Channel made = result.Channel;
        var traces = new List<PlotTrace>();
        if (truth is not null && TruthFinder.Samples(result, truth) is float[] known)
            traces.Add(new PlotTrace(TraceRole.Reference, known.AsMemory(range.Start, range.Length)) { Label = "Truth" });
        if (result.Task.Kind != TaskKind.Translate)
            traces.Add(new PlotTrace(TraceRole.Measured, recording.Require(made.Name).Samples.Slice(range.Start, range.Length)));
        traces.Add(new PlotTrace(TraceRole.Generated, Generated(result).AsMemory(range.Start, range.Length))
        {
            Lower = result.Band?.Low.Slice(range.Start, range.Length) ?? default,
            Upper = result.Band?.High.Slice(range.Start, range.Length) ?? default,
            BandLabel = result.Fills.Count > 0 || result.Calibration is not null ? "5\u201395%" : "5\u201395% of draws",
        });
        bool fills = result.Task.Kind == TaskKind.Impute;
        bool translates = result.Task.Kind == TaskKind.Translate;
        string name = translates ? result.Task.Output.Name().ToUpperInvariant() : made.Name;
        return new PlotPanel(name, translates && made.Unit == SignalUnit.Normalized ? "normalised" : made.Unit, traces) { Gaps = fills
            ? Within(result.GeneratedRanges, range) : [] };
    }

    // Before and after on one scale, and what was taken off on its own, where a beat that went with the noise shows.
    private static List<PlotPanel> Denoised(Recording recording, RestorationResult result, Recording? truth, SampleRange range)
    {
        PlotPanel after = Restored(recording, result, truth, range);
        PlotTrace before = after.Traces.First(t => t.Role == TraceRole.Measured), made = after.Traces[^1];
        float[] residual = new float[range.Length];
        for (int i = 0; i < residual.Length; i++)
            residual[i] = before.Samples.Span[i] - made.Samples.Span[i];
        (double Low, double High) scale = SignalPlot.ValueRange(after.Traces);
        return
        [
            new PlotPanel($"{after.Name} recorded", after.Unit, [before]) { Range = scale },
            new PlotPanel($"{after.Name} denoised", after.Unit, [.. after.Traces.Where(t => t != before)]) { Range = scale },
            new PlotPanel("taken off", after.Unit, [new PlotTrace(TraceRole.Difference, residual) { Label = "Recorded less denoised" }]),
        ];
    }

    // What was generated and the measured sample on either side, so that the line closes the gap.
    private static float[] Generated(RestorationResult result)
    {
        float[] samples = new float[result.Channel.Length];
        Array.Fill(samples, float.NaN);
        foreach (SampleRange range in result.GeneratedRanges)
        {
            int from = Math.Max(0, range.Start - 1), to = Math.Min(samples.Length, range.End + 1);
            result.Channel.Samples.Span[from..to].CopyTo(samples.AsSpan(from));
        }

        return samples;
    }

    // The task's conditions, and in translation what was recorded of the target, unless it stands as the truth already.
    private static bool IsShown(Channel channel, Recording recording, RestorationResult result, bool hasTruth)
    {
        bool isTarget = result.Task.Kind == TaskKind.Translate
            ? hasTruth && ReferenceEquals(channel, recording.Find(NetworkSignal.KindOf(result.Task.Output)))
            : ReferenceEquals(channel, recording.Find(result.Channel.Name));
        if (isTarget)
            return false;
        ModalitySet shown = result.Task.Conditions | result.Task.Output.ToSet();
        return shown.Members().Any(m => ReferenceEquals(recording.Find(NetworkSignal.KindOf(m)), channel));
    }

    private static PlotPanel Measured(Channel channel, RestorationResult result, SampleRange range)
    {
        (CardioTask task, double rate, int length) = (result.Task, result.Channel.SampleRate, result.Channel.Length);
        var resampler = new Resampler(channel.SampleRate, rate);
        float[] samples = resampler.IsIdentity ? channel.Samples.ToArray() : resampler.Resample(channel.Samples.Span);
        int there = samples.Length;
        Array.Resize(ref samples, length);
        if (there < length)
            samples.AsSpan(there).Fill(float.NaN);
        bool given = task.Conditions.Members().Any(m => NetworkSignal.KindOf(m) == channel.Kind);
        var trace = new PlotTrace(given ? TraceRole.Measured : TraceRole.Reference,
            samples.AsMemory(range.Start, range.Length))
        {
            // Paired seconds of it may have calibrated the translation.
            Label = given ? null : result.Calibration is null ? "Recorded, not given to the network" : "Recorded",
        };
        return new PlotPanel(channel.Name, channel.Unit, [trace])
        {
            Gaps = Within(GapFinder.Find(samples), range),
        };
    }

    private static SampleRange[] Within(IReadOnlyList<SampleRange> ranges, SampleRange shown) =>
        [.. ranges.Where(r => r.Overlaps(shown))
            .Select(r => SampleRange.Between(Math.Max(r.Start, shown.Start) - shown.Start, Math.Min(r.End, shown.End) - shown.Start))];

    private static string Title(CardioTask task)
    {
        string Upper(ModalitySet set) => string.Join(" and ", set.Members().Select(m => m.Name().ToUpperInvariant()));
        ModalitySet others = task.Conditions & ~task.Output.ToSet();
        string output = task.Output.Name().ToUpperInvariant(), with = others == ModalitySet.None ? "" : $", given {Upper(others)}";
        return task.Kind switch
        {
            TaskKind.Impute => $"{output} with its gaps filled{with}",
            TaskKind.Denoise => $"{output} denoised{with}",
            _ => $"{output} from {Upper(task.Conditions)}",
        };
    }
}
