using System.Numerics;
using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sessions;
using UniCardio.Pipeline;
using UniCardio.Streaming.Planning;
using UniCardio.Streaming.Scheduling;

namespace UniCardio.Streaming;

/// <summary>Live sessions of many patients on one engine.</summary>
/// <remarks>
/// <para>
/// Windows of different sessions that run the same task run as one batch; the hop that has waited longest for its
/// <see cref="StreamingSessionOptions.Deadline"/>
/// comes first. When the machine cannot keep up, a session whose hops have missed their deadline jumps to its newest one and keeps its
/// place in the queue: the others are skipped and counted, and what they were to generate is taken from the newer window where it reaches
/// back that far. No sample is lost or reordered, and no session waits for more than one hop of each other one.
/// </para>
/// <para>Safe to use from several threads. After <see cref="WarmUp"/> and a session's first seconds a hop allocates nothing.</para>
/// <para>An example, with an engine made of weights; frames go to the handler as samples come in:</para>
/// <code>
/// using var host = new StreamingHost(engine);
/// host.WarmUp();
/// var options = new StreamingSessionOptions { Ppg = new ChannelOptions(125), Bp = new ChannelOptions(125), Generate = ModalitySet.Bp };
/// using StreamingSession session = host.Open(options, (_, frame) =>
/// {
///     for (int i = 0; i &lt; frame.Count; i++)
///         Draw(frame.TimeOf(i), frame.Values(Modality.Bp)[i], frame.Provenance(Modality.Bp)[i]);
/// });
/// foreach (Block block in Device())
///     session.Push(block.Modality, block.Time, block.Samples);
/// </code>
/// <para>Research software, not a medical device.</para>
/// </remarks>
public sealed class StreamingHost : IDisposable
{
    private readonly TimeProvider _time;
    private readonly List<StreamingSession> _sessions = [];
    private readonly List<TaskCompletionSource> _idle = [];
    private readonly BatchSelection _selection;
    private readonly SessionPool _pool;
    private readonly BatchRun _run;
    private readonly LoadMeter _load;
    private readonly Dictionary<WindowShape, long> _calls = [];
    private readonly Lock _compute = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly AutoResetEvent _wake = new(false);
    private readonly Thread? _thread;
    private bool _isComputing;
    private bool _isDisposed;

    /// <summary>Makes a host.</summary>
    /// <param name="engine">The engine; it stays the caller's and must outlive the host.</param>
    /// <param name="options">Batches and limits; null for the defaults.</param>
    /// <param name="time">The clock for deadlines and delays; null for the system's.</param>
    /// <exception cref="ConfigurationException">An option is out of range, or the network's window is not 0.4 to 60 s long.</exception>
    public StreamingHost(InferenceEngine engine, StreamingHostOptions? options = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(engine);
        Engine = engine;
        Options = (options ?? new StreamingHostOptions()).Validate();
        SlotSamples = engine.Configuration.SlotSamples;
        if (SlotSamples is < 50 or > 7500)
            throw new ConfigurationException("window",
                $"the network takes {SlotSamples} samples, expected 50 to 7500 (0.4 to 60 s at 125 Hz)");
        _time = time ?? TimeProvider.System;
        _selection = new BatchSelection(Options.MaxBatch);
        _pool = new SessionPool(engine, Options.MaxComputeBytes);
        _run = new BatchRun(_pool);
        _load = new LoadMeter(_time);
        if (!Options.OwnThread)
            return;
        _thread = new Thread(Loop) { IsBackground = true, Name = "UniCardio streaming" };
        _thread.Start();
    }

    /// <summary>The engine.</summary>
    public InferenceEngine Engine { get; }

    /// <summary>The options in force.</summary>
    public StreamingHostOptions Options { get; }

    /// <summary>Sessions open.</summary>
    public int SessionCount
    {
        get
        {
            lock (Gate)
                return _sessions.Count;
        }
    }

    /// <summary>Hops that wait for computing.</summary>
    public int QueueLength
    {
        get
        {
            int waiting = 0;
            lock (Gate)
            {
                foreach (StreamingSession session in _sessions)
                    waiting += session.Queue.Waiting;
            }
            return waiting;
        }
    }

    /// <summary>Whether a hop waits or is computed: who shares the machine goes on when none is.</summary>
    internal bool IsBusy
    {
        get
        {
            lock (Gate)
                return _isComputing || _sessions.Exists(s => s.Queue.Waiting > 0);
        }
    }

    /// <summary>What the machine can do and what is asked of it, as measured over the last seconds.</summary>
    public StreamingLoad Load
    {
        get
        {
            lock (Gate)
                return _load.Read();
        }
    }

    /// <summary>
    /// What went wrong last in computing, if anything did; the windows concerned are counted in <see cref="SessionCounts.FailedWindows"/>.
    /// </summary>
    public Exception? Failure => _run.Failure;

    /// <summary>Guards the queues, the frames under construction and the list of sessions.</summary>
    internal Lock Gate { get; } = new();

    internal int SlotSamples { get; }

    /// <summary>Allocates what computing needs, so that no hop does.</summary>
    /// <param name="tasks">The tasks to expect; null for all that open sessions can come to, or all there are if none is open.</param>
    /// <param name="sampling">Draws and sampler; null for the default.</param>
    /// <param name="progress">Told the share that is done, 0 to 1.</param>
    /// <param name="cancellation">Stops between tasks.</param>
    /// <returns>Bytes of working memory held; less than all tasks need where <see cref="StreamingHostOptions.MaxComputeBytes"/> is
    /// reached.</returns>
    /// <exception cref="ConfigurationException">The sampler does not fit the network or a task.</exception>
    /// <exception cref="ObjectDisposedException">The host is disposed.</exception>
    public long WarmUp(IEnumerable<CardioTask>? tasks = null, LiveSampling? sampling = null, IProgress<double>? progress = null,
        CancellationToken cancellation = default)
    {
        LiveSampling settings = (sampling ?? new LiveSampling()).Validate();
        WindowShape[] shapes = tasks is null ? Expected(settings) : [.. tasks.Select(settings.ShapeOf).Distinct()];
        int sizes = BitOperations.Log2((uint)Options.MaxBatch) + 1;
        lock (_compute)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            for (int i = 0; i < shapes.Length * sizes; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                // Single windows of all tasks first: they are what a small host runs.
                (int size, int shape) = Math.DivRem(i, shapes.Length);
                if (_pool.IsFull)
                    break;
                if (size > 0 && shapes[shape].IsEstimate)
                    continue;
                WindowBatch batch = _pool.Get(shapes[shape], 1 << size);
                if (i == 0)
                    batch.Run(cancellation: cancellation);
                progress?.Report((i + 1.0) / (shapes.Length * sizes));
            }
            return _pool.Bytes;
        }
    }

    /// <summary>Opens a session.</summary>
    /// <param name="options">What it takes and makes.</param>
    /// <param name="handler">Receives the frames; null to read them from <see cref="StreamingSession.ReadAllAsync"/>.</param>
    /// <exception cref="ConfigurationException">An option is out of range; it is named.</exception>
    /// <exception cref="TooManySessionsException">The host is full.</exception>
    /// <exception cref="ObjectDisposedException">The host is disposed.</exception>
    public StreamingSession Open(StreamingSessionOptions options, FrameHandler? handler = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        var session = new StreamingSession(this, options, handler, _time);
        Add(session);
        return session;
    }

    /// <summary>
    /// Continues a session where <see cref="StreamingSession.Checkpoint"/> left it: the frames that follow are those that would have
    /// followed.
    /// </summary>
    /// <param name="checkpoint">What the session wrote. It may hold anything: it is checked before it is believed.</param>
    /// <param name="handler">As in <see cref="Open"/>.</param>
    /// <exception cref="CheckpointException">It is not a sound checkpoint of a session on a network with this window.</exception>
    /// <exception cref="TooManySessionsException">The host is full.</exception>
    /// <exception cref="ObjectDisposedException">The host is disposed.</exception>
    public StreamingSession Restore(ReadOnlySpan<byte> checkpoint, FrameHandler? handler = null)
    {
        StreamingSession session = SessionCheckpoint.Read(checkpoint, this, handler, _time);
        try
        {
            Add(session);
        }
        catch
        {
            session.Dispose();
            throw;
        }
        session.GoOn();
        return session;
    }

    /// <summary>
    /// Computes and delivers on the calling thread until no hop waits. Only where <see cref="StreamingHostOptions.OwnThread"/> is off.
    /// </summary>
    /// <param name="cancellation">Stops at the next sampler step; the batch under way is computed again by the next call.</param>
    /// <returns>Batches computed.</returns>
    /// <exception cref="InvalidOperationException">The host has a thread of its own, or another call is under way.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The host is disposed.</exception>
    public int RunPending(CancellationToken cancellation = default)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (_thread is not null)
            throw new InvalidOperationException(
                $"this host computes on a thread of its own; switch {nameof(StreamingHostOptions.OwnThread)} off to drive it");
        if (_compute.IsHeldByCurrentThread || !_compute.TryEnter())
            throw new InvalidOperationException("another call is under way");
        try
        {
            int batches = 0;
            while (RunBatch(cancellation))
                batches++;
            return batches;
        }
        finally
        {
            _compute.Exit();
        }
    }

    /// <summary>Waits until no hop waits or is computed.</summary>
    /// <param name="cancellation">Stops waiting.</param>
    public Task DrainAsync(CancellationToken cancellation = default)
    {
        TaskCompletionSource done;
        lock (Gate)
        {
            if (!_isComputing && !IsAnythingWaiting())
                return Task.CompletedTask;
            _idle.Add(done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        return done.Task.WaitAsync(cancellation);
    }

    /// <summary>
    /// Stops computing at the next sampler step and closes every session. Call <see cref="DrainAsync"/> first to finish what waits.
    /// </summary>
    public void Dispose()
    {
        StreamingSession[] open;
        lock (Gate)
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
            open = [.. _sessions];
        }
        _stop.Cancel();
        _wake.Set();
        if (Thread.CurrentThread != _thread)
            _thread?.Join();
        foreach (StreamingSession session in open)
            session.Dispose();
        lock (_compute)
            _pool.Dispose();
        SignalIdle();
    }

    /// <summary>A hop asks for computing; under the gate.</summary>
    internal void CountWanted(HopPlan plan)
    {
        for (int m = 0; m < HopPlan.Modalities; m++)
        {
            if (plan.Targets[m].IsWanted)
                _load.Want(CallsOf(plan.Sampling.ShapeOf(plan.TaskOf(m))));
        }
    }

    /// <summary>Has somebody look at the queues.</summary>
    internal void Wake() => _wake.Set();

    /// <summary>A session is closed.</summary>
    internal void Remove(StreamingSession session)
    {
        lock (Gate)
        {
            if (_sessions.Remove(session))
                StreamingMetrics.CountSessions(-1);
        }
        // What it waited for may have been the last.
        _wake.Set();
    }

    private void Add(StreamingSession session)
    {
        lock (Gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_sessions.Count >= Options.MaxSessions)
                throw new TooManySessionsException(Options.MaxSessions);
            _sessions.Add(session);
            StreamingMetrics.CountSessions(1);
        }
    }

    private WindowShape[] Expected(LiveSampling sampling)
    {
        lock (Gate)
        {
            return _sessions.Count == 0
                ? [.. sampling.Reachable(ModalitySet.All, ModalitySet.All, ModalitySet.All)]
                : [.. _sessions.SelectMany(s => sampling.Reachable(s.Channels, s.Generate, s.Denoise)).Distinct()];
        }
    }

    private void Loop()
    {
        while (!_stop.IsCancellationRequested)
        {
            bool hasRun = false;
            try
            {
                lock (_compute)
                    hasRun = RunBatch(_stop.Token);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            if (!hasRun)
                _wake.WaitOne();
        }
    }

    private bool RunBatch(CancellationToken cancellation)
    {
        lock (Gate)
        {
            _selection.Choose(_sessions, _time.GetTimestamp());
            _isComputing = _selection.Count > 0;
        }
        if (_selection.Count == 0)
        {
            SignalIdle();
            return false;
        }

        ulong failed = 0;
        bool isComputed = false;
        try
        {
            long start = _time.GetTimestamp();
            failed = _run.Run(_selection.Shape, _selection.Jobs, cancellation);
            isComputed = true;
            lock (Gate)
                _load.Do(_selection.Count * CallsOf(_selection.Shape), _time.GetElapsedTime(start));
        }
        finally
        {
            Finish(failed, isComputed);
        }
        StreamingMetrics.BatchSize.Record(_selection.Count);
        StreamingMetrics.Windows.Add(_selection.Count);
        foreach (BatchJob job in _selection.Jobs)
            job.Session.Deliver();
        lock (Gate)
            _isComputing = false;
        _selection.Clear();
        return true;
    }

    // Under the gate. Kept, for a hop allocates nothing.
    private long CallsOf(WindowShape shape)
    {
        if (!_calls.TryGetValue(shape, out long calls))
            _calls.Add(shape, calls = shape.IsEstimate ? shape.MaxEstimateCalls : (long)shape.Draws * shape.Steps(Engine.Configuration));
        return calls;
    }

    private void Finish(ulong failed, bool isComputed)
    {
        lock (Gate)
        {
            for (int i = 0; i < _selection.Count; i++)
            {
                BatchJob job = _selection.Jobs[i];
                job.Session.TakeResult(job.Plan, job.Modality, isComputed, ((failed >> i) & 1) != 0);
            }
            if (!isComputed)
                _isComputing = false;
        }
    }

    private bool IsAnythingWaiting()
    {
        foreach (StreamingSession session in _sessions)
        {
            if (session.Queue.TryNext(0, out _, out _))
                return true;
        }
        return false;
    }

    private void SignalIdle()
    {
        lock (Gate)
        {
            if (_idle.Count == 0 || (!_isDisposed && (_isComputing || IsAnythingWaiting())))
                return;
            foreach (TaskCompletionSource done in _idle)
                done.TrySetResult();
            _idle.Clear();
        }
    }
}
