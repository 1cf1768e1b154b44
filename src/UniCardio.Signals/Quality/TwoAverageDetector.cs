namespace UniCardio.Signals.Quality;

/// <summary>
/// A second, simple beat detector that shares nothing with <see cref="Beats.BeatDetector"/>, so that agreement of the two (bSQI) says
/// something: two moving averages (Elgendi, "Fast QRS detection with an optimized knowledge-based method", PLoS ONE 8, 2013; Elgendi et
/// al., "Systolic peak detection in acceleration photoplethysmograms", PLoS ONE 8, 2013).
/// </summary>
/// <remarks>
/// Band (ECG 8 to 20 Hz, pulse 0.5 to 8 Hz), square (of the positive part of a pulse). A block is where the mean over a beat's wave (ECG 97
/// ms, pulse 111 ms) exceeds that over a beat (611 and 667 ms) by a share of the mean of all (8 and 2%), for as long as a wave; its largest
/// sample is the beat. Blocks nearer than 0.3 s merge into the stronger one. It never abstains. Cost: about 40 operations a sample.
/// </remarks>
internal static class TwoAverageDetector
{
    private const double Refractory = 0.3;

    /// <summary>Times of beats in samples, ascending.</summary>
    /// <param name="signal">[n] without missing samples.</param>
    /// <param name="rate">Samples a second.</param>
    /// <param name="kind">What it is.</param>
    /// <param name="inverted">Whether pulses point down.</param>
    public static int[] Find(ReadOnlySpan<float> signal, double rate, ChannelKind kind, bool inverted)
    {
        int[] found = new int[MaxBeats(signal.Length, rate)];
        int count = Find(signal, rate, kind, inverted, new double[3 * signal.Length], found);
        return found[..count];
    }

    /// <summary>Most beats that samples can hold.</summary>
    public static int MaxBeats(int samples, double rate) => (int)(samples / (Refractory * rate)) + 2;

    /// <summary>Finds beats without allocating.</summary>
    /// <param name="signal">[n] without missing samples.</param>
    /// <param name="rate">Samples a second.</param>
    /// <param name="kind">What it is.</param>
    /// <param name="inverted">Whether pulses point down.</param>
    /// <param name="scratch">[3 n].</param>
    /// <param name="found">[<see cref="MaxBeats"/>] times of beats in samples, ascending.</param>
    /// <returns>How many.</returns>
    public static int Find(ReadOnlySpan<float> signal, double rate, ChannelKind kind, bool inverted, Span<double> scratch,
        Span<int> found)
    {
        bool ecg = kind == ChannelKind.Ecg;
        int n = signal.Length, count = 0;
        Span<double> power = scratch[..n], near = scratch.Slice(n, n), far = scratch.Slice(2 * n, n);
        Band(signal, rate, ecg ? 8 : 0.5, ecg ? Math.Min(20, 0.45 * rate) : 8, power);
        double mean = 0;
        for (int i = 0; i < n; i++)
        {
            double x = ecg ? power[i] : Math.Max(0, inverted ? -power[i] : power[i]);
            power[i] = x * x;
            mean += power[i] / n;
        }

        int wave = Odd((ecg ? 0.097 : 0.111) * rate), beat = Odd((ecg ? 0.611 : 0.667) * rate);
        Average(power, wave, near);
        Average(power, beat, far);
        double offset = (ecg ? 0.08 : 0.02) * mean;
        for (int i = 0; i < n; i++)
        {
            int from = i, best = i;
            for (; i < n && near[i] > far[i] + offset; i++)
                best = power[i] > power[best] ? i : best;
            if (i - from < wave)
                continue;
            if (count == 0 || best - found[count - 1] > Refractory * rate)
                found[count++] = best;
            else if (power[best] > power[found[count - 1]])
                found[count - 1] = best;
        }

        return count;
    }

    private static int Odd(double samples) => (2 * (int)Math.Round((samples - 1) / 2)) + 1;

    // Second-order Butterworth high and low passes, forwards and backwards: no delay.
    private static void Band(ReadOnlySpan<float> signal, double rate, double low, double high, Span<double> x)
    {
        for (int i = 0; i < x.Length; i++)
            x[i] = signal[i] - signal[0];
        for (int pass = 0; pass < 2; pass++)
        {
            Filter(x, rate, low, true);
            Filter(x, rate, high, false);
            x.Reverse();
        }
    }

    // The bilinear transform of a Butterworth section, started at rest at the first sample.
    private static void Filter(Span<double> x, double rate, double corner, bool high)
    {
        if (x.Length == 0)
            return;
        double k = Math.Tan(Math.PI * corner / rate), norm = 1 / (1 + (Math.Sqrt(2) * k) + (k * k));
        double b0 = high ? norm : k * k * norm, b1 = high ? -2 * b0 : 2 * b0;
        double a1 = 2 * ((k * k) - 1) * norm, a2 = (1 - (Math.Sqrt(2) * k) + (k * k)) * norm;
        double x1 = x[0], x2 = x[0], y1 = high ? 0 : x[0], y2 = y1;
        for (int i = 0; i < x.Length; i++)
        {
            double y = (b0 * x[i]) + (b1 * x1) + (b0 * x2) - (a1 * y1) - (a2 * y2);
            (x2, x1, y2, y1) = (x1, x[i], y1, y);
            x[i] = y;
        }
    }

    private static void Average(ReadOnlySpan<double> x, int width, Span<double> mean)
    {
        double sum = 0;
        int half = width / 2;
        for (int i = -half; i < x.Length; i++)
        {
            if (i + half < x.Length)
                sum += x[i + half];
            if (i - half - 1 >= 0)
                sum -= x[i - half - 1];
            if (i >= 0)
                mean[i] = sum / width;
        }
    }
}
