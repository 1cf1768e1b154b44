using System.Diagnostics;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Sessions;
using UniCardio.Signals;
using UniCardio.Signals.Processing;
using UniCardio.Signals.Scaling;

namespace UniCardio.Restoration;

/// <summary>Runs the windows of a schedule in batches and crossfades what comes out, at 125 Hz in the network's physical units.</summary>
internal sealed class WindowRunner
{
    // Streams of a batch bound the time of one step and so of a cancellation; bytes bound the cached keys and values of conditions.
    private const int MostStreams = 32, MostWindows = 16;
    private const long MostConditionBytes = 128L << 20;

    private readonly InferenceEngine _engine;
    private readonly RestorationOptions _options;
    private readonly PreparedRecording _prepared;
    private readonly WindowSchedule _schedule;
    private readonly float[] _ones;
    private readonly ResidualFilter? _residual;
    private readonly double? _noiseLevel;
    private readonly double _noiseFactor;
    private int _done;

    public WindowRunner(InferenceEngine engine, RestorationOptions options, PreparedRecording prepared, WindowSchedule schedule)
    {
        _engine = engine;
        _options = options;
        _prepared = prepared;
        _schedule = schedule;
        bool any = schedule.Computed > 0, band = any && options.HasBand;
        Center = new float[any ? prepared.Length : 0];
        Low = new float[band ? prepared.Length : 0];
        High = new float[band ? prepared.Length : 0];
        Weight = new float[Center.Length];
        _ones = new float[schedule.Cover.WindowLength];
        Array.Fill(_ones, 1f);
        if (any && options.Task.Kind == TaskKind.Denoise && options.Residual == ResidualRule.Wiener)
            _residual = new ResidualFilter(schedule.Cover.WindowLength);
        if (any && options.Estimates)
            (_noiseLevel, _noiseFactor) = Noise();
    }

    /// <summary>The signal, [n], complete where <see cref="Weight"/> is 1; empty if no window was computed.</summary>
    public float[] Center { get; }

    /// <summary>Lower edge of the band, [n], or empty.</summary>
    public float[] Low { get; }

    /// <summary>Upper edge of the band, [n], or empty.</summary>
    public float[] High { get; }

    /// <summary>Sum of the weights of the computed windows, [n], 0 to 1.</summary>
    public float[] Weight { get; }

    /// <summary>Evaluations of the network.</summary>
    public long NetworkCalls { get; private set; }

    /// <summary>Time in the network.</summary>
    public TimeSpan ComputeTime { get; private set; }

    public void Run(IProgress<RestorationProgress>? progress, CancellationToken cancellationToken)
    {
        foreach (WindowGroup group in _schedule.Groups)
        {
            if (_options.Estimates)
            {
                Estimate(group, progress, cancellationToken);
                continue;
            }

            int batch = Math.Min(_options.WindowsPerBatch ?? Batch(group.Task), group.Windows.Count);
            int whole = group.Windows.Count / batch * batch;
            RunGroup(group, 0, whole, batch, progress, cancellationToken);
            if (whole < group.Windows.Count)
                RunGroup(group, whole, group.Windows.Count, group.Windows.Count - whole, progress, cancellationToken);
        }
    }

    // One window at a time: each has its own noise level and so its own step of the diffusion.
    private void Estimate(WindowGroup group, IProgress<RestorationProgress>? progress, CancellationToken cancellationToken)
    {
        using InferenceSession session = _engine.CreateSession(group.Task);
        var conditions = new float[session.Plan.ConditionSamples];
        var clean = new float[_schedule.Cover.WindowLength];
        for (int i = 0; i < group.Windows.Count; i++)
        {
            int window = group.Windows[i];
            SampleRange range = _schedule.Cover[window];
            AffineScale scale = OutputScale(range);
            Scale(session.Plan, window, scale, conditions);
            Compute(group, i, () => WindowEstimate.Run(
                session, conditions, _prepared.Signal(group.Task.Output).Slice(range.Start, range.Length), scale, clean, _noiseLevel, _noiseFactor, cancellationToken));
            BlendCenter(window, clean);
            _done++;
            progress?.Report(new RestorationProgress(_done, _schedule.Computed, (double)_done / _schedule.Computed));
        }
    }

    // The level that was given, in the network's unit at 125 Hz, or null and what a measured one is multiplied by.
    private (double? Level, double Factor) Noise()
    {
        double rate = _prepared.Reference.SampleRate;
        if (_options.NoiseLevel is { } level)
            return (level * _prepared.UnitFactor * Math.Sqrt(RecordingPreparation.NetworkRate / rate), 1);
        double factor = WhiteNoise.ResamplingFactor(PreparedRecording.ResamplerOf(rate, RecordingPreparation.NetworkRate, _prepared.Reference.Name));
        if (factor == 0)
        {
            _prepared.Warnings.Add(new SignalWarning(SignalWarningKind.Data, FormattableString.Invariant(
                $"channel '{_prepared.Reference.Name}': at {rate} Hz its noise cannot be measured and stays; give a noise level, or denoise by draws"), _prepared.Reference.Name));
        }

        return (null, factor);
    }

    private int Batch(CardioTask task)
    {
        ModelConfiguration m = _engine.Configuration;
        long keysAndValues = 2L * sizeof(float) * m.Blocks * m.Channels * task.Conditions.Count() * m.SlotTokens;
        return (int)Math.Clamp(Math.Min(MostStreams / _options.Draws, MostConditionBytes / keysAndValues), 1, MostWindows);
    }

    private void RunGroup(WindowGroup group, int from, int to, int batch, IProgress<RestorationProgress>? progress, CancellationToken cancellationToken)
    {
        var sessionOptions = new SessionOptions { Windows = batch, Draws = _options.Draws, Sampler = _options.Sampler, Seed = _options.Seed };
        using InferenceSession session = _engine.CreateSession(group.Task, sessionOptions);
        int samples = _schedule.Cover.WindowLength, inputs = session.Plan.Conditions.Count;
        var conditions = new float[session.Plan.ConditionSamples];
        var draws = new float[session.Plan.StateSamples];
        var summary = new float[batch * samples];
        var band = new float[_options.Draws > 1 ? 2 * batch * samples : 0];
        var scales = new AffineScale[batch];
        var identities = new uint[batch];
        StepObserver? observer = progress is null ? null : (in StepObservation step) => Report(progress, batch, (step.Step + 1.0) / step.Steps);
        for (int first = from; first < to; first += batch)
        {
            for (int i = 0; i < batch; i++)
            {
                int window = group.Windows[first + i];
                identities[i] = (uint)window;
                scales[i] = OutputScale(_schedule.Cover[window]);
                Scale(session.Plan, window, scales[i], conditions.AsSpan(i * inputs * samples, inputs * samples));
            }

            Compute(group, first, () =>
            {
                session.Run(conditions, draws, identities, observer, cancellationToken);
                return session.Plan.Streams * session.Sampler.NetworkCalls;
            });
            Summarize(draws, summary, band);
            for (int i = 0; i < batch; i++)
                Blend(group.Windows[first + i], scales[i], summary.AsSpan(i * samples, samples), band, i, batch);
            _done += batch;
            progress?.Report(new RestorationProgress(_done, _schedule.Computed, (double)_done / _schedule.Computed));
        }
    }

    // The last step of a batch is left to the report that follows once its windows are blended.
    private void Report(IProgress<RestorationProgress> progress, int batch, double share)
    {
        if (share < 1)
            progress.Report(new RestorationProgress(_done, _schedule.Computed, (_done + (batch * share)) / _schedule.Computed));
    }

    // run: returns the network's evaluations.
    private void Compute(WindowGroup group, int first, Func<int> run)
    {
        long start = Stopwatch.GetTimestamp();
        try
        {
            NetworkCalls += run();
        }
        catch (NonFiniteResultException problem)
        {
            throw OutOfRange(_schedule.Cover[group.Windows[first + problem.Window]], problem);
        }
        catch (ConditionValueException problem)
        {
            throw OutOfRange(_schedule.Cover[group.Windows[first + problem.Window]], problem);
        }

        ComputeTime += Stopwatch.GetElapsedTime(start);
    }

    private static RestorationException OutOfRange(SampleRange range, Exception cause) => new(FormattableString.Invariant(
        $"the network went out of range from {range.Start / RecordingPreparation.NetworkRate:0.###} s to {range.End / RecordingPreparation.NetworkRate:0.###} s: {cause.Message}"), cause);

    private AffineScale OutputScale(SampleRange range)
    {
        CardioTask task = _options.Task;
        return WindowUnits.OfResult(task, task.Kind == TaskKind.Translate ? default : _prepared.Signal(task.Output), range);
    }

    // scaled: [conditions, S] of one window.
    private void Scale(InferencePlan plan, int window, AffineScale output, Span<float> scaled)
    {
        int samples = _schedule.Cover.WindowLength;
        for (int c = 0; c < plan.Conditions.Count; c++)
            WindowUnits.Scale(plan.Task, plan.Conditions[c], _prepared.Signal(plan.Conditions[c]), _schedule.Cover[window], output, scaled.Slice(c * samples, samples));
    }

    private void Summarize(float[] draws, float[] summary, float[] band)
    {
        int samples = _schedule.Cover.WindowLength;
        if (_options.Summary == DrawSummary.Mean)
            DrawStatistics.Mean(draws, _options.Draws, samples, summary);
        else
            DrawStatistics.Median(draws, _options.Draws, samples, summary);
        if (band.Length > 0)
            DrawStatistics.Quantiles(draws, _options.Draws, samples, [_options.LowQuantile, _options.HighQuantile], band);
    }

    // band: [2, W, S].
    private void Blend(int window, AffineScale scale, Span<float> center, float[] band, int index, int batch)
    {
        scale.Inverse(center, center);
        float[] correction = BlendCenter(window, center);
        if (band.Length == 0)
            return;
        int samples = center.Length;
        Span<float> low = band.AsSpan(index * samples, samples), high = band.AsSpan((batch + index) * samples, samples);
        scale.Inverse(low, low);
        scale.Inverse(high, high);
        Shift(low, correction);
        Shift(high, correction);
        _schedule.Cover.Accumulate(window, low, Low);
        _schedule.Cover.Accumulate(window, high, High);
    }

    // center: in the network's physical unit. Returns what the residual gave back.
    private float[] BlendCenter(int window, Span<float> center)
    {
        float[] correction = Correct(window, center);
        _schedule.Cover.Accumulate(window, center, Center);
        _schedule.Cover.Accumulate(window, _ones, Weight);
        return correction;
    }

    // Adds what the residual gives back; empty where nothing is done.
    private float[] Correct(int window, Span<float> center)
    {
        if (_residual is null)
            return [];
        SampleRange range = _schedule.Cover[window];
        float[] correction = new float[center.Length];
        _residual.Correction(_prepared.Signal(_options.Task.Output).Slice(range.Start, range.Length), center, correction);
        Shift(center, correction);
        return correction;
    }

    private static void Shift(Span<float> x, float[] by)
    {
        for (int i = 0; i < by.Length; i++)
            x[i] += by[i];
    }
}
