namespace UniCardio.Streaming.Scheduling;

/// <summary>
/// What the machine does and what sessions ask of it, in evaluations of the network a second, over the last seconds: sums that decay by
/// half in <see cref="HalfLife"/>. The host's lock guards it.
/// </summary>
internal sealed class LoadMeter(TimeProvider time)
{
    private const double HalfLife = 7;

    private readonly long _begin = time.GetTimestamp();
    private long _at = time.GetTimestamp();
    private double _wanted, _done, _seconds;

    /// <summary>A hop asks for this many evaluations.</summary>
    public void Want(long calls)
    {
        Decay();
        _wanted += calls;
    }

    /// <summary>So many evaluations took so long.</summary>
    public void Do(long calls, TimeSpan took)
    {
        Decay();
        _done += calls;
        _seconds += took.TotalSeconds;
    }

    public StreamingLoad Read()
    {
        Decay();
        // What a steady rate of 1 a second would have summed up to by now.
        double weight = HalfLife / Math.Log(2) * (1 - Math.Pow(0.5, Math.Max(1, time.GetElapsedTime(_begin).TotalSeconds) / HalfLife));
        return new StreamingLoad(_seconds > 0 ? _done / _seconds : 0, _wanted / weight, Math.Min(1, _seconds / weight));
    }

    private void Decay()
    {
        double passed = time.GetElapsedTime(_at).TotalSeconds;
        if (passed < 0.01)
            return;
        _at = time.GetTimestamp();
        double left = Math.Pow(0.5, passed / HalfLife);
        (_wanted, _done, _seconds) = (_wanted * left, _done * left, _seconds * left);
    }
}
