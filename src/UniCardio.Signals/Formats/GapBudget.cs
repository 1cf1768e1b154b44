namespace UniCardio.Signals.Formats;

/// <summary>How many missing samples a file may declare: what is not in it must not fill the memory.</summary>
internal static class GapBudget
{
    private const int PerSample = 16;

    /// <summary>Refuses a file that declares far more than it holds.</summary>
    /// <param name="file">The file.</param>
    /// <param name="missing">Samples that it declares without holding them: gaps between records, null segments, signals without a
    /// file.</param>
    /// <param name="present">Samples that it holds.</param>
    /// <param name="options">The limit.</param>
    /// <exception cref="SignalLimitException">More than <see cref="RecordingReadOptions.MaxGapSamples"/> beside 16 for each sample
    /// present.</exception>
    public static void Check(string file, long missing, long present, RecordingReadOptions options)
    {
        long allowed = options.MaxGapSamples + (PerSample * Math.Min(present, long.MaxValue / (2 * PerSample)));
        if (missing > allowed)
            throw new SignalLimitException(file, "missing samples declared (gaps, or signals without data)", missing, allowed);
    }
}
