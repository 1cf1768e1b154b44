namespace UniCardio.Signals.Beats;

/// <summary>
/// Time-domain measures of heart rate variability: Task Force of ESC and NASPE, "Heart rate variability: standards of measurement,
/// physiological interpretation and clinical use", Circulation 93, 1996. Over the intervals between neighbours, those of lost beats left
/// out, whatever the beats' origin:
/// ectopic beats are not taken out, so these are not the NN intervals of the standard where there are any.
/// </summary>
/// <param name="Intervals">How many.</param>
/// <param name="MeanMilliseconds">Mean interval.</param>
/// <param name="Sdnn">Standard deviation of the intervals (ms).</param>
/// <param name="Rmssd">Root mean square of the differences of successive intervals (ms).</param>
/// <param name="Pnn50">Share of those differences above 50 ms, 0 to 1.</param>
internal sealed record RateVariability(int Intervals, double MeanMilliseconds, double Sdnn, double Rmssd, double Pnn50)
{
    /// <summary>The measures; null with fewer than three intervals.</summary>
    /// <param name="times">Times of beats in seconds, ascending.</param>
    public static RateVariability? Of(ReadOnlySpan<double> times)
    {
        double[] intervals = HeartRate.Intervals(times);
        if (intervals.Length < 3)
            return null;
        double mean = intervals.Average(), squares = 0, successive = 0;
        int above = 0;
        for (int i = 0; i < intervals.Length; i++)
        {
            squares += (intervals[i] - mean) * (intervals[i] - mean);
            double difference = i > 0 ? intervals[i] - intervals[i - 1] : 0;
            successive += difference * difference;
            above += Math.Abs(difference) > 0.05 ? 1 : 0;
        }
        return new RateVariability(intervals.Length, 1000 * mean, 1000 * Math.Sqrt(squares / (intervals.Length - 1)),
            1000 * Math.Sqrt(successive / (intervals.Length - 1)), above / (intervals.Length - 1.0));
    }
}
