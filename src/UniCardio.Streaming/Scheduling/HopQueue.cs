namespace UniCardio.Streaming.Scheduling;

/// <summary>The hops of a session that are not delivered, in order. The host's lock guards it.</summary>
internal sealed class HopQueue
{
    private readonly int _slotSamples, _max;
    private readonly Stack<HopPlan> _free;
    private HopPlan[] _ring = new HopPlan[8];
    private int _first;

    public HopQueue(int slotSamples, int max) => (_slotSamples, _max, _free) = (slotSamples, max, new Stack<HopPlan>(max));

    /// <summary>Hops held.</summary>
    public int Count { get; private set; }

    /// <summary>Hops that wait for computing.</summary>
    public int Waiting { get; private set; }

    public HopPlan this[int i] => _ring[(_first + i) & (_ring.Length - 1)];

    public HopPlan Rent() => _free.TryPop(out HopPlan? plan) ? plan : new HopPlan(_slotSamples);

    public void Return(HopPlan plan)
    {
        if (_free.Count < _max)
            _free.Push(plan);
    }

    public void Add(HopPlan plan)
    {
        if (Count == _ring.Length)
        {
            var larger = new HopPlan[2 * Count];
            for (int i = 0; i < Count; i++)
                larger[i] = this[i];
            (_ring, _first) = (larger, 0);
        }
        _ring[(_first + Count++) & (_ring.Length - 1)] = plan;
        CountWaiting(plan.State == HopState.Waiting ? 1 : 0);
    }

    /// <summary>Takes the oldest hop out.</summary>
    public HopPlan RemoveFirst()
    {
        HopPlan plan = this[0];
        CountWaiting(plan.State == HopState.Waiting ? -1 : 0);
        _ring[_first] = null!;
        _first = (_first + 1) & (_ring.Length - 1);
        Count--;
        return plan;
    }

    public void Begin(HopPlan plan)
    {
        CountWaiting(plan.State == HopState.Waiting ? -1 : 0);
        plan.State = HopState.Started;
    }

    public void Skip(HopPlan plan)
    {
        CountWaiting(plan.State == HopState.Waiting ? -1 : 0);
        plan.State = HopState.Skipped;
    }

    /// <summary>The hop to compute next, if there is one, and since when the session has waited.</summary>
    /// <param name="now">The host's clock.</param>
    /// <param name="plan">The oldest hop that waits; if it has missed its deadline, the newest.</param>
    /// <param name="deadline">Deadline of the oldest one: a session that jumps ahead keeps its place among others.</param>
    public bool TryNext(long now, out HopPlan plan, out long deadline)
    {
        (plan, deadline) = (null!, 0);
        bool isLate = false;
        for (int i = 0; i < Count; i++)
        {
            HopPlan hop = this[i];
            if (hop.State == HopState.Started && hop.Open != 0)
            {
                (plan, deadline) = (hop, hop.Deadline);
                return true;
            }
            if (hop.State != HopState.Waiting)
                continue;
            if (plan is null)
                (plan, deadline, isLate) = (hop, hop.Deadline, now > hop.Deadline);
            else
                plan = hop;
            if (!isLate)
                return true;
        }
        return plan is not null;
    }

    /// <summary>Skips the hops that wait before one.</summary>
    /// <returns>How many.</returns>
    public int SkipBefore(HopPlan plan)
    {
        int skipped = 0;
        for (int i = 0; i < Count && this[i] != plan; i++)
        {
            if (this[i].State != HopState.Waiting)
                continue;
            Skip(this[i]);
            skipped++;
        }
        return skipped;
    }

    /// <summary>Lets the oldest hops beyond a number go out as they are.</summary>
    /// <returns>How many of them are skipped by that.</returns>
    public int Force(int kept)
    {
        int skipped = 0;
        for (int i = 0; i < Count - kept; i++)
        {
            HopPlan plan = this[i];
            plan.IsForced = true;
            if (plan.State is not (HopState.Waiting or HopState.Started))
                continue;
            Skip(plan);
            skipped++;
        }
        return skipped;
    }

    /// <summary>Whether the oldest hop can go out, and whose results it takes for what it lacks.</summary>
    /// <param name="plan">The oldest hop.</param>
    /// <param name="source">The hop itself, a newer one if it was skipped, or null if nothing is to be had.</param>
    public bool TryDeliver(out HopPlan plan, out HopPlan? source)
    {
        (plan, source) = (Count > 0 ? this[0] : null!, null);
        if (Count == 0)
            return false;
        if (plan.State is HopState.Passive or HopState.Done)
        {
            source = plan;
            return true;
        }
        if (plan.State != HopState.Skipped)
            return false;
        for (int i = 1; i < Count; i++)
        {
            HopPlan newer = this[i];
            if (newer.State == HopState.Skipped && newer.Covers(plan))
                continue;
            bool helps = newer.State != HopState.Passive && newer.Covers(plan);
            source = helps && newer.State == HopState.Done ? newer : null;
            return !helps || source is not null || plan.IsForced;
        }
        return plan.IsForced;
    }

    public void Clear()
    {
        while (Count > 0)
            RemoveFirst();
    }

    private void CountWaiting(int change)
    {
        Waiting += change;
        if (change != 0)
            StreamingMetrics.CountQueued(change);
    }
}
