using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace UniCardio.Ptx.Execution;

// Lanes that go the same way, until they meet others.
internal record struct WarpPath(int Block, int Meeting, uint Mask);

/// <summary>
/// Executes groups, one after the other: its warps take turns at barriers. A warp keeps a stack of paths; at a branch that parts its
/// lanes both ways take it, and are executed one after the other up to the block where they meet.
/// </summary>
internal sealed unsafe class GroupRun : IDisposable
{
    private const int Endless = 1 << 16;

    private readonly KernelCode _code;
    private readonly Op* _ops;
    private readonly Warp[] _warps;
    private readonly WarpPath[][] _stacks;
    private readonly int[] _depths;
    private readonly uint[] _live;
    private readonly int[] _waiting;
    private readonly long[] _budgets;
    private readonly byte* _memory;
    private readonly byte* _shared;

    public GroupRun(LaunchRun launch)
    {
        Launch = launch;
        _code = launch.Code;
        int threads = (int)launch.Group.Count, warps = (threads + Warp.Lanes - 1) / Warp.Lanes;
        long local = (long)Warp.Lanes * _code.LocalBytes, opBytes = ((long)sizeof(Op) * _code.Ops.Length + 63) & ~63L;
        long shared = (launch.SharedBytes + 127) & ~63;
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)(((_code.RegisterBytes + local + (8 * Warp.Lanes)) * warps) + opBytes
            + shared), 64);
        _shared = _memory;
        _ops = (Op*)(_memory + shared);
        _code.Ops.CopyTo(new Span<Op>(_ops, _code.Ops.Length));
        byte* at = (byte*)_ops + opBytes;
        _warps = new Warp[warps];
        _stacks = new WarpPath[warps][];
        (_depths, _live, _waiting, _budgets) = (new int[warps], new uint[warps], new int[warps], new long[warps]);
        for (int i = 0; i < warps; i++)
        {
            _warps[i] = new Warp(at)
            {
                Index = i,
                FirstThread = i * Warp.Lanes,
                Group = this,
                Shared = _shared,
                SharedBytes = launch.SharedBytes,
                Local = at + _code.RegisterBytes,
                Scratch = (ulong*)(at + _code.RegisterBytes + local),
                LocalBytes = _code.LocalBytes,
                Parameters = launch.Parameters,
                LastRegions = new MemoryRegion?[_code.Ops.Length],
            };
            NativeMemory.Clear(at, (nuint)_code.RegisterBytes);
            at += _code.RegisterBytes + local + (8 * Warp.Lanes);
            _stacks[i] = new WarpPath[64];
            FillConstants(_warps[i]);
        }

        BlockRuns = new long[_code.Blocks.Length];
        BlockLanes = new long[_code.Blocks.Length];
        BlockParted = new long[_code.Blocks.Length];
    }

    public LaunchRun Launch { get; }

    public AccessObserver? Observer { get; set; }

    /// <summary>The group that is executed, counted x first.</summary>
    public long Index { get; private set; }

    /// <summary>Barriers that the group has passed.</summary>
    public int Epoch { get; private set; }

    /// <summary>How often warps executed each block, with how many lanes, and how often they parted at its end.</summary>
    public long[] BlockRuns { get; }

    public long[] BlockLanes { get; }

    public long[] BlockParted { get; }

    public IReadOnlyList<Warp> Warps => _warps;

    public MemoryForm Form(Op* op) => _code.Instructions[op->Index].Memory!;

    public uint LiveLanes(Warp w) => _live[w.Index];

    /// <summary>A live lane of a warp that does not execute.</summary>
    public int FirstOther(Warp w) => BitOperations.TrailingZeroCount(_live[w.Index] & ~w.Mask) & 31;

    public void Run(long group, CancellationToken cancellation)
    {
        Index = group;
        Epoch = 0;
        (int x, int y, int z) = Launch.Grid.Place(group);
        // What the group before left is no value.
        NativeMemory.Fill(_shared, (nuint)Launch.SharedBytes, 0xff);
        Observer?.BeginGroup();
        for (int i = 0; i < _warps.Length; i++)
        {
            Warp w = _warps[i];
            Splat(w, 6, x);
            Splat(w, 7, y);
            Splat(w, 8, z);
            NativeMemory.Fill(w.Local, (nuint)(Warp.Lanes * w.LocalBytes), 0xff);
            int threads = Math.Min(Warp.Lanes, (int)Launch.Group.Count - w.FirstThread);
            _live[i] = threads == Warp.Lanes ? uint.MaxValue : (1u << threads) - 1;
            _stacks[i][0] = new WarpPath(0, _code.Blocks.Length, _live[i]);
            _depths[i] = 1;
            w.Copies?.Clear();
            _waiting[i] = -1;
            _budgets[i] = Launch.Device.Options.WarpInstructions;
        }

        while (true)
        {
            foreach (Warp w in _warps)
            {
                _waiting[w.Index] = -1;
                if (_depths[w.Index] > 0)
                    Execute(w, cancellation);
            }

            if (!PassBarrier())
                return;
        }
    }

    public void Dispose() => NativeMemory.AlignedFree(_memory);

    public PtxFaultException Fault(Warp w, Op* op, PtxFaultKind kind, int lane, string what) => Fault(w, op->Index, kind, lane, what);

    public PtxFaultException OutOfBounds(Warp w, Op* op, int lane, ulong address, int bytes)
    {
        MemoryForm form = _code.Instructions[op->Index].Memory!;
        if (bytes > form.LaneBytes)
        {
            // A whole warp's neighbours: find the lane.
            ulong* all = MemoryAccess.Addresses(w, op);
            for (int i = 0; i < Warp.Lanes; i++)
            {
                ulong own = all[i] + (ulong)op->Immediate;
                bool isInside = form.Space == MemorySpace.Global
                    ? Launch.Device.FindRegion(own, form.LaneBytes) is not null
                    : own + (ulong)form.LaneBytes <= (ulong)w.SharedBytes;
                if (!isInside)
                    return OutOfBounds(w, op, i, own, form.LaneBytes);
            }
        }

        string where = form.Space switch
        {
            MemorySpace.Global => Launch.Device.Describe(address),
            MemorySpace.Shared => $"shared memory has {w.SharedBytes} bytes",
            _ => $"local memory has {w.LocalBytes} bytes",
        };
        return Fault(w, op, PtxFaultKind.Bounds, lane,
            $"{(form.IsStore ? "writes" : "reads")} {form.LaneBytes} bytes of {Name(form.Space)} memory at {address:x}; {where}");
    }

    public PtxFaultException Misaligned(Warp w, Op* op, int lane, ulong address, int alignment) =>
        Fault(w, op, PtxFaultKind.Alignment, lane,
            $"an address of {Name(_code.Instructions[op->Index].Memory!.Space)} memory, {address:x}, is no multiple of {alignment}");

    public static string Name(MemorySpace space) => space switch
    {
        MemorySpace.Global => "global",
        MemorySpace.Shared => "shared",
        _ => "local",
    };

    /// <summary>A thread's place in its group.</summary>
    public string Thread(int thread)
    {
        (int x, int y, int z) = Launch.Group.Place(thread);
        return $"({x}, {y}, {z})";
    }

    private PtxFaultException Fault(Warp w, int index, PtxFaultKind kind, int lane, string what)
    {
        (int x, int y, int z) = Launch.Grid.Place(Index);
        Statement source = _code.Instructions[index].Source;
        return new PtxFaultException(
            kind, $"{Launch.Kernel.Name}, group ({x}, {y}, {z}), thread {Thread(w.FirstThread + lane)}: "
                + $"{what} [line {source.Line}: {source.Text}]", Launch.Kernel.Name, source.Line);
    }

    // Until the warp waits at a barrier or has ended.
    private void Execute(Warp w, CancellationToken cancellation)
    {
        int i = w.Index, end = _code.Blocks.Length, sinceCheck = 0;
        ref int depth = ref _depths[i];
        while (depth > 0)
        {
            ref WarpPath path = ref _stacks[i][depth - 1];
            path.Mask &= _live[i];
            if (path.Mask == 0 || path.Block == path.Meeting || path.Block >= end)
            {
                if (path.Block >= end && path.Mask != 0)
                    _live[i] &= ~path.Mask;
                depth--;
                continue;
            }

            Block block = _code.Blocks[path.Block];
            w.SetMask(path.Mask);
            BlockRuns[block.Index]++;
            BlockLanes[block.Index] += BitOperations.PopCount(path.Mask);
            sinceCheck += block.End - block.First;
            if (sinceCheck > Endless)
            {
                Spend(w, block, sinceCheck, cancellation);
                sinceCheck = 0;
            }

            Instruction last = _code.Instructions[block.End - 1];
            Op* stop = _ops + (last.Flow == Flow.Next ? block.End : block.End - 1);
            for (Op* op = _ops + block.First; op < stop; op++)
            {
                if (op->Run != null)
                    op->Run(w, op);
            }

            if (last.Flow == Flow.Barrier)
            {
                path.Block = block.Next;
                Wait(w, block.End - 1);
                return;
            }

            if (last.Flow == Flow.Next)
                path.Block = block.Next;
            else
                Branch(w, block, last);
        }
    }

    private void Spend(Warp w, Block block, int instructions, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        _budgets[w.Index] -= instructions;
        if (_budgets[w.Index] < 0)
            throw Fault(w, block.First, PtxFaultKind.Endless, BitOperations.TrailingZeroCount(w.Mask),
                $"more than {Launch.Device.Options.WarpInstructions} instructions of a warp");
    }

    private void Branch(Warp w, Block block, Instruction branch)
    {
        int i = w.Index;
        ref WarpPath path = ref _stacks[i][_depths[i] - 1];
        uint taken = path.Mask;
        if (branch.Source.Guard is Register guard)
            taken &= w.Predicate(_code.RowOf[guard.Id]) ^ (branch.Source.IsGuardNegated ? uint.MaxValue : 0);
        uint stays = path.Mask & ~taken;
        if (branch.Flow == Flow.Return)
        {
            _live[i] &= ~taken;
            path.Mask = stays;
            path.Block = block.Next;
            return;
        }

        if (stays == 0)
        {
            path.Block = block.Target;
            return;
        }

        if (taken == 0)
        {
            path.Block = block.Next;
            return;
        }

        if (branch.IsUniform)
            throw Fault(w, block.End - 1, PtxFaultKind.Divergence, BitOperations.TrailingZeroCount(stays),
                "parts from its warp at a branch that is marked uniform");
        BlockParted[block.Index]++;
        path.Block = block.Meeting;
        Push(i, block.Next, block.Meeting, stays);
        Push(i, block.Target, block.Meeting, taken);
    }

    private void Push(int warp, int block, int meeting, uint mask)
    {
        if (block == meeting)
            return;
        if (_depths[warp] == _stacks[warp].Length)
            Array.Resize(ref _stacks[warp], 2 * _stacks[warp].Length);
        _stacks[warp][_depths[warp]++] = new WarpPath(block, meeting, mask);
    }

    private void Wait(Warp w, int instruction)
    {
        if (w.Mask != _live[w.Index])
            throw Fault(w, instruction, PtxFaultKind.Divergence, FirstOther(w),
                "went another way while lanes of its warp wait at a barrier");
        if (w.Mask != (w.FirstThread + Warp.Lanes <= Launch.Group.Count ? uint.MaxValue
            : (1u << (int)(Launch.Group.Count - w.FirstThread)) - 1))
            throw Fault(w, instruction, PtxFaultKind.Divergence, BitOperations.TrailingZeroCount(~w.Mask),
                "has ended while lanes of its warp wait at a barrier");
        _waiting[w.Index] = instruction;
    }

    // Whether the group continues: all of its warps wait at the same barrier.
    private bool PassBarrier()
    {
        int first = _waiting[0];
        for (int i = 1; i < _waiting.Length; i++)
        {
            if (_waiting[i] == first)
                continue;
            int waits = first >= 0 ? 0 : i, other = first >= 0 ? i : 0;
            string what = _waiting[other] < 0
                ? $"waits at a barrier, and thread {Thread(_warps[other].FirstThread)} has ended"
                : $"waits at a barrier, and thread {Thread(_warps[other].FirstThread)} "
                    + $"at another in line {_code.Instructions[_waiting[other]].Source.Line}";
            throw Fault(_warps[waits], _waiting[waits], PtxFaultKind.Divergence, 0, what);
        }

        if (first < 0)
            return false;
        Epoch++;
        Observer?.EndBarrier();
        return true;
    }

    private void FillConstants(Warp w)
    {
        foreach (((ulong bits, int size), int row) in _code.Constants)
        {
            if (size == 0)
                *(uint*)(w.Registers + row) = (uint)bits;
            else if (size == 8)
                new Span<ulong>(w.Registers + row, Warp.Lanes).Fill(bits);
            else
                new Span<uint>(w.Registers + row, Warp.Lanes).Fill((uint)bits);
        }

        for (int lane = 0; lane < Warp.Lanes; lane++)
        {
            (int x, int y, int z) = Launch.Group.Place(w.FirstThread + lane);
            Lane(w, 0)[lane] = x;
            Lane(w, 1)[lane] = y;
            Lane(w, 2)[lane] = z;
            Lane(w, 12)[lane] = lane;
        }

        Splat(w, 3, Launch.Group.X);
        Splat(w, 4, Launch.Group.Y);
        Splat(w, 5, Launch.Group.Z);
        Splat(w, 9, Launch.Grid.X);
        Splat(w, 10, Launch.Grid.Y);
        Splat(w, 11, Launch.Grid.Z);
        Splat(w, 13, w.Index);
    }

    private int* Lane(Warp w, int special) => (int*)(w.Registers + _code.SpecialRows[special]);

    private void Splat(Warp w, int special, int value) => new Span<int>(Lane(w, special), Warp.Lanes).Fill(value);
}
