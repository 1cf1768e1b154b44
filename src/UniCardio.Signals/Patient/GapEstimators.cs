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

    /// <summary>Moments of the same recording that look alike about the gap.</summary>
    Analogue,
}

/// <summary>One estimate of a gap.</summary>
/// <param name="Kind">What made it.</param>
/// <param name="Source">The signal that placed the beats; null by rhythm or where none is.</param>
/// <param name="Wave">[gap] the estimate, joined to the measured samples on both sides.</param>
/// <param name="Deviation">[gap] how far off it usually is: one standard deviation, before calibration.</param>
internal sealed record GapEstimate(EstimatorKind Kind, ChannelKind? Source, double[] Wave, double[] Deviation)
{
    /// <summary>Which of the family it is, as a number that stays the same from gap to gap.</summary>
    public int Identity => ((int)Kind * 4) + (Source is { } s ? 1 + PatientSignals.IndexOf(s) : 0);
}

/// <summary>Every way to fill a gap that needs no network: what the patient's other beats and other signals say.</summary>
/// <remarks>Stateless but for what it reads; each estimate looks at the recording within <see cref="OwnBeatOptions.ContextSeconds"/> of the
/// gap.</remarks>
internal sealed class GapEstimators
{
    /// <summary>Usual intervals without a beat after which a line that is measured is taken to show none.</summary>
    internal const double LongestPause = 2.5;

    // Errors of an estimate are looked at nearer by than the beats it is made of: they only have to tell how long errors last.
    private const double NetworkFade = 0.15, EdgeSeconds = 20;

    // Beyond it no two moments look alike.
    private const int LongestAlike = 750;

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

    private SampleRange Context(SampleRange gap, double seconds)
    {
        int reach = (int)Math.Min(_signals.Length, seconds * _signals.SampleRate);
        return SampleRange.Between(Math.Max(0, gap.Start - reach), Math.Min(_signals.Length, gap.End + reach));
    }

    /// <summary>Every estimate that holds in a gap.</summary>
    /// <param name="gap">The gap; samples of the target in it are not looked at if they are missing, as they should be.</param>
    public IReadOnlyList<GapEstimate> Estimate(SampleRange gap)
    {
        var all = new List<GapEstimate>();
        SampleRange context = Context(gap, _options.ContextSeconds), edges = Context(gap, EdgeSeconds);
        ReadOnlySpan<float> target = _signals[_target];
        if (SignalMoments.Of(target.Slice(context.Start, context.Length)) is not { } level)
            return all;
        if (Line(target, gap) is { } line)
            all.Add(new GapEstimate(EstimatorKind.Line, null, line, Filled(gap.Length, level.Deviation)));
        var wave = new double[edges.Length];
        Array.Fill(wave, level.Mean);
        all.Add(Join(EstimatorKind.Edges, null, edges, gap, wave, null, level));
        foreach (ChannelKind? source in (ChannelKind?[])[null, .. _sources])
        {
            if (source is { } s && !IsUsable(_signals, s, gap))
                continue;
            if (OwnBeat.Create(_signals, _target, source, context, _options) is not { } beat)
                continue;
            double[] drawn = new double[edges.Length], spread = new double[edges.Length];
            Array.Fill(drawn, double.NaN);
            Array.Fill(spread, double.NaN);
            beat.Render(edges, drawn, spread);
            if (Whole(drawn, edges, gap))
                all.Add(Join(EstimatorKind.Beat, source, edges, gap, drawn, spread, level));
        }

        ChannelKind[] pulses = [.. _sources.Where(s => IsUsable(_signals, s, gap))];
        if (pulses.Length > 0 && RidgeFir.Fit(_signals, _target, pulses, context) is { } fir)
        {
            double[] drawn = new double[edges.Length];
            fir.Render(_signals, edges, drawn);
            if (Whole(drawn, edges, gap))
                all.Add(Join(EstimatorKind.Fir, null, edges, gap, drawn, null, level));
        }

        if (Alike(context, gap, pulses) is { } alike)
            all.Add(alike);
        return all;
    }

    private GapEstimate? Alike(SampleRange context, SampleRange gap, ChannelKind[] pulses)
    {
        ReadOnlySpan<float> Part(ChannelKind kind) => _signals[kind].Slice(context.Start, context.Length);
        double[] wave = new double[gap.Length], deviation = new double[gap.Length];
        bool found = gap.Length <= LongestAlike && _signals.SampleRate == Analogues.SampleRate
            && new Analogues(context.Length, gap.Length).Estimate(Part(_target), pulses.Length > 0 ? Part(pulses[0]) : default,
                pulses.Length > 1 ? Part(pulses[1]) : default, new SampleRange(gap.Start - context.Start, gap.Length), wave, deviation);
        return found ? Faded(EstimatorKind.Analogue, gap, wave, deviation) : null;
    }

    /// <summary>Joins what a network made to the measured samples: what it misses at either edge fades out into the gap.</summary>
    /// <remarks>
    /// A network's error inside a gap is not told by its error outside of it, where it was never asked to be right; only the step at each
    /// edge is known. It fades by exp(-t / 0.15 s), both edges' parts solved for together so that both steps vanish.
    /// </remarks>
    /// <param name="gap">The gap.</param>
    /// <param name="made">[gap] in the target's unit.</param>
    public GapEstimate JoinNetwork(SampleRange gap, ReadOnlySpan<double> made) =>
        Faded(EstimatorKind.Network, gap, made.ToArray(), Filled(made.Length, 0));

    private GapEstimate Faded(EstimatorKind kind, SampleRange gap, double[] wave, double[] deviation)
    {
        ReadOnlySpan<float> target = _signals[_target];
        double left = Step(target, gap.Start - 1, -1, wave[0]), right = Step(target, gap.End, 1, wave[^1]);
        double fade = NetworkFade * _signals.SampleRate, across = Math.Exp(-(gap.Length - 1) / fade);
        // a + across b = left, across a + b = right; an edge of nothing measured takes no part.
        (double a, double b) = (left, right) switch
        {
            (double.NaN, double.NaN) => (0, 0),
            (_, double.NaN) => (left, 0),
            (double.NaN, _) => (0, right),
            _ when across > 0.99 => (0.5 * left, 0.5 * right),
            _ => ((left - (across * right)) / (1 - (across * across)), (right - (across * left)) / (1 - (across * across))),
        };
        for (int i = 0; i < wave.Length; i++)
            wave[i] += (a * Math.Exp(-i / fade)) + (b * Math.Exp(-(wave.Length - 1 - i) / fade));
        return new GapEstimate(kind, null, wave, deviation);
    }

    // What the measured samples, carried on by their slope, have at the gap's edge beyond an estimate; NaN where nothing is measured.
    private static double Step(ReadOnlySpan<float> target, int edge, int inward, double made)
    {
        if (edge < 0 || edge >= target.Length || float.IsNaN(target[edge]))
            return double.NaN;
        int before = edge + inward;
        double slope = before >= 0 && before < target.Length && !float.IsNaN(target[before]) ? (double)target[edge] - target[before] : 0;
        return target[edge] + (0.5 * slope) - made;
    }

    /// <summary>Whether a signal can place beats in a gap: it is measured there and for a second on either side, but for some samples, and
    /// shows beats.</summary>
    /// <param name="signals">The signals.</param>
    /// <param name="source">The one that would place.</param>
    /// <param name="gap">The gap.</param>
    public static bool IsUsable(PatientSignals signals, ChannelKind source, SampleRange gap)
    {
        ArgumentNullException.ThrowIfNull(signals);
        int margin = (int)signals.SampleRate;
        SampleRange about = SampleRange.Between(Math.Max(0, gap.Start - margin), Math.Min(signals.Length, gap.End + margin));
        return GapFinder.CountMeasured(signals[source].Slice(about.Start, about.Length)) >= 0.98 * about.Length
            && HasBeats(signals.BeatsOf(source), about);
    }

    // A line that is open, flat or noise is measured and shows no beats: a long pause is taken for that.
    private static bool HasBeats(BeatTrain beats, SampleRange about)
    {
        double longest = LongestPause * beats.Interval, last = about.Start;
        if (!(longest > 0))
            return false;
        for (int k = beats.FirstFrom(about.Start); k < beats.Count && beats[k] < about.End; k++)
        {
            if (beats[k] - last > longest)
                return false;
            last = beats[k];
        }

        return about.End - last <= longest;
    }

    private GapEstimate Join(EstimatorKind kind, ChannelKind? source, SampleRange context, SampleRange gap, double[] wave, double[]? spread,
        SignalMoments level)
    {
        ReadOnlySpan<float> target = _signals[_target].Slice(context.Start, context.Length);
        var residual = new double[context.Length];
        for (int i = 0; i < residual.Length; i++)
            residual[i] = target[i] - wave[i];
        var inside = new SampleRange(gap.Start - context.Start, gap.Length);
        residual.AsSpan(inside.Start, inside.Length).Fill(double.NaN);
        EdgeCorrection correction = EdgeCorrection.Learn(residual, new SampleRange(0, context.Length), gap.Length);
        var variance = new double[gap.Length];
        correction.Apply(residual, inside, wave, variance);
        double usual = Math.Sqrt(correction.Variance);
        var deviation = new double[gap.Length];
        for (int i = 0; i < deviation.Length; i++)
        {
            double open = correction.Variance > 0 ? Math.Sqrt(variance[i] / correction.Variance) : 1;
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
