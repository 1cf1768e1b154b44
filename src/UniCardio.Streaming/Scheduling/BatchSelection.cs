using System.Numerics;
using UniCardio.Engine.Model;
using UniCardio.Pipeline;

namespace UniCardio.Streaming.Scheduling;

/// <summary>One window of a batch.</summary>
internal readonly record struct BatchJob(StreamingSession Session, HopPlan Plan, int Modality);

/// <summary>
/// Chooses the next batch: the hop that has waited longest, and with it those of other sessions that ask for the same. The host's lock
/// guards it.
/// </summary>
internal sealed class BatchSelection
{
    private readonly BatchJob[] _jobs;
    private readonly long[] _deadlines;

    public BatchSelection(int largest) => (_jobs, _deadlines) = (new BatchJob[largest], new long[largest]);

    /// <summary>What the batch computes.</summary>
    public WindowShape Shape { get; private set; }

    /// <summary>Windows of the batch, a power of two; 0 if nothing waits.</summary>
    public int Count { get; private set; }

    public ReadOnlySpan<BatchJob> Jobs => _jobs.AsSpan(0, Count);

    /// <summary>Chooses a batch and marks its hops as begun.</summary>
    public void Choose(List<StreamingSession> sessions, long now)
    {
        Count = 0;
        if (!FindFirst(sessions, now))
            return;
        int found = 0;
        foreach (StreamingSession session in sessions)
        {
            if (session.Queue.TryNext(now, out HopPlan plan, out long deadline) && TryFind(plan, out int modality))
                found = Insert(found, new BatchJob(session, plan, modality), deadline);
        }
        Count = 1 << BitOperations.Log2((uint)found);
        foreach (BatchJob job in Jobs)
        {
            job.Session.CountSkipped(job.Session.Queue.SkipBefore(job.Plan));
            job.Session.Queue.Begin(job.Plan);
            job.Plan.InBatch |= 1 << job.Modality;
        }
    }

    /// <summary>Forgets the sessions of the last batch.</summary>
    public void Clear()
    {
        _jobs.AsSpan().Clear();
        Count = 0;
    }

    private bool FindFirst(List<StreamingSession> sessions, long now)
    {
        HopPlan? first = null;
        long earliest = long.MaxValue;
        foreach (StreamingSession session in sessions)
        {
            if (session.Queue.TryNext(now, out HopPlan plan, out long deadline) && (first is null || deadline < earliest))
                (first, earliest) = (plan, deadline);
        }
        if (first is null)
            return false;
        int modality = BitOperations.TrailingZeroCount(first.Open);
        Shape = first.Sampling.ShapeOf(first.TaskOf(modality));
        return true;
    }

    // The shape names its output, so a hop has one target of it at most.
    private bool TryFind(HopPlan plan, out int modality)
    {
        modality = (int)Shape.Task.Output;
        return (plan.Open & (1 << modality)) != 0 && Shape.Equals(plan.Sampling.ShapeOf(plan.TaskOf(modality)));
    }

    // Keeps the earliest deadlines in order; of equal ones those of the session opened first.
    private int Insert(int found, BatchJob job, long deadline)
    {
        int at = found;
        while (at > 0 && _deadlines[at - 1] > deadline)
            at--;
        if (at == _jobs.Length)
            return found;
        int end = Math.Min(found, _jobs.Length - 1);
        for (int i = end; i > at; i--)
            (_jobs[i], _deadlines[i]) = (_jobs[i - 1], _deadlines[i - 1]);
        (_jobs[at], _deadlines[at]) = (job, deadline);
        return end + 1;
    }
}
