namespace UniCardio.Ptx.Execution;

// bar.warp.sync and fences: the simulator's warps run in lock step and its memory has one order, so only the sanitizer takes note.
internal static unsafe class WarpBarrier
{
    public static void Run(Warp w, Op* op)
    {
        if (w.Mask != w.Group.LiveLanes(w))
            throw w.Group.Fault(w, op, PtxFaultKind.Divergence, w.Group.FirstOther(w), "is elsewhere while its warp waits");
        w.Group.Observer?.WarpBarrier(w);
    }

    public static void Fence(Warp w, Op* op)
    {
    }
}
