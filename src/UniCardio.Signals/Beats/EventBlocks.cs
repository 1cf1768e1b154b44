using UniCardio.Signals.Processing;

namespace UniCardio.Signals.Beats;

/// <summary>
/// Elgendi's two moving averages: an event is where the short average of an energy exceeds the long one by an offset, for at least as long as
/// the short window.
/// </summary>
internal static class EventBlocks
{
    /// <param name="energy">The energy, not negative.</param>
    /// <param name="sampleRate">Samples a second.</param>
    /// <param name="eventSeconds">The short window: an event's duration.</param>
    /// <param name="beatSeconds">The long window: a beat's duration.</param>
    /// <param name="offset">Offset as a share of the mean energy.</param>
    public static List<SampleRange> Find(ReadOnlySpan<double> energy, double sampleRate, double eventSeconds, double beatSeconds, double offset)
    {
        int shortWindow = Odd(eventSeconds * sampleRate), longWindow = Odd(beatSeconds * sampleRate);
        var sums = new double[energy.Length + 1];
        for (int i = 0; i < energy.Length; i++)
            sums[i + 1] = sums[i] + energy[i];
        // A burst of motion elsewhere in an hour must not raise the threshold here: the mean is that of the ten seconds about the sample.
        int nearby = Odd(10 * sampleRate);
        var blocks = new List<SampleRange>();
        int start = -1;
        for (int i = 0; i <= energy.Length; i++)
        {
            bool inside = i < energy.Length
                && Mean(sums, i, shortWindow) > Mean(sums, i, longWindow) + offset * Mean(sums, i, nearby);
            if (inside && start < 0)
                start = i;
            if (inside || start < 0)
                continue;
            if (i - start >= shortWindow)
                blocks.Add(SampleRange.Between(start, i));
            start = -1;
        }
        return blocks;
    }

    private static int Odd(double samples) => 2 * (int)(samples / 2) + 1;

    private static double Mean(double[] sums, int at, int window)
    {
        int from = Math.Max(0, at - window / 2), to = Math.Min(sums.Length - 1, at + window / 2 + 1);
        return (sums[to] - sums[from]) / (to - from);
    }
}
