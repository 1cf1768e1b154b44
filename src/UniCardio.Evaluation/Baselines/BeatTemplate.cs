using UniCardio.Signals.Processing;

namespace UniCardio.Evaluation.Baselines;

/// <summary>An average beat: one wave from an R peak (or systolic peak) to the next, on a time axis that is stretched to any interval.</summary>
internal sealed class BeatTemplate
{
    /// <summary>Points of a beat; the last one is the next beat's first.</summary>
    public const int Points = 257;

    private const int MaxBeats = 30;
    private const double ShortestInterval = 0.75, LongestInterval = 1.25;

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
            .Where(b => b.To - b.From >= ShortestInterval * interval && b.To - b.From <= LongestInterval * interval)
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
