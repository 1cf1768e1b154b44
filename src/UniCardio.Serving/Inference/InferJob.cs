using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Sampling;
using UniCardio.Engine.Sessions;
using UniCardio.Restoration;
using UniCardio.Serving.Hosting;
using UniCardio.Signals.Processing;
using UniCardio.Signals.Scaling;

namespace UniCardio.Serving.Inference;

/// <summary>The work of one infer request: windows in, windows out, each a window of its own scaled by the rule of <see cref="WindowUnits"/>.</summary>
internal sealed class InferJob
{
    private static readonly double[] Band = [0.05, 0.95];

    private readonly int _samples;
    private readonly float[][] _signals;

    private InferJob(CardioTask task, InferParameters parameters, InferSummary summary, int windows, int samples, float[][] signals, Func<string, bool> wants)
    {
        Summary = summary;
        NeedsDraws = summary != InferSummary.Estimate || wants("low") || wants("high") || wants("draws");
        Task = task;
        Parameters = parameters;
        Windows = windows;
        _samples = samples;
        _signals = signals;
        Signal = new float[windows * samples];
        Low = new float[windows * samples];
        High = new float[windows * samples];
        Draws = new float[wants("draws") ? windows * parameters.Draws * samples : 0];
    }

    public CardioTask Task { get; }

    public InferParameters Parameters { get; }

    /// <summary>What <see cref="Signal"/> is.</summary>
    public InferSummary Summary { get; }

    /// <summary>Whether anything that was asked for is made of draws.</summary>
    public bool NeedsDraws { get; }

    /// <summary>Windows N.</summary>
    public int Windows { get; }

    /// <summary>[N, S], in the target's unit.</summary>
    public float[] Signal { get; }

    /// <summary>[N, S], 5% quantile.</summary>
    public float[] Low { get; }

    /// <summary>[N, S], 95% quantile.</summary>
    public float[] High { get; }

    /// <summary>[N, draws, S], or empty.</summary>
    public float[] Draws { get; }

    /// <summary>Time in the network.</summary>
    public TimeSpan ComputeTime { get; set; }

    /// <summary>Holds a request against its model.</summary>
    /// <exception cref="RequestException">An input does not fit; it is named.</exception>
    /// <exception cref="Engine.ConfigurationException">The sampler does not fit the network.</exception>
    public static InferJob Create(ModelFamily family, InferRequest request, ServerOptions options, ModelConfiguration configuration)
    {
        InferParameters parameters = InferParameters.Read(request.Parameters, options);
        int samples = configuration.SlotSamples;
        var signals = new float[Modalities.All.Count][];
        ModalitySet given = ModalitySet.None;
        long windows = -1;
        foreach (InferTensor input in request.Inputs)
        {
            Modality modality = Modalities.All.Where(m => m.Name() == input.Name).Select(m => (Modality?)m).FirstOrDefault()
                ?? throw RequestException.Bad($"there is no input '{input.Name}'; expected {string.Join(", ", Modalities.All.Select(m => m.Name()))}");
            if (input.Shape.Length != 2 || input.Shape[1] != samples || input.Shape[0] < 1 || input.Shape[0] > options.MostWindows)
                throw RequestException.Bad($"input '{input.Name}' has shape [{string.Join(", ", input.Shape)}]; expected [windows, {samples}] with 1 to {options.MostWindows} windows");
            if (windows >= 0 && windows != input.Shape[0])
                throw RequestException.Bad($"input '{input.Name}' has {input.Shape[0]} windows, another input has {windows}");
            windows = input.Shape[0];
            given |= modality.ToSet();
            signals[(int)modality] = input.Values;
        }
        CardioTask task = family.TaskOf(parameters.Target, given);
        foreach (Modality modality in task.Conditions.Members())
            RequireMeasured(modality, signals[(int)modality], samples);
        SamplerTable.Create(parameters.Sampler, configuration, task);
        InferSummary summary = parameters.Summary ?? family.DefaultSummary;
        if (summary == InferSummary.Estimate && family.Kind != TaskKind.Denoise)
            throw RequestException.Bad($"parameter 'summary' is estimate, which only model 'denoise' has; expected median or mean");
        return new InferJob(task, parameters, summary, (int)windows, samples, signals, name => request.Outputs?.Any(o => o.Name == name) ?? true);
    }

    /// <summary>Estimates <see cref="Signal"/>; after <see cref="Draw"/>, which may have made another.</summary>
    /// <param name="session">A session of the task for one window and one draw.</param>
    /// <param name="cancellation">Looked at before every network call.</param>
    public void Estimate(InferenceSession session, CancellationToken cancellation)
    {
        var conditions = new float[session.Plan.ConditionSamples];
        var clean = new float[_samples];
        for (int window = 0; window < Windows; window++)
        {
            AffineScale scale = Scale(session.Plan, window, conditions);
            WindowEstimate.Run(session, conditions, Row(Task.Output, window), scale, clean, cancellation: cancellation);
            CheckFinite(window, clean);
            Span<float> signal = Signal.AsSpan(window * _samples, _samples);
            clean.CopyTo(signal);
            Keep(Row(Task.Output, window), signal, signal, signal);
        }
    }

    /// <summary>Draws.</summary>
    /// <param name="session">A session of the task for one window and all draws.</param>
    /// <param name="observer">Called after every step, or null.</param>
    /// <param name="cancellation">Looked at before every step.</param>
    public void Draw(InferenceSession session, StepObserver? observer, CancellationToken cancellation)
    {
        InferencePlan plan = session.Plan;
        var conditions = new float[plan.ConditionSamples];
        var draws = new float[plan.StateSamples];
        Span<uint> identity = stackalloc uint[1];
        for (int window = 0; window < Windows; window++)
        {
            AffineScale scale = Scale(plan, window, conditions);
            identity[0] = (uint)window;
            session.Run(conditions, draws, NoiseSource.Philox(Parameters.Seed, identity), observer, cancellation);
            Finish(window, scale, draws);
        }
    }

    private static void RequireMeasured(Modality modality, float[] signal, int samples)
    {
        for (int window = 0; window < signal.Length / samples; window++)
        {
            if (signal.AsSpan(window * samples, samples).IndexOfAnyExcept(float.NaN) < 0)
                throw RequestException.Bad($"input '{modality.Name()}', window {window}: no sample is measured; leave the input out");
        }
    }

    private AffineScale Scale(InferencePlan plan, int window, float[] conditions)
    {
        var range = new SampleRange(0, _samples);
        AffineScale result = WindowUnits.OfResult(Task, Task.Kind == TaskKind.Translate ? default : Row(Task.Output, window), range);
        for (int c = 0; c < plan.Conditions.Count; c++)
            WindowUnits.Scale(Task, plan.Conditions[c], Row(plan.Conditions[c], window), range, result, conditions.AsSpan(c * _samples, _samples));
        return result;
    }

    // draws: [N, S] of one window, in scaled units; in the target's unit afterwards.
    private void Finish(int window, AffineScale scale, float[] draws)
    {
        scale.Inverse(draws, draws);
        CheckFinite(window, draws);
        int first = window * _samples;
        Span<float> signal = Signal.AsSpan(first, _samples), low = Low.AsSpan(first, _samples), high = High.AsSpan(first, _samples);
        if (Summary == InferSummary.Mean)
            DrawStatistics.Mean(draws, Parameters.Draws, _samples, signal);
        else
            DrawStatistics.Median(draws, Parameters.Draws, _samples, signal);
        DrawStatistics.Quantiles(draws, Parameters.Draws, _samples, Band.AsSpan(0, 1), low);
        DrawStatistics.Quantiles(draws, Parameters.Draws, _samples, Band.AsSpan(1, 1), high);
        if (Draws.Length > 0)
            draws.CopyTo(Draws.AsSpan(window * draws.Length));
        if (Task.Kind != TaskKind.Translate)
            Keep(Row(Task.Output, window), signal, low, high);
    }

    // A sample that is finite in scaled units may not be in the target's, where its range is near what float32 holds.
    private void CheckFinite(int window, float[] values)
    {
        if (values.AsSpan().IndexOfAny(float.PositiveInfinity, float.NegativeInfinity) >= 0)
            throw RequestException.Bad($"window {window}: the values of '{Task.Output.Name()}' are too large to be worked with in float32");
    }

    // Imputation changes no measured sample, denoising fills no gap.
    private void Keep(ReadOnlySpan<float> given, Span<float> signal, Span<float> low, Span<float> high)
    {
        for (int i = 0; i < given.Length; i++)
        {
            if (float.IsNaN(given[i]) == (Task.Kind == TaskKind.Denoise))
                signal[i] = low[i] = high[i] = given[i];
        }
    }

    private ReadOnlySpan<float> Row(Modality modality, int window) => _signals[(int)modality].AsSpan(window * _samples, _samples);
}
