namespace UniCardio.Streaming;

// How frames leave a session: in order, one at a time, on whichever thread finds one ready.
public sealed partial class StreamingSession
{
    /// <summary>
    /// Whether all that has come is out: no hop waits or is computed, and no call of the handler is under way. Counts alone run ahead of
    /// the handler.
    /// </summary>
    public bool IsDrained
    {
        get
        {
            lock (_host.Gate)
            {
                if (Queue.Count > 0)
                    return false;
            }
            // Frames leave the queue inside a delivery only: an empty queue first, then no delivery, and there is none in between.
            return Volatile.Read(ref _deliveries) == 0;
        }
    }

    /// <summary>Hands on every frame that is ready. If another thread is at it, that one does.</summary>
    internal void Deliver()
    {
        if (Interlocked.Increment(ref _deliveries) != 1)
            return;
        Volatile.Write(ref _deliveringThread, Environment.CurrentManagedThreadId);
        int seen;
        do
        {
            seen = Volatile.Read(ref _deliveries);
            while (TryTakeFrame(out long readyTimestamp, out bool isEnd) || TryShowMeasured(out readyTimestamp))
                HandOn(readyTimestamp, isEnd);
        }
        while (Interlocked.Add(ref _deliveries, -seen) != 0);
        Volatile.Write(ref _deliveringThread, 0);
    }

    private bool TryTakeFrame(out long readyTimestamp, out bool isEnd)
    {
        (readyTimestamp, isEnd) = (0, false);
        lock (_host.Gate)
        {
            if (_isClosed || !Queue.TryDeliver(out HopPlan plan, out HopPlan? source))
                return false;
            _tally.LostHops += Assembler.Build(plan, source, _frame) ? 1 : 0;
            _tally.Frames++;
            Queue.RemoveFirst();
            (readyTimestamp, isEnd) = (plan.ReadyTimestamp, plan.EndsSession);
            plan.IsDelivered = true;
            if (plan.InBatch == 0)
                Queue.Return(plan);
        }
        return true;
    }

    // What is measured of the oldest hop that waits and was not shown; after the whole frames, so that a hop that is ready comes once.
    private bool TryShowMeasured(out long readyTimestamp)
    {
        readyTimestamp = 0;
        if (!_measuredFirst)
            return false;
        lock (_host.Gate)
        {
            for (int i = 0; i < Queue.Count && !_isClosed; i++)
            {
                HopPlan plan = Queue[i];
                if (plan.IsShown)
                    continue;
                Assembler.BuildMeasured(plan, _frame);
                plan.IsShown = true;
                readyTimestamp = plan.ReadyTimestamp;
                return true;
            }
        }
        return false;
    }

    private void HandOn(long readyTimestamp, bool isEnd)
    {
        _frame.ComputeDelay = _time.GetElapsedTime(readyTimestamp);
        if (_frame.IsPreliminary)
        {
            StreamingMetrics.MeasuredDelay.Record(_frame.ComputeDelay.TotalSeconds);
        }
        else
        {
            StreamingMetrics.Hops.Add(1);
            StreamingMetrics.Delay.Record((_frame.AlgorithmicDelay + _frame.ComputeDelay).TotalSeconds);
            StreamingMetrics.ComputeDelay.Record(_frame.ComputeDelay.TotalSeconds);
        }
        try
        {
            if (_handler is not null)
                _handler(this, _frame);
            else
                Enqueue();
        }
        catch (Exception e)
        {
            Close(e);
        }
        if (isEnd)
            Close(null);
    }

    private void Enqueue()
    {
        while (_frames!.Reader.Count >= Options.FrameQueue && _frames.Reader.TryRead(out _))
        {
            lock (_host.Gate)
                _tally.DroppedFrames++;
        }
        _frame.Dropped = _tally.DroppedFrames;
        _frames.Writer.TryWrite(_frame.Clone());
    }

    // Keeps the hops that wait for computing or delivery to a number, whatever the machine does; the handler may hold that up, and then so
    // may we.
    private void MakeRoom()
    {
        int max = _host.Options.MaxWaitingHops;
        lock (_host.Gate)
        {
            if (Queue.Count <= max)
                return;
            CountSkipped(Queue.Force(max));
        }
        Deliver();
        while (!_isClosed && Volatile.Read(ref _deliveringThread) is int thread && thread != 0
            && thread != Environment.CurrentManagedThreadId)
        {
            lock (_host.Gate)
            {
                if (Queue.Count <= 2 * max)
                    return;
            }
            Thread.Sleep(1);
        }
    }
}
