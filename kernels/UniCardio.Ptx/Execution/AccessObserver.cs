namespace UniCardio.Ptx;

// Sees every access of memory before it happens.
internal abstract unsafe class AccessObserver
{
    public abstract void Access(Warp w, Op* op);

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
