using UniCardio.Engine.Backends;
using UniCardio.Engine.Diagnostics;
using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Sampling;

namespace UniCardio.Engine.Sessions;

/// <summary>One task's buffers on an engine, run again and again without allocating.</summary>
/// <remarks>
/// One run at a time: a second thread gets <see cref="InvalidOperationException"/>. <see cref="Dispose"/> may come from any
/// thread; a run under way ends at its next step with <see cref="ObjectDisposedException"/>. After any other exception,
/// cancellation included, the session is as good as new and <em>results</em> hold nothing of meaning.
/// </remarks>
public sealed partial class InferenceSession : IDisposable
{
    private const int Idle = 0;
    private const int Running = 1;
    private const int Closing = 2;
    private const int Closed = 3;

    private readonly InferenceEngine _engine;
    private readonly IExecutor _executor;
    private readonly SamplerStep[] _rows;
    private readonly uint[] _windows;
    private readonly RunLabels _labels;
    private int _state;

    internal InferenceSession(InferenceEngine engine, IExecutor executor, SamplerTable sampler, ulong seed)
    {
        _engine = engine;
        _executor = executor;
        _rows = [.. sampler.Steps];
        Plan = executor.Plan;
        Sampler = sampler;
        Seed = seed;
        _estimateRows = new RowFactory(new NoiseSchedule(Plan.Configuration), Plan.Configuration.Prediction, clamp: null);
        ArenaBytes = executor.ArenaBytes;
        // Room for estimates where they can be expected, so that none of them allocates.
        if (Plan.Task.Kind == TaskKind.Denoise && Plan.Draws == 1)
            (_estimateState, _estimateClean) = (new float[Plan.StateSamples], new float[Plan.StateSamples]);
        _windows = [.. Enumerable.Range(0, Plan.Windows).Select(w => (uint)w)];
        _labels = new RunLabels(Plan.Task.ToString(), engine.Backend.Name, Plan.Windows, Plan.Draws, _rows.Length);
        EngineMetrics.SessionOpened(ArenaBytes);
    }

    /// <summary>Task, windows, draws and what is live.</summary>
    public InferencePlan Plan { get; }

    /// <summary>The sampler's rows.</summary>
    public SamplerTable Sampler { get; }

    /// <summary>Key of the noise.</summary>
    public ulong Seed { get; }

    /// <summary>Bytes of working memory beyond the backend's packed weights.</summary>
    public long ArenaBytes { get; }

    /// <summary>Runs the sampler with noise keyed by (<see cref="Seed"/>, window, draw, step).</summary>
    /// <param name="conditions">[W, conditions, S] scaled samples, conditions in <see cref="InferencePlan.Conditions"/>' order;
    /// finite.</param>
    /// <param name="results">[W, N, S] every draw, in scaled units.</param>
    /// <param name="windows">[W] identity of each window, which keys its noise; empty for 0 .. W-1.</param>
    /// <param name="observer">Called after every row; null costs nothing.</param>
    /// <param name="cancellation">Looked at before every row.</param>
    /// <exception cref="ArgumentException">A length is not what the plan says.</exception>
    /// <exception cref="ConditionValueException">A condition sample is not finite.</exception>
    /// <exception cref="NonFiniteResultException">The state became NaN or infinite.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    /// <exception cref="InvalidOperationException">The session is running on another thread, or was called from its observer.</exception>
    /// <exception cref="ObjectDisposedException">The session is disposed.</exception>
    public void Run(
        ReadOnlySpan<float> conditions,
        Span<float> results,
        ReadOnlySpan<uint> windows = default,
        StepObserver? observer = null,
        CancellationToken cancellation = default) =>
        Run(conditions, results, NoiseSource.Philox(Seed, windows.IsEmpty ? _windows : windows), observer, cancellation);

    /// <summary>Runs the sampler with the given noise: another seed, draws after those of an earlier run, or explicit values.</summary>
    /// <param name="conditions">[W, conditions, S] scaled samples, conditions in <see cref="InferencePlan.Conditions"/>' order;
    /// finite.</param>
    /// <param name="results">[W, N, S] every draw, in scaled units.</param>
    /// <param name="noise">The noise; explicit values are [<see cref="SamplerTable.NoiseDraws"/>, W N, S] and finite.</param>
    /// <param name="observer">Called after every row; null costs nothing.</param>
    /// <param name="cancellation">Looked at before every row.</param>
    /// <inheritdoc cref="Run(ReadOnlySpan{float}, Span{float}, ReadOnlySpan{uint}, StepObserver?, CancellationToken)" path="/exception"/>
    public void Run(
        ReadOnlySpan<float> conditions,
        Span<float> results,
        NoiseSource noise,
        StepObserver? observer = null,
        CancellationToken cancellation = default)
    {
        CheckLengths(conditions, results);
        CheckLength(noise);
        Enter();
        RunMeasurement measurement = RunMeasurement.Start(_labels);
        try
        {
            Run(conditions, results, noise, observer, ref measurement, cancellation);
        }
        catch (Exception error) when (measurement.Failed(error))
        {
            throw;
        }
        finally
        {
            measurement.Stop();
            Exit();
        }
    }

    /// <summary>One network call, for checks: what the network predicts at a state.</summary>
    /// <param name="conditions">[W, conditions, S].</param>
    /// <param name="state">[W N, S] x_t.</param>
    /// <param name="t">Diffusion step.</param>
    /// <param name="prediction">[W N, S] eps, v or x0, as the configuration says.</param>
    internal void Predict(ReadOnlySpan<float> conditions, ReadOnlySpan<float> state, int t, Span<float> prediction)
    {
        CheckLengths(conditions, state);
        Enter();
        try
        {
            _executor.SetConditions(conditions);
            _executor.SetState(state);
            _executor.Predict(t, prediction);
        }
        finally
        {
            Exit();
        }
    }

    /// <summary>Frees the session's memory, at once or when the run under way has ended.</summary>
    public void Dispose()
    {
        if (Interlocked.CompareExchange(ref _state, Closed, Idle) == Idle)
            Free();
        else
            Interlocked.CompareExchange(ref _state, Closing, Running);
    }

    private void Run(
        ReadOnlySpan<float> conditions,
        Span<float> results,
        NoiseSource noise,
        StepObserver? observer,
        ref RunMeasurement measurement,
        CancellationToken cancellation)
    {
        CheckConditions(conditions);
        CheckNoise(noise);
        _executor.SetConditions(conditions);
        _executor.SetState(noise);
        // Nobody looks in between: a backend may take all rows at once.
        if (observer is not null || cancellation.CanBeCanceled || !_executor.TryRun(_rows, noise))
            RunRows(noise, observer, ref measurement, cancellation);
        _executor.GetState(results);
        if (FiniteScan.FirstNonFinite(results) >= 0)
            FindNonFinite(noise, results, cancellation);
    }

    private void RunRows(NoiseSource noise, StepObserver? observer, ref RunMeasurement measurement, CancellationToken cancellation)
    {
        for (int i = 0; i < _rows.Length; i++)
        {
            CheckGoingOn(cancellation);
            measurement.BeginStep();
            _executor.Step(in _rows[i], noise);
            measurement.EndStep(i, _rows[i].T);
            observer?.Invoke(new StepObservation(_executor, i, _rows.Length, _rows[i].T));
        }
    }

    private void Enter()
    {
        int state = Interlocked.CompareExchange(ref _state, Running, Idle);
        ObjectDisposedException.ThrowIf(state is Closing or Closed, this);
        if (state == Running)
            throw new InvalidOperationException("this session is running; one session serves one run at a time, make one for each thread");
    }

    private void Exit()
    {
        if (Interlocked.CompareExchange(ref _state, Idle, Running) == Running)
            return;
        Volatile.Write(ref _state, Closed);
        Free();
    }

    private void Free()
    {
        EngineMetrics.SessionClosed(ArenaBytes);
        _executor.Dispose();
        _engine.Release();
    }

    private void CheckGoingOn(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _state) == Closing, this);
    }

    private void CheckLengths(ReadOnlySpan<float> conditions, ReadOnlySpan<float> results)
    {
        if (conditions.Length != Plan.ConditionSamples)
            throw new ArgumentException(
                $"{conditions.Length} samples, expected [{Plan.Windows} windows, {Plan.Conditions.Count} conditions, "
                + $"{Plan.Configuration.SlotSamples} samples] = {Plan.ConditionSamples}", nameof(conditions));
        if (results.Length != Plan.StateSamples)
            throw new ArgumentException(
                $"{results.Length} samples, expected [{Plan.Windows} windows, {Plan.Draws} draws, {Plan.Configuration.SlotSamples} "
                + $"samples] = {Plan.StateSamples}", nameof(results));
    }

    private void CheckLength(NoiseSource noise)
    {
        if (noise.IsExplicit)
        {
            long expected = (long)Sampler.NoiseDraws * Plan.StateSamples;
            if (noise.Values.Length != expected)
                throw new ArgumentException(
                    $"{noise.Values.Length} noise values, expected [{Sampler.NoiseDraws} noises, {Plan.BatchDraws} draws, "
                    + $"{Plan.Configuration.SlotSamples} samples] = {expected}", nameof(noise));
        }
        else if (noise.Windows.Length != Plan.Windows)
        {
            throw new ArgumentException($"{noise.Windows.Length} window identities, expected {Plan.Windows}", nameof(noise));
        }
    }

    private void CheckConditions(ReadOnlySpan<float> conditions)
    {
        int at = FiniteScan.FirstNonFinite(conditions);
        if (at < 0)
            return;
        int samples = Plan.Configuration.SlotSamples, count = Plan.Conditions.Count;
        throw new ConditionValueException(at / samples / count, Plan.Conditions[at / samples % count], at % samples, conditions[at]);
    }

    private void CheckNoise(NoiseSource noise)
    {
        int at = FiniteScan.FirstNonFinite(noise.Values);
        if (at < 0)
            return;
        int samples = Plan.Configuration.SlotSamples;
        throw new ArgumentException(
            $"noise {at / Plan.StateSamples}, draw {at / samples % Plan.BatchDraws}, sample {at % samples}: {noise.Values[at]} is "
            + $"not a finite number", nameof(noise));
    }

    /// <summary>
    /// Runs again, looking after every row, and throws for the first state that is not finite. A run is a function of its
    /// conditions and noise, so the second one meets the same fate, and good runs pay nothing for knowing where bad ones broke.
    /// </summary>
    private void FindNonFinite(NoiseSource noise, Span<float> results, CancellationToken cancellation)
    {
        int last = FiniteScan.FirstNonFinite(results), step = -1;
        try
        {
            _executor.SetState(noise);
            for (_executor.GetState(results); FiniteScan.FirstNonFinite(results) < 0 && step < _rows.Length - 1;
                _executor.GetState(results))
            {
                CheckGoingOn(cancellation);
                _executor.Step(in _rows[++step], noise);
            }

            int at = FiniteScan.FirstNonFinite(results);
            if (at < 0)
                at = last;
            int samples = Plan.Configuration.SlotSamples, batchDraw = at / samples;
            throw new NonFiniteResultException(batchDraw / Plan.Draws, batchDraw % Plan.Draws, step, step < 0 ? -1 : _rows[step].T,
                at % samples);
        }
        finally
        {
            results.Clear();
        }
    }
}
