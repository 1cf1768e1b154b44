using UniCardio.Signals.Beats;

namespace UniCardio.Signals.Quality;

/// <summary>Published quality indices of ten seconds of a signal, as their papers define them, but for what is said.</summary>
/// <param name="Agreement">bSQI, 0 to 1: F1 of two detectors' beats within 150 ms (Li, Mark and Clifford, Physiol Meas 29, 2008, in the
/// form 2 Se PPV / (Se + PPV)); good from 0.9.</param>
/// <param name="Kurtosis">kSQI: fourth moment, 3 for white noise (Clifford et al., 2011); an ECG is good above 5.</param>
/// <param name="Skewness">sSQI: third moment; of a pulse the best single index of Elgendi (Bioengineering 3, 2016). Taken upright, so that
/// an inverted PPG is no bad one; of an ECG its size.</param>
/// <param name="BandShare">pSQI: of an ECG P(5-15 Hz) / P(5-40 Hz), of a pulse P(1-2.25 Hz) / P(0-8 Hz) (relative power, Elgendi
/// 2016).</param>
/// <param name="BaselineShare">basSQI: 1 - P(0-1 Hz) / P(0-40 Hz); of a pulse 1 - P(0-0.5 Hz) / P(0-8 Hz), since its own rate is about 1
/// Hz.</param>
/// <param name="Template">Mean correlation of the beats with their mean (Orphanidou et al., IEEE J Biomed Health Inform 19, 2015), good
/// from 0.66 (ECG) and 0.86 (PPG). Its rules on the spread of intervals are left out: they refuse atrial fibrillation.</param>
internal readonly record struct PublishedIndices(double Agreement, double Kurtosis, double Skewness, double BandShare, double BaselineShare,
    double Template)
{
    /// <summary>Seconds that an index is taken over; those that end with the second it is given for.</summary>
    public const int WindowSeconds = 10;

    /// <summary>Names of the indices in their order, as tables print them.</summary>
    public static IReadOnlyList<string> Names { get; } = ["bSQI", "kSQI", "sSQI", "pSQI", "basSQI", "template"];

    /// <summary>The indices in the order of <see cref="Names"/>.</summary>
    public IReadOnlyList<double> Values => [Agreement, Kurtosis, Skewness, BandShare, BaselineShare, Template];

    /// <summary>The indices in that order, each about 0 to 1, as models take them.</summary>
    /// <param name="to">[6].</param>
    internal void Write(Span<double> to)
    {
        to[0] = Agreement;
        to[1] = Math.Log(1 + Math.Clamp(Kurtosis, 0, 60)) / 4;
        to[2] = Math.Clamp(Skewness, -3, 6) / 3;
        to[3] = BandShare;
        to[4] = BaselineShare;
        to[5] = Template;
    }

    /// <summary>The indices of every second of a signal. The first nine seconds are those of what there is.</summary>
    /// <param name="signal">[n] at <see cref="QualityTrack.WorkRate"/>, gaps bridged.</param>
    /// <param name="series">Its beats.</param>
    internal static PublishedIndices[] Of(ReadOnlySpan<float> signal, BeatSeries series)
    {
        int rate = QualityTrack.WorkRate, seconds = signal.Length / rate;
        var indices = new PublishedIndices[seconds];
        int[] beats = [.. series.Beats.Select(b => (int)b.Sample)];
        int[] other = TwoAverageDetector.Find(signal, rate, series.Kind, series.IsInverted);
        var spectrum = new SlidingSpectrum();
        int firstBeat = 0, firstOther = 0;
        for (int s = 0; s < seconds; s++)
        {
            int to = (s + 1) * rate, from = Math.Max(0, to - (WindowSeconds * rate));
            spectrum.Push(signal.Slice(s * rate, rate));
            ReadOnlySpan<int> ours = Within(beats, from, to, ref firstBeat), others = Within(other, from, to, ref firstOther);
            indices[s] = Of(signal[from..to], from, ours, others, spectrum, series.Kind, series.IsInverted);
        }

        return indices;
    }

    /// <summary>The indices of one window. Nothing is allocated.</summary>
    /// <param name="window">The samples, gaps bridged.</param>
    /// <param name="from">The first one's number.</param>
    /// <param name="beats">Beats in the window.</param>
    /// <param name="other">Beats of the other detector.</param>
    /// <param name="spectrum">The window's spectrum.</param>
    /// <param name="kind">What the signal is.</param>
    /// <param name="inverted">Whether its pulses point down.</param>
    internal static PublishedIndices Of(ReadOnlySpan<float> window, int from, ReadOnlySpan<int> beats, ReadOnlySpan<int> other,
        SlidingSpectrum spectrum, ChannelKind kind, bool inverted)
    {
        bool ecg = kind == ChannelKind.Ecg;
        (double skewness, double kurtosis) = Moments(window);
        return new PublishedIndices(
            Matched(beats, other, 0.15 * QualityTrack.WorkRate),
            kurtosis,
            ecg ? Math.Abs(skewness) : inverted ? -skewness : skewness,
            ecg ? spectrum.Share(5, 15, 5, 40) : spectrum.Share(1, 2.25, 0, 8),
            1 - (ecg ? spectrum.Share(0, 1, 0, 40) : spectrum.Share(0, 0.5, 0, 8)),
            TemplateCorrelation(window, beats, from));
    }

    /// <summary>The ascending times that lie in [from, to).</summary>
    /// <param name="times">All.</param>
    /// <param name="from">First sample.</param>
    /// <param name="to">Sample after the last one.</param>
    /// <param name="first">Where the search begins; then the first one found. Windows move on only.</param>
    internal static ReadOnlySpan<int> Within(ReadOnlySpan<int> times, int from, int to, ref int first)
    {
        while (first < times.Length && times[first] < from)
            first++;
        int last = first;
        while (last < times.Length && times[last] < to)
            last++;
        return times[first..last];
    }

    /// <summary>Third and fourth standardised moments about the line that fits best; 0 for a signal that does not move.</summary>
    internal static (double Skewness, double Kurtosis) Moments(ReadOnlySpan<float> x)
    {
        (double level, double slope) = Line(x);
        double second = 0, third = 0, fourth = 0;
        for (int i = 0; i < x.Length; i++)
        {
            double d = x[i] - level - (slope * i), square = d * d;
            second += square;
            third += square * d;
            fourth += square * square;
        }

        double variance = second / Math.Max(1, x.Length);
        return variance > 1e-12 * level * level && variance > 1e-30
            ? (third / x.Length / Math.Pow(variance, 1.5), fourth / x.Length / (variance * variance)) : (0, 0);
    }

    /// <summary>Least-squares line level + slope i.</summary>
    internal static (double Level, double Slope) Line(ReadOnlySpan<float> x)
    {
        double mean = 0, moment = 0, middle = (x.Length - 1) / 2.0;
        for (int i = 0; i < x.Length; i++)
        {
            mean += x[i] / (double)x.Length;
            moment += (i - middle) * x[i];
        }

        double slope = x.Length < 2 ? 0 : 12 * moment / ((double)x.Length * (((double)x.Length * x.Length) - 1));
        return (mean - (slope * middle), slope);
    }

    /// <summary>2 matched / (a + b), each beat matched at most once; 0 without beats.</summary>
    internal static double Matched(ReadOnlySpan<int> a, ReadOnlySpan<int> b, double tolerance)
    {
        int pairs = 0;
        for (int i = 0, j = 0; i < a.Length && j < b.Length;)
        {
            if (Math.Abs(a[i] - b[j]) <= tolerance)
            {
                pairs++;
                i++;
                j++;
            }
            else if (a[i] < b[j])
            {
                i++;
            }
            else
            {
                j++;
            }
        }

        return a.Length + b.Length == 0 ? 0 : 2.0 * pairs / (a.Length + b.Length);
    }

    // Beats one median interval wide about each peak, those that the window holds whole; at least three.
    private static double TemplateCorrelation(ReadOnlySpan<float> window, ReadOnlySpan<int> beats, int from)
    {
        if (beats.Length < 4)
            return 0;
        Span<int> intervals = beats.Length <= 64 ? stackalloc int[64] : new int[beats.Length];
        intervals = intervals[..(beats.Length - 1)];
        for (int i = 1; i < beats.Length; i++)
            intervals[i - 1] = beats[i] - beats[i - 1];
        intervals.Sort();
        int half = Math.Max(2, intervals[intervals.Length / 2] / 2), length = (2 * half) + 1, count = 0;
        // Four beats and more: less than a third of the window.
        Span<double> mean = length <= 1024 ? stackalloc double[1024] : new double[length];
        mean = mean[..length];
        mean.Clear();
        foreach (int beat in beats)
        {
            int start = beat - from - half;
            if (start < 0 || start + length > window.Length)
                continue;
            count++;
            for (int i = 0; i < length; i++)
                mean[i] += window[start + i];
        }

        if (count < 3)
            return 0;
        double sum = 0;
        foreach (int beat in beats)
        {
            int start = beat - from - half;
            if (start >= 0 && start + length <= window.Length)
                sum += Correlation(window.Slice(start, length), mean);
        }

        return sum / count;
    }

    private static double Correlation(ReadOnlySpan<float> x, ReadOnlySpan<double> y)
    {
        double meanX = 0, meanY = 0, xx = 0, yy = 0, xy = 0;
        for (int i = 0; i < x.Length; i++)
        {
            meanX += x[i];
            meanY += y[i];
        }

        (meanX, meanY) = (meanX / x.Length, meanY / x.Length);
        for (int i = 0; i < x.Length; i++)
        {
            double a = x[i] - meanX, b = y[i] - meanY;
            xx += a * a;
            yy += b * b;
            xy += a * b;
        }

        return xx > 0 && yy > 0 ? xy / Math.Sqrt(xx * yy) : 0;
    }
}
