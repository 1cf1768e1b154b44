using UniCardio.Engine.Model;
using UniCardio.Evaluation.Cases;
using UniCardio.Pipeline;
using UniCardio.Signals.Beats;
using UniCardio.Signals.Processing;
using SignalMeasures = UniCardio.Signals.Processing.Measures;

namespace UniCardio.Evaluation.Measures;

/// <summary>Scores results for one window; what is known of the truth is worked out once.</summary>
internal sealed class WindowScorer
{
    /// <summary>
    /// Beats nearer than this to an end of the window are not asked for, and not held against a result: half of such a wave lies outside.
    /// (s)
    /// </summary>
    public const double EdgeSeconds = 0.1;

    private const double ContextBefore = 16, ContextAfter = 4;
    private const double Rate = NetworkSignal.Rate;
    private readonly EvaluationWindow _window;
    private readonly float[] _truth;
    private readonly float[] _estimate;
    private readonly double[] _spectrum;
    private readonly int[] _beats;
    private readonly PressureReading _pressure;

    /// <summary>Prepares the truth of a window.</summary>
    /// <param name="window">The window.</param>
    public WindowScorer(EvaluationWindow window)
    {
        ArgumentNullException.ThrowIfNull(window);
        _window = window;
        _truth = new float[window.Window.Length];
        _estimate = new float[window.Window.Length];
        window.TruthScale.Forward(window.Truth.Span, _truth);
        _spectrum = Measures.SpectralDistance.Power(_truth);
        // True beats are those of the whole recording, where no end of a window disturbs their detection.
        _beats = [.. window.Recording.BeatsOf(window.Task.Output).Where(window.Position.Contains).Select(b => b - window.Position.Start)];
        // Pressures are read off the window alone on both sides, so that both lack the same pulses at its ends.
        if (window.Task.Output == Modality.Bp)
            _pressure = PressureReading.Of(InMmHg(Cases.Beats.Find(Modality.Bp, _truth)), window.Scope);
    }

    /// <summary>Samples of the true beats, in the window.</summary>
    public IReadOnlyList<int> TrueBeats => _beats;

    /// <summary>Scores a result.</summary>
    /// <param name="result">[S] in the window's result unit, finite in the scope.</param>
    /// <param name="low">Lower edge of the draws' band, [S], or empty.</param>
    /// <param name="high">Upper edge, [S], or empty.</param>
    public WindowScore Score(ReadOnlySpan<float> result, ReadOnlySpan<float> low = default, ReadOnlySpan<float> high = default)
    {
        _window.ToMeasured(result, _estimate);
        SampleRange scope = _window.Scope;
        ReadOnlySpan<float> ours = _estimate.AsSpan(scope.Start, scope.Length), theirs = _truth.AsSpan(scope.Start, scope.Length);
        double rmse = SignalMeasures.RootMeanSquareError(ours, theirs)!.Value;
        IReadOnlyList<Beat> found = _window.Task.Output == Modality.Ecg ? [] : Cases.Beats.Find(_window.Task.Output, _estimate);
        IReadOnlyList<int> beats = _window.Task.Output == Modality.Ecg ? PeaksInPlace() : [.. found.Select(b => (int)b.Sample)];
        return new WindowScore
        {
            MeanSquare = rmse * rmse,
            MeanAbsolute = SignalMeasures.MeanAbsoluteError(ours, theirs)!.Value,
            KolmogorovSmirnov = SignalMeasures.KolmogorovSmirnov(ours, theirs)!.Value,
            Pearson = SignalMeasures.PearsonCorrelation(theirs, theirs) is null ? null
                : SignalMeasures.PearsonCorrelation(ours, theirs) ?? 0,
            SpectralDistance =
                Measures.SpectralDistance.Between(Measures.SpectralDistance.Power(_estimate), _spectrum, _truth.Length, Rate),
            Peaks = _window.Task.Output == Modality.Ecg
                ? PeakCounts.Compare(_beats, beats, WithoutEdges(scope), Rate, BeatAgreement.StrictTolerance) : null,
            Rate = RateReading.OfBeats(_beats, Rate) is { } rate ? new RateReading(rate, RateReading.OfBeats(beats, Rate)) : null,
            Pressure = _window.Task.Output == Modality.Bp ? Compare(found, ours) : null,
            Coverage = low.IsEmpty ? null : Coverage(low, high),
        };
    }

    /// <summary>How the spread of draws fits the truth.</summary>
    /// <param name="draws">[N, S] in the window's result unit.</param>
    public DrawSpread Spread(ReadOnlySpan<float> draws)
    {
        var measured = new float[draws.Length];
        for (int at = 0; at < draws.Length; at += _truth.Length)
            _window.ToMeasured(draws.Slice(at, _truth.Length), measured.AsSpan(at, _truth.Length));
        return DrawSpread.Of(measured, _truth, _window.Scope);
    }

    // Four seconds are too few to tell a few R peaks from artefacts: the estimate is read where it stands, among the seconds before and
    // after it.
    private int[] PeaksInPlace()
    {
        ReadOnlySpan<float> signal = _window.Recording.Signal(Modality.Ecg);
        int start = _window.Position.Start, before = Math.Min(start, (int)(ContextBefore * Rate)),
            after = Math.Min(signal.Length - _window.Position.End, (int)(ContextAfter * Rate));
        var placed = new float[before + _estimate.Length + after];
        _window.TruthScale.Forward(signal.Slice(start - before, before), placed.AsSpan(0, before));
        _estimate.CopyTo(placed.AsSpan(before));
        _window.TruthScale.Forward(signal.Slice(_window.Position.End, after), placed.AsSpan(before + _estimate.Length));
        return [.. Cases.Beats.Detect(Modality.Ecg, placed).Select(b => b - before).Where(b => b >= 0 && b < _estimate.Length)];
    }

    private SampleRange WithoutEdges(SampleRange scope)
    {
        int edge = (int)(EdgeSeconds * Rate);
        int start = Math.Max(scope.Start, edge), end = Math.Min(scope.End, _truth.Length - edge);
        return end > start ? SampleRange.Between(start, end) : new SampleRange(scope.Start, 0);
    }

    private PressureError Compare(IReadOnlyList<Beat> pulses, ReadOnlySpan<float> scope)
    {
        float highest = float.NegativeInfinity, lowest = float.PositiveInfinity;
        foreach (float x in scope)
            (highest, lowest) = (Math.Max(highest, x), Math.Min(lowest, x));
        AffineScale unit = AffineScale.BloodPressure;
        return PressureError.Of(_pressure, PressureReading.Of(InMmHg(pulses), _window.Scope), unit.Inverse(highest), unit.Inverse(lowest));
    }

    private static Beat[] InMmHg(IReadOnlyList<Beat> scaled) =>
        [.. scaled.Select(p =>
            p with { OnsetValue = AffineScale.BloodPressure.Inverse(p.OnsetValue), Value = AffineScale.BloodPressure.Inverse(p.Value) })];

    private BandCoverage Coverage(ReadOnlySpan<float> low, ReadOnlySpan<float> high)
    {
        var edges = new float[2 * _truth.Length];
        Span<float> below = edges.AsSpan(0, _truth.Length), above = edges.AsSpan(_truth.Length);
        _window.ToMeasured(low, below);
        _window.ToMeasured(high, above);
        return BandCoverage.Of(below, above, _truth, _window.Scope);
    }
}
