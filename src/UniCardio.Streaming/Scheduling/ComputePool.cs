using UniCardio.Engine.Sessions;

namespace UniCardio.Streaming;

/// <summary>The engine's sessions, made on first use and kept while memory allows. For one thread at a time.</summary>
internal sealed class ComputePool : IDisposable
{
    private readonly InferenceEngine _engine;
    private readonly long _mostBytes;
    private readonly List<ComputeSlot> _slots = [];
    private long _uses;

    public ComputePool(InferenceEngine engine, long mostBytes) => (_engine, _mostBytes) = (engine, mostBytes);

    /// <summary>Bytes held.</summary>
    public long Bytes { get; private set; }

    /// <summary>Whether another slot of about that size would push one out.</summary>
    public bool IsFull(long bytes) => Bytes + bytes > _mostBytes;

    /// <summary>The slot for a shape and a number of windows.</summary>
    public ComputeSlot Get(TaskShape shape, int windows)
    {
        foreach (ComputeSlot slot in _slots)
        {
            if (slot.Windows == windows && slot.Shape.Equals(shape))
            {
                slot.LastUse = ++_uses;
                return slot;
            }
        }
        var made = new ComputeSlot(_engine, shape, windows) { LastUse = ++_uses };
        _slots.Add(made);
        Bytes += made.Bytes;
        while (Bytes > _mostBytes && _slots.Count > 1)
            Remove(_slots.MinBy(s => s.LastUse)!);
        return made;
    }

    public void Dispose()
    {
        while (_slots.Count > 0)
            Remove(_slots[^1]);
    }

    private void Remove(ComputeSlot slot)
    {
        _slots.Remove(slot);
        Bytes -= slot.Bytes;
        slot.Dispose();
    }
}
