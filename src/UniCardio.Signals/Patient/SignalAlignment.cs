namespace UniCardio.Signals.Patient;

/// <summary>How a signal of another device lies in time: what its beats come too late, or too early, by, and how that grows.</summary>
/// <param name="OffsetSeconds">What to take off its times: its delay beyond what is physiologic; 0 where it is.</param>
/// <param name="DriftSecondsPerSecond">By how much its clock gains.</param>
/// <param name="Pairs">Beats that it was found from.</param>
internal readonly record struct SignalAlignment(double OffsetSeconds, double DriftSecondsPerSecond, int Pairs)
{
    /// <summary>Finds it; null where fewer than twenty beats pair.</summary>
    /// <param name="signals">The signals.</param>
    /// <param name="reference">The signal whose time is kept.</param>
    /// <param name="other">The signal to be aligned.</param>
    public static SignalAlignment? Find(PatientSignals signals, ChannelKind reference, ChannelKind other)
    {
        ArgumentNullException.ThrowIfNull(signals);
        (double from, double to) = BeatDelay.Usual(reference, other, signals.SampleRate);
        if (BeatDelay.Between(signals.BeatsOf(reference), signals.BeatsOf(other), (from, to)) is not { Pairs: >= 20 } delay)
            return null;
        (double At, double Delay)[] pairs = [.. delay.All];
        int half = pairs.Length / 2;
        double[] slopes = [.. Enumerable.Range(0, pairs.Length - half)
            .Select(k => (pairs[k + half].Delay - pairs[k].Delay) / (pairs[k + half].At - pairs[k].At)).Order()];
        double drift = slopes[slopes.Length / 2], first = Math.Clamp(delay.Median, from, to);
        // A drift below 20 ms a minute may be the patient's, one above is the clock's.
        drift = Math.Abs(drift) > 0.02 / 60 ? drift : 0;
        double middle = pairs[pairs.Length / 2].At;
        return new SignalAlignment((delay.Median - first - (drift * middle)) / signals.SampleRate, drift, pairs.Length);
    }

    /// <summary>Whether there is anything to put right.</summary>
    public bool IsNone => OffsetSeconds == 0 && DriftSecondsPerSecond == 0;

    /// <summary>The signal on the reference's time.</summary>
    /// <param name="signal">[n], NaN where missing.</param>
    /// <param name="sampleRate">Samples a second.</param>
    /// <returns>[n], interpolated between samples; NaN where nothing was.</returns>
    public float[] Apply(ReadOnlySpan<float> signal, double sampleRate)
    {
        float[] source = signal.ToArray(), aligned = new float[signal.Length];
        for (int i = 0; i < aligned.Length; i++)
            aligned[i] = (float)OwnBeat.At(source, i + (OffsetSeconds * sampleRate) + (DriftSecondsPerSecond * i));
        return aligned;
    }
}
