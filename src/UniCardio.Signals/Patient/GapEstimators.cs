using UniCardio.Signals.Processing;

namespace UniCardio.Signals.Patient;

/// <summary>What an estimate of a missing stretch is made of.</summary>
public enum EstimatorKind
{
    /// <summary>The straight line between the measured samples on both sides.</summary>
    Line,

    /// <summary>The signal's own level and rhythm carried in from both edges.</summary>
    Edges,

    /// <summary>The patient's own beat, placed by another signal or by rhythm.</summary>
    Beat,

    /// <summary>A linear filter from other signals.</summary>
    Fir,

    /// <summary>A network.</summary>
    Network,

    /// <summary>The own beat as a network corrects it.</summary>
    Correction,
}

/// <summary>One estimate of a gap.</summary>
/// <param name="Kind">What made it.</param>
/// <param name="Source">The signal that placed the beats; null by rhythm or where none is.</param>
/// <param name="Wave">[gap] the estimate, joined to the measured samples on both sides.</param>
/// <param name="Deviation">[gap] how far off it usually is: one standard deviation, before calibration.</param>
public sealed record GapEstimate(EstimatorKind Kind, ChannelKind? Source, double[] Wave, double[] Deviation)
{
    /// <summary>Which of the family it is, as a number that stays the same from gap to gap.</summary>
    public int Identity => ((int)Kind * 4) + (Source is { } s ? 1 + PatientSignals.IndexOf(s) : 0);
}

/// <summary>Every way to fill a gap that needs no network: what the patient's other beats and other signals say.</summary>
/// <remarks>Stateless but for what it reads; each estimate looks at the recording within <see cref="OwnBeatOptions.ContextSeconds"/> of the gap.</remarks>
public sealed class GapEstimators
{
    private readonly PatientSignals _signals;
    private readonly ChannelKind _target;
    private readonly ChannelKind[] _sources;
    private readonly OwnBeatOptions _options;

    /// <summary>Estimators of one signal of a patient.</summary>
    /// <param name="signals">The signals.</param>
    /// <param name="target">The signal with gaps.</param>
    /// <param name="sources">Other signals that may be used.</param>
    /// <param name="options">Settings of the own beat; the defaults if null.</param>
    public GapEstimators(PatientSignals signals, ChannelKind target, IEnumerable<ChannelKind> sources, OwnBeatOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(signals);
        _signals = signals;
        _target = target;
        _sources = [.. sources.Where(s => s != target && signals.Has(s))];
        _options = options ?? new OwnBeatOptions();
    }

    /// <summary>The stretch of the recording that a gap's estimates look at.</summary>
    /// <param name="gap">The gap.</param>
    public SampleRange Context(SampleRange gap)
    {
        int reach = (int)(_options.ContextSeconds * _signals.SampleRate);
        return SampleRange.Between(Math.Max(0, gap.Start - reach), Math.Min(_signals.Length, gap.End + reach));
    }

    /// <summary>Every estimate that holds in a gap.</summary>
    /// <param name="gap">The gap; samples of the target in it are not looked at if they are missing, as they should be.</param>
    public IReadOnlyList<GapEstimate> Estimate(SampleRange gap)
    {
        var all = new List<GapEstimate>();
        SampleRange context = Context(gap);
        ReadOnlySpan<float> target = _signals[_target];
        if (SignalMoments.Of(target.Slice(context.Start, context.Length)) is not { } level)
            return all;
        if (Line(target, gap) is { } line)
            all.Add(new GapEstimate(EstimatorKind.Line, null, line, Filled(gap.Length, level.Deviation)));
        var wave = new double[context.Length];
        Array.Fill(wave, level.Mean);
        all.Add(Join(EstimatorKind.Edges, null, context, gap, wave, null, level));
        foreach (ChannelKind? source in (ChannelKind?[])[null, .. _sources])
        {
            if (source is { } s && !Usable(s, gap))
                continue;
            if (OwnBeat.Create(_signals, _target, source, context, _options) is not { } beat)
                continue;
            double[] drawn = new double[context.Length], spread = new double[context.Length];
            Array.Fill(drawn, double.NaN);
            Array.Fill(spread, double.NaN);
            beat.Render(context, drawn, spread);
            if (Whole(drawn, context, gap))
                all.Add(Join(EstimatorKind.Beat, source, context, gap, drawn, spread, level));
        }

        ChannelKind[] pulses = [.. _sources.Where(s => Usable(s, gap))];
        if (pulses.Length > 0 && RidgeFir.Fit(_signals, _target, pulses, context) is { } fir)
        {
            double[] drawn = new double[context.Length];
            fir.Render(_signals, context, drawn);
            if (Whole(drawn, context, gap))
                all.Add(Join(EstimatorKind.Fir, null, context, gap, drawn, null, level));
        }

        return all;
    }

    // A signal places beats where it is measured, in the gap and for a second on either side, but for some samples.
    private bool Usable(ChannelKind source, SampleRange gap)
    {
        int margin = (int)_signals.SampleRate;
        SampleRange about = SampleRange.Between(Math.Max(0, gap.Start - margin), Math.Min(_signals.Length, gap.End + margin));
        return GapFinder.CountMeasured(_signals[source].Slice(about.Start, about.Length)) >= 0.98 * about.Length;
    }

    private GapEstimate Join(EstimatorKind kind, ChannelKind? source, SampleRange context, SampleRange gap, double[] wave, double[]? spread, SignalMoments level)
    {
        ReadOnlySpan<float> target = _signals[_target].Slice(context.Start, context.Length);
        var residual = new double[context.Length];
        for (int i = 0; i < residual.Length; i++)
            residual[i] = target[i] - wave[i];
        var inside = new SampleRange(gap.Start - context.Start, gap.Length);
        residual.AsSpan(inside.Start, inside.Length).Fill(double.NaN);
        EdgeCorrection edges = EdgeCorrection.Learn(residual, new SampleRange(0, context.Length), gap.Length);
        var variance = new double[gap.Length];
        edges.Apply(residual, inside, wave, variance);
        double usual = Math.Sqrt(edges.Variance);
        var deviation = new double[gap.Length];
        for (int i = 0; i < deviation.Length; i++)
        {
            double open = edges.Variance > 0 ? Math.Sqrt(variance[i] / edges.Variance) : 1;
            double s = spread is null || double.IsNaN(spread[inside.Start + i]) ? usual : Math.Max(spread[inside.Start + i], 0.3 * usual);
            deviation[i] = Math.Max(s * open, 1e-3 * level.Deviation);
        }

        return new GapEstimate(kind, source, wave[inside.Start..inside.End], deviation);
    }

    private static bool Whole(double[] wave, SampleRange context, SampleRange gap) =>
        !wave.AsSpan(gap.Start - context.Start, gap.Length).ContainsAnyExceptInRange(double.MinValue, double.MaxValue);

    private static double[]? Line(ReadOnlySpan<float> target, SampleRange gap)
    {
        float before = gap.Start > 0 ? target[gap.Start - 1] : float.NaN, after = gap.End < target.Length ? target[gap.End] : float.NaN;
        if (float.IsNaN(before) && float.IsNaN(after))
            return null;
        double from = float.IsNaN(before) ? after : before, to = float.IsNaN(after) ? before : after;
        return [.. Enumerable.Range(1, gap.Length).Select(i => from + ((to - from) * i / (gap.Length + 1)))];
    }

    private static double[] Filled(int length, double value)
    {
        var filled = new double[length];
        Array.Fill(filled, value);
        return filled;
    }
}
