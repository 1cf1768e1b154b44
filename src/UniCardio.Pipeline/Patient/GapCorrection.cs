using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Engine.Sessions;
using UniCardio.Signals.Patient;
using UniCardio.Signals.Processing;

namespace UniCardio.Pipeline.Patient;

/// <summary>An estimate of a gap that a network corrects: answer = proposal + correction (<see cref="PredictionKind.Correction"/>), one
/// call and nothing drawn.</summary>
/// <remarks>
/// It is one more estimator beside those that need no network: how far it is to be trusted comes from measured stretches that are hidden in
/// turn, as for all of them (<see cref="StackedWeights"/>). For one thread at a time.
/// </remarks>
internal sealed class GapCorrection : IDisposable
{
    private readonly InferenceEngine _engine;
    private readonly Dictionary<CardioTask, InferenceSession> _sessions = [];
    private readonly float[] _state, _correction;

    /// <summary>Prepares to correct.</summary>
    /// <param name="engine">Weights that correct proposals; must outlive this.</param>
    /// <exception cref="ConfigurationException">The weights predict something else.</exception>
    public GapCorrection(InferenceEngine engine)
    {
        ArgumentNullException.ThrowIfNull(engine);
        if (engine.Configuration.Prediction != PredictionKind.Correction)
            throw new ConfigurationException(
                "prediction",
                $"weights that correct proposals are needed (prediction correction), these predict "
                + $"{engine.Configuration.Prediction.ToString().ToLowerInvariant()}");
        _engine = engine;
        (_state, _correction) = (new float[Samples], new float[Samples]);
    }

    /// <summary>Longest gap that a window corrects, in samples: three quarters of it.</summary>
    public int MaxLength => 3 * Samples / 4;

    /// <summary>Evaluations of the network so far.</summary>
    public long NetworkCalls { get; private set; }

    private int Samples => _engine.Configuration.SlotSamples;

    /// <summary>Corrects a proposal.</summary>
    /// <param name="signals">The signals at 125 Hz, pressure in mmHg; the target is missing in the gap.</param>
    /// <param name="target">The signal with the gap.</param>
    /// <param name="sources">Other signals that may be used; those of which the window measures less than half are left out.</param>
    /// <param name="gap">The gap.</param>
    /// <param name="proposal">What is proposed for it.</param>
    /// <param name="cancellation">Looked at before the call.</param>
    /// <returns>The corrected estimate with the proposal's deviation; null where no window holds the gap with a quarter of it
    /// measured.</returns>
    /// <exception cref="ArgumentException">The target is not there, or the proposal has another length than the gap.</exception>
    /// <exception cref="NonFiniteResultException">The correction became NaN or infinite.</exception>
    public GapEstimate? Correct(PatientSignals signals, Modality target, ModalitySet sources, SampleRange gap, GapEstimate proposal,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(proposal);
        return Answer(signals, target, sources, gap, proposal.Wave, cancellation) is { } wave
            ? new GapEstimate(EstimatorKind.Correction, proposal.Source, wave, [.. proposal.Deviation])
            : null;
    }

    /// <summary>What the network answers: the proposal and its correction, or the correction alone where nothing is proposed.</summary>
    /// <param name="signals">As of <see cref="Correct"/>.</param>
    /// <param name="target">The signal with the gap.</param>
    /// <param name="sources">Other signals that may be used.</param>
    /// <param name="gap">The gap.</param>
    /// <param name="proposal">[gap] in the target's unit; empty for none.</param>
    /// <param name="cancellation">Looked at before the call.</param>
    /// <returns>[gap]; null where no window holds the gap with a quarter of it measured.</returns>
    internal double[]? Answer(PatientSignals signals, Modality target, ModalitySet sources, SampleRange gap, ReadOnlySpan<double> proposal,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(signals);
        if (!signals.Has(NetworkSignal.KindOf(target)))
            throw new ArgumentException($"there is no {target} to correct", nameof(target));
        if ((proposal.Length != gap.Length && !proposal.IsEmpty) || gap.Start < 0 || gap.End > signals.Length)
            throw new ArgumentException(
                $"{proposal.Length} samples proposed for a gap of {gap.Length} at {gap.Start} of {signals.Length}", nameof(proposal));
        if (gap.Length > MaxLength || gap.Length == 0 || signals.Length < Samples)
            return null;
        var window = new SampleRange(Math.Clamp(gap.Start + (gap.Length / 2) - (Samples / 2), 0, signals.Length - Samples), Samples);
        bool Half(Modality m) => signals.Has(NetworkSignal.KindOf(m)) && 2 * Measured(signals, m, window) >= Samples;
        if (4 * Measured(signals, target, window) < Samples)
            return null;
        CardioTask task = CardioTask.Impute(
            target, sources.Members().Where(m => m != target && Half(m)).Aggregate(ModalitySet.None, (set, m) => set | m.ToSet()));
        if (!_sessions.TryGetValue(task, out InferenceSession? session))
            _sessions.Add(task, session = _engine.CreateSession(task, new SessionOptions { Sampler = SamplerOptions.Correction }));
        var inside = new SampleRange(gap.Start - window.Start, gap.Length);
        float[] conditions = new float[session.Plan.ConditionSamples];
        AffineScale own = AffineScale.Normalized;
        for (int c = 0; c < session.Plan.Conditions.Count; c++)
        {
            Modality modality = session.Plan.Conditions[c];
            ReadOnlySpan<float> signal = signals[NetworkSignal.KindOf(modality)];
            Span<float> slot = conditions.AsSpan(c * Samples, Samples);
            AffineScale scale = WindowScale.Of(modality, signal, window);
            scale.Forward(signal.Slice(window.Start, window.Length), slot);
            if (modality != target)
                continue;
            own = scale;
            slot.CopyTo(_state);
            Span<float> proposed = _state.AsSpan(inside.Start, inside.Length);
            if (proposal.IsEmpty)
                proposed.Fill(AffineScale.Missing);
            else
                Proposal.Scale(proposal, scale, target, proposed);
        }

        session.Run(conditions, _correction, NoiseSource.Explicit(_state), null, cancellation);
        NetworkCalls++;
        double[] wave = new double[gap.Length];
        for (int i = 0; i < wave.Length; i++)
            wave[i] = (proposal.IsEmpty ? own.Center : proposal[i]) + (own.HalfRange * _correction[inside.Start + i]);
        return wave;
    }

    /// <summary>Frees the sessions.</summary>
    public void Dispose()
    {
        foreach (InferenceSession session in _sessions.Values)
            session.Dispose();
        _sessions.Clear();
    }

    private static int Measured(PatientSignals signals, Modality modality, SampleRange window) =>
        GapFinder.CountMeasured(signals[NetworkSignal.KindOf(modality)].Slice(window.Start, window.Length));
}
