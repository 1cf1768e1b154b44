namespace UniCardio.Restoration;

/// <summary>How much white noise a signal carries, estimated from the signal itself.</summary>
public static class WhiteNoise
{
    // A fourth difference of unit white noise has the variance 1 + 16 + 36 + 16 + 1.
    private const double Gain = 70;

    // Median of |z| for a standard normal z.
    private const double MedianOfNormal = 0.6744897501960817;

    /// <summary>Standard deviation of the white noise: median of the fourth differences' size over 0.6745 sqrt(70).</summary>
    /// <remarks>
    /// Fourth differences let through what lies in the upper half of the band and little of a pulse or a T wave; the median passes over the
    /// few that meet a QRS complex (the median rule of Donoho and Johnstone, Biometrika 81(3), 1994, on differences in place of wavelets). It
    /// says nothing of noise that is not up there: wander, motion, or a channel that was recorded at half the rate or below, whose noise is
    /// underestimated.
    /// </remarks>
    /// <param name="signal">[n] samples, NaN where missing; differences that meet a missing one are left out.</param>
    /// <returns>In the signal's unit; 0 where fewer than eight differences can be formed.</returns>
    public static double Level(ReadOnlySpan<float> signal)
    {
        double[] sizes = new double[Math.Max(0, signal.Length - 4)];
        int count = 0;
        for (int i = 0; i < sizes.Length; i++)
        {
            double d = signal[i] - (4.0 * signal[i + 1]) + (6.0 * signal[i + 2]) - (4.0 * signal[i + 3]) + signal[i + 4];
            if (double.IsFinite(d))
                sizes[count++] = Math.Abs(d);
        }

        if (count < 8)
            return 0;
        Array.Sort(sizes, 0, count);
        double median = (sizes[(count - 1) / 2] + sizes[count / 2]) / 2;
        return median / (MedianOfNormal * Math.Sqrt(Gain));
    }
}
