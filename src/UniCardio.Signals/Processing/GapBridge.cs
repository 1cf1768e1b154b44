using System.Numerics;

namespace UniCardio.Signals.Processing;

/// <summary>Straight lines over gaps.</summary>
internal static class GapBridge
{
    /// <summary>Fills every gap; before the first and after the last measured sample the signal stays level. Without any it is all
    /// zero.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="samples">[n], NaN where missing; finite afterwards.</param>
    public static void FillAll<T>(Span<T> samples)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        int last = -1; // The last measured sample so far.
        for (int i = 0; i < samples.Length; i++)
        {
            if (T.IsNaN(samples[i]))
                continue;
            if (last < 0)
                samples[..i].Fill(samples[i]);
            else
                Line(samples, last, i);
            last = i;
        }

        if (last < 0)
            samples.Clear();
        else
            samples[(last + 1)..].Fill(samples[last]);
    }

    /// <summary>Fills each gap of at most <paramref name="maxGap"/> samples that has a measured neighbour on both sides.</summary>
    /// <param name="samples">[n], NaN where missing.</param>
    /// <param name="maxGap">Longest gap that is filled, in samples.</param>
    public static void Fill(Span<float> samples, int maxGap)
    {
        if (maxGap < 1)
            return;
        foreach (SampleRange gap in GapFinder.Find(samples))
        {
            if (gap.Length > maxGap || gap.Start == 0 || gap.End == samples.Length)
                continue;
            Line(samples, gap.Start - 1, gap.End);
        }
    }

    // Between two measured samples.
    private static void Line<T>(Span<T> samples, int start, int end)
        where T : struct, IBinaryFloatingPointIeee754<T>
    {
        double from = double.CreateChecked(samples[start]), to = double.CreateChecked(samples[end]);
        for (int i = start + 1; i < end; i++)
            samples[i] = T.CreateTruncating(from + ((to - from) * (i - start) / (end - start)));
    }
}
