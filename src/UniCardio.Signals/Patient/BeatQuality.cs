using UniCardio.Signals.Beats;
using UniCardio.Signals.Processing;

namespace UniCardio.Signals.Patient;

/// <summary>What a signal says of the heart rate each second, and how far it can be believed.</summary>
/// <remarks>
/// The index is the product, 0 to 1, of: the share of the last ten seconds that is measured; the beats' agreement with their template
/// (<see cref="Beat.Quality"/>), which tells a beat from a burst of motion; and the share of intervals within 0.6 and 1.67 of their median,
/// at least a half, so that an irregular rhythm alone is no bad signal (Orphanidou et al. 2015 would have it one).
/// </remarks>
/// <param name="Rate">[seconds] beats a minute, 60 over the median interval of the last ten seconds; NaN without three beats.</param>
/// <param name="Index">[seconds] 0 to 1.</param>
/// <param name="Deviation">[seconds] standard deviation of the rate's error by the spread of its intervals, bpm.</param>
public sealed record BeatQuality(double[] Rate, double[] Index, double[] Deviation)
{
    private const double WindowSeconds = 10, MinDeviation = 0.3;
    private const int MinBeats = 4;

    /// <summary>Reads a signal.</summary>
    /// <param name="kind">What it is.</param>
    /// <param name="signal">[n], NaN where missing.</param>
    /// <param name="sampleRate">Samples a second.</param>
    public static BeatQuality Of(ChannelKind kind, ReadOnlySpan<float> signal, double sampleRate)
    {
        IReadOnlyList<Beat> beats = BeatSeries.Of(signal, sampleRate, kind).Beats;
        int seconds = (int)(signal.Length / sampleRate);
        double[] rate = new double[seconds], index = new double[seconds], deviation = new double[seconds];
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
            double measured = GapFinder.CountMeasured(signal[(int)from..(int)to]) / Math.Max(1, to - from);
            // Beats that do not reach over the window leave it partly unseen.
            double seen = (beats[next - 1].Sample - beats[first].Sample) / Math.Max(1, to - from - (median * sampleRate));
            rate[s] = 60 / median;
            index[s] = Math.Clamp(measured * Math.Clamp(quality, 0, 1) * Math.Max(0.5, alike) * Math.Clamp(seen, 0, 1), 0, 1);
            deviation[s] = Math.Max(MinDeviation, 60 / (median * median) * spread / Math.Sqrt(intervals.Count));
        }

        return new BeatQuality(rate, index, deviation);
    }
}
