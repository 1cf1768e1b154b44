using UniCardio.Signals.Processing;

namespace UniCardio.Signals.Patient;

/// <summary>Beats where none is seen, as the rhythm on both sides has them.</summary>
internal static class Rhythm
{
    private const int MinBeats = 4, Neighbours = 6, MaxSteps = 24;
    // The local interval is known better where both ends are seen than where it is carried on, which is what the wander was measured by.
    private const double Missed = 1.6, Bridged = 0.7;

    /// <summary>Continues beats over the gaps between them and to both ends of a stretch.</summary>
    /// <param name="seen">Instants that are seen, ascending.</param>
    /// <param name="stretch">The stretch.</param>
    /// <param name="unseen">Whether beats between two instants may have gone unseen, because samples are missing there; a pause that is
    /// measured stays one.</param>
    /// <returns>Every instant, and how uncertain it is: standard deviation in samples, 0 where it is seen. Empty below four
    /// beats.</returns>
    public static (double[] Instants, double[] Doubt) Continue(ReadOnlySpan<double> seen, SampleRange stretch,
        Func<double, double, bool> unseen)
    {
        if (seen.Length < MinBeats)
            return ([], []);
        double[] intervals = new double[seen.Length - 1];
        for (int k = 0; k < intervals.Length; k++)
            intervals[k] = seen[k + 1] - seen[k];
        double usual = Middle(intervals);
        if (!(usual >= 1))
            return ([], []);
        double[] wander = Wander(seen, intervals, usual);
        double At(int steps) => steps < wander.Length ? wander[steps] : wander[^1] * Math.Sqrt(steps / (wander.Length - 1.0));
        var all = new List<(double Instant, double Doubt)>();
        int ahead = (int)Math.Ceiling(Math.Max(0, seen[0] - stretch.Start) / usual) + 1;
        for (int s = ahead; s >= 1; s--)
            all.Add((seen[0] - (s * usual), At(s)));
        for (int k = 0; k < seen.Length; k++)
        {
            all.Add((seen[k], 0));
            if (k == intervals.Length)
                break;
            double near = Near(intervals, k, usual);
            int steps = intervals[k] > Missed * near && unseen(seen[k], seen[k + 1]) ? (int)Math.Round(intervals[k] / near) : 1;
            // Between two seen beats the errors from either side meet: their inverse variances add up. A length that fits no number of
            // beats is doubt too.
            double misfit = Math.Abs((intervals[k] / near) - steps) * near;
            for (int s = 1; s < steps; s++)
            {
                double left = At(s), right = At(steps - s);
                double bridged = Bridged * left * right / Math.Sqrt((left * left) + (right * right)),
                    odd = misfit * Math.Min(s, steps - s) / steps;
                all.Add((seen[k] + (intervals[k] * s / steps), Math.Sqrt((bridged * bridged) + (odd * odd))));
            }
        }

        int after = (int)Math.Ceiling(Math.Max(0, stretch.End - seen[^1]) / usual) + 1;
        for (int s = 1; s <= after; s++)
            all.Add((seen[^1] + (s * usual), At(s)));
        return ([.. all.Select(a => a.Instant)], [.. all.Select(a => a.Doubt)]);
    }

    // [steps] by how much the beat that many intervals on misses where the local interval has it: root mean square over the seen beats.
    private static double[] Wander(ReadOnlySpan<double> seen, double[] intervals, double usual)
    {
        int max = Math.Min(MaxSteps, Math.Max(1, intervals.Length / 2));
        var wander = new double[max + 1];
        for (int steps = 1; steps <= max; steps++)
        {
            var errors = new List<double>();
            for (int k = 0; k + steps < seen.Length; k++)
            {
                bool whole = true;
                for (int i = k; i < k + steps; i++)
                    whole &= intervals[i] < Missed * usual;
                if (whole)
                    errors.Add(Math.Abs(seen[k + steps] - seen[k] - (steps * Near(intervals, k, usual, k))));
            }

            // 1.48 medians: a premature beat is the exception. Never below half a sample a step's root.
            double found = errors.Count >= 4 ? 1.48 * Middle([.. errors]) : wander[steps - 1];
            wander[steps] = Math.Max(Math.Max(found, wander[steps - 1]), 0.5 * Math.Sqrt(steps));
        }

        return wander;
    }

    private static double Near(double[] intervals, int k, double usual, int to = int.MaxValue)
    {
        double[] near = [.. intervals[Math.Max(0, k - Neighbours)..Math.Min(Math.Min(intervals.Length, to), k + Neighbours + 1)].Where(i =>
            i < Missed * usual)];
        return near.Length == 0 ? usual : Middle(near);
    }

    private static double Middle(double[] values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}
