using System.Diagnostics;
using UniCardio.Engine.Model;
using UniCardio.Serving.Inference;
using UniCardio.Streaming;

namespace UniCardio.Serving.Hosting;

/// <summary>What computes, once the weights are packed.</summary>
internal sealed record Served(ServedModel Model, InferWorker Infer, StreamingHost Live);

/// <summary>Loads the network in the background and says whether it is there.</summary>
internal sealed class ModelHost : IDisposable
{
    private readonly CancellationTokenSource _cancellation = new();
    private readonly CancellationTokenSource _bodies = new();
    private int _reading;
    private readonly ServerOptions _options;
    private volatile Served? _served;
    private volatile bool _isReady;
    private volatile bool _stopping;

    public ModelHost(ServerOptions options)
    {
        _options = options;
        Bodies = _bodies.Token;
    }

    /// <summary>Ends when the server is ready, or with what went wrong.</summary>
    public Task Ready { get; private set; } = Task.CompletedTask;

    /// <summary>Whether somebody has asked to stop.</summary>
    public bool IsStopping => _stopping;

    /// <summary>Whether requests are answered: the weights are packed and nobody has asked to stop.</summary>
    public bool IsReady => _isReady && !_stopping;

    /// <summary>What computes, or null.</summary>
    public Served? Served => _served;

    /// <summary>Cancelled when a server that shuts down waits no longer for bodies that are not there yet.</summary>
    public CancellationToken Bodies { get; }

    /// <summary>Requests between the two ends of <see cref="Reading"/>.</summary>
    public int BodiesUnderWay => Volatile.Read(ref _reading);

    /// <summary>A request from the first byte of its body until it waits to be computed: stopping waits for it, for a while.</summary>
    public IDisposable Reading() => new Reader(this);

    /// <exception cref="RequestException">It is not there yet, or not any more.</exception>
    public Served Require()
    {
        if (_stopping)
            throw RequestException.Stopping();
        return _isReady ? _served! : throw RequestException.Unavailable("the weights are not packed yet", 2);
    }

    /// <summary>Begins to load.</summary>
    /// <param name="load">Loads and packs the weights.</param>
    /// <param name="prepare">What is to be done before the server is ready.</param>
    public void Start(Func<CancellationToken, ServedModel> load, Action<Served> prepare) => Ready = Task.Run(() =>
    {
        ServedModel model = load(_cancellation.Token);
        Served served = _served = Share(model);
        // The commonest task, so that the first patient does not wait for the compiler.
        served.Live.WarmUp([CardioTask.Impute(Modality.Bp, ModalitySet.Ppg)], _options.Live, cancellation: _cancellation.Token);
        prepare(served);
        _isReady = true;
    });

    /// <summary>From now on nothing is ready; finishes what is in flight.</summary>
    /// <param name="bodies">How long at most for bodies that have begun.</param>
    /// <param name="computing">How long at most, with that, for what they ask for.</param>
    public async Task DrainAsync(TimeSpan bodies, TimeSpan computing)
    {
        long start = Stopwatch.GetTimestamp();
        _stopping = true;
        await _cancellation.CancelAsync();
        while (BodiesUnderWay > 0 && Stopwatch.GetElapsedTime(start) < bodies)
            await Task.Delay(10);
        await _bodies.CancelAsync();
        if (_served is Served served)
            await served.Infer.DrainAsync(computing - Stopwatch.GetElapsedTime(start));
    }

    private Served Share(ServedModel model)
    {
        try
        {
            var live = new StreamingHost(model.Engine, new StreamingHostOptions { MaxBatch = _options.MaxBatch,
                MaxSessions = _options.MaxPatients, MaxComputeBytes = _options.MaxComputeBytes });
            return new Served(model, new InferWorker(model.Engine, _options, () => live.IsBusy), live);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _stopping = true;
        _cancellation.Cancel();
        // Loading cannot be cut short everywhere; what it makes must be freed.
        ((IAsyncResult)Ready).AsyncWaitHandle.WaitOne();
        if (_served is Served served)
        {
            served.Infer.Dispose();
            served.Live.Dispose();
            served.Model.Dispose();
        }
        _cancellation.Dispose();
        _bodies.Dispose();
    }

    private sealed class Reader : IDisposable
    {
        private ModelHost? _host;

        public Reader(ModelHost host)
        {
            _host = host;
            Interlocked.Increment(ref host._reading);
        }

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _host, null) is ModelHost host)
                Interlocked.Decrement(ref host._reading);
        }
    }
}
