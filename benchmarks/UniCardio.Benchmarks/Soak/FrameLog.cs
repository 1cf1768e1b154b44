namespace UniCardio.Benchmarks.Soak;

/// <summary>Every frame that the undisturbed patient got, by its number. What comes again after a restart has to be what came
/// before.</summary>
internal sealed class FrameLog
{
    private readonly SortedDictionary<long, ReceivedFrame> _frames = [];

    public int Count => _frames.Count;

    /// <summary>Frames that came again, from a session that continued from its checkpoint.</summary>
    public int Again { get; private set; }

    /// <summary>Those of them that were not the same.</summary>
    public int Changed { get; private set; }

    /// <summary>Most hops that the server said it skipped and lost.</summary>
    public long Skipped { get; private set; }

    public long Lost { get; private set; }

    /// <summary>Frames that the connection dropped.</summary>
    public long Dropped { get; private set; }

    public IEnumerable<ReceivedFrame> Frames => _frames.Values;

    public void Add(ReceivedFrame frame)
    {
        if (_frames.TryGetValue(frame.Index, out ReceivedFrame? before))
        {
            Again++;
            Changed += before.HasContentOf(frame) ? 0 : 1;
        }
        _frames[frame.Index] = frame;
        (Skipped, Lost, Dropped) = (Math.Max(Skipped, frame.SkippedHops), Math.Max(Lost, frame.LostHops), Dropped + frame.Dropped);
    }

    public ReceivedFrame? Find(long index) => _frames.GetValueOrDefault(index);
}
