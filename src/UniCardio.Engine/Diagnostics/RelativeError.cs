namespace UniCardio.Engine.Diagnostics;

/// <summary>The measure of golden comparisons: largest difference over the largest magnitude of what is expected.</summary>
internal static class RelativeError
{
    /// <summary>Computes max |actual - expected| / max |expected|.</summary>
    /// <param name="actual">Values to judge.</param>
    /// <param name="expected">Values to judge by, as many.</param>
    /// <returns>
    /// 0 or above; NaN if a value on either side is NaN or infinite, or there are none; infinity where everything expected is 0 and
    /// something is not.
    /// </returns>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static double Of(ReadOnlySpan<float> actual, ReadOnlySpan<float> expected)
    {
        if (actual.Length != expected.Length)
            throw new ArgumentException($"{actual.Length} values against {expected.Length} expected ones", nameof(actual));
        double difference = 0, largest = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            if (!float.IsFinite(actual[i]) || !float.IsFinite(expected[i]))
                return double.NaN;
            difference = Math.Max(difference, Math.Abs((double)actual[i] - expected[i]));
            largest = Math.Max(largest, Math.Abs((double)expected[i]));
        }

        if (expected.IsEmpty)
            return double.NaN;
        return difference == 0 ? 0 : difference / largest;
    }
}
