namespace UniCardio.Signals.Beats;

/// <summary>What ten to thirty seconds of beats say of the rhythm, for <see cref="RhythmModel"/>.</summary>
/// <remarks>
/// Of the intervals: coefficient of variation and RMSSD over the mean; coefficient of sample entropy (Lake and Moorman, Am J Physiol 300,
/// 2011, with m = 1 and r = 12% of the mean); how much the second difference exceeds the first (1.7 for independent intervals, less where
/// breathing moves them); early beats with a pause, how many and how early; rate. Of an ECG's beats: how wide their slopes spread, how many
/// are unlike the usual one, the longest row of them, and how far the stretch before the QRS repeats from beat to beat (a P wave;
/// fibrillation has none). Of a pulse: spread of heights, and of the delay from trough to peak.
/// </remarks>
internal static class RhythmFeatures
{
    /// <summary>Number of features, those that a kind of signal lacks included (0).</summary>
    public const int Count = 16;

    /// <summary>Fewest beats that a rhythm is read from.</summary>
    public const int MinBeats = 8;

    // A run is five beats and more at over 92 a minute; a steady rhythm's intervals vary by less than an eighth. Chosen.
    private const int MinRun = 5;
    private const double MaxRunInterval = 0.65, SteadyVariation = 0.125;

    /// <summary>Features of a window.</summary>
    /// <param name="beats">The window's beats, ascending.</param>
    /// <param name="signal">[n] the whole signal, gaps bridged.</param>
    /// <param name="rate">Samples a second.</param>
    /// <param name="isEcg">Whether it is an ECG.</param>
    /// <param name="to">[<see cref="Count"/>].</param>
    /// <returns>False with fewer than <see cref="MinBeats"/> beats.</returns>
    public static bool Write(ReadOnlySpan<Beat> beats, ReadOnlySpan<float> signal, double rate, bool isEcg, Span<double> to)
    {
        to.Clear();
        if (beats.Length < MinBeats)
            return false;
        double[] rr = new double[beats.Length - 1];
        for (int i = 0; i < rr.Length; i++)
            rr[i] = ((isEcg ? beats[i + 1].Sample : beats[i + 1].Onset) - (isEcg ? beats[i].Sample : beats[i].Onset)) / rate;
        double mean = rr.Average(), median = rr.Order().ElementAt(rr.Length / 2);
        double[] first = Differences(rr), second = Differences(first);
        to[0] = Math.Min(1, Deviation(rr) / mean);
        to[1] = Math.Min(1, Size(first) / mean);
        to[2] = EntropyCoefficient(rr, mean) / 3;
        to[3] = Math.Min(2, Size(second) / Math.Max(1e-3, Size(first))) / 2;
        int early = 0, fast = 0, longestFast = 0;
        for (int i = 0; i < rr.Length; i++)
        {
            early += i + 1 < rr.Length && rr[i] < 0.85 * median && rr[i + 1] > 1.05 * median ? 1 : 0;
            fast = rr[i] < 0.6 ? fast + 1 : 0;
            longestFast = Math.Max(longestFast, fast);
        }

        to[4] = early / (double)rr.Length;
        to[5] = Math.Min(2, 1 / mean) / 2;
        to[6] = longestFast / (double)rr.Length;
        to[7] = rr.Count(x => Math.Abs(x - median) > 0.1 * median) / (double)rr.Length;
        bool[] isEarly = Early(rr, out double deepest);
        to[14] = deepest;
        if (isEcg)
            Shapes(beats, signal, (rate, rr, isEarly), to[8..]);
        else
            Pulses(beats, rate, to[8..]);
        return true;
    }

    /// <summary>How alike the beats of the longest row of fast ones are: the median correlation of a beat with the one before, moved by
    /// up to 24 ms. A run's beats come from one place; what noise is taken for are no two alike.</summary>
    /// <param name="beats">The window's beats of an ECG, ascending.</param>
    /// <param name="signal">[n] the whole signal, gaps bridged.</param>
    /// <param name="rate">Samples a second.</param>
    /// <returns>-1 to 1; -1 without five fast beats in a row.</returns>
    internal static double RunLikeness(ReadOnlySpan<Beat> beats, ReadOnlySpan<float> signal, double rate)
    {
        int first = 0, count = 1, start = 0;
        for (int i = 1; i < beats.Length; i++)
        {
            start = (beats[i].Sample - beats[i - 1].Sample) / rate < MaxRunInterval ? start : i;
            if (i + 1 - start > count)
                (first, count) = (start, i + 1 - start);
        }

        if (count < MinRun)
            return -1;
        int half = (int)(0.12 * rate), most = (int)(0.024 * rate);
        var alike = new List<double>();
        for (int i = first + 1; i < first + count; i++)
        {
            double best = -1;
            for (int shift = -most; shift <= most; shift++)
                best = Math.Max(best, Correlation(Shape(signal, (int)beats[i - 1].Sample, half), Shape(signal,
                    (int)beats[i].Sample + shift, half)));
            alike.Add(best);
        }

        alike.Sort();
        return alike[alike.Count / 2];
    }

    /// <summary>Whether the beats go steadily and never as fast as a run for long.</summary>
    /// <param name="features">As <see cref="Write"/> made them.</param>
    /// <param name="beats">How many beats.</param>
    internal static bool IsSlowAndSteady(ReadOnlySpan<double> features, int beats) =>
        features[0] < SteadyVariation && features[6] * (beats - 1) < MinRun - 1;

    // Zeros past the ends.
    private static float[] Shape(ReadOnlySpan<float> signal, int at, int half)
    {
        float[] shape = new float[(2 * half) + 1];
        for (int i = 0; i < shape.Length; i++)
        {
            int from = at - half + i;
            shape[i] = from >= 0 && from < signal.Length ? signal[from] : 0;
        }

        return shape;
    }

    /// <summary>-ln of the share of pairs within r that stay so one interval later, less ln of 2 r and of the mean interval: low for a
    /// regular rhythm, near or above -0.5 in fibrillation. Moved by 3, so that it is about 0 to 4.</summary>
    internal static double EntropyCoefficient(double[] rr, double mean)
    {
        double r = 0.12 * mean;
        int close = 0, stay = 0;
        for (int i = 0; i + 1 < rr.Length; i++)
        {
            for (int j = i + 1; j + 1 < rr.Length; j++)
            {
                if (Math.Abs(rr[i] - rr[j]) > r)
                    continue;
                close++;
                stay += Math.Abs(rr[i + 1] - rr[j + 1]) <= r ? 1 : 0;
            }
        }

        return -Math.Log((stay + 0.5) / (close + 1.0));
    }

    // Intervals that are short beside their six neighbours and followed by a longer one; and the deepest of them as a share.
    private static bool[] Early(double[] rr, out double deepest)
    {
        bool[] early = new bool[rr.Length];
        deepest = 0;
        for (int i = 0; i + 1 < rr.Length; i++)
        {
            double[] near = [.. rr[Math.Max(0, i - 3)..Math.Min(rr.Length, i + 4)].Order()];
            double local = near[near.Length / 2], depth = 1 - (rr[i] / local);
            early[i] = depth > 0.12 && rr[i + 1] > 1.02 * local;
            if (early[i])
                deepest = Math.Max(deepest, depth);
        }

        return early;
    }

    // [8] slope spread of the usual beat and of the widest tenth, share of unlike beats, longest row of fast ones that are unlike or wide,
    // coherence before the QRS, share of wide beats; the last counts early beats that are unlike.
    private static void Shapes(ReadOnlySpan<Beat> beats, ReadOnlySpan<float> signal, (double Rate, double[] Intervals, bool[] Early) of,
        Span<double> to)
    {
        (double rate, double[] rr, bool[] early) = of;
        int half = (int)(0.12 * rate), before = (int)(0.26 * rate), until = (int)(0.07 * rate);
        var width = new List<double>();
        var shapes = new List<float[]>();
        var leads = new List<float[]>();
        var number = new List<int>();
        for (int b = 0; b < beats.Length; b++)
        {
            int at = (int)beats[b].Sample;
            if (at - before - 1 < 0 || at + half + 2 > signal.Length)
                continue;
            number.Add(b);
            width.Add(SlopeSpread(signal, at, half, rate));
            shapes.Add(signal.Slice(at - half, (2 * half) + 1).ToArray());
            leads.Add(signal.Slice(at - before, before - until).ToArray());
        }

        if (shapes.Count < MinBeats - 2)
            return;
        double[] sorted = [.. width.Order()];
        to[0] = sorted[sorted.Length / 2] / 0.06;
        to[1] = sorted[(int)(0.9 * (sorted.Length - 1))] / 0.06;
        // Each beat's likeness to the others: the median of its correlations is low for the odd ones.
        int unlike = 0, row = 0, longest = 0, ectopic = 0;
        for (int i = 0; i < shapes.Count; i++)
        {
            double[] alike = new double[shapes.Count - 1];
            for (int j = 0, k = 0; j < shapes.Count; j++)
            {
                if (j != i)
                    alike[k++] = Correlation(shapes[i], shapes[j]);
            }

            Array.Sort(alike);
            bool odd = alike[alike.Length / 2] < 0.8;
            unlike += odd ? 1 : 0;
            int preceding = number[i] - 1;
            bool wide = width[i] > 1.35 * sorted[sorted.Length / 2] || width[i] > 0.038, fast = preceding >= 0 && rr[preceding] < 0.65;
            row = fast && (odd || wide) ? row + 1 : 0;
            ectopic += preceding >= 0 && early[preceding] && (odd || wide) ? 1 : 0;
            longest = Math.Max(longest, row);
        }

        to[2] = unlike / (double)shapes.Count;
        to[3] = Math.Min(1, longest / 8.0);
        to[4] = Coherence(leads);
        to[5] = width.Count(w => w > 0.038) / (double)width.Count;
        to[7] = Math.Min(3, ectopic) / 3.0;
    }

    private static void Pulses(ReadOnlySpan<Beat> beats, double rate, Span<double> to)
    {
        double[] height = new double[beats.Length], rise = new double[beats.Length];
        for (int i = 0; i < beats.Length; i++)
        {
            height[i] = Math.Abs(beats[i].Value - (double)beats[i].OnsetValue);
            rise[i] = (beats[i].Sample - beats[i].Onset) / rate;
        }

        double usual = Math.Max(1e-9, height.Order().ElementAt(height.Length / 2));
        to[0] = Math.Min(2, Deviation(height) / usual) / 2;
        to[1] = Math.Min(1, Size(Differences(height)) / usual / 2);
        to[2] = height.Count(h => h < 0.6 * usual) / (double)height.Length;
        to[3] = Math.Min(1, Deviation(rise) / Math.Max(0.02, rise.Average()));
    }

    // Root of the mean squared time from the beat, weighted by the squared slope: how wide a QRS is, whatever its height (s).
    private static double SlopeSpread(ReadOnlySpan<float> signal, int at, int half, double rate)
    {
        double sum = 0, centre = 0, moment = 0;
        for (int i = at - half; i <= at + half; i++)
        {
            double slope = (double)signal[i + 1] - signal[i - 1], weight = slope * slope, t = (i - at) / rate;
            sum += weight;
            centre += weight * t;
            moment += weight * t * t;
        }

        return sum > 0 ? Math.Sqrt(Math.Max(0, (moment / sum) - (centre / sum * (centre / sum)))) : 0;
    }

    // Mean correlation with the mean of the others.
    private static double Coherence(List<float[]> rows)
    {
        int n = rows[0].Length;
        double[] total = new double[n];
        foreach (float[] row in rows)
        {
            for (int i = 0; i < n; i++)
                total[i] += row[i];
        }

        double sum = 0;
        float[] others = new float[n];
        foreach (float[] row in rows)
        {
            for (int i = 0; i < n; i++)
                others[i] = (float)(total[i] - row[i]);
            sum += Correlation(row, others);
        }

        return Math.Max(0, sum / rows.Count);
    }

    private static double Correlation(float[] x, float[] y)
    {
        double meanX = 0, meanY = 0, xx = 0, yy = 0, xy = 0;
        for (int i = 0; i < x.Length; i++)
            (meanX, meanY) = (meanX + (x[i] / (double)x.Length), meanY + (y[i] / (double)x.Length));
        for (int i = 0; i < x.Length; i++)
        {
            double a = x[i] - meanX, b = y[i] - meanY;
            xx += a * a;
            yy += b * b;
            xy += a * b;
        }

        return xx > 0 && yy > 0 ? xy / Math.Sqrt(xx * yy) : 0;
    }

    private static double[] Differences(double[] x) => [.. Enumerable.Range(0, Math.Max(0, x.Length - 1)).Select(i => x[i + 1] - x[i])];

    private static double Size(double[] x) => x.Length == 0 ? 0 : Math.Sqrt(x.Sum(v => v * v) / x.Length);

    private static double Deviation(double[] x)
    {
        double mean = x.Average();
        return Math.Sqrt(x.Sum(v => (v - mean) * (v - mean)) / Math.Max(1, x.Length - 1));
    }
}
