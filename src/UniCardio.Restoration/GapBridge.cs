using UniCardio.Signals.Processing;

namespace UniCardio.Restoration;

/// <summary>Straight lines over gaps.</summary>
internal static class GapBridge
{
    /// <summary>Fills every gap; before the first and after the last measured sample the signal stays level. Without any it is all zero.</summary>
    public static void FillAll(Span<float> samples)
    {
        int first = 0, last = samples.Length - 1;
        while (first <= last && float.IsNaN(samples[first]))
            first++;
        while (last > first && float.IsNaN(samples[last]))
            last--;
        samples[..Math.Min(first, samples.Length)].Fill(first < samples.Length ? samples[first] : 0);
        if (first >= samples.Length)
            return;
        samples[(last + 1)..].Fill(samples[last]);
        Fill(samples, samples.Length);
    }

    /// <summary>Fills each gap of at most <paramref name="longest"/> samples that has a measured neighbour on both sides.</summary>
    public static void Fill(Span<float> samples, int longest)
    {
        if (longest < 1)
            return;
        foreach (SampleRange gap in GapFinder.Find(samples))
        {
            if (gap.Length > longest || gap.Start == 0 || gap.End == samples.Length)
                continue;
            double from = samples[gap.Start - 1], to = samples[gap.End];
            for (int i = 0; i < gap.Length; i++)
                samples[gap.Start + i] = (float)(from + ((to - from) * (i + 1) / (gap.Length + 1)));
        }
    }
}
