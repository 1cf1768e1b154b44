using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Signals.Processing;

namespace UniCardio.Streaming.Planning;

/// <summary>Decides what a hop generates, from its windows alone and the scale that each modality had when it was last there. The rules
/// stand at <see cref="StreamingSession"/>.</summary>
internal sealed class GenerationPolicy
{
    private readonly HopTiming _timing;
    private readonly double _minCoverage, _minIndex;
    private readonly AffineScale?[] _lastScale = new AffineScale?[HopPlan.Modalities];

    public GenerationPolicy(HopTiming timing, double minCoverage, double minIndex) =>
        (_timing, _minCoverage, _minIndex) = (timing, minCoverage, minIndex);

    /// <summary>The map of each modality's last window in which at least a quarter of it was there; null before the first.</summary>
    public Span<AffineScale?> LastScales => _lastScale;

    /// <summary>Forgets the past.</summary>
    public void Reset() => _lastScale.AsSpan().Clear();

    /// <summary>Fills in a plan's targets; its windows and qualities stand.</summary>
    public void Decide(HopPlan plan, ModalitySet generate, ModalitySet denoise)
    {
        ModalitySet conditions = ModalitySet.None;
        for (int m = 0; m < HopPlan.Modalities; m++)
        {
            if (plan.Quality[m].Usable >= 0.25f)
                _lastScale[m] = WindowScale.Of((Modality)m, plan.Signal[m], Whole(plan.Signal[m]));
            if (plan.Quality[m].Usable >= _minCoverage && Age(plan, m) < _timing.MaxHop
                && !plan.Quality[m].IsUnreadable(_minIndex))
                conditions |= ((Modality)m).ToSet();
        }
        for (int m = 0; m < HopPlan.Modalities; m++)
            plan.Targets[m] = Target(plan, m, conditions, generate, denoise);
    }

    private TargetPlan Target(HopPlan plan, int m, ModalitySet conditions, ModalitySet generate, ModalitySet denoise)
    {
        var modality = (Modality)m;
        ModalitySet others = conditions & ~modality.ToSet();
        bool isAbsent = IsAbsentInFrame(plan, m);
        if (!isAbsent && (!denoise.Contains(modality) || plan.FrameStart == plan.FrameEnd))
            return default;
        if (plan.WindowEnd < _timing.WindowSamples)
            return new TargetPlan(default, default, false, isAbsent ? NoSignalReason.WarmingUp : NoSignalReason.None);
        if (!isAbsent)
            return new TargetPlan(CardioTask.Denoise(modality, others),
                WindowScale.Of(modality, plan.Signal[m], Whole(plan.Signal[m]), isNoisy: true), false, NoSignalReason.None);
        if (!generate.Contains(modality))
            return new TargetPlan(default, default, false, NoSignalReason.NotRequested);
        if (plan.Quality[m].Usable >= 0.25f && Age(plan, m) <= _timing.ImputeSamples)
            return new TargetPlan(CardioTask.Impute(modality, others), _lastScale[m]!.Value, false, NoSignalReason.None);
        if (others == ModalitySet.None)
            return new TargetPlan(default, default, false, NoSignalReason.NothingSupports);
        // No other signal tells the level of a pressure: a translated one stays normalised, whatever was measured of it before.
        AffineScale? scale = modality == Modality.Bp ? null : _lastScale[m];
        return new TargetPlan(CardioTask.Translate(others, modality), scale ?? AffineScale.Normalized, scale is null, NoSignalReason.None);
    }

    private static SampleRange Whole(float[] signal) => new(0, signal.Length);

    // Samples since the last one that is there; S if there is none.
    private static int Age(HopPlan plan, int m)
    {
        ReadOnlySpan<Provenance> source = plan.Source[m];
        return source.Length - 1 - source.LastIndexOfAnyExcept(Provenance.NoSignal);
    }

    private static bool IsAbsentInFrame(HopPlan plan, int m)
    {
        int from = (int)(plan.FrameStart - (plan.WindowEnd - plan.Source[m].Length)), count = (int)(plan.FrameEnd - plan.FrameStart);
        return plan.Source[m].AsSpan(from, count).Contains(Provenance.NoSignal);
    }
}
