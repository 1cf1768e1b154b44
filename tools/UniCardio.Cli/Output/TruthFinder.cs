using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Restoration;
using UniCardio.Signals;
using UniCardio.Signals.Processing;

namespace UniCardio.Cli.Output;

/// <summary>Compares what was generated with a recording that holds the truth.</summary>
internal static class TruthFinder
{
    /// <summary>The true samples on the restored channel's time axis, NaN where there are none; null where a comparison means nothing.</summary>
    /// <exception cref="UsageException">The truth has no such channel, or another unit.</exception>
    public static float[]? Samples(RestorationResult result, Recording truth)
    {
        Channel made = result.Channel;
        // A translated PPG or ECG has no scale.
        if (result.Task.Kind == TaskKind.Translate && result.Task.Output != Modality.Bp)
            return null;
        Channel channel = truth.Find(made.Name) ?? truth.Require(NetworkSignal.KindOf(result.Task.Output));
        if (channel.Unit != made.Unit)
            throw new UsageException($"the truth's channel '{channel.Name}' is in '{channel.Unit}', the restored '{made.Name}' in '{made.Unit}'");
        var resampler = new Resampler(channel.SampleRate, made.SampleRate);
        ReadOnlySpan<float> there = resampler.IsIdentity ? channel.Samples.Span : resampler.Resample(channel.Samples.Span);
        float[] samples = new float[made.Length];
        Array.Fill(samples, float.NaN);
        there[..Math.Min(there.Length, samples.Length)].CopyTo(samples);
        return samples;
    }

    /// <summary>Errors over the generated samples, and those of straight lines where gaps were filled.</summary>
    public static TruthComparison? Compare(Recording recording, RestorationResult result, Recording truth)
    {
        if (Samples(result, truth) is not float[] all)
            return null;
        int[] at = [.. Enumerable.Range(0, all.Length).Where(i => result.Provenance.Span[i].IsGenerated() && !float.IsNaN(all[i]))];
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
