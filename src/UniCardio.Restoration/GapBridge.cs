using UniCardio.Signals.Processing;

namespace UniCardio.Restoration;

/// <summary>Straight lines over gaps that are too short to ask a network about.</summary>
internal static class GapBridge
{
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
