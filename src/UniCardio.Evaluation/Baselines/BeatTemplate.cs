using UniCardio.Engine.Model;
using UniCardio.Signals.Processing;

namespace UniCardio.Evaluation.Baselines;

/// <summary>
/// An average beat: one wave from an R peak (or systolic peak) to the next, on a time axis that is stretched to any interval.
/// </summary>
internal sealed class BeatTemplate
{
    /// <summary>Points of a beat; the last one is the next beat's first.</summary>
    public const int Points = 257;

    private const int MaxBeats = 30;
    private const double MinInterval = 0.75, MaxInterval = 1.25;

    private readonly double[] _wave;

    /// <param name="wave">[<see cref="Points"/>] the wave.</param>
    /// <param name="interval">Its usual interval, in samples.</param>
    public BeatTemplate(double[] wave, double interval)
    {
        _wave = wave;
        Interval = interval;
    }

    /// <summary>Median interval of the beats it was made from, in samples.</summary>
    public double Interval { get; }

    /// <summary>[<see cref="Points"/>] the wave.</summary>
    public ReadOnlySpan<double> Wave => _wave;

    /// <summary>
    /// Averages the beats of a signal that are nearest to an instant, up to 30. Beats that hold a missing sample, or whose interval is not
    /// within a quarter of the median one, are left out. Null if too few remain.
    /// </summary>
    /// <param name="signal">The signal, NaN where missing.</param>
    /// <param name="beats">Its beats, ascending.</param>
    /// <param name="near">The instant, in samples.</param>
    /// <param name="fewest">Fewest beats that make an average.</param>
    public static BeatTemplate? Average(ReadOnlySpan<float> signal, IReadOnlyList<int> beats, double near, int fewest = 3)
    {
        var whole = new List<(int From, int To)>();
        for (int k = 0; k + 1 < beats.Count; k++)
        {
            if (GapFinder.CountMeasured(signal[beats[k]..(beats[k + 1] + 1)]) == beats[k + 1] - beats[k] + 1)
                whole.Add((beats[k], beats[k + 1]));
        }

        if (whole.Count < fewest)
            return null;
        double interval = Median([.. whole.Select(b => (double)(b.To - b.From))]);
        (int From, int To)[] used = [.. whole
            .Where(b => b.To - b.From >= MinInterval * interval && b.To - b.From <= MaxInterval * interval)
            .OrderBy(b => Math.Abs((0.5 * (b.From + b.To)) - near)).Take(MaxBeats)];
        if (used.Length < fewest)
            return null;
        var wave = new double[Points];
        foreach ((int from, int to) in used)
        {
            for (int p = 0; p < Points; p++)
                wave[p] += At(signal, from + ((to - from) * (p / (Points - 1.0)))) / used.Length;
        }

        return new BeatTemplate(wave, interval);
    }

    /// <summary>Draws the wave from beat to beat; samples before the first beat and from the last one on are left alone.</summary>
    /// <param name="beats">Instants in samples, ascending.</param>
    /// <param name="signal">Where to draw.</param>
    public void Render(IReadOnlyList<double> beats, Span<float> signal)
    {
        for (int k = 0; k + 1 < beats.Count; k++)
        {
            double from = beats[k], length = beats[k + 1] - from;
            int end = (int)Math.Min(signal.Length, Math.Ceiling(beats[k + 1]));
            for (int i = (int)Math.Max(0, Math.Ceiling(from)); i < end; i++)
            {
                double place = (i - from) / length * (Points - 1);
                int below = Math.Clamp((int)place, 0, Points - 2);
                signal[i] = (float)(_wave[below] + ((place - below) * (_wave[below + 1] - _wave[below])));
            }
        }
    }

    /// <summary>Middle value, or the mean of the two middle ones.</summary>
    public static double Median(double[] values)
    {
        Array.Sort(values);
        return values.Length % 2 == 1 ? values[values.Length / 2] : 0.5 * (values[(values.Length / 2) - 1] + values[values.Length / 2]);
    }

    private static double At(ReadOnlySpan<float> signal, double place)
    {
        int below = (int)place, above = Math.Min(below + 1, signal.Length - 1);
        return signal[below] + ((place - below) * ((double)signal[above] - signal[below]));
    }
}

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
    /// <remarks>A pulse follows its R peak, so an R peak goes with the next pulse and a pulse with the R peak before; pulses go with the
    /// nearest one.</remarks>
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
            double? before = next > 0 ? beat - sourceBeats[next - 1] : null, after = next < sourceBeats.Count
                ? beat - sourceBeats[next] : null;
            double? delay = source == Modality.Ecg ? before : target == Modality.Ecg ? after : -after < before ? after : before;
            if (delay is { } measured)
                delays.Add(measured);
        }

        return delays.Count == 0 ? null : BeatTemplate.Median([.. delays]);
    }

    /// <summary>
    /// Beats across a gap by rhythm: as many as fit the median interval, evenly spaced. Null without a beat on either side.
    /// </summary>
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
