using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Sampling;
using UniCardio.Engine.Sessions;
using UniCardio.Signals.Processing;

namespace UniCardio.Pipeline;

/// <summary>
/// Windows of one shape through a session: observations in the network's physical units go in and are scaled, the network draws or
/// estimates, and what it made is summed up and unscaled. For one thread at a time; from <see cref="SessionPool"/>. After it was made it
/// allocates nothing.
/// </summary>
internal sealed class WindowBatch : IDisposable
{
    private readonly InferenceSession _session;
    private readonly int _samples;
    private readonly float[] _conditions, _results, _measured;
    private readonly double[] _work;
    private readonly SlowNoise? _slowNoise;
    private readonly bool[] _isMissing;
    private readonly AffineScale[] _scales;
    private readonly ulong[] _seeds;
    private readonly uint[] _identities;
    private double _noiseLevel;

    internal WindowBatch(InferenceEngine engine, WindowShape shape, int windows)
    {
        Shape = shape;
        _session = engine.CreateSession(shape.Task, new SessionOptions { Windows = windows, Draws = shape.Draws, Sampler = shape.Sampler });
        _samples = engine.Configuration.SlotSamples;
        _conditions = new float[Plan.ConditionSamples];
        _results = new float[Plan.StateSamples];
        _measured = new float[shape.IsEstimate ? _samples : 0];
        _work = new double[shape.IsEstimate ? _samples : 0];
        _slowNoise = shape.RemovesSlowNoise ? new SlowNoise(_samples) : null;
        _isMissing = new bool[shape.RemovesSlowNoise ? _samples : 0];
        (_scales, _seeds, _identities) = (new AffineScale[windows], new ulong[windows], new uint[windows]);
        Bytes = _session.ArenaBytes + (sizeof(float) * (_conditions.LongLength + _results.LongLength + (3 * _measured.LongLength)));
    }

    /// <summary>What the batch computes.</summary>
    public WindowShape Shape { get; }

    /// <summary>Windows W; 1 for an estimate.</summary>
    public int Windows => Plan.Windows;

    /// <summary>Bytes that it holds.</summary>
    public long Bytes { get; }

    // When it was last used, in uses of the pool.
    internal long LastUse { get; set; }

    private InferencePlan Plan => _session.Plan;

    /// <summary>Scales an observation into a place of the batch, by the one rule (<see cref="WindowScale"/>).</summary>
    /// <param name="window">The place, 0 to W - 1.</param>
    /// <param name="observation">What is observed of the window.</param>
    public void Set(int window, in WindowObservation observation)
    {
        AffineScale scale = observation.ResultScale ?? WindowScale.OfResult(Shape.Task, observation);
        (_scales[window], _seeds[window], _identities[window]) = (scale, observation.Seed, observation.Identity);
        Span<float> conditions = _conditions.AsSpan(window * Plan.Conditions.Count * _samples);
        for (int c = 0; c < Plan.Conditions.Count; c++, conditions = conditions[_samples..])
        {
            Modality condition = Plan.Conditions[c];
            bool isOwn = condition == Shape.Task.Output && Shape.Task.Kind != TaskKind.Translate;
            AffineScale its = isOwn ? scale : WindowScale.Of(condition, observation.Signal(condition), observation.Window);
            its.Forward(observation.Given(condition), conditions[.._samples]);
        }

        if (!Shape.IsEstimate)
            return;
        observation.Given(Shape.Task.Output).CopyTo(_measured);
        double level = observation.NoiseLevel ?? (observation.NoiseFactor * WhiteNoise.Level(_measured, _work));
        _noiseLevel = level / scale.HalfRange;
        for (int n = 0; n < _isMissing.Length; n++)
            _isMissing[n] = double.IsNaN(_measured[n]);

        // Straight lines stand in its gaps for the network.
        GapBridge.FillAll<float>(_measured);
        scale.Forward(_measured, _measured);
    }

    /// <summary>Draws, or estimates.</summary>
    /// <param name="observer">Called after every step of the sampler, or null.</param>
    /// <param name="cancellation">Looked at before every network call.</param>
    /// <returns>Evaluations of the network: windows times draws times steps, 0 to 3 for an estimate.</returns>
    /// <inheritdoc cref="InferenceSession.Run(ReadOnlySpan{float}, Span{float}, NoiseSource, StepObserver?, CancellationToken)"
    /// path="/exception"/>
    public int Run(StepObserver? observer = null, CancellationToken cancellation = default)
    {
        if (Shape.IsEstimate)
            return TakeOffSlowNoise(cancellation) + _session.Estimate(_conditions, _measured, _noiseLevel, _results, cancellation);
        _session.Run(_conditions, _results, NoiseSource.Philox(_seeds, _identities), observer, cancellation);
        return Plan.BatchDraws * _session.Sampler.NetworkCalls;
    }

    // One call from noise tells it; the measurement and the condition that holds it lose it. A gap of the condition keeps its mark.
    private int TakeOffSlowNoise(CancellationToken cancellation)
    {
        if (_slowNoise is null)
            return 0;
        _session.Run(_conditions, _results, NoiseSource.Philox(_seeds, _identities), null, cancellation);
        _slowNoise.Remove(Shape.Task.Output, _noiseLevel, _results, _measured);
        for (int c = 0; c < Plan.Conditions.Count; c++)
        {
            if (Plan.Conditions[c] != Shape.Task.Output)
                continue;
            Span<float> own = _conditions.AsSpan(c * _samples, _samples);
            for (int n = 0; n < own.Length; n++)
                own[n] = _isMissing[n] ? own[n] : _measured[n];
        }

        return _session.Sampler.NetworkCalls;
    }

    /// <summary>What a window's conditions were scaled to, [conditions, S] in slot order.</summary>
    /// <param name="window">The window, 0 to W - 1.</param>
    public ReadOnlySpan<float> Conditions(int window) =>
        _conditions.AsSpan(window * Plan.Conditions.Count * _samples, Plan.Conditions.Count * _samples);

    /// <summary>What the network made of a window; valid until the next run.</summary>
    /// <param name="window">The window, 0 to W - 1.</param>
    public WindowDraws Draws(int window) =>
        new(_results.AsSpan(window * Shape.Draws * _samples, Shape.Draws * _samples), _samples, _scales[window]);

    /// <summary>Frees the session.</summary>
    public void Dispose() => _session.Dispose();
}
