using System.Numerics;

namespace UniCardio.Ptx.Sanitizing;

/// <summary>
/// Watches every access of a launch: uninitialised reads, variables' bounds, races within a group by barrier epoch and between
/// groups. Rules are the language's, not a machine's: threads of one warp need a barrier (of the group or of the warp) too.
/// </summary>
internal sealed unsafe class Sanitizer : AccessObserver
{
    private readonly LaunchRun _launch;
    private readonly Shadow _shared;
    private Shadow[] _local = [];
    private int[] _warpEpochs = [];
    private GroupRun _run = null!;
    private AccessCounter? _counter;

    public Sanitizer(LaunchRun launch)
    {
        _launch = launch;
        _shared = new Shadow(launch.SharedBytes);
        foreach (MemoryRegion region in launch.Device.Regions)
            region.Shadow?.Begin();
    }

    /// <summary>The run that it watches, and who counts too.</summary>
    public void Attach(GroupRun run, AccessCounter? counter)
    {
        _run = run;
        _counter = counter;
        _local = [.. run.Warps.Select(w => new Shadow((long)Warp.Lanes * w.LocalBytes))];
        _warpEpochs = new int[run.Warps.Count];
    }

    public override void BeginGroup()
    {
        _counter?.BeginGroup();
        _shared.Begin();
        _shared.ClearWritten();
        foreach (Shadow local in _local)
            local.ClearWritten();
        Array.Clear(_warpEpochs);
    }

    public override void EndBarrier() => _counter?.EndBarrier();

    public override void WarpBarrier(Warp w) => _warpEpochs[w.Index]++;

    public override void Access(Warp w, Op* op, MemoryForm form, ulong* addresses)
    {
        _counter?.Access(w, op, form, addresses);
        uint lanes = w.Mask & form.Lanes;
        bool isUniform = !form.IsStore && IsUniform(lanes, addresses);
        for (uint left = lanes; left != 0; left &= left - 1)
        {
            int lane = BitOperations.TrailingZeroCount(left);
            // Of lanes that read one address, two are as good as all.
            if (isUniform && left != lanes && (left & (left - 1)) != 0)
                continue;
            Check(w, op, form, lane, addresses[lane]);
        }
    }

    public override void BeginCopy(Warp w, Op* op, int lane, ulong target, int bytes)
    {
        Check(w, op, new MemoryForm(MemorySpace.Shared, true, bytes, 1), lane, target);
        _shared.ClearWritten((long)target, bytes);
    }

    public override void EndCopy(Warp w, Op* op, int lane, ulong target, int bytes) =>
        Check(w, op, new MemoryForm(MemorySpace.Shared, true, bytes, 1), lane, target);

    private static bool IsUniform(uint lanes, ulong* addresses)
    {
        ulong first = addresses[BitOperations.TrailingZeroCount(lanes) & 31];
        for (uint left = lanes; left != 0; left &= left - 1)
        {
            if (addresses[BitOperations.TrailingZeroCount(left)] != first)
                return false;
        }

        return true;
    }

    private void Check(Warp w, Op* op, MemoryForm form, int lane, ulong address)
    {
        int bytes = form.LaneBytes;
        if ((address & (ulong)(bytes - 1)) != 0)
            throw _run.Misaligned(w, op, lane, address, bytes);
        long at;
        Shadow shadow;
        switch (form.Space)
        {
            case MemorySpace.Global:
                MemoryRegion? region = w.LastRegions[op->Index];
                if (region is null || !region.Holds(address, (ulong)bytes))
                    region = _launch.Device.FindRegion(address, bytes) ?? throw _run.OutOfBounds(w, op, lane, address, bytes);
                (shadow, at) = (region.Shadow!, (long)(address - region.Start));
                break;
            case MemorySpace.Shared:
                if (!IsInVariable(address, bytes))
                    throw _run.Fault(w, op, PtxFaultKind.Bounds, lane,
                        $"{(form.IsStore ? "writes" : "reads")} {bytes} bytes of shared memory at {address:x}, which are no variable's");
                (shadow, at) = (_shared, (long)address);
                break;
            default:
                if (address + (ulong)bytes > (ulong)w.LocalBytes || address > (ulong)w.LocalBytes)
                    throw _run.OutOfBounds(w, op, lane, address, bytes);
                (shadow, at) = (_local[w.Index], (lane * w.LocalBytes) + (long)address);
                break;
        }

        if (!form.IsStore && shadow.FirstUnwritten(at, bytes) >= 0)
            throw _run.Fault(w, op, PtxFaultKind.Uninitialised, lane,
                $"reads {bytes} bytes of {GroupRun.Name(form.Space)} memory at {address:x} that nothing has written");
        if (form.Space == MemorySpace.Local)
        {
            if (form.IsStore)
                shadow.SetWritten(at, bytes);
            return;
        }

        var who = new Toucher(_run.Index, w.FirstThread + lane, _run.Epoch, _warpEpochs[w.Index]);
        int other = form.IsStore ? shadow.Write(at, bytes, who) : shadow.Read(at, bytes, who);
        if (other != -1)
            throw Race(w, op, form, lane, address, other);
    }

    private PtxFaultException Race(Warp w, Op* op, MemoryForm form, int lane, ulong address, int other) => _run.Fault(
        w,
        op,
        PtxFaultKind.Race,
        lane,
        $"{(form.IsStore ? "writes" : "reads")} {GroupRun.Name(form.Space)} memory at {address:x}, "
            + $"which {(other == -2 ? "another group" : $"thread {_run.Thread(other)}")} {(form.IsStore ? "touched" : "wrote")} with no "
            + $"barrier between");

    private bool IsInVariable(ulong address, int bytes)
    {
        foreach ((int start, int end) in _launch.Code.SharedPieces)
        {
            if (address >= (ulong)start && address + (ulong)bytes <= (ulong)Math.Min(end, _launch.SharedBytes))
                return true;
        }

        return false;
    }
}
