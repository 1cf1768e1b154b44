using UniCardio.Signals.Beats;
using UniCardio.Signals.Quality;

namespace UniCardio.Signals.Patient;

/// <summary>What a signal says of the heart rate each second, and how far it can be believed.</summary>
/// <remarks>The index is that of <see cref="QualityTrack"/>: the product has one.</remarks>
/// <param name="Rate">[seconds] beats a minute, 60 over the median interval of the last ten seconds; NaN without four beats.</param>
/// <param name="Index">[seconds] 0 to 1.</param>
/// <param name="Deviation">[seconds] standard deviation of the rate's error by the spread of its intervals, bpm.</param>
internal sealed record BeatQuality(double[] Rate, double[] Index, double[] Deviation)
{
    /// <summary>What the signal is.</summary>
    public ChannelKind Kind { get; init; }

    private const double WindowSeconds = PublishedIndices.WindowSeconds, MinDeviation = 0.3;
    private const int MinBeats = 4;

    /// <summary>Reads a signal.</summary>
    /// <param name="kind">What it is.</param>
    /// <param name="signal">[n], NaN where missing.</param>
    /// <param name="sampleRate">Samples a second.</param>
    public static BeatQuality Of(ChannelKind kind, ReadOnlySpan<float> signal, double sampleRate) =>
        QualityTrack.Of(kind, signal, sampleRate).Heart;

    /// <summary>Rate and deviation of beats, and what they say of quality; the index is left at 0.</summary>
    /// <param name="series">The beats.</param>
    /// <param name="seconds">How many seconds.</param>
    /// <param name="sampleRate">That of the beats' samples.</param>
    internal static (BeatQuality Heart, BeatWindow[] Windows) Read(BeatSeries series, int seconds, double sampleRate)
    {
        IReadOnlyList<Beat> beats = series.Beats;
        double[] rate = new double[seconds], deviation = new double[seconds];
        var windows = new BeatWindow[seconds];
        int first = 0, next = 0;
        var intervals = new List<double>();
        for (int s = 0; s < seconds; s++)
        {
            double to = (s + 1) * sampleRate, from = Math.Max(0, to - (WindowSeconds * sampleRate));
            while (next < beats.Count && beats[next].Sample < to)
                next++;
            while (first < next && beats[first].Sample < from)
                first++;
            (rate[s], deviation[s]) = (double.NaN, double.PositiveInfinity);
            if (next - first < MinBeats)
                continue;
            intervals.Clear();
            double quality = 0;
            for (int k = first; k < next; k++)
            {
                quality += beats[k].Quality / (next - first);
                if (k > first)
                    intervals.Add((beats[k].Sample - beats[k - 1].Sample) / sampleRate);
            }

            intervals.Sort();
            double median = 0.5 * (intervals[(intervals.Count - 1) / 2] + intervals[intervals.Count / 2]);
            double alike = intervals.Count(i => i > 0.6 * median && i < 1.67 * median) / (double)intervals.Count;
            double spread =
                1.48 * Math.Abs(intervals[(int)(0.75 * (intervals.Count - 1))] - intervals[(int)(0.25 * (intervals.Count - 1))]) / 2;
            // Beats that do not reach over the window leave it partly unseen.
            double seen = (beats[next - 1].Sample - beats[first].Sample) / Math.Max(1, to - from - (median * sampleRate));
            rate[s] = 60 / median;
            deviation[s] = Math.Max(MinDeviation, 60 / (median * median) * spread / Math.Sqrt(intervals.Count));
            windows[s] = new BeatWindow(Math.Clamp(quality, 0, 1), alike, Math.Clamp(seen, 0, 1));
        }

        return (new BeatQuality(rate, new double[seconds], deviation) { Kind = series.Kind }, windows);
    }
}

/// <summary>What the beats of ten seconds say of quality.</summary>
/// <param name="Likeness">Mean quality of the beats.</param>
/// <param name="Evenness">Share of intervals within 0.6 and 1.67 of their median.</param>
/// <param name="Cover">Share of the window that they reach over.</param>
internal readonly record struct BeatWindow(double Likeness, double Evenness, double Cover);
