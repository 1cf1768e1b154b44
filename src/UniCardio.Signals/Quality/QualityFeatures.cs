using UniCardio.Signals.Beats;
using UniCardio.Signals.Patient;
using UniCardio.Signals.Processing;

namespace UniCardio.Signals.Quality;

/// <summary>What the index is made of, for the ten seconds that end with a second.</summary>
/// <param name="HasRate">1 where there are beats enough for a rate, else 0.</param>
/// <param name="Measured">Share of samples.</param>
/// <param name="Flat">Share of samples in flat stretches of a second and more.</param>
/// <param name="Clipped">Share of samples at an end of the range.</param>
/// <param name="Implausible">Share of samples that no artery has; 0 where the unit is unknown.</param>
/// <param name="Likeness">Mean quality of the beats.</param>
/// <param name="Evenness">Share of intervals within 0.6 and 1.67 of their median.</param>
/// <param name="Cover">Share of the window that beats reach over.</param>
/// <param name="Deviation">Standard deviation of the rate's error by the spread of its intervals, bpm.</param>
/// <param name="Published">Published indices.</param>
internal readonly record struct QualityFeatures(double HasRate, double Measured, double Flat, double Clipped, double Implausible,
    double Likeness, double Evenness, double Cover, double Deviation, PublishedIndices Published)
{
    /// <summary>Number of values of <see cref="Write"/>.</summary>
    public const int Count = 14;

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
            features[s] = new QualityFeatures(double.IsNaN(heart.Rate[s]) ? 0 : 1, Share(counts.Measured), Share(counts.Flat),
                Share(counts.Clipped), Share(counts.Implausible), windows[s].Likeness, windows[s].Evenness, windows[s].Cover,
                heart.Deviation[s], indices[s]);
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
