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
        to[8] = Published.Agreement;
        to[9] = Math.Log(1 + Math.Clamp(Published.Kurtosis, 0, 60)) / 4;
        to[10] = Math.Clamp(Published.Skewness, -3, 6) / 3;
        to[11] = Published.BandShare;
        to[12] = Published.BaselineShare;
        to[13] = Published.Template;
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
        Counts counts = CountSorts(work, series.Kind, unit, seconds);
        float[] bridged = Bridge(work);
        indices = PublishedIndices.Of(bridged, series);
        (heart, BeatWindow[] windows) = BeatQuality.Read(series, seconds, Rate);
        var features = new QualityFeatures[seconds];
        for (int s = 0; s < seconds; s++)
        {
            int from = Math.Max(0, s + 1 - PublishedIndices.WindowSeconds), n = (s + 1 - from) * Rate;
            double Share(int[] count) => Sum(count, from, s + 1) / (double)n;
            features[s] = new QualityFeatures
            {
                HasRate = double.IsNaN(heart.Rate[s]) ? 0 : 1,
                Measured = Share(counts.Measured),
                Flat = Share(counts.Flat),
                Clipped = Share(counts.Clipped),
                Implausible = Share(counts.Implausible),
                Likeness = windows[s].Likeness,
                Evenness = windows[s].Evenness,
                Cover = windows[s].Cover,
                Deviation = heart.Deviation[s],
                Published = indices[s],
            };
        }

        return features;
    }

    private readonly record struct Counts(int[] Measured, int[] Flat, int[] Clipped, int[] Implausible);

    private static int Sum(int[] counts, int from, int to)
    {
        int sum = 0;
        for (int i = from; i < to; i++)
            sum += counts[i];
        return sum;
    }

    // A second's samples of each sort.
    private static Counts CountSorts(ReadOnlySpan<float> work, ChannelKind kind, string unit, int seconds)
    {
        const int Rate = QualityTrack.WorkRate;
        var counts = new Counts(new int[seconds], new int[seconds], new int[seconds], new int[seconds]);
        bool pressure = kind == ChannelKind.BloodPressure
            & SignalUnit.TryGetFactor(unit, SignalUnit.MillimetresOfMercury, out double factor);
        for (int i = 0; i < seconds * Rate; i++)
        {
            float x = work[i];
            counts.Measured[i / Rate] += float.IsNaN(x) ? 0 : 1;
            counts.Implausible[i / Rate] += pressure && (x * factor < 10 || x * factor > 280) ? 1 : 0;
        }

        foreach (FlatRun run in SignalQuality.FindFlatRuns(work, Rate / 2))
            Mark(counts.Flat, run.Range);
        foreach (ClippedRun run in SignalQuality.FindClippedRuns(work))
            Mark(counts.Clipped, run.Range);
        return counts;

        void Mark(int[] to, SampleRange range)
        {
            for (int i = range.Start; i < Math.Min(range.End, seconds * Rate); i++)
                to[i / Rate]++;
        }
    }

    // Lines over gaps; the ends are held.
    internal static float[] Bridge(ReadOnlySpan<float> work)
    {
        float[] bridged = work.ToArray();
        int last = -1;
        for (int i = 0; i < bridged.Length; i++)
        {
            if (float.IsNaN(bridged[i]))
                continue;
            for (int j = last + 1; j < i; j++)
                bridged[j] = last < 0 ? bridged[i] : bridged[last] + ((bridged[i] - bridged[last]) * (j - last) / (i - last));
            last = i;
        }

        bridged.AsSpan(last + 1).Fill(last < 0 ? 0 : bridged[Math.Max(0, last)]);
        return bridged;
    }
}
