namespace UniCardio.Signals.Beats;

/// <summary>Rates read off times of beats.</summary>
internal static class HeartRate
{
    /// <summary>Longest interval that is one: 20 a minute, with a little room (s).</summary>
    public const double MaxInterval = 3.2;

    // An interval of more medians than this misses a beat.
    private const double Lost = 2.2;

    /// <summary>The intervals between neighbouring beats that no beat is missing in, in seconds.</summary>
    /// <param name="times">Times in seconds, ascending.</param>
    public static double[] Intervals(ReadOnlySpan<double> times)
    {
        var intervals = new List<double>();
        for (int i = 1; i < times.Length; i++)
        {
            if (times[i] - times[i - 1] <= MaxInterval && times[i] > times[i - 1])
                intervals.Add(times[i] - times[i - 1]);
        }
        if (intervals.Count == 0)
            return [];
        double median = intervals.Order().ElementAt(intervals.Count / 2);
        return [.. intervals.Where(x => x <= Lost * median)];
    }

    /// <summary>Beats a minute over those intervals; null with fewer than two.</summary>
    /// <param name="times">Times in seconds, ascending.</param>
    public static double? Mean(ReadOnlySpan<double> times)
    {
        double[] intervals = Intervals(times);
        return intervals.Length < 2 ? null : 60 / intervals.Average();
    }
}
