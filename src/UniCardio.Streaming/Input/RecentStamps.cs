namespace UniCardio.Streaming.Input;

/// <summary>Time stamps of the newest blocks of a channel, to know one that is sent twice.</summary>
internal sealed class RecentStamps
{
    public const int Capacity = 32;

    private readonly long[] _times = new long[Capacity];
    private readonly long[] _indices = new long[Capacity];
    private int _next;

    /// <summary>Stamps remembered.</summary>
    public int Count { get; private set; }

    /// <summary>Finds the sample at which the block of a stamp stands.</summary>
    public bool TryFind(long time, out long index)
    {
        int at = Array.IndexOf(_times, time, 0, Count);
        index = at >= 0 ? _indices[at] : 0;
        return at >= 0;
    }

    public void Add(long time, long index)
    {
        (_times[_next], _indices[_next]) = (time, index);
        _next = (_next + 1) % Capacity;
        Count = Math.Min(Count + 1, Capacity);
    }

    public void Clear() => (_next, Count) = (0, 0);

    /// <summary>The i-th oldest stamp.</summary>
    public (long Time, long Index) this[int i]
    {
        get
        {
            int at = (_next - Count + i + Capacity) % Capacity;
            return (_times[at], _indices[at]);
        }
    }
}
