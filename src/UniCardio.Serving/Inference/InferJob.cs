using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Pipeline;
using UniCardio.Serving.Hosting;
using UniCardio.Signals.Processing;

namespace UniCardio.Serving.Inference;

/// <summary>
/// The work of one infer request: windows in, windows out, each a window of its own scaled by the rule of <see cref="WindowScale"/>.
/// </summary>
internal sealed class InferJob
{
    private readonly int _samples;
    private readonly long _drawn;
    private readonly float[]?[] _signals;

    private InferJob(CardioTask task, InferParameters parameters, InferSummary summary, int windows, int samples, float[]?[] signals,
        Func<string, bool> wants)
    {
        Summary = summary;
        NeedsDraws = summary != InferSummary.Estimate || wants("low") || wants("high") || wants("draws");
        Task = task;
        Parameters = parameters;
        Windows = windows;
        _samples = samples;
        _signals = signals;
        _drawn = wants("draws") ? (long)windows * parameters.Draws * samples : 0;
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
    public float[] Signal { get; private set; } = [];

    /// <summary>[N, S], 5% quantile.</summary>
    public float[] Low { get; private set; } = [];

    /// <summary>[N, S], 95% quantile.</summary>
    public float[] High { get; private set; } = [];

    /// <summary>[N, draws, S], or empty.</summary>
    public float[] Draws { get; private set; } = [];

    /// <summary>Samples S of a window.</summary>
    public int Samples => _samples;

    /// <summary>Bytes of its inputs and results.</summary>
    public long Bytes => sizeof(float) * ((_signals.Sum(s => (long)(s?.Length ?? 0))) + (3L * Windows * _samples) + _drawn);

    /// <summary>Time in the network.</summary>
    public TimeSpan ComputeTime { get; set; }

    /// <summary>Holds a request against its model.</summary>
    /// <exception cref="RequestException">An input does not fit; it is named.</exception>
    /// <exception cref="Engine.ConfigurationException">The sampler does not fit the network.</exception>
    public static InferJob Create(ModelFamily family, InferRequest request, ServerOptions options, ModelConfiguration configuration)
    {
        InferParameters parameters = InferParameters.Read(request.Parameters, options);
        int samples = configuration.SlotSamples;
        var signals = new float[]?[Modalities.All.Count];
        ModalitySet given = ModalitySet.None;
        long windows = -1;
        foreach (InferTensor input in request.Inputs)
        {
            Modality modality = Modalities.All.Where(m => m.Name() == input.Name).Select(m => (Modality?)m).FirstOrDefault()
                ?? throw RequestException.Bad(
                    $"there is no input '{input.Name}'; expected {string.Join(", ", Modalities.All.Select(m => m.Name()))}");
            if (input.Shape.Length != 2 || input.Shape[1] != samples || input.Shape[0] < 1 || input.Shape[0] > options.MaxWindows)
                throw RequestException.Bad(
                    $"input '{input.Name}' has shape [{string.Join(", ", input.Shape)}]; expected [windows, {samples}] with 1 to "
                    + $"{options.MaxWindows} windows");
            if (windows >= 0 && windows != input.Shape[0])
                throw RequestException.Bad($"input '{input.Name}' has {input.Shape[0]} windows, another input has {windows}");
            windows = input.Shape[0];
            given |= modality.ToSet();
            signals[(int)modality] = input.Values;
        }
        CardioTask task = family.TaskOf(parameters.Target, given);
        foreach (Modality modality in task.Conditions.Members())
            RequireMeasured(modality, signals[(int)modality]!, samples);
        new WindowShape(task, parameters.Draws, parameters.Sampler).Validate(configuration);
        InferSummary summary = parameters.Summary ?? family.DefaultSummary;
        if (summary == InferSummary.Estimate && family.Kind != TaskKind.Denoise)
            throw RequestException.Bad($"parameter 'summary' is estimate, which only model 'denoise' has; expected median or mean");
        return new InferJob(task, parameters, summary, (int)windows, samples, signals, name =>
            request.Outputs?.Any(o => o.Name == name) ?? true);
    }

    /// <summary>Computes what was asked for, in batches.</summary>
    /// <param name="series">Runs the windows.</param>
    /// <param name="betweenSteps">Called between network calls.</param>
    /// <param name="cancellation">Looked at before every network call.</param>
    public void Compute(WindowSeries series, Action betweenSteps, CancellationToken cancellation)
    {
        // Only now: those that wait hold their inputs alone.
        (Signal, Low, High) = (new float[Windows * _samples], new float[Windows * _samples], new float[Windows * _samples]);
        Draws = new float[_drawn];
        if (NeedsDraws)
            series.Run(new WindowShape(Task, Parameters.Draws, Parameters.Sampler), Windows, Observe, TakeDraws, (_, _) => betweenSteps(),
                cancellation);
        if (Summary == InferSummary.Estimate)
            series.Run(WindowShape.Estimate(Task), Windows, Observe, TakeEstimate, (_, _) => betweenSteps(), cancellation);
    }

    private static void RequireMeasured(Modality modality, float[] signal, int samples)
    {
        for (int window = 0; window < signal.Length / samples; window++)
        {
            if (signal.AsSpan(window * samples, samples).IndexOfAnyExcept(float.NaN) < 0)
                throw RequestException.Bad($"input '{modality.Name()}', window {window}: no sample is measured; leave the input out");
        }
    }

    // Each window of its own: none has surroundings.
    private WindowObservation Observe(int window) =>
        new(Row(Modality.Ppg, window), Row(Modality.Bp, window), Row(Modality.Ecg, window), new SampleRange(0, _samples))
    {
        Seed = Parameters.Seed,
        Identity = (uint)window,
    };

    private void TakeDraws(int window, WindowDraws draws)
    {
        Span<float> signal = Of(Signal, window), low = Of(Low, window), high = Of(High, window);
        draws.Summarize(Summary == InferSummary.Mean ? DrawSummary.Mean : DrawSummary.Median, signal);
        draws.Quantile(WindowDraws.LowQuantile, low);
        draws.Quantile(WindowDraws.HighQuantile, high);
        CheckFinite(window, low);
        CheckFinite(window, high);
        CheckFinite(window, signal);
        if (Draws.Length > 0)
        {
            Span<float> all = Draws.AsSpan(window * draws.Scaled.Length, draws.Scaled.Length);
            draws.Unscale(all);
            CheckFinite(window, all);
        }

        foreach (float[] output in (float[][])[Signal, Low, High])
            Provenances.Keep(Task.Kind, Row(Task.Output, window).Span, Of(output, window));
    }

    private void TakeEstimate(int window, WindowDraws estimate)
    {
        Span<float> signal = Of(Signal, window);
        estimate.Summarize(DrawSummary.Median, signal);
        CheckFinite(window, signal);
        Provenances.Keep(Task.Kind, Row(Task.Output, window).Span, signal);
    }

    // A sample that is finite in scaled units may not be in the target's, where its range is near what float32 holds.
    private void CheckFinite(int window, ReadOnlySpan<float> values)
    {
        if (values.IndexOfAny(float.PositiveInfinity, float.NegativeInfinity) >= 0)
            throw RequestException.Bad($"window {window}: the values of '{Task.Output.Name()}' are too large to be worked with in float32");
    }

    private Span<float> Of(float[] output, int window) => output.AsSpan(window * _samples, _samples);

    private ReadOnlyMemory<float> Row(Modality modality, int window) =>
        _signals[(int)modality] is { } signal ? signal.AsMemory(window * _samples, _samples) : default;
}
