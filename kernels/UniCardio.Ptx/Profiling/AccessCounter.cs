namespace UniCardio.Ptx;

internal sealed unsafe class AccessCounter : AccessObserver
{
    public AccessCounter(KernelCode code)
    {
        _ = code;
    }

    public override void Access(Warp w, Op* op)
    {
    }
}
