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
        ReadOnlySpan<Beat> beats = series.Beats.ToArray();
        double[] rate = new double[seconds], deviation = new double[seconds];
        var windows = new BeatWindow[seconds];
        int first = 0, next = 0;
        for (int s = 0; s < seconds; s++)
        {
            double to = (s + 1) * sampleRate, from = Math.Max(0, to - (WindowSeconds * sampleRate));
            while (next < beats.Length && beats[next].Sample < to)
                next++;
            while (first < next && beats[first].Sample < from)
                first++;
            windows[s] = Window(beats[first..next], (to - from) / sampleRate, sampleRate, out rate[s], out deviation[s]);
        }

        return (new BeatQuality(rate, new double[seconds], deviation) { Kind = series.Kind }, windows);
    }

    /// <summary>What the beats of one window say. Nothing is allocated.</summary>
    /// <param name="beats">The window's.</param>
    /// <param name="seconds">Its length.</param>
    /// <param name="sampleRate">That of the beats' samples.</param>
    /// <param name="rate">Beats a minute; NaN without four beats.</param>
    /// <param name="deviation">Standard deviation of its error, bpm; infinite without a rate.</param>
    internal static BeatWindow Window(ReadOnlySpan<Beat> beats, double seconds, double sampleRate, out double rate, out double deviation)
    {
        (rate, deviation) = (double.NaN, double.PositiveInfinity);
        if (beats.Length < MinBeats)
            return default;
        Span<double> intervals = beats.Length <= 64 ? stackalloc double[64] : new double[beats.Length];
        intervals = intervals[..(beats.Length - 1)];
        double quality = 0;
        for (int k = 0; k < beats.Length; k++)
        {
            quality += beats[k].Quality / beats.Length;
            if (k > 0)
                intervals[k - 1] = (beats[k].Sample - beats[k - 1].Sample) / sampleRate;
        }

        intervals.Sort();
        double median = 0.5 * (intervals[(intervals.Length - 1) / 2] + intervals[intervals.Length / 2]);
        int alike = 0;
        foreach (double i in intervals)
            alike += i > 0.6 * median && i < 1.67 * median ? 1 : 0;
        double spread =
            1.48 * Math.Abs(intervals[(int)(0.75 * (intervals.Length - 1))] - intervals[(int)(0.25 * (intervals.Length - 1))]) / 2;
        // Beats that do not reach over the window leave it partly unseen.
        double seen = (beats[^1].Sample - beats[0].Sample) / Math.Max(1, (seconds - median) * sampleRate);
        rate = 60 / median;
        deviation = Math.Max(MinDeviation, 60 / (median * median) * spread / Math.Sqrt(intervals.Length));
        return new BeatWindow(Math.Clamp(quality, 0, 1), alike / (double)intervals.Length, Math.Clamp(seen, 0, 1));
    }
}

/// <summary>What the beats of ten seconds say of quality.</summary>
/// <param name="Likeness">Mean quality of the beats.</param>
/// <param name="Evenness">Share of intervals within 0.6 and 1.67 of their median.</param>
/// <param name="Cover">Share of the window that they reach over.</param>
internal readonly record struct BeatWindow(double Likeness, double Evenness, double Cover);
