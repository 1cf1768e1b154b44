namespace UniCardio.Signals.Processing;

/// <summary>
/// How far an estimate is from the truth. A pair counts only where both samples are measured (not NaN); sums run in double.
/// Null where the measure is not defined, so that it cannot be mistaken for a number.
/// </summary>
internal static class Measures
{
    /// <summary>Root of the mean squared difference, in the signals' unit; null without a measured pair.</summary>
    /// <param name="estimate">The estimate, [n].</param>
    /// <param name="truth">The truth, [n].</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static double? RootMeanSquareError(ReadOnlySpan<float> estimate, ReadOnlySpan<float> truth)
    {
        RequireSameLength(estimate.Length, truth.Length);
        double sum = 0;
        int count = 0;
        for (int i = 0; i < truth.Length; i++)
        {
            double difference = (double)estimate[i] - truth[i];
            if (double.IsNaN(difference))
                continue;
            sum += difference * difference;
            count++;
        }
        return count == 0 ? null : Math.Sqrt(sum / count);
    }

    /// <summary>Mean absolute difference, in the signals' unit; null without a measured pair.</summary>
    /// <param name="estimate">The estimate, [n].</param>
    /// <param name="truth">The truth, [n].</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static double? MeanAbsoluteError(ReadOnlySpan<float> estimate, ReadOnlySpan<float> truth)
    {
        RequireSameLength(estimate.Length, truth.Length);
        double sum = 0;
        int count = 0;
        for (int i = 0; i < truth.Length; i++)
        {
            double difference = (double)estimate[i] - truth[i];
            if (double.IsNaN(difference))
                continue;
            sum += Math.Abs(difference);
            count++;
        }
        return count == 0 ? null : sum / count;
    }

    /// <summary>Pearson's product-moment correlation, -1 to 1; null with fewer than two measured pairs or if either signal is
    /// constant.</summary>
    /// <param name="estimate">The estimate, [n].</param>
    /// <param name="truth">The truth, [n].</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static double? PearsonCorrelation(ReadOnlySpan<float> estimate, ReadOnlySpan<float> truth)
    {
        RequireSameLength(estimate.Length, truth.Length);
        // Welford's update: a mean arterial pressure of 100 mmHg would cost digits in the textbook sums.
        double meanX = 0, meanY = 0, sxx = 0, syy = 0, sxy = 0;
        int count = 0;
        for (int i = 0; i < truth.Length; i++)
        {
            double x = estimate[i], y = truth[i];
            if (double.IsNaN(x) || double.IsNaN(y))
                continue;
            count++;
            double dx = x - meanX, dy = y - meanY;
            meanX += dx / count;
            meanY += dy / count;
            sxx += dx * (x - meanX);
            syy += dy * (y - meanY);
            sxy += dx * (y - meanY);
        }
        double scale = Math.Sqrt(sxx) * Math.Sqrt(syy);
        return count < 2 || !(scale > 0) ? null : Math.Clamp(sxy / scale, -1, 1);
    }

    /// <summary>
    /// Two-sample Kolmogorov-Smirnov statistic, 0 to 1: the largest distance between the two empirical distribution functions.
    /// It compares the values alone and is blind to their order in time. Null if either sample has no measured value.
    /// </summary>
    /// <param name="first">One sample, of any length.</param>
    /// <param name="second">The other, of any length.</param>
    public static double? KolmogorovSmirnov(ReadOnlySpan<float> first, ReadOnlySpan<float> second)
    {
        float[] a = SortedMeasured(first), b = SortedMeasured(second);
        if (a.Length == 0 || b.Length == 0)
            return null;
        double largest = 0;
        for (int i = 0, j = 0; i < a.Length && j < b.Length;)
        {
            // Both functions step past all values equal to x before they are compared: ties must not count as a difference.
            float x = Math.Min(a[i], b[j]);
            while (i < a.Length && a[i] <= x)
                i++;
            while (j < b.Length && b[j] <= x)
                j++;
            largest = Math.Max(largest, Math.Abs((double)i / a.Length - (double)j / b.Length));
        }
        return largest;
    }

    private static float[] SortedMeasured(ReadOnlySpan<float> samples)
    {
        var measured = new float[GapFinder.CountMeasured(samples)];
        int n = 0;
        foreach (float x in samples)
        {
            if (!float.IsNaN(x))
                measured[n++] = x;
        }
        Array.Sort(measured);
        return measured;
    }

    private static void RequireSameLength(int estimate, int truth)
    {
        if (estimate != truth)
            throw new ArgumentException($"The estimate has {estimate} samples and the truth {truth}; expected the same number.");
    }
}
