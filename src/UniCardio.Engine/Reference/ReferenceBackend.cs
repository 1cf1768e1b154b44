using UniCardio.Engine.Backends;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Sampling;

namespace UniCardio.Engine.Reference;

/// <summary>The reference network as a backend: live slots only, everything in double, results rounded to float32 once when they are
/// read.</summary>
/// <remarks>For checking, not for speed: tens of times slower than the CPU backend.</remarks>
internal sealed class ReferenceBackend : IBackend
{
    private readonly ReferenceNetwork _network;

    /// <summary>Creates the backend over a copy of the weights in double.</summary>
    /// <param name="weights">The weights.</param>
    /// <param name="threads">Most threads at a time; 0 for as many as the machine has. Results do not depend on it.</param>
    /// <param name="pattern">Which tokens of a readable slot are seen; the default, all of them, is the official network.</param>
    public ReferenceBackend(ModelWeights weights, int threads = 0, AttentionPattern pattern = default)
    {
        _network = new ReferenceNetwork(weights, threads, pattern);
    }

    /// <inheritdoc/>
    public string Name => "reference";

    /// <inheritdoc/>
    public ModelConfiguration Configuration => _network.Configuration;

    /// <summary>The network behind the backend, e.g. for its dense form and its intermediate values.</summary>
    internal ReferenceNetwork Network => _network;

    /// <inheritdoc/>
    public IExecutor CreateExecutor(InferencePlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        if (plan.Configuration != Configuration)
            throw new ConfigurationException("plan", "its configuration is not the one that the weights were loaded with");
        return new ReferenceExecutor(_network, plan);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}

/// <summary>Executes a plan in double: the state and the history of clean signals are never rounded between rows.</summary>
internal sealed class ReferenceExecutor : IExecutor
{
    private readonly ReferenceNetwork _network;
    private readonly double[] _conditions;
    private readonly double[] _state;
    private readonly double[] _prediction;
    private readonly double[] _noise;
    private readonly float[] _drawNoise;
    private readonly ReferenceConditionState?[] _conditionRows;

    // Clean signals of this row and of the one and two rows before; rotated after each.
    private double[] _clean;
    private double[] _clean1;
    private double[] _clean2;
    private bool _conditionsSet;
    private bool _disposed;

    public ReferenceExecutor(ReferenceNetwork network, InferencePlan plan)
    {
        _network = network;
        Plan = plan;
        _conditions = new double[plan.ConditionSamples];
        _conditionRows = new ReferenceConditionState?[plan.Windows];
        _state = new double[plan.StateSamples];
        _prediction = new double[plan.StateSamples];
        _noise = new double[plan.StateSamples];
        _drawNoise = new float[plan.Configuration.SlotSamples];
        _clean = new double[plan.StateSamples];
        _clean1 = new double[plan.StateSamples];
        _clean2 = new double[plan.StateSamples];
    }

    public InferencePlan Plan { get; }

    // What the network allocates within a call is not held.
    public long ArenaBytes => sizeof(double) * ((long)_conditions.Length + (6L * _state.Length));

    public void SetConditions(ReadOnlySpan<float> conditions)
    {
        Check();
        Widen(conditions, _conditions, nameof(conditions));
        Array.Clear(_conditionRows);
        _conditionsSet = true;
    }

    public void SetState(ReadOnlySpan<float> state)
    {
        Check();
        Widen(state, _state, nameof(state));
        ClearHistory();
    }

    public void SetState(NoiseSource noise)
    {
        Check();
        FillNoise(noise, 0, _state);
        ClearHistory();
    }

    public void GetState(Span<float> state)
    {
        Check();
        Round(_state, state, nameof(state));
    }

    public void GetClean(Span<float> clean)
    {
        Check();
        Round(_clean, clean, nameof(clean));
    }

    public void Predict(int t, Span<float> prediction)
    {
        Check();
        ReferenceShape.Expect(prediction.Length, _state.Length, "[W N, S]", nameof(prediction));
        Evaluate(t);
        Round(_prediction, prediction, nameof(prediction));
    }

    public void Step(in SamplerStep step, NoiseSource noise)
    {
        Check();
        Evaluate(step.T);
        if (step.Noise != 0)
            FillNoise(noise, step.NoiseIndex, _noise);
        (_clean, _clean1, _clean2) = (_clean2, _clean, _clean1);
        ReferenceSamplerUpdate.Forward(step, _prediction, _state, _clean, _clean1, _clean2, _noise);
    }

    public void Dispose() => _disposed = true;

    private void Evaluate(int t)
    {
        if (!_conditionsSet)
            throw new InvalidOperationException("the conditions were not set; call SetConditions first");
        int samples = Plan.Configuration.SlotSamples, conditionSamples = Plan.Conditions.Count * samples;
        for (int window = 0; window < Plan.Windows; window++)
        {
            if (_conditionRows[window] is not ReferenceConditionState rows || rows.T != t)
                _conditionRows[window] = rows =
                    _network.Conditions(Plan.Task.Conditions, _conditions.AsSpan(window * conditionSamples, conditionSamples), t);
            for (int draw = 0; draw < Plan.Draws; draw++)
            {
                int at = ((window * Plan.Draws) + draw) * samples;
                _network.Target(Plan.Task, rows, _state.AsSpan(at, samples), _prediction.AsSpan(at, samples));
            }
        }
    }

    private void FillNoise(NoiseSource noise, int index, double[] values)
    {
        int samples = Plan.Configuration.SlotSamples;
        for (int draw = 0; draw < Plan.BatchDraws; draw++)
        {
            noise.Fill(Plan, index, draw, _drawNoise);
            Widen(_drawNoise, values.AsSpan(draw * samples, samples), nameof(noise));
        }
    }

    private void ClearHistory()
    {
        Array.Clear(_clean);
        Array.Clear(_clean1);
        Array.Clear(_clean2);
    }

    private void Check() => ObjectDisposedException.ThrowIf(_disposed, this);

    private static void Widen(ReadOnlySpan<float> from, Span<double> to, string argument)
    {
        ReferenceShape.Expect(from.Length, to.Length, "as the plan says", argument);
        for (int i = 0; i < to.Length; i++)
            to[i] = from[i];
    }

    private static void Round(double[] from, Span<float> to, string argument)
    {
        ReferenceShape.Expect(to.Length, from.Length, "as the plan says", argument);
        for (int i = 0; i < from.Length; i++)
            to[i] = (float)from[i];
    }
}
