using System.Collections.Concurrent;
using System.Diagnostics;
using UniCardio.Engine.Sessions;
using UniCardio.Pipeline;
using UniCardio.Serving.Hosting;
using UniCardio.Serving.Metrics;

namespace UniCardio.Serving.Inference;

/// <summary>
/// Computes infer requests, one after the other, on a thread of its own: the network takes all cores by itself. Live hops go first:
/// between steps a request waits while one waits or is computed, as long as nine such steps take, so that it gets on too.
/// </summary>
internal sealed class InferWorker : IDisposable
{
    // While there are live hops, an infer request gets one part of the time, they get this many; for so long at a time, so that it gets on.
    private const int LiveWeight = 9;
    private static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RefusalTime = TimeSpan.FromMilliseconds(100);

    private readonly int _maxWaiting;
    private readonly Func<bool> _isLiveBusy;
    private readonly SessionPool _sessions;
    private readonly BlockingCollection<Entry> _queue = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly Thread _thread;
    private int _pending;
    private int _running;
    private long _stepBegan;

    public InferWorker(InferenceEngine engine, ServerOptions options, Func<bool> isLiveBusy)
    {
        _maxWaiting = options.MaxWaiting;
        _isLiveBusy = isLiveBusy;
        _sessions = new SessionPool(engine, options.MaxComputeBytes);
        _thread = new Thread(Work) { IsBackground = true, Name = "UniCardio infer" };
        _thread.Start();
    }

    /// <summary>Requests that wait.</summary>
    public int Waiting => Volatile.Read(ref _pending) - Running;

    /// <summary>Requests that run, 0 or 1.</summary>
    public int Running => Volatile.Read(ref _running);

    /// <summary>Refuses before a body is read and parsed for nothing, and not at once: refused clients that ask again without a pause kept
    /// both cores so busy with 12,700 refusals a second that live hops came 0.7 s later.</summary>
    /// <param name="cancellation">Ends waiting.</param>
    /// <exception cref="RequestException">Too many wait, and still do a moment later.</exception>
    public async ValueTask RequireRoomAsync(CancellationToken cancellation)
    {
        if (!IsFull)
            return;
        await Task.Delay(RefusalTime, cancellation);
        if (IsFull)
            throw Full();
    }

    /// <summary>Computes a job.</summary>
    /// <param name="job">The job.</param>
    /// <param name="cancellation">Ends waiting at once and computing at the next step.</param>
    /// <exception cref="RequestException">Too many wait, or the server is shutting down.</exception>
    public async Task RunAsync(InferJob job, CancellationToken cancellation)
    {
        if (Interlocked.Increment(ref _pending) > _maxWaiting + 1)
        {
            Interlocked.Decrement(ref _pending);
            throw Full();
        }
        ServingMetrics.InferPending.Add(1);
        using Activity? activity = ServingMetrics.Activities.StartActivity("infer.wait");
        var entry = new Entry(job, activity, cancellation);
        try
        {
            try
            {
                _queue.Add(entry, CancellationToken.None);
            }
            catch (InvalidOperationException)
            {
                throw RequestException.Stopping();
            }
            await using CancellationTokenRegistration registration = cancellation.Register(() => entry.Done.TrySetCanceled(cancellation));
            await entry.Done.Task;
        }
        finally
        {
            ServingMetrics.InferPending.Add(-1);
            Interlocked.Decrement(ref _pending);
        }
    }

    /// <summary>Takes no more jobs and waits for those it has; those that are not done in time are answered so.</summary>
    /// <param name="time">How long at most.</param>
    public async Task DrainAsync(TimeSpan time)
    {
        _queue.CompleteAdding();
        long start = Stopwatch.GetTimestamp();
        while (_thread.IsAlive && Stopwatch.GetElapsedTime(start) < time)
            await Task.Delay(10);
        if (_thread.IsAlive)
            await _stopping.CancelAsync();
    }

    public void Dispose()
    {
        _queue.CompleteAdding();
        _stopping.Cancel();
        _thread.Join();
        _sessions.Dispose();
        _queue.Dispose();
        _stopping.Dispose();
    }

    private bool IsFull => Volatile.Read(ref _pending) > _maxWaiting;

    private RequestException Full() =>
        RequestException.Unavailable($"{_maxWaiting} requests wait already, which is as many as this server allows");

    private void Work()
    {
        foreach (Entry entry in _queue.GetConsumingEnumerable())
        {
            if (entry.Done.Task.IsCompleted)
                continue;
            Volatile.Write(ref _running, 1);
            Run(entry);
            Volatile.Write(ref _running, 0);
        }
    }

    private void Run(Entry entry)
    {
        InferJob job = entry.Job;
        ServingMetrics.InferWait.Record(Stopwatch.GetElapsedTime(entry.Arrived).TotalSeconds);
        entry.Waiting?.Stop();
        using Activity? activity = ServingMetrics.Activities.StartActivity("infer.compute", ActivityKind.Internal, entry.Parent);
        activity?.SetTag("unicardio.task", job.Task.ToString()).SetTag("unicardio.windows", job.Windows)
            .SetTag("unicardio.draws", job.Parameters.Draws).SetTag("unicardio.sampler", job.Parameters.Sampler.ToString());
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(entry.Cancellation, _stopping.Token);
        long start = Stopwatch.GetTimestamp();
        try
        {
            _stepBegan = start;
            LetLiveGoFirst(cancellation.Token);
            // Window by window: what a step takes is what a live hop may have to share the machine with.
            job.Compute(new WindowSeries(_sessions) { WindowsPerBatch = 1 }, () => LetLiveGoFirst(cancellation.Token), cancellation.Token);
            job.ComputeTime = Stopwatch.GetElapsedTime(start);
            ServingMetrics.InferWindows.Add(job.Windows);
            entry.Done.TrySetResult();
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            entry.Done.TrySetException(RequestException.Unavailable("the server was shut down before this was computed", 5));
        }
        catch (OperationCanceledException)
        {
            entry.Done.TrySetCanceled(entry.Cancellation);
        }
#pragma warning disable CA1031 // The thread serves others too: whatever one request runs into is that request's answer.
        catch (Exception problem)
#pragma warning restore CA1031
        {
            activity?.SetStatus(ActivityStatusCode.Error, problem.GetType().Name);
            entry.Done.TrySetException(problem);
        }
    }

    // Between two steps, and before the first.
    private void LetLiveGoFirst(CancellationToken cancellation)
    {
        TimeSpan step = Stopwatch.GetElapsedTime(_stepBegan);
        TimeSpan pause = step * LiveWeight < MaxPause ? step * LiveWeight : MaxPause;
        long start = Stopwatch.GetTimestamp();
        while (_isLiveBusy() && Stopwatch.GetElapsedTime(start) < pause && !cancellation.IsCancellationRequested)
            Thread.Sleep(1);
        _stepBegan = Stopwatch.GetTimestamp();
    }

    private sealed class Entry(InferJob job, Activity? waiting, CancellationToken cancellation)
    {
        public InferJob Job { get; } = job;

        public Activity? Waiting { get; } = waiting;

        public ActivityContext Parent { get; } = waiting?.Parent?.Context ?? default;

        public long Arrived { get; } = Stopwatch.GetTimestamp();

        public CancellationToken Cancellation { get; } = cancellation;

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
