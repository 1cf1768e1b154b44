namespace UniCardio.Signals.Processing;

/// <summary>A stretch in which a signal does not move: a disconnected or frozen sensor rather than physiology.</summary>
/// <param name="Range">Its samples.</param>
/// <param name="Value">Its first value, in the signal's unit.</param>
internal readonly record struct FlatRun(SampleRange Range, float Value);

/// <summary>Which end of its range a signal is clipped at.</summary>
internal enum ClippingSide
{
    /// <summary>The lowest value.</summary>
    Low,

    /// <summary>The highest value.</summary>
    High,
}

/// <summary>A stretch in which a signal stands at an end of its range: the amplifier or converter was saturated.</summary>
/// <param name="Range">Its samples.</param>
/// <param name="Side">Which end.</param>
/// <param name="Level">The value it stands at, in the signal's unit.</param>
internal readonly record struct ClippedRun(SampleRange Range, ClippingSide Side, float Level);

/// <summary>Finds flat lines and clipping. These are heuristics for a person's attention; they change no sample.</summary>
internal static class SignalQuality
{
    /// <summary>The flat stretches of a signal, in order of time. They never reach across a gap.</summary>
    /// <param name="samples">The signal, NaN where missing.</param>
    /// <param name="minRun">Samples that a stretch has at least; 2 or more. One second's worth leaves the rests of a slow pulse
    /// alone.</param>
    /// <param name="tolerance">Largest difference within a stretch, in the signal's unit; 0 or more, finite.</param>
    /// <exception cref="ArgumentOutOfRangeException">A parameter is out of range.</exception>
    public static IReadOnlyList<FlatRun> FindFlatRuns(ReadOnlySpan<float> samples, int minRun, float tolerance = 0)
    {
        var detector = new FlatRunDetector(minRun, tolerance);
        var runs = new List<FlatRun>();
        int start = 0;
        for (int i = 0; i < samples.Length; i++)
        {
            if (!detector.Push(samples[i]))
                continue;
            Append(runs, samples, start, i, minRun);
            start = i;
        }
        Append(runs, samples, start, samples.Length, minRun);
        return runs;
    }

    /// <summary>The clipped stretches of a signal, in order of time.</summary>
    /// <param name="samples">The signal as recorded (before any filter, which would round the plateaus), NaN where missing.</param>
    /// <param name="minRun">Samples that a plateau has at least; 2 or more.</param>
    /// <param name="longRun">
    /// Samples from which a single plateau is enough. Shorter ones are reported only where there are two or more at the same end: a single
    /// crest of a quantised wave has a small plateau of its own, while a saturated amplifier comes back to the same level.
    /// </param>
    /// <param name="tolerance">How near to the extreme a sample counts as standing at it, as a fraction of the signal's range; 0 to
    /// 0.1.</param>
    /// <remarks>A signal that is constant throughout is flat, not clipped, and yields nothing.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">A parameter is out of range.</exception>
    public static IReadOnlyList<ClippedRun> FindClippedRuns(ReadOnlySpan<float> samples, int minRun = 4, int longRun = 16,
        double tolerance = 1e-6)
    {
        var runs = new List<ClippedRun>();
        foreach (ClippedRun run in ClippedRuns(samples, minRun, longRun, tolerance))
            runs.Add(run);
        runs.Sort((a, b) => a.Range.Start.CompareTo(b.Range.Start));
        return runs;
    }

    /// <summary>The clipped stretches of a signal, those at its lowest value first, without allocating.</summary>
    /// <inheritdoc cref="FindClippedRuns"/>
    public static ClippedRunEnumerator ClippedRuns(ReadOnlySpan<float> samples, int minRun = 4, int longRun = 16,
        double tolerance = 1e-6) =>
        new(samples, minRun, longRun, tolerance);

    private static void Append(List<FlatRun> runs, ReadOnlySpan<float> samples, int start, int end, int minRun)
    {
        if (end - start >= minRun)
            runs.Add(new FlatRun(SampleRange.Between(start, end), samples[start]));
    }
}
