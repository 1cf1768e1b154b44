using UniCardio.Pipeline;
using UniCardio.Signals.Processing;

namespace UniCardio.Streaming.Planning;

/// <summary>Cuts a window out of a channel, leaves out what is no signal, and says why.</summary>
internal sealed class WindowReader
{
    private readonly HopTiming _timing;
    private readonly float[] _values;
    private readonly SampleMarks[] _marks;

    /// <summary>Makes a reader with room for the windows of the fastest channel.</summary>
    public WindowReader(HopTiming timing, double maxRate)
    {
        _timing = timing;
        int input = (int)Math.Ceiling(timing.SlotSamples * maxRate / NetworkSignal.Rate) + 4;
        (_values, _marks) = (new float[input], new SampleMarks[input]);
    }

    /// <summary>Reads the window that ends at a sample.</summary>
    /// <param name="channel">The channel; it has produced samples up to <paramref name="end"/>.</param>
    /// <param name="end">Sample at 125 Hz after the last one.</param>
    /// <param name="signal">[S] the usable samples, NaN elsewhere.</param>
    /// <param name="source">[S] measured, bridged, or no signal.</param>
    /// <param name="reasons">[S] why a sample cannot be used.</param>
    public void Read(LiveChannel channel, long end, Span<float> signal, Span<Provenance> source, Span<AbsenceReason> reasons)
    {
        long start = end - signal.Length;
        channel.ReadResampled(start, signal);
        RateRatio ratio = channel.Ratio;
        long from = Math.Max(0, ratio.PhasesAt(Math.Max(0, start)) / ratio.Up);
        // No further than the sample beside the last instant: what a window shows must not depend on how much more has come.
        long to = Math.Max(from, Math.Min(channel.Frontier, (ratio.PhasesAt(Math.Max(0, end - 1)) / ratio.Up) + 1));
        Span<SampleMarks> marks = _marks.AsSpan(0, (int)(to - from));
        bool isImplausible = Look(channel, from, marks);
        for (int i = 0; i < signal.Length; i++)
        {
            AbsenceReason reason = AbsenceReason.Missing;
            SampleMarks seen = SampleMarks.None;
            if (start + i >= 0 && i >= signal.Length - _timing.WindowSamples)
            {
                seen = Beside(marks, ratio, ratio.PhasesAt(start + i), from);
                reason = Judge(seen, float.IsNaN(signal[i]), isImplausible);
            }
            reasons[i] = reason;
            source[i] = reason != AbsenceReason.None ? Provenance.NoSignal
                : (seen & SampleMarks.Bridged) != 0 ? Provenance.Bridged : Provenance.Measured;
            if (reason != AbsenceReason.None)
                signal[i] = float.NaN;
        }
    }

    /// <summary>A window of a modality that has no channel or is muted.</summary>
    public static void ReadNothing(AbsenceReason reason, Span<float> signal, Span<Provenance> source, Span<AbsenceReason> reasons)
    {
        signal.Fill(float.NaN);
        source.Clear(); // Provenance.NoSignal
        reasons.Fill(reason);
    }

    /// <summary>Shares of the newest samples.</summary>
    /// <param name="reasons">The samples that count.</param>
    public static ModalityQuality Rate(ReadOnlySpan<AbsenceReason> reasons)
    {
        int usable = reasons.Count(AbsenceReason.None), flat = reasons.Count(AbsenceReason.Flat),
            clipped = reasons.Count(AbsenceReason.Clipped);
        int implausible = reasons.Count(AbsenceReason.Implausible);
        float n = reasons.Length;
        return new ModalityQuality(usable / n, (n - usable - flat - clipped - implausible) / n, flat / n, clipped / n, implausible / n,
            reasons[^1]);
    }

    // Copies the input under the window and marks what is clipped; true if the window as a whole moves too little.
    private bool Look(LiveChannel channel, long from, Span<SampleMarks> marks)
    {
        Span<float> values = _values.AsSpan(0, marks.Length);
        channel.ReadInput(from, values, marks);
        // Nor on a stretch that only turned out flat after it.
        for (int i = marks.Length - 1; i >= 0 && (marks[i] & (SampleMarks.Flat | SampleMarks.KnownFlat)) == SampleMarks.Flat; i--)
            marks[i] &= ~SampleMarks.Flat;
        int shortest = Math.Max(3, (int)Math.Ceiling(channel.Options.ClippedSeconds * channel.Rate));
        int once = Math.Max(shortest, (int)Math.Ceiling(channel.Options.ClippedOnceSeconds * channel.Rate));
        foreach (ClippedRun run in SignalQuality.ClippedRuns(values, shortest, once))
        {
            foreach (ref SampleMarks mark in marks.Slice(run.Range.Start, run.Range.Length))
                mark |= SampleMarks.Clipped;
        }

        float low = float.PositiveInfinity, high = float.NegativeInfinity;
        int measured = 0;
        foreach (float x in values)
        {
            if (float.IsNaN(x))
                continue;
            (low, high) = (Math.Min(low, x), Math.Max(high, x));
            measured++;
        }
        // Less than a second may lie between two beats.
        return measured >= channel.Rate && (double)high - low < channel.Options.MinSpan!.Value;
    }

    // What is known of the input samples on either side of an instant.
    private static SampleMarks Beside(ReadOnlySpan<SampleMarks> marks, RateRatio ratio, long phases, long from)
    {
        int at = (int)((phases / ratio.Up) - from);
        SampleMarks seen = at < marks.Length ? marks[at] : SampleMarks.None;
        if (phases % ratio.Up != 0 && at + 1 < marks.Length)
            seen |= marks[at + 1];
        return seen;
    }

    private static AbsenceReason Judge(SampleMarks seen, bool isMissing, bool isImplausible)
    {
        if (isMissing)
            return (seen & SampleMarks.Implausible) != 0 ? AbsenceReason.Implausible : AbsenceReason.Missing;
        if ((seen & SampleMarks.Flat) != 0)
            return AbsenceReason.Flat;
        if ((seen & SampleMarks.Clipped) != 0)
            return AbsenceReason.Clipped;
        return isImplausible ? AbsenceReason.Implausible : AbsenceReason.None;
    }
}
