using UniCardio.Serving.Inference;

namespace UniCardio.Serving.Hosting;

/// <summary>What computes, once the weights are packed.</summary>
internal sealed record Served(ServedModel Model, InferWorker Infer);

/// <summary>Loads the network in the background and says whether it is there.</summary>
internal sealed class ModelHost : IDisposable
{
    private readonly CancellationTokenSource _cancellation = new();
    private volatile Served? _served;
    private volatile bool _stopping;

    public ModelHost(ServerOptions options, Func<CancellationToken, ServedModel> load) =>
        Ready = Task.Run(() =>
        {
            ServedModel model = load(_cancellation.Token);
            _served = new Served(model, new InferWorker(model.Engine, options, () => 0));
        });

    /// <summary>Ends when the server is ready, or with what went wrong.</summary>
    public Task Ready { get; }

    /// <summary>Whether requests are answered: the weights are packed and nobody has asked to stop.</summary>
    public bool IsReady => _served is not null && !_stopping;

    /// <summary>What computes, or null.</summary>
    public Served? Served => _served;

    /// <exception cref="RequestException">It is not there yet, or not any more.</exception>
    public Served Require()
    {
        if (_stopping)
            throw RequestException.Unavailable("the server is shutting down", 5);
        return _served ?? throw RequestException.Unavailable("the weights are not packed yet", 2);
    }

    /// <summary>From now on nothing is ready; finishes what is in flight.</summary>
    public async Task DrainAsync(TimeSpan time)
    {
        _stopping = true;
        await _cancellation.CancelAsync();
        if (_served is Served served)
            await served.Infer.DrainAsync(time);
    }

    public void Dispose()
    {
        _stopping = true;
        _cancellation.Cancel();
        // Loading cannot be cut short everywhere; what it makes must not be left behind.
        ((IAsyncResult)Ready).AsyncWaitHandle.WaitOne();
        if (_served is Served served)
        {
            served.Infer.Dispose();
            served.Model.Dispose();
        }
        _cancellation.Dispose();
    }
}
