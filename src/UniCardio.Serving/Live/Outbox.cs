namespace UniCardio.Serving.Live;

/// <summary>
/// What a connection is to be sent, in order. Frames beyond a number are dropped, the oldest first, and counted; control messages are
/// kept, and are too many only if the client asks without reading.
/// </summary>
internal sealed class Outbox(int maxFrames) : IDisposable
{
    private const int MaxControls = 1024;

    private readonly Lock _lock = new();
    private readonly Queue<Item> _items = new();
    private readonly Queue<Item> _frames = new();
    private readonly SemaphoreSlim _ready = new(0);
    private long _dropped;
    private int _controls;
    private bool _isClosed;

    /// <summary>Adds a message that the caller has retained for it.</summary>
    /// <returns>False if the box is closed or too full of control messages; the message is then released.</returns>
    public bool Add(SharedMessage message)
    {
        lock (_lock)
        {
            if (_isClosed || (!message.IsFrame && _controls == MaxControls))
            {
                message.Release();
                return false;
            }
            var item = new Item(message);
            _items.Enqueue(item);
            if (message.IsFrame)
            {
                _frames.Enqueue(item);
                if (_frames.Count > maxFrames)
                    Drop();
            }
            else
            {
                _controls++;
            }
            _ready.Release();
        }
        return true;
    }

    /// <summary>
    /// The next message, to be released after sending, and the frames dropped before it if it is a frame; null once the box is closed and
    /// empty.
    /// </summary>
    public async ValueTask<(SharedMessage? Message, long Dropped)> TakeAsync(CancellationToken cancellation)
    {
        while (true)
        {
            await _ready.WaitAsync(cancellation);
            lock (_lock)
            {
                if (!_items.TryDequeue(out Item? item))
                {
                    if (_isClosed)
                        return (null, 0);
                    continue;
                }
                if (item.Message is not SharedMessage message)
                    continue;
                if (!message.IsFrame)
                {
                    _controls--;
                    return (message, 0);
                }
                _frames.Dequeue();
                long dropped = _dropped;
                _dropped = 0;
                return (message, dropped);
            }
        }
    }

    /// <summary>Takes no more; what is in it is still handed out.</summary>
    public void Close()
    {
        lock (_lock)
        {
            if (_isClosed)
                return;
            _isClosed = true;
            _ready.Release();
        }
    }

    /// <summary>Closes and releases what is in it; nobody takes from it any more.</summary>
    public void Dispose()
    {
        Close();
        lock (_lock)
        {
            foreach (Item item in _items)
                item.Message?.Release();
            _items.Clear();
            _frames.Clear();
        }
        _ready.Dispose();
    }

    private void Drop()
    {
        Item oldest = _frames.Dequeue();
        oldest.Message!.Release();
        oldest.Message = null;
        _dropped++;
        Metrics.ServingMetrics.FramesDropped.Add(1);
    }

    private sealed class Item(SharedMessage message)
    {
        public SharedMessage? Message { get; set; } = message;
    }
}
