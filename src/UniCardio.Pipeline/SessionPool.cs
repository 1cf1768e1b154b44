using UniCardio.Engine.Sessions;

namespace UniCardio.Pipeline;

/// <summary>
/// The engine's sessions with their buffers, made on first use and kept while memory allows; those not used for longest go first. For one
/// thread at a time.
/// </summary>
/// <param name="engine">The network; must outlive the pool.</param>
/// <param name="maxBytes">Bytes of working memory that are kept; the batch in use is kept in any case.</param>
internal sealed class SessionPool(InferenceEngine engine, long maxBytes) : IDisposable
{
    private readonly List<WindowBatch> _batches = [];
    private long _uses;

    /// <summary>The network.</summary>
    public InferenceEngine Engine => engine;

    /// <summary>Bytes held.</summary>
    public long Bytes { get; private set; }

    /// <summary>Whether another batch pushes one out.</summary>
    public bool IsFull => Bytes > maxBytes;

    /// <summary>The batch for a shape and a number of windows; valid until the next call.</summary>
    /// <param name="shape">What it computes.</param>
    /// <param name="windows">Windows W; 1 for an estimate.</param>
    /// <exception cref="Engine.ConfigurationException">The sampler does not fit the network or the task.</exception>
    public WindowBatch Get(WindowShape shape, int windows)
    {
        foreach (WindowBatch batch in _batches)
        {
            if (batch.Windows == windows && batch.Shape.Equals(shape))
            {
                batch.LastUse = ++_uses;
                return batch;
            }
        }

        var made = new WindowBatch(engine, shape, windows) { LastUse = ++_uses };
        _batches.Add(made);
        Bytes += made.Bytes;
        while (IsFull && _batches.Count > 1)
            Remove(_batches.MinBy(b => b.LastUse)!);
        return made;
    }

    /// <summary>Frees every session.</summary>
    public void Dispose()
    {
        while (_batches.Count > 0)
            Remove(_batches[^1]);
    }

    private void Remove(WindowBatch batch)
    {
        _batches.Remove(batch);
        Bytes -= batch.Bytes;
        batch.Dispose();
    }
}
