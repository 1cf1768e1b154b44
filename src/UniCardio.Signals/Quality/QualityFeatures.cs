using UniCardio.Signals.Beats;
using UniCardio.Signals.Patient;
using UniCardio.Signals.Processing;

namespace UniCardio.Signals.Quality;

/// <summary>What the index is made of, for the ten seconds that end with a second.</summary>
internal readonly record struct QualityFeatures
{
    /// <summary>Number of values of <see cref="Write"/>.</summary>
    public const int Count = 14;

    /// <summary>1 where there are beats enough for a rate, else 0.</summary>
    public required double HasRate { get; init; }

    /// <summary>Share of samples.</summary>
    public required double Measured { get; init; }

    /// <summary>Share of samples in flat stretches of a second and more.</summary>
    public required double Flat { get; init; }

    /// <summary>Share of samples at an end of the range.</summary>
    public required double Clipped { get; init; }

    /// <summary>Share of samples that no artery has; 0 where the unit is unknown.</summary>
    public required double Implausible { get; init; }

    /// <summary>Mean quality of the beats.</summary>
    public required double Likeness { get; init; }

    /// <summary>Share of intervals within 0.6 and 1.67 of their median.</summary>
    public required double Evenness { get; init; }

    /// <summary>Share of the window that beats reach over.</summary>
    public required double Cover { get; init; }

    /// <summary>Standard deviation of the rate's error by the spread of its intervals, bpm.</summary>
    public required double Deviation { get; init; }

    /// <summary>Published indices.</summary>
    public required PublishedIndices Published { get; init; }

    /// <summary>The features that the index's model takes, each about 0 to 1.</summary>
    /// <param name="to">[<see cref="Count"/>].</param>
    public void Write(Span<double> to)
    {
        to[0] = Measured;
        to[1] = Flat;
        to[2] = Clipped;
        to[3] = Implausible;
        to[4] = Likeness;
        to[5] = Evenness;
        to[6] = Cover;
        to[7] = Math.Min(1, double.IsFinite(Deviation) ? Deviation / 10 : 1);
        Published.Write(to[8..]);
    }

    /// <summary>The features of every second.</summary>
    /// <param name="series">The beats, at <see cref="QualityTrack.WorkRate"/>.</param>
    /// <param name="work">[n] the signal at that rate, NaN where missing.</param>
    /// <param name="unit">Its unit.</param>
    /// <param name="heart">Rate and deviation; its index is still to be set.</param>
    /// <param name="indices">Published indices.</param>
    public static QualityFeatures[] Of(BeatSeries series, ReadOnlySpan<float> work, string unit, out BeatQuality heart,
        out PublishedIndices[] indices)
    {
        const int Rate = QualityTrack.WorkRate;
        int seconds = work.Length / Rate;
        SortCounts counts = new(seconds);
        counts.Count(work, SortCounts.MillimetresPer(series.Kind, unit));
        float[] bridged = Bridge(work);
        indices = PublishedIndices.Of(bridged, series);
        (heart, BeatWindow[] windows) = BeatQuality.Read(series, seconds, Rate);
        var features = new QualityFeatures[seconds];
        for (int s = 0; s < seconds; s++)
            features[s] = Of(counts, s, windows[s], heart.Rate[s], heart.Deviation[s], indices[s]);
        return features;
    }

    /// <summary>The features of one second.</summary>
    internal static QualityFeatures Of(SortCounts counts, int second, in BeatWindow window, double rate, double deviation,
        in PublishedIndices indices)
    {
        int from = Math.Max(0, second + 1 - PublishedIndices.WindowSeconds), to = second + 1;
        return new QualityFeatures
        {
            HasRate = double.IsNaN(rate) ? 0 : 1,
            Measured = SortCounts.Share(counts.Measured, from, to),
            Flat = SortCounts.Share(counts.Flat, from, to),
            Clipped = SortCounts.Share(counts.Clipped, from, to),
            Implausible = SortCounts.Share(counts.Implausible, from, to),
            Likeness = window.Likeness,
            Evenness = window.Evenness,
            Cover = window.Cover,
            Deviation = deviation,
            Published = indices,
        };
    }

    /// <summary>Lines over gaps; the ends are held.</summary>
    internal static float[] Bridge(ReadOnlySpan<float> work)
    {
        float[] bridged = new float[work.Length];
        Bridge(work, bridged);
        return bridged;
    }

    /// <summary>Lines over gaps; the ends are held, and nothing measured is 0.</summary>
    /// <param name="work">[n], NaN where missing.</param>
    /// <param name="bridged">[n].</param>
    internal static void Bridge(ReadOnlySpan<float> work, Span<float> bridged)
    {
        work.CopyTo(bridged);
        int last = -1;
        for (int i = 0; i < bridged.Length; i++)
        {
            if (float.IsNaN(bridged[i]))
                continue;
            for (int j = last + 1; j < i; j++)
                bridged[j] = last < 0 ? bridged[i] : bridged[last] + ((bridged[i] - bridged[last]) * (j - last) / (i - last));
            last = i;
        }

        bridged[(last + 1)..].Fill(last < 0 ? 0 : bridged[last]);
    }
}

/// <summary>How many samples of each second are of a sort.</summary>
/// <param name="seconds">Seconds.</param>
internal sealed class SortCounts(int seconds)
{
    /// <summary>[seconds] measured samples.</summary>
    public int[] Measured { get; } = new int[seconds];

    /// <summary>[seconds] samples in flat stretches of half a second and more.</summary>
    public int[] Flat { get; } = new int[seconds];

    /// <summary>[seconds] samples at an end of the range.</summary>
    public int[] Clipped { get; } = new int[seconds];

    /// <summary>[seconds] samples that no artery has.</summary>
    public int[] Implausible { get; } = new int[seconds];

    /// <summary>Counts anew. Nothing is allocated.</summary>
    /// <param name="work">[at least 125 seconds] the signal, NaN where missing.</param>
    /// <param name="toMillimetres">mmHg in a unit of an arterial pressure; NaN for other signals and unknown units.</param>
    public void Count(ReadOnlySpan<float> work, double toMillimetres)
    {
        const int Rate = QualityTrack.WorkRate;
        foreach (int[] counts in (ReadOnlySpan<int[]>)[Measured, Flat, Clipped, Implausible])
            Array.Clear(counts);
        var run = new FlatRunDetector(Rate / 2);
        int start = 0, length = Math.Min(work.Length, Measured.Length * Rate);
        for (int i = 0; i < length; i++)
        {
            float x = work[i];
            Measured[i / Rate] += float.IsNaN(x) ? 0 : 1;
            double pressure = x * toMillimetres;
            Implausible[i / Rate] += pressure < 10 || pressure > 280 ? 1 : 0;
            bool wasFlat = run.IsFlat;
            if (!run.Push(x))
                continue;
            if (wasFlat)
                Mark(Flat, start, i);
            start = i;
        }

        if (run.IsFlat)
            Mark(Flat, start, length);
        foreach (ClippedRun clipped in SignalQuality.ClippedRuns(work))
            Mark(Clipped, clipped.Range.Start, clipped.Range.End);
    }

    /// <summary>mmHg in a unit of an arterial pressure; NaN for other signals and unknown units.</summary>
    public static double MillimetresPer(ChannelKind kind, string unit) =>
        kind == ChannelKind.BloodPressure && SignalUnit.TryGetFactor(unit, SignalUnit.MillimetresOfMercury, out double factor) ? factor
            : double.NaN;

    /// <summary>Share of the samples of seconds [from, to).</summary>
    public static double Share(ReadOnlySpan<int> counts, int from, int to)
    {
        int sum = 0;
        foreach (int count in counts[from..to])
            sum += count;
        return sum / (double)((to - from) * QualityTrack.WorkRate);
    }

    private static void Mark(int[] to, int from, int end)
    {
        const int Rate = QualityTrack.WorkRate;
        for (int i = from; i < Math.Min(end, to.Length * Rate); i++)
            to[i / Rate]++;
    }
}
