using UniCardio.Signals.Beats;

namespace UniCardio.Signals.Quality;

/// <summary>The truth about a spoiled signal's quality, second by second, from the clean signal that only a generator knows.</summary>
/// <remarks>
/// Quality is the mean of three shares: correlation with the clean signal over the three seconds about the second, each less its line
/// (negative ones are 0); F1 of the detector's beats against those of the clean signal over five seconds, within 150 ms; and 1 / (1 + 1 /
/// SNR), SNR the ratio of the clean signal's variance to that of the difference over three seconds. Missing samples count as noise of
/// infinite size. None of it is one of our own indices.
/// </remarks>
/// <param name="Quality">[seconds] 0 to 1.</param>
/// <param name="RateIsRight">[seconds] whether the heart rate that the detector gives for the ten seconds that end with the second is
/// within 5 bpm of that of the true beats; false where it gives none.</param>
internal sealed record QualityLabels(float[] Quality, bool[] RateIsRight)
{
    /// <summary>Largest error of a heart rate that is right (bpm).</summary>
    public const double RightRate = 5;

    /// <summary>Labels of a spoiled signal.</summary>
    /// <param name="clean">[n] at <see cref="QualityTrack.WorkRate"/>.</param>
    /// <param name="spoiled">[n], NaN where missing.</param>
    /// <param name="truth">Beats of the clean signal.</param>
    /// <param name="found">Beats found in the spoiled one.</param>
    internal static QualityLabels Of(ReadOnlySpan<float> clean, ReadOnlySpan<float> spoiled, BeatSeries truth, BeatSeries found)
    {
        const int Rate = QualityTrack.WorkRate;
        int seconds = clean.Length / Rate;
        int[] known = [.. truth.Beats.Select(b => (int)b.Sample)], own = [.. found.Beats.Select(b => (int)b.Sample)];
        double[] right = Patient.BeatQuality.Read(truth, seconds, Rate).Heart.Rate, read =
            Patient.BeatQuality.Read(found, seconds, Rate).Heart.Rate;
        var labels = new QualityLabels(new float[seconds], new bool[seconds]);
        for (int s = 0; s < seconds; s++)
        {
            int from = Math.Max(0, (s - 1) * Rate), to = Math.Min(clean.Length, (s + 2) * Rate);
            (double correlation, double share) = Compare(clean[from..to], spoiled[from..to]);
            double agreement = PublishedIndices.Matched(Within(known, (s - 2) * Rate, (s + 3) * Rate),
                Within(own, (s - 2) * Rate, (s + 3) * Rate), 0.15 * Rate);
            labels.Quality[s] = (float)((correlation + share + agreement) / 3);
            labels.RateIsRight[s] = Math.Abs(right[s] - read[s]) <= RightRate;
        }

        return labels;
    }

    private static ReadOnlySpan<int> Within(int[] beats, int from, int to)
    {
        int first = Array.BinarySearch(beats, from), last = Array.BinarySearch(beats, to);
        first = first < 0 ? ~first : first;
        last = last < 0 ? ~last : last;
        return beats.AsSpan(first, last - first);
    }

    private static (double Correlation, double Share) Compare(ReadOnlySpan<float> clean, ReadOnlySpan<float> spoiled)
    {
        (double level, double slope) = PublishedIndices.Line(clean);
        var measured = new float[clean.Length];
        int count = 0;
        for (int i = 0; i < clean.Length; i++)
        {
            measured[i] = float.IsNaN(spoiled[i]) ? (float)(level + (slope * i)) : spoiled[i];
            count += float.IsNaN(spoiled[i]) ? 0 : 1;
        }

        if (count * 2 < clean.Length)
            return (0, 0);
        (double otherLevel, double otherSlope) = PublishedIndices.Line(measured);
        double xx = 0, yy = 0, xy = 0, dd = 0;
        for (int i = 0; i < clean.Length; i++)
        {
            double x = clean[i] - level - (slope * i), y = measured[i] - otherLevel - (otherSlope * i);
            xx += x * x;
            yy += y * y;
            xy += x * y;
            dd += (x - y) * (x - y);
        }

        double correlation = xx > 0 && yy > 0 ? Math.Max(0, xy / Math.Sqrt(xx * yy)) : 0;
        return (correlation, xx > 0 ? xx / (xx + dd) : 0);
    }
}
