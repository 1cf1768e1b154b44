using System.Numerics;

namespace UniCardio.Ptx.Execution;

/// <summary>cp.async: copies from global to shared memory that are carried out when their lane waits for them, as late as they may
/// be.</summary>
internal sealed unsafe class AsyncCopies
{
    private readonly List<List<Copy>> _groups = [];
    private List<Copy> _open = [];

    private readonly record struct Copy(int Instruction, int Lane, nint Source, ulong Target, int Bytes, int Taken);

    public void Clear()
    {
        _groups.Clear();
        _open = [];
    }

    public static void Begin(Warp w, Op* op)
    {
        AsyncCopies copies = w.Copies ??= new AsyncCopies();
        ulong* targets = MemoryAccess.Addresses(w, op), sources = (ulong*)(w.Registers + op->R[1]);
        uint* taken = (uint*)(w.Registers + op->R[2]);
        if (w.Group.Observer is not null)
            MemoryAccess.Show(w, op, w.Group.Form(op), sources, op->Immediate2);
        int bytes = op->Bytes;
        for (uint left = w.Mask; left != 0; left &= left - 1)
        {
            int lane = BitOperations.TrailingZeroCount(left);
            int some = (int)Math.Min(taken[lane], (uint)bytes);
            byte* source = MemoryAccess.Aligned<GlobalSpace>(w, op, lane, sources[lane] + (ulong)op->Immediate2, bytes, bytes);
            ulong target = targets[lane] + (ulong)op->Immediate;
            MemoryAccess.Aligned<SharedSpace>(w, op, lane, target, bytes, bytes);
            w.Group.Observer?.BeginCopy(w, op, lane, target, bytes);
            copies._open.Add(new Copy(op->Index, lane, (nint)source, target, bytes, some));
        }
    }

    public static void Commit(Warp w, Op* op)
    {
        AsyncCopies copies = w.Copies ??= new AsyncCopies();
        copies._groups.Add(copies._open);
        copies._open = [];
    }

    /// <summary>Until at most Immediate groups are under way.</summary>
    public static void Wait(Warp w, Op* op)
    {
        AsyncCopies copies = w.Copies ??= new AsyncCopies();
        while (copies._groups.Count > op->Immediate)
        {
            Carry(w, op, copies._groups[0]);
            copies._groups.RemoveAt(0);
        }
    }

    public static void WaitAll(Warp w, Op* op)
    {
        AsyncCopies copies = w.Copies ??= new AsyncCopies();
        foreach (List<Copy> group in copies._groups)
            Carry(w, op, group);
        copies._groups.Clear();
        Carry(w, op, copies._open);
        copies._open = [];
    }

    private static void Carry(Warp w, Op* op, List<Copy> group)
    {
        foreach (Copy copy in group)
        {
            byte* target = w.Shared + copy.Target;
            Buffer.MemoryCopy((void*)copy.Source, target, copy.Taken, copy.Taken);
            new Span<byte>(target + copy.Taken, copy.Bytes - copy.Taken).Clear();
            w.Group.Observer?.EndCopy(w, op, copy.Lane, copy.Target, copy.Bytes);
        }
    }
}
