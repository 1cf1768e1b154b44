using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace UniCardio.Ptx.Execution;

// One instruction made ready: what runs it, and where its operands are in the warp's registers, targets first.
internal unsafe struct Op
{
    public delegate*<Warp, Op*, void> Run;

    /// <summary>What a guarded instruction runs for the lanes that its predicate lets through.</summary>
    public delegate*<Warp, Op*, void> Guarded;

    public fixed int R[16];

    /// <summary>Offset of an address, or the number that a form carries.</summary>
    public long Immediate;

    /// <summary>Row of the guard's predicate.</summary>
    public int Guard;

    /// <summary>All ones where the guard is negated.</summary>
    public uint GuardFlip;

    /// <summary>Which instruction of the kernel it is.</summary>
    public int Index;

    /// <summary>For accesses of memory: bytes of an element, elements a lane, and whether short ones keep their sign.</summary>
    public int Bytes;
    public int Count;
    public bool IsSigned;

    /// <summary>The offset of a second address, and whether the first is of 32 bits.</summary>
    public long Immediate2;
    public bool IsNarrow;
}

/// <summary>
/// 32 lanes in lock step. A register is a row of 32 values: two vectors of 512 bits for 32-bit types (8 and 16 bits are kept in
/// 32), four for 64-bit types, a word of bits for predicates.
/// </summary>
internal sealed unsafe class Warp(byte* registers)
{
    public const int Lanes = 32;

    private static readonly Vector512<uint> s_bits0 = Vector512.Create<uint>([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096,
        8192, 16384, 32768]);

    public readonly byte* Registers = registers;

    /// <summary>Lanes that execute.</summary>
    public uint Mask;

    /// <summary>The same, a full word for each of lanes 0 to 15, and 16 to 31.</summary>
    public Vector512<uint> Mask0;
    public Vector512<uint> Mask1;

    public int Index;
    public int FirstThread;

    /// <summary>The group's shared memory; this warp's local memory, lane by lane; the launch's parameters.</summary>
    public byte* Shared;
    public int SharedBytes;
    public byte* Local;
    public int LocalBytes;
    public byte* Parameters;

    /// <summary>Room for 32 addresses.</summary>
    public ulong* Scratch;

    /// <summary>Asynchronous copies that this warp's lanes have begun and not yet waited for.</summary>
    public AsyncCopies? Copies;

    public GroupRun Group = null!;

    /// <summary>The region that each memory instruction met last.</summary>
    public MemoryRegion?[] LastRegions = [];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetMask(uint mask)
    {
        if (mask == Mask)
            return;
        Mask = mask;
        Vector512<uint> bits = s_bits0;
        Mask0 = Vector512.Equals(Vector512.Create(mask & 0xffff) & bits, bits);
        Mask1 = Vector512.Equals(Vector512.Create(mask >> 16) & bits, bits);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<T> Get<T>(int row, int part) => *(Vector512<T>*)(Registers + row + (64 * part));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint Predicate(int row) => *(uint*)(Registers + row);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetPredicate(int row, uint value)
    {
        uint* p = (uint*)(Registers + row);
        *p = (*p & ~Mask) | (value & Mask);
    }

    /// <summary>Writes a row of 32-bit values for the executing lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Put(int row, Vector512<uint> v0, Vector512<uint> v1)
    {
        var to = (Vector512<uint>*)(Registers + row);
        if (Mask == uint.MaxValue)
        {
            to[0] = v0;
            to[1] = v1;
        }
        else
        {
            to[0] = Vector512.ConditionalSelect(Mask0, v0, to[0]);
            to[1] = Vector512.ConditionalSelect(Mask1, v1, to[1]);
        }
    }

    /// <summary>Writes 8 lanes of a row of 64-bit values, for those that execute.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Put(int row, int part, Vector512<ulong> v)
    {
        var to = (Vector512<ulong>*)(Registers + row) + part;
        *to = Mask == uint.MaxValue ? v : Vector512.ConditionalSelect(WideMask(part), v, *to);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<ulong> WideMask(int part)
    {
        Vector512<int> half = (part < 2 ? Mask0 : Mask1).AsInt32();
        return ((part & 1) == 0 ? Vector512.WidenLower(half) : Vector512.WidenUpper(half)).AsUInt64();
    }

    /// <summary>Runs what a guard lets through.</summary>
    public static void RunGuarded(Warp w, Op* op)
    {
        uint mask = w.Mask, through = mask & (w.Predicate(op->Guard) ^ op->GuardFlip);
        if (through == 0)
            return;
        w.SetMask(through);
        op->Guarded(w, op);
        w.SetMask(mask);
    }
}
