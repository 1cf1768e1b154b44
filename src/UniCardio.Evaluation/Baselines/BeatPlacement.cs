using UniCardio.Engine.Model;
using UniCardio.Signals.Processing;

namespace UniCardio.Evaluation.Baselines;

/// <summary>Where beats lie that cannot be seen: carried on by rhythm, or told by another signal of the same heart.</summary>
internal static class BeatPlacement
{
    /// <summary>The signal to place beats by: the ECG if it is given, else the pressure, else the PPG.</summary>
    public static Modality? Source(ModalitySet given)
    {
        foreach (Modality modality in (ReadOnlySpan<Modality>)[Modality.Ecg, Modality.Bp, Modality.Ppg])
        {
            if (given.Contains(modality))
                return modality;
        }

        return null;
    }

    /// <summary>Median time from a beat of one signal to the same beat of another, in samples; null without a pair.</summary>
    /// <remarks>A pulse follows its R peak, so an R peak goes with the next pulse and a pulse with the R peak before; pulses go with the nearest one.</remarks>
    /// <param name="source">Signal to place by.</param>
    /// <param name="sourceBeats">Its beats, ascending.</param>
    /// <param name="target">Signal to place in.</param>
    /// <param name="targetBeats">Its beats, ascending.</param>
    public static double? Delay(Modality source, IReadOnlyList<int> sourceBeats, Modality target, IReadOnlyList<int> targetBeats)
    {
        var delays = new List<double>();
        int next = 0;
        foreach (int beat in targetBeats)
        {
            while (next < sourceBeats.Count && sourceBeats[next] <= beat)
                next++;
            double? before = next > 0 ? beat - sourceBeats[next - 1] : null, after = next < sourceBeats.Count ? beat - sourceBeats[next] : null;
            double? delay = source == Modality.Ecg ? before : target == Modality.Ecg ? after : -after < before ? after : before;
            if (delay is { } measured)
                delays.Add(measured);
        }

        return delays.Count == 0 ? null : BeatTemplate.Median([.. delays]);
    }

    /// <summary>Beats across a gap by rhythm: as many as fit the median interval, evenly spaced. Null without a beat on either side.</summary>
    /// <param name="beats">Beats outside the gap, ascending.</param>
    /// <param name="gap">The gap.</param>
    /// <param name="interval">Usual interval, in samples.</param>
    public static double[]? Across(IReadOnlyList<int> beats, SampleRange gap, double interval)
    {
        (double Before, double After)? ends = Ends(beats, gap, interval);
        if (ends is not { } e)
            return null;
        int count = Math.Max(1, (int)Math.Round((e.After - e.Before) / interval));
        return [.. Enumerable.Range(0, count + 1).Select(k => e.Before + ((e.After - e.Before) * k / count))];
    }

    /// <summary>Beats across a gap by another signal's, those between the last known beat before and the first one after.</summary>
    /// <param name="beats">Beats outside the gap, ascending.</param>
    /// <param name="gap">The gap.</param>
    /// <param name="interval">Usual interval, in samples.</param>
    /// <param name="placed">Beats told by the other signal, ascending.</param>
    public static double[]? Across(IReadOnlyList<int> beats, SampleRange gap, double interval, IEnumerable<double> placed)
    {
        // A told beat nearer to a known one than 0.4 of an interval is that one.
        const double Same = 0.4;
        return Ends(beats, gap, interval) is { } e
            ? [e.Before, .. placed.Where(b => b > e.Before + (Same * interval) && b < e.After - (Same * interval)), e.After]
            : null;
    }

    /// <summary>Carries beats on at the usual interval until they reach past both ends of a stretch; null if there are none.</summary>
    public static double[]? Over(IReadOnlyList<double> beats, SampleRange stretch, double interval)
    {
        if (beats.Count == 0 || !(interval >= 1))
            return null;
        var all = new List<double>(beats);
        while (all[0] > stretch.Start)
            all.Insert(0, all[0] - interval);
        while (all[^1] <= stretch.End)
            all.Add(all[^1] + interval);
        return [.. all];
    }

    // The last beat before the gap and the first one after it; one that is missing is carried on from the other side.
    private static (double Before, double After)? Ends(IReadOnlyList<int> beats, SampleRange gap, double interval)
    {
        int? before = null, after = null;
        foreach (int beat in beats)
        {
            if (beat < gap.Start)
                before = beat;
            else if (beat >= gap.End)
                after ??= beat;
        }

        if ((before is null && after is null) || !(interval >= 1))
            return null;
        double steps = Math.Ceiling((gap.Length + interval) / interval);
        return (before ?? after!.Value - (steps * interval), after ?? before!.Value + (steps * interval));
    }
}
