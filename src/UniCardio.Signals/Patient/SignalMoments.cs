namespace UniCardio.Signals.Patient;

/// <summary>Mean and standard deviation of what is measured.</summary>
/// <param name="Mean">Mean.</param>
/// <param name="Deviation">Standard deviation.</param>
internal readonly record struct SignalMoments(double Mean, double Deviation)
{
    /// <summary>Of a signal; null if nothing is measured.</summary>
    /// <param name="signal">[n], NaN where missing.</param>
    public static SignalMoments? Of(ReadOnlySpan<float> signal)
    {
        double sum = 0, squares = 0;
        int n = 0;
        foreach (float x in signal)
        {
            if (float.IsNaN(x))
                continue;
            sum += x;
            n++;
        }

        if (n == 0)
            return null;
        double mean = sum / n;
        foreach (float x in signal)
            squares += float.IsNaN(x) ? 0 : (x - mean) * (x - mean);
        return new SignalMoments(mean, Math.Sqrt(squares / n));
    }
}
