using System.Diagnostics;
using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Restoration;
using UniCardio.Signals;
using UniCardio.Signals.Processing;
using UniCardio.Weights;

namespace UniCardio.Cli.Output;

/// <summary>How the generated samples compare with a truth, in the channel's unit.</summary>
internal sealed record TruthComparison(int Samples, double Rmse, double Mae, double? StraightLineRmse, string Unit);

/// <summary>How much of the generated samples an estimator made.</summary>
internal sealed record EstimatorShare(string Estimator, double Share);

/// <summary>A stretch of the channel in seconds, and what it is: imputed, denoised, translated or bridged.</summary>
internal sealed record StretchReport(double Start, double End, string Origin);

/// <summary>What a run made and took, with what must stand beside it.</summary>
internal sealed record RestorationReport
{
    public required string Input { get; init; }

    public required string Task { get; init; }

    public required string Channel { get; init; }

    public required string Unit { get; init; }

    public required string Weights { get; init; }

    /// <summary>Of the weights' file; null for a recipe.</summary>
    public string? WeightsSha256 { get; init; }

    public required string Backend { get; init; }

    public required double Seconds { get; init; }

    public required int Windows { get; init; }

    public required int WindowsComputed { get; init; }

    public required long NetworkCalls { get; init; }

    public required int SamplesMeasured { get; init; }

    public required int SamplesGenerated { get; init; }

    public required int SamplesMissing { get; init; }

    /// <summary>The stretches of the channel that no sensor measured.</summary>
    public required IReadOnlyList<StretchReport> NotMeasured { get; init; }

    /// <summary>What the generated samples were made of, by share of them; empty where the network alone made them.</summary>
    public required IReadOnlyList<EstimatorShare> Estimators { get; init; }

    /// <summary>How a translation was calibrated, with its age; null without.</summary>
    public CalibrationReport? Calibration { get; init; }

    /// <summary>What the numbers must not be used for, or null.</summary>
    public string? NotFor { get; init; }

    /// <summary>In the network.</summary>
    public required double ComputeSeconds { get; init; }

    /// <summary>Reading and writing aside.</summary>
    public required double TotalSeconds { get; init; }

    /// <summary>Most memory that the process held.</summary>
    public required long PeakMemoryBytes { get; init; }

    public TruthComparison? Truth { get; init; }

    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>What the weights can do, and what this is not.</summary>
    public required string Remark { get; init; }

    public static RestorationReport Of(string input, LoadedWeights weights, string backend, Recording recording, RestorationResult result,
        Recording? truth)
    {
        using var process = Process.GetCurrentProcess();
        return new RestorationReport
        {
            Input = input,
            Task = result.Task.ToString(),
            Channel = result.Channel.Name,
            Unit = result.Channel.Unit == SignalUnit.Normalized ? "normalised" : result.Channel.Unit,
            Weights = weights.Source,
            WeightsSha256 = WeightHash.Of(weights),
            Backend = backend,
            Seconds = recording.DurationSeconds,
            Windows = result.Windows,
            WindowsComputed = result.WindowsComputed,
            NetworkCalls = result.NetworkCalls,
            SamplesMeasured = result.Count(Provenance.Measured),
            SamplesGenerated = result.GeneratedCount,
            SamplesMissing = result.Count(Provenance.NoSignal),
            NotMeasured = [.. result.Recording.Unmeasured.Where(u => u.Channel == result.Channel.Name).Select(u =>
                new StretchReport(Math.Round(u.StartSeconds, 6), Math.Round(u.StartSeconds + u.DurationSeconds, 6), u.Origin))],
            Estimators = [.. result.Estimators.Select(e => new EstimatorShare(e.Estimator, Math.Round(e.Share, 3)))],
            Calibration = result.Calibration,
            NotFor = result.Task is not { Kind: TaskKind.Translate } task ? null
                : task.Output == Modality.Ecg ? RestorationResult.NotForRhythm
                : task.Output == Modality.Bp && result.Calibration is null ? RestorationResult.NoLevel : null,
            ComputeSeconds = result.ComputeTime.TotalSeconds,
            TotalSeconds = result.TotalTime.TotalSeconds,
            PeakMemoryBytes = process.PeakWorkingSet64,
            Truth = truth is null ? null : TruthFinder.Compare(recording, result, truth),
            Warnings = [.. result.Warnings.Select(w => w.Message)],
            Remark = Beside(weights),
        };
    }

    /// <summary>The report for a person; beside the results where these go to standard output themselves.</summary>
    public void WriteTo(TextWriter output)
    {
        output.WriteLine(
            $"{Task}: {SamplesGenerated} samples of {Channel} generated ({(Unit.Length == 0 ? "unit not stated" : Unit)}), "
            + $"{SamplesMeasured} kept as they were read, {SamplesMissing} missing");
        output.WriteLine(
            $"{WindowsComputed} of {Windows} windows, {NetworkCalls} network calls, {TotalSeconds.In("0.00")} s "
            + $"({ComputeSeconds.In("0.00")} s in the network) for {Seconds.In("0.#")} s of signal; {Backend}; "
            + $"{(PeakMemoryBytes / 1e6).In("0")} MB at most");
        if (Estimators.Count > 0)
            output.WriteLine("made of: " + string.Join(
                ", ", Estimators.Where(e => e.Share >= 0.005).Select(e => $"{e.Estimator} {(100 * e.Share).In("0")}%")));
        if (Calibration is { } calibration)
            output.WriteLine(
                $"calibrated by {calibration.By} ({calibration.Beats} "
                + $"{(calibration.Source is not null ? "beats" : calibration.Beats == 1 ? "reading" : "readings")}), "
                + $"{(calibration.MayBeOlder ? "at least " : "")}{calibration.AgeSeconds.In("0")} s old at the end");
        if (Truth is TruthComparison t)
            output.WriteLine(
                $"against the truth, {t.Samples} samples{(Calibration?.StartSeconds is null ? "" : " outside of the paired seconds")}: "
                + $"RMSE {t.Rmse.In("0.###")} {t.Unit}, MAE {t.Mae.In("0.###")} "
                + t.Unit + (t.StraightLineRmse is double line ? $"; straight lines over the gaps: RMSE {line.In("0.###")} {t.Unit}" : ""));
    }

    private static string Beside(LoadedWeights weights)
    {
        string what = weights.IsUntrained ? $"Untrained weights ({weights.Recipe}): what was generated is noise."
            : weights.Description is string said ? char.ToUpperInvariant(said[0]) + said[1..] : "";
        return $"{RestorationResult.Remark} {what}".TrimEnd();
    }
}

/// <summary>Compares what was generated with a recording that holds the truth.</summary>
internal static class TruthFinder
{
    /// <summary>The true samples on the restored channel's time axis, NaN where there are none; null where a comparison means
    /// nothing.</summary>
    /// <exception cref="UsageException">The truth has no such channel, or another unit.</exception>
    public static float[]? Samples(RestorationResult result, Recording truth)
    {
        Channel made = result.Channel;
        // What is translated without a calibration has no scale.
        if (result.Task.Kind == TaskKind.Translate && made.Unit == SignalUnit.Normalized)
            return null;
        Channel channel = truth.Find(made.Name) ?? truth.Require(NetworkSignal.KindOf(result.Task.Output));
        if (channel.Unit != made.Unit)
            throw new UsageException(
                $"the truth's channel '{channel.Name}' is in '{channel.Unit}', the restored '{made.Name}' in '{made.Unit}'");
        var resampler = new Resampler(channel.SampleRate, made.SampleRate);
        ReadOnlySpan<float> there = resampler.IsIdentity ? channel.Samples.Span : resampler.Resample(channel.Samples.Span);
        float[] samples = new float[made.Length];
        Array.Fill(samples, float.NaN);
        there[..Math.Min(there.Length, samples.Length)].CopyTo(samples);
        return samples;
    }

    /// <summary>Errors over the generated samples outside of the seconds that calibrated them, and those of straight lines where gaps were
    /// filled.</summary>
    public static TruthComparison? Compare(Recording recording, RestorationResult result, Recording truth)
    {
        if (Samples(result, truth) is not float[] all)
            return null;
        int[] at = [.. Enumerable.Range(0, all.Length)
            .Where(i => result.Provenance.Span[i].IsGenerated() && !float.IsNaN(all[i]) && !IsPaired(result, i))];
        float[] expected = [.. at.Select(i => all[i])], generated = [.. at.Select(i => result.Channel.Samples.Span[i])];
        if (Measures.RootMeanSquareError(generated, expected) is not double rmse)
            return null;
        double? line = null;
        if (result.Task.Kind == TaskKind.Impute)
        {
            float[] straight = StraightLines(result);
            line = Measures.RootMeanSquareError([.. at.Select(i => straight[i])], expected);
        }

        return new TruthComparison(at.Length, rmse, Measures.MeanAbsoluteError(generated, expected)!.Value, line, result.Channel.Unit);
    }

    // The estimate was learned from the truth of these samples.
    private static bool IsPaired(RestorationResult result, int sample) => result.Calibration is { StartSeconds: double start } paired
        && sample / result.Channel.SampleRate is double at && at >= start && at < paired.EndSeconds;

    // From the last measured sample before each gap to the first one after it; level at the ends of the recording.
    private static float[] StraightLines(RestorationResult result)
    {
        float[] samples = result.Channel.Samples.ToArray();
        foreach (SampleRange gap in result.GeneratedRanges)
        {
            bool before = gap.Start > 0, after = gap.End < samples.Length;
            float from = before ? samples[gap.Start - 1] : after ? samples[gap.End] : 0, to = after ? samples[gap.End] : from;
            for (int i = gap.Start; i < gap.End; i++)
                samples[i] = from + ((to - from) * (i - gap.Start + 1) / (gap.Length + 1));
        }

        return samples;
    }
}
