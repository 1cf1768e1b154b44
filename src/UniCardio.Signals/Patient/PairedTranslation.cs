using UniCardio.Signals.Processing;

namespace UniCardio.Signals.Patient;

/// <summary>Makes a signal from others by what both did in seconds in which they were measured together.</summary>
/// <remarks>
/// The own beat (<see cref="OwnBeat"/>) placed by each other signal; where there are several, each by its error on the paired seconds, in
/// which a beat never sees itself. The deviation is the spread of the beats that a sample is made of, scaled so that 5 to 95% holds 90% of
/// the paired samples.
/// </remarks>
internal sealed class PairedTranslation
{
    private const int MinBeats = 6;
    private readonly double[] _low, _high;

    private PairedTranslation(float[] value, double[] low, double[] high, int beats, ChannelKind source)
    {
        (Value, _low, _high, Beats, Source) = (value, low, high, beats, source);
    }

    /// <summary>[n] the signal; NaN where no other signal is measured.</summary>
    public float[] Value { get; }

    /// <summary>[n] 5%, before it is widened by age: how far below the value, not above 0.</summary>
    public ReadOnlySpan<double> Below => _low;

    /// <summary>[n] 95%: how far above the value, not below 0.</summary>
    public ReadOnlySpan<double> Above => _high;

    /// <summary>Beats that it was learned from.</summary>
    public int Beats { get; }

    /// <summary>The signal whose beats place most of it.</summary>
    public ChannelKind Source { get; }

    /// <summary>Makes the signal; null where fewer than six beats are paired.</summary>
    /// <param name="signals">The signals; the target measured in the paired seconds alone, NaN elsewhere.</param>
    /// <param name="target">The signal to make.</param>
    /// <param name="sources">The signals to make it from.</param>
    /// <param name="make">Where to make it.</param>
    public static PairedTranslation? Make(PatientSignals signals, ChannelKind target, IEnumerable<ChannelKind> sources, SampleRange make)
    {
        ArgumentNullException.ThrowIfNull(signals);
        var options = new OwnBeatOptions { ContextSeconds = double.PositiveInfinity, MaxBeats = 60 };
        ReadOnlySpan<float> paired = signals[target];
        if (signals.BeatsOf(target).Count < MinBeats)
            return null;
        var whole = new SampleRange(0, signals.Length);
        var made = new List<(ChannelKind Source, double[] Wave, double[] Spread, double Error)>();
        foreach (ChannelKind source in sources.Where(s => s != target && signals.Has(s)))
        {
            if (OwnBeat.Create(signals, target, source, whole, options) is not { } beat)
                continue;
            double[] wave = new double[signals.Length], spread = new double[signals.Length];
            Array.Fill(wave, double.NaN);
            beat.Render(whole, wave, spread);
            Silence(signals[source], signals.BeatsOf(source), wave, signals.SampleRate);
            if (Error(paired, wave) is { } error)
                made.Add((source, wave, spread, error));
        }

        if (made.Count == 0)
            return null;
        double[] value = new double[signals.Length], deviation = new double[signals.Length];
        for (int t = 0; t < value.Length; t++)
        {
            double sum = 0, spreads = 0, total = 0;
            foreach ((_, double[] wave, double[] spread, double error) in made)
            {
                if (double.IsNaN(wave[t]))
                    continue;
                double w = 1 / Math.Max(error * error, 1e-12);
                sum += w * wave[t];
                spreads += w * spread[t];
                total += w;
            }

            (value[t], deviation[t]) = total > 0 ? (sum / total, spreads / total) : (double.NaN, double.NaN);
        }

        (double low, double high) = Calibrate(paired, value, deviation, made.Min(m => m.Error));
        double min = 0.3 * made.Min(m => m.Error);
        var result = new float[make.Length];
        double[] below = new double[make.Length], above = new double[make.Length];
        for (int i = 0; i < make.Length; i++)
        {
            int t = make.Start + i;
            double d = Math.Max(deviation[t], min);
            (result[i], below[i], above[i]) = ((float)value[t], low * d, high * d);
        }

        return new PairedTranslation(result, below, above, signals.BeatsOf(target).Count, made.MinBy(m => m.Error).Source);
    }

    // A beat that no source shows is not drawn: nothing stands where the source was missing for a second, nor where it was measured and
    // showed no beat, as a line does that is open or flat. The pause that is taken for that is no shorter than two seconds: a slow heart.
    private static void Silence(ReadOnlySpan<float> source, BeatTrain beats, double[] wave, double rate)
    {
        foreach (SampleRange gap in GapFinder.Find(source))
        {
            if (gap.Length >= rate)
                wave.AsSpan(gap.Start, gap.Length).Fill(double.NaN);
        }

        double longest = Math.Max(GapEstimators.LongestPause * beats.Interval, 2 * rate);
        for (int k = 0; k <= beats.Count; k++)
        {
            double before = k == 0 ? double.NegativeInfinity : beats[k - 1], after = k == beats.Count ? double.PositiveInfinity : beats[k];
            int from = (int)Math.Clamp(before, 0, wave.Length), to = (int)Math.Clamp(after, from, wave.Length);
            if (GapFinder.CountMeasured(source[from..to]) <= longest)
                continue;
            // The last beat's own wave ends, and the next one's begins.
            from = (int)Math.Clamp(before + (1.5 * beats.Interval), 0, wave.Length);
            to = (int)Math.Clamp(after - (0.5 * beats.Interval), from, wave.Length);
            wave.AsSpan(from, to - from).Fill(double.NaN);
        }
    }

    private static double? Error(ReadOnlySpan<float> paired, double[] wave)
    {
        double sum = 0;
        int n = 0;
        for (int t = 0; t < wave.Length; t++)
        {
            double e = wave[t] - paired[t];
            if (double.IsNaN(e))
                continue;
            sum += e * e;
            n++;
        }

        return n == 0 ? null : Math.Sqrt(sum / n);
    }

    // 4.5% and 95.5%: a beat that sees its neighbours errs a little less than one a minute later.
    private static (double Low, double High) Calibrate(ReadOnlySpan<float> paired, double[] value, double[] deviation, double error)
    {
        var z = new List<double>();
        for (int t = 0; t < value.Length; t++)
        {
            double e = paired[t] - value[t];
            if (!double.IsNaN(e))
                z.Add(e / Math.Max(deviation[t], 0.3 * error));
        }

        z.Sort();
        return z.Count == 0 ? (-1.645, 1.645)
            : (Math.Min(-0.1, z[(int)(0.045 * z.Count)]), Math.Max(0.1, z[Math.Min(z.Count - 1, (int)(0.955 * z.Count))]));
    }
}
