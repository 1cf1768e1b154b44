namespace UniCardio.Engine.Backends.Cpu;

/// <summary>Work that every member of a team does a part of.</summary>
internal interface ITeamJob
{
    /// <summary>Does one part. All parts run at the same time, so they may meet at <paramref name="barrier"/>.</summary>
    /// <param name="part">0 to parts - 1; part 0 is the calling thread.</param>
    /// <param name="parts">Members of the team.</param>
    /// <param name="barrier">Where all parts wait for each other.</param>
    void Execute(int part, int parts, TeamBarrier barrier);
}

/// <summary>A meeting point of a fixed number of threads: spins first, since the others are at most microseconds away.</summary>
internal sealed class TeamBarrier
{
    private readonly int _parts;
    private PaddedInt _arrived;
    private PaddedInt _phase;
    private volatile bool _aborted;

    public TeamBarrier(int parts) => _parts = parts;

    /// <summary>Lets everybody who waits here, now or later, fail instead of waiting for a part that will not come.</summary>
    public void Abort() => _aborted = true;

    /// <summary>Makes the barrier usable again after <see cref="Abort"/>; nobody may be waiting.</summary>
    public void Reset()
    {
        _arrived.Value = 0;
        _aborted = false;
    }

    /// <summary>Waits until every part has come here.</summary>
    /// <exception cref="OperationCanceledException">Another part failed.</exception>
    public void Wait()
    {
        if (_parts == 1)
            return;
        int phase = Volatile.Read(ref _phase.Value);
        if (Interlocked.Increment(ref _arrived.Value) == _parts)
        {
            _arrived.Value = 0;
            Volatile.Write(ref _phase.Value, phase + 1);
            return;
        }

        for (int spins = 0; Volatile.Read(ref _phase.Value) == phase; spins++)
        {
            if (_aborted)
                throw new OperationCanceledException("another part of the team job failed");
            if (spins < ThreadTeam.SpinsBeforeYield)
                Thread.SpinWait(4);
            else
                Thread.Yield();
        }
    }
}

/// <summary>An int alone on its cache lines, so that neighbours written by other threads do not steal them.</summary>
[System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Explicit, Size = 192)]
internal struct PaddedInt
{
    [System.Runtime.InteropServices.FieldOffset(64)]
    public int Value;
}

/// <summary>
/// A persistent team of threads: the caller and parts - 1 workers, each of which takes the same part of every job. Workers spin
/// for some tens of microseconds between jobs and then park, so a step's hand-over costs a microsecond and an idle host nothing.
/// </summary>
/// <remarks>Jobs of several callers queue up. A one-part team has no workers and no queue: callers run side by side.</remarks>
internal sealed class ThreadTeam : IDisposable
{
    /// <summary>Spins at a barrier before the processor is offered to others; matters only when threads outnumber cores.</summary>
    public const int SpinsBeforeYield = 2_000;

    private const int SpinsBeforePark = 1_000;

    private readonly Lock _callers = new();
    private readonly Thread[] _workers;
    private readonly SemaphoreSlim[] _parked;
    private readonly TeamBarrier _barrier;
    private readonly TeamBarrier _solo = new(1);
    private readonly Exception?[] _failures;
    private PaddedInt _generation;
    private PaddedInt _running;
    private readonly int[] _isParked;
    private ITeamJob? _job;
    private volatile bool _stopping;

    /// <summary>Starts the workers.</summary>
    /// <param name="parts">Members, the caller included; at least 1.</param>
    public ThreadTeam(int parts)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(parts, 1);
        Parts = parts;
        _barrier = new TeamBarrier(parts);
        _failures = new Exception?[parts];
        _parked = [.. Enumerable.Range(1, parts - 1).Select(_ => new SemaphoreSlim(0))];
        _isParked = new int[parts];
        _workers = [.. Enumerable.Range(1, parts - 1).Select(part => new Thread(() => Work(part))
        {
            IsBackground = true,
            Name = $"UniCardio worker {part}",
        })];
        foreach (Thread worker in _workers)
            worker.Start();
    }

    /// <summary>Members of the team.</summary>
    public int Parts { get; }

    /// <summary>Runs every part of a job and returns when all are done.</summary>
    public void Run(ITeamJob job)
    {
        ObjectDisposedException.ThrowIf(_stopping, this);
        if (Parts == 1)
        {
            job.Execute(0, 1, _solo);
            return;
        }

        lock (_callers)
        {
            _job = job;
            _running.Value = Parts - 1;
            Interlocked.Increment(ref _generation.Value);
            for (int i = 0; i < _parked.Length; i++)
            {
                if (Interlocked.Exchange(ref _isParked[i + 1], 0) == 1)
                    _parked[i].Release();
            }

            ExecutePart(job, 0);
            for (int spins = 0; Volatile.Read(ref _running.Value) != 0; spins++)
            {
                if (spins < SpinsBeforeYield)
                    Thread.SpinWait(4);
                else
                    Thread.Yield();
            }

            _job = null;
            ThrowFailure();
        }
    }

    public void Dispose()
    {
        lock (_callers)
        {
            if (_stopping)
                return;
            _stopping = true;
            Interlocked.Increment(ref _generation.Value);
            foreach (SemaphoreSlim parked in _parked)
                parked.Release();
        }

        foreach (Thread worker in _workers)
            worker.Join();
        foreach (SemaphoreSlim parked in _parked)
            parked.Dispose();
    }

    private void Work(int part)
    {
        int seen = 0;
        while (true)
        {
            for (int spins = 0; Volatile.Read(ref _generation.Value) == seen; spins++)
            {
                if (spins < SpinsBeforePark)
                {
                    Thread.SpinWait(8);
                    continue;
                }

                // Announce the park, then look again: a job published in between sees the flag and releases us.
                Interlocked.Exchange(ref _isParked[part], 1);
                if (Volatile.Read(ref _generation.Value) != seen && Interlocked.Exchange(ref _isParked[part], 0) == 1)
                    break;
                _parked[part - 1].Wait();
            }

            seen = Volatile.Read(ref _generation.Value);
            if (_stopping)
                return;
            ExecutePart(_job!, part);
            Interlocked.Decrement(ref _running.Value);
        }
    }

    private void ExecutePart(ITeamJob job, int part)
    {
        try
        {
            job.Execute(part, Parts, _barrier);
        }
        catch (Exception e)
        {
            _failures[part] = e;
            _barrier.Abort();
        }
    }

    private void ThrowFailure()
    {
        Exception? first = null;
        foreach (ref Exception? failure in _failures.AsSpan())
        {
            if (failure is not null && (first is null || first is OperationCanceledException))
                first = failure;
            failure = null;
        }

        if (first is null)
            return;
        _barrier.Reset();
        System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(first);
    }
}
