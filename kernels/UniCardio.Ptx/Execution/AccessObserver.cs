namespace UniCardio.Ptx.Execution;

// Sees every access of memory before it happens.
internal abstract unsafe class AccessObserver
{
    /// <summary>The executing lanes' access; addresses with their offset.</summary>
    public abstract void Access(Warp w, Op* op, MemoryForm form, ulong* addresses);

    /// <summary>Shared bytes of an asynchronous copy that has begun: nobody may read them yet.</summary>
    public virtual void BeginCopy(Warp w, Op* op, int lane, ulong target, int bytes)
    {
    }

    /// <summary>The same when the lane has waited for it.</summary>
    public virtual void EndCopy(Warp w, Op* op, int lane, ulong target, int bytes)
    {
    }

    public virtual void BeginGroup()
    {
    }

    public virtual void EndBarrier()
    {
    }

    public virtual void WarpBarrier(Warp w)
    {
    }
}
