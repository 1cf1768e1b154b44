namespace UniCardio.Ptx.Sanitizing;

// Who touches memory: the group, the thread in it, the barriers that the group has passed and those that its warp has since then.
internal readonly record struct Toucher(long Group, int Thread, int Epoch, int WarpEpoch);

/// <summary>What the sanitizer knows of a piece of memory: which bytes were written, and who read and wrote each place last.</summary>
/// <remarks>
/// A place is a word of 4 bytes until something shorter is accessed, from then on a byte. An entry has 64 bits: launch 8, who else
/// 2, group 20, thread 10, barriers 18, barriers of the warp 6. Readers of one epoch are kept as one of them and how far the others
/// are: in its warp, in its group, or in other groups.
/// </remarks>
internal sealed class Shadow(long length)
{
    private const int Alone = 0, SameWarp = 1, SameGroup = 2, OtherGroups = 3;

    private readonly byte[] _written = new byte[length];
    private ulong[] _writers = [];
    private ulong[] _readers = [];
    private int _shift = 2;
    private ulong _stamp;

    /// <summary>Makes all entries those of the past: a launch, or for shared memory a group, begins.</summary>
    public void Begin()
    {
        _stamp = (_stamp + 1) & 0xff;
        if (_stamp == 0)
        {
            Array.Clear(_writers);
            Array.Clear(_readers);
            _stamp = 1;
        }
    }

    public void SetWritten(long at, long bytes) => _written.AsSpan((int)at, (int)bytes).Fill(1);

    public void ClearWritten(long at, long bytes) => _written.AsSpan((int)at, (int)bytes).Clear();

    public void ClearWritten() => Array.Clear(_written);

    public void CopyWritten(long at, Shadow source, long from, long bytes) =>
        source._written.AsSpan((int)from, (int)bytes).CopyTo(_written.AsSpan((int)at, (int)bytes));

    /// <summary>The first byte that nothing has written; -1 if there is none.</summary>
    public long FirstUnwritten(long at, long bytes)
    {
        int index = _written.AsSpan((int)at, (int)bytes).IndexOf((byte)0);
        return index < 0 ? -1 : at + index;
    }

    /// <summary>Notes a read.</summary>
    /// <returns>The thread of this group that wrote the place in this epoch, -2 for one of another group, -1 for none.</returns>
    public int Read(long at, int bytes, in Toucher who)
    {
        Prepare(bytes);
        int first = (int)(at >> _shift), last = (int)((at + bytes - 1) >> _shift);
        for (int i = first; i <= last; i++)
        {
            if (Conflict(_writers[i], who) is int other and not -1)
                return other;
            _readers[i] = Merge(_readers[i], who);
        }

        return -1;
    }

    /// <summary>Notes a write.</summary>
    /// <returns>As of <see cref="Read"/>, of one that read or wrote.</returns>
    public int Write(long at, int bytes, in Toucher who)
    {
        Prepare(bytes);
        SetWritten(at, bytes);
        int first = (int)(at >> _shift), last = (int)((at + bytes - 1) >> _shift);
        for (int i = first; i <= last; i++)
        {
            if (Conflict(_writers[i], who) is int writer and not -1)
                return writer;
            if (Conflict(_readers[i], who) is int reader and not -1)
                return reader;
            _writers[i] = Entry(who, Alone);
        }

        return -1;
    }

    private void Prepare(int bytes)
    {
        if (_writers.Length == 0)
        {
            _writers = new ulong[(length >> _shift) + 1];
            _readers = new ulong[(length >> _shift) + 1];
        }

        if (bytes < 4 && _shift == 2)
        {
            _writers = Split(_writers);
            _readers = Split(_readers);
            _shift = 0;
        }
    }

    private ulong[] Split(ulong[] words)
    {
        ulong[] bytes = new ulong[length + 1];
        for (int i = 0; i < bytes.Length; i++)
            bytes[i] = words[i >> 2];
        return bytes;
    }

    private ulong Entry(in Toucher who, int others) =>
        (_stamp << 56) | ((ulong)others << 54) | (((ulong)who.Group & 0xfffff) << 34) | ((ulong)who.Thread << 24)
            | (((ulong)who.Epoch & 0x3ffff) << 6) | ((ulong)who.WarpEpoch & 0x3f);

    private int Conflict(ulong entry, in Toucher who)
    {
        if (entry >> 56 != _stamp)
            return -1;
        int others = (int)(entry >> 54) & 3, thread = (int)(entry >> 24) & 0x3ff;
        if (others == OtherGroups || ((entry >> 34) & 0xfffff) != ((ulong)who.Group & 0xfffff))
            return -2;
        if (((entry >> 6) & 0x3ffff) != ((ulong)who.Epoch & 0x3ffff))
            return -1;
        if (others == Alone && thread == who.Thread)
            return -1;
        bool isOrdered = others != SameGroup && thread / Warp.Lanes == who.Thread / Warp.Lanes
            && (entry & 0x3f) != ((ulong)who.WarpEpoch & 0x3f);
        return isOrdered ? -1 : thread;
    }

    private ulong Merge(ulong entry, in Toucher who)
    {
        if (entry >> 56 != _stamp)
            return Entry(who, Alone);
        int others = (int)(entry >> 54) & 3, thread = (int)(entry >> 24) & 0x3ff;
        if (others == OtherGroups || ((entry >> 34) & 0xfffff) != ((ulong)who.Group & 0xfffff))
            return Entry(who, OtherGroups);
        if (((entry >> 6) & 0x3ffff) != ((ulong)who.Epoch & 0x3ffff))
            return Entry(who, Alone);
        if (thread == who.Thread)
            return Entry(who, others);
        return Entry(who, thread / Warp.Lanes == who.Thread / Warp.Lanes ? Math.Max(others, SameWarp) : SameGroup);
    }
}
