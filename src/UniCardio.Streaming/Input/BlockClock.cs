using UniCardio.Engine.Model;

namespace UniCardio.Streaming.Input;

/// <summary>What a block's time stamp says about the session's clock.</summary>
internal enum ClockVerdict
{
    /// <summary>The first block of the session.</summary>
    First,

    /// <summary>It continues.</summary>
    GoesOn,

    /// <summary>The block is far from all others and nothing agrees with it yet.</summary>
    SetAside,

    /// <summary>The block agrees with the one set aside before: the clock has jumped.</summary>
    Jumped,
}

/// <summary>Follows the clock of the time stamps and keeps the one block that may be the first after a jump.</summary>
internal sealed class BlockClock
{
    private readonly long _jump;
    private float[] _aside = [];
    private int _asideLength;
    private long _asideEnd;

    public BlockClock(long jump) => _jump = jump;

    public bool HasStarted { get; private set; }

    /// <summary>Time of the newest block's first sample, in ticks.</summary>
    public long Newest { get; private set; }

    /// <summary>Time of the end of the newest sample, in ticks.</summary>
    public long End { get; private set; }

    /// <summary>Whether a block is set aside.</summary>
    public bool HasAside => _asideLength > 0;

    public Modality AsideModality { get; private set; }

    public long AsideTime { get; private set; }

    public ReadOnlySpan<float> Aside => _aside.AsSpan(0, _asideLength);

    public ClockVerdict Judge(Modality modality, long time)
    {
        if (!HasStarted)
            return ClockVerdict.First;
        if (time - End <= _jump && Newest - time <= _jump)
            return ClockVerdict.GoesOn;
        // The very same block again is no second witness.
        bool agrees = HasAside && (time != AsideTime || modality != AsideModality) && time - _asideEnd <= _jump
            && AsideTime - time <= _jump;
        return agrees ? ClockVerdict.Jumped : ClockVerdict.SetAside;
    }

    /// <summary>Whether a time without samples is one to believe.</summary>
    public bool IsNear(long time) => HasStarted && time - End <= _jump && Newest - time <= _jump;

    public void SetAside(Modality modality, long time, long end, ReadOnlySpan<float> samples)
    {
        if (_aside.Length < samples.Length)
            _aside = new float[samples.Length];
        samples.CopyTo(_aside);
        (_asideLength, AsideModality, AsideTime, _asideEnd) = (samples.Length, modality, time, end);
    }

    public void DropAside() => _asideLength = 0;

    public void GoTo(long time, long end)
    {
        (Newest, End) = HasStarted ? (Math.Max(Newest, time), Math.Max(End, end)) : (time, end);
        HasStarted = true;
    }

    /// <summary>Forgets the past but not the block set aside.</summary>
    public void Restart() => HasStarted = false;
}
