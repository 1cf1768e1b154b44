namespace UniCardio.Signals.Processing;

/// <summary>Finds the missing stretches of a signal. A sample is missing when it is NaN.</summary>
internal static class GapFinder
{
    /// <summary>The gaps of a signal in order of time.</summary>
    /// <param name="samples">The signal, NaN where missing.</param>
    /// <param name="minMeasuredRun">
    /// A measured run of fewer samples than this between two gaps, or between a gap and an end of the signal, counts as part of the gap:
    /// monitors emit isolated samples amid a dropout which are worth less than the edge they cut into it. 0 or 1 keeps every measured
    /// sample. A signal without any gap stays without one, however short it is.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="minMeasuredRun"/> is negative.</exception>
    public static IReadOnlyList<SampleRange> Find(ReadOnlySpan<float> samples, int minMeasuredRun = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(minMeasuredRun);
        var gaps = new List<SampleRange>();
        for (int i = 0; i < samples.Length;)
        {
            if (!float.IsNaN(samples[i]))
            {
                i++;
                continue;
            }
            int start = i;
            while (i < samples.Length && float.IsNaN(samples[i]))
                i++;
            Append(gaps, start, i, minMeasuredRun);
        }
        if (gaps.Count > 0 && samples.Length - gaps[^1].End < minMeasuredRun)
            gaps[^1] = SampleRange.Between(gaps[^1].Start, samples.Length);
        return gaps;
    }

    /// <summary>The measured runs of a signal in order of time: what <see cref="Find"/> leaves over.</summary>
    /// <param name="samples">The signal, NaN where missing.</param>
    /// <param name="minMeasuredRun">As in <see cref="Find"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="minMeasuredRun"/> is negative.</exception>
    public static IReadOnlyList<SampleRange> FindMeasured(ReadOnlySpan<float> samples, int minMeasuredRun = 0)
    {
        var runs = new List<SampleRange>();
        int from = 0;
        foreach (SampleRange gap in Find(samples, minMeasuredRun))
        {
            if (gap.Start > from)
                runs.Add(SampleRange.Between(from, gap.Start));
            from = gap.End;
        }
        if (from < samples.Length)
            runs.Add(SampleRange.Between(from, samples.Length));
        return runs;
    }

    /// <summary>How many samples are measured.</summary>
    /// <param name="samples">The signal, NaN where missing.</param>
    public static int CountMeasured(ReadOnlySpan<float> samples)
    {
        int count = 0;
        foreach (float x in samples)
            count += float.IsNaN(x) ? 0 : 1;
        return count;
    }

    private static void Append(List<SampleRange> gaps, int start, int end, int minMeasuredRun)
    {
        int before = gaps.Count > 0 ? gaps[^1].End : 0;
        if (start - before >= minMeasuredRun)
            gaps.Add(SampleRange.Between(start, end));
        else if (gaps.Count > 0)
            gaps[^1] = SampleRange.Between(gaps[^1].Start, end);
        else
            gaps.Add(new SampleRange(0, end));
    }
}
