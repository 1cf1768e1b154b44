using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace UniCardio.Ptx.Execution;

// Where a space's bytes are.
internal unsafe interface ISpace
{
    static abstract byte* Find(Warp w, Op* op, int lane, ulong address, int bytes);
}

internal readonly unsafe struct GlobalSpace : ISpace
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* Find(Warp w, Op* op, int lane, ulong address, int bytes)
    {
        MemoryRegion? region = w.LastRegions[op->Index];
        if (region is null || !region.Holds(address, (ulong)bytes))
            region = Slow(w, op, lane, address, bytes);
        return region.Host + (address - region.Start);
    }

    private static MemoryRegion Slow(Warp w, Op* op, int lane, ulong address, int bytes)
    {
        MemoryRegion region = w.Group.Launch.Device.FindRegion(address, bytes) ?? throw w.Group.OutOfBounds(w, op, lane, address, bytes);
        w.LastRegions[op->Index] = region;
        return region;
    }
}

internal readonly unsafe struct SharedSpace : ISpace
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* Find(Warp w, Op* op, int lane, ulong address, int bytes)
    {
        if (address > (ulong)w.SharedBytes || (ulong)bytes > (ulong)w.SharedBytes - address)
            throw w.Group.OutOfBounds(w, op, lane, address, bytes);
        return w.Shared + address;
    }
}

internal readonly unsafe struct LocalSpace : ISpace
{
    public static byte* Find(Warp w, Op* op, int lane, ulong address, int bytes)
    {
        if (address > (ulong)w.LocalBytes || (ulong)bytes > (ulong)w.LocalBytes - address)
            throw w.Group.OutOfBounds(w, op, lane, address, bytes);
        return w.Local + ((long)lane * w.LocalBytes) + (long)address;
    }
}

/// <summary>Loads and stores. R[0] is the row of addresses, R[1] and on the values.</summary>
/// <remarks>
/// Three patterns are told apart: one address for the warp, neighbours side by side, and anything else, lane by lane. Lanes store
/// in their order, so the last one of those that write one place wins.
/// </remarks>
internal static unsafe class MemoryAccess
{
    private enum Pattern
    {
        Same,
        Neighbours,
        Any,
    }

    public static nint Load(MemorySpace space, int bytes, int count) => space switch
    {
        MemorySpace.Global => Choose<GlobalSpace>(bytes, count, isStore: false),
        MemorySpace.Shared => Choose<SharedSpace>(bytes, count, isStore: false),
        _ => (nint)(delegate*<Warp, Op*, void>)&LoadAny<LocalSpace>,
    };

    public static nint Store(MemorySpace space, int bytes, int count) => space switch
    {
        MemorySpace.Global => Choose<GlobalSpace>(bytes, count, isStore: true),
        MemorySpace.Shared => Choose<SharedSpace>(bytes, count, isStore: true),
        _ => (nint)(delegate*<Warp, Op*, void>)&StoreAny<LocalSpace>,
    };

    public static nint Parameter(int bytes) => (nint)(delegate*<Warp, Op*, void>)(bytes == 8 ? &WideParameter : &NarrowParameter);

    private static nint Choose<T>(int bytes, int count, bool isStore)
        where T : ISpace => (nint)((bytes, count, isStore) switch
        {
            (4, 1, false) => (delegate*<Warp, Op*, void>)&LoadWord<T>,
            (4, 4, false) => &LoadQuad<T>,
            (4, 1, true) => &StoreWord<T>,
            (4, 4, true) => &StoreQuad<T>,
            (_, _, false) => &LoadAny<T>,
            _ => &StoreAny<T>,
        });

    private static void LoadWord<T>(Warp w, Op* op)
        where T : ISpace
    {
        Observe(w, op);
        switch (Look(w, op, 4, out int lane, out ulong first))
        {
            case Pattern.Same:
                var value = Vector512.Create(*(uint*)Aligned<T>(w, op, lane, first, 4, 4));
                w.Put(op->R[1], value, value);
                return;
            case Pattern.Neighbours:
                byte* p = Aligned<T>(w, op, lane, first, 128, 4);
                w.Put(op->R[1], Vector512.Load((uint*)p), Vector512.Load((uint*)p + 16));
                return;
        }

        ulong* addresses = Addresses(w, op);
        uint* to = (uint*)(w.Registers + op->R[1]);
        for (uint left = w.Mask; left != 0; left &= left - 1)
        {
            int i = BitOperations.TrailingZeroCount(left);
            to[i] = *(uint*)Aligned<T>(w, op, i, addresses[i] + (ulong)op->Immediate, 4, 4);
        }
    }

    private static void LoadQuad<T>(Warp w, Op* op)
        where T : ISpace
    {
        Observe(w, op);
        Pattern pattern = Look(w, op, 16, out int lane, out ulong first);
        if (pattern == Pattern.Same)
        {
            uint* p = (uint*)Aligned<T>(w, op, lane, first, 16, 16);
            for (int k = 0; k < 4; k++)
            {
                var value = Vector512.Create(p[k]);
                w.Put(op->R[1 + k], value, value);
            }

            return;
        }

        byte* buffer = stackalloc byte[512];
        byte* from = buffer;
        if (pattern == Pattern.Neighbours)
        {
            from = Aligned<T>(w, op, lane, first, 512, 16);
        }
        else
        {
            ulong* addresses = Addresses(w, op);
            for (uint left = w.Mask; left != 0; left &= left - 1)
            {
                int i = BitOperations.TrailingZeroCount(left);
                ((Vector128<uint>*)buffer)[i] = *(Vector128<uint>*)Aligned<T>(w, op, i, addresses[i] + (ulong)op->Immediate, 16, 16);
            }
        }

        Spread(w, op, (uint*)from);
    }

    // 32 quads into four rows.
    private static void Spread(Warp w, Op* op, uint* quads)
    {
        for (int k = 0; k < 4; k++)
            w.Put(op->R[1 + k], EveryFourth(quads, k), EveryFourth(quads + 64, k));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> EveryFourth(uint* quads, int k)
    {
        if (Avx512F.IsSupported)
        {
            Vector512<uint> pick = Vector512.Create<uint>([0, 4, 8, 12, 16, 20, 24, 28, 0, 4, 8, 12, 16, 20, 24, 28])
                + Vector512.Create((uint)k);
            Vector512<uint> low = Avx512F.PermuteVar16x32x2(Vector512.Load(quads), pick, Vector512.Load(quads + 16));
            Vector512<uint> high = Avx512F.PermuteVar16x32x2(Vector512.Load(quads + 32), pick, Vector512.Load(quads + 48));
            return Vector512.Create(low.GetLower(), high.GetLower());
        }

        Span<uint> result = stackalloc uint[16];
        for (int i = 0; i < 16; i++)
            result[i] = quads[(4 * i) + k];
        return Vector512.Create<uint>(result);
    }

    private static void LoadAny<T>(Warp w, Op* op)
        where T : ISpace
    {
        Observe(w, op);
        ulong* addresses = Addresses(w, op);
        int size = op->Bytes, count = op->Count;
        for (uint left = w.Mask; left != 0; left &= left - 1)
        {
            int i = BitOperations.TrailingZeroCount(left);
            byte* p = Aligned<T>(w, op, i, addresses[i] + (ulong)op->Immediate, size * count, size * count);
            for (int k = 0; k < count; k++)
                Write(w, op->R[1 + k], i, Element(p + (k * size), size, op->IsSigned), size);
        }
    }

    private static void StoreWord<T>(Warp w, Op* op)
        where T : ISpace
    {
        Observe(w, op);
        if (Look(w, op, 4, out int lane, out ulong first) == Pattern.Neighbours)
        {
            byte* p = Aligned<T>(w, op, lane, first, 128, 4);
            w.Get<uint>(op->R[1], 0).Store((uint*)p);
            w.Get<uint>(op->R[1], 1).Store((uint*)p + 16);
            return;
        }

        ulong* addresses = Addresses(w, op);
        uint* from = (uint*)(w.Registers + op->R[1]);
        for (uint left = w.Mask; left != 0; left &= left - 1)
        {
            int i = BitOperations.TrailingZeroCount(left);
            *(uint*)Aligned<T>(w, op, i, addresses[i] + (ulong)op->Immediate, 4, 4) = from[i];
        }
    }

    private static void StoreQuad<T>(Warp w, Op* op)
        where T : ISpace
    {
        Observe(w, op);
        ulong* addresses = Addresses(w, op);
        uint* r0 = (uint*)(w.Registers + op->R[1]), r1 = (uint*)(w.Registers + op->R[2]), r2 = (uint*)(w.Registers + op->R[3]),
            r3 = (uint*)(w.Registers + op->R[4]);
        for (uint left = w.Mask; left != 0; left &= left - 1)
        {
            int i = BitOperations.TrailingZeroCount(left);
            *(Vector128<uint>*)Aligned<T>(w, op, i, addresses[i] + (ulong)op->Immediate, 16, 16) = Vector128.Create(r0[i], r1[i], r2[i],
                r3[i]);
        }
    }

    private static void StoreAny<T>(Warp w, Op* op)
        where T : ISpace
    {
        Observe(w, op);
        ulong* addresses = Addresses(w, op);
        int size = op->Bytes, count = op->Count;
        for (uint left = w.Mask; left != 0; left &= left - 1)
        {
            int i = BitOperations.TrailingZeroCount(left);
            byte* p = Aligned<T>(w, op, i, addresses[i] + (ulong)op->Immediate, size * count, size * count);
            for (int k = 0; k < count; k++)
            {
                byte* row = w.Registers + op->R[1 + k];
                switch (size)
                {
                    case 1:
                        p[k] = (byte)((uint*)row)[i];
                        break;
                    case 2:
                        ((ushort*)p)[k] = (ushort)((uint*)row)[i];
                        break;
                    case 4:
                        ((uint*)p)[k] = ((uint*)row)[i];
                        break;
                    default:
                        ((ulong*)p)[k] = ((ulong*)row)[i];
                        break;
                }
            }
        }
    }

    private static void NarrowParameter(Warp w, Op* op)
    {
        for (int k = 0; k < op->Count; k++)
        {
            var value = Vector512.Create((uint)Element(w.Parameters + op->Immediate + (k * op->Bytes), op->Bytes, op->IsSigned));
            w.Put(op->R[k], value, value);
        }
    }

    private static void WideParameter(Warp w, Op* op)
    {
        for (int k = 0; k < op->Count; k++)
        {
            var value = Vector512.Create(((ulong*)(w.Parameters + op->Immediate))[k]);
            for (int i = 0; i < 4; i++)
                w.Put(op->R[k], i, value);
        }
    }

    private static ulong Element(byte* p, int size, bool isSigned) => (size, isSigned) switch
    {
        (1, false) => *p,
        (1, true) => (uint)*(sbyte*)p,
        (2, false) => *(ushort*)p,
        (2, true) => (uint)*(short*)p,
        (4, _) => *(uint*)p,
        _ => *(ulong*)p,
    };

    private static void Write(Warp w, int row, int lane, ulong value, int size)
    {
        if (size == 8)
            ((ulong*)(w.Registers + row))[lane] = value;
        else
            ((uint*)(w.Registers + row))[lane] = (uint)value;
    }

    /// <summary>The addresses of R[0], without the offset.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong* Addresses(Warp w, Op* op) => op->IsNarrow ? Widened(w, op) : (ulong*)(w.Registers + op->R[0]);

    /// <summary>Shows the observer an access, if there is one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Observe(Warp w, Op* op)
    {
        if (w.Group.Observer is not null)
            Show(w, op, w.Group.Form(op), Addresses(w, op), op->Immediate);
    }

    /// <summary>Shows the observer an access at some addresses.</summary>
    public static void Show(Warp w, Op* op, MemoryForm form, ulong* rows, long offset)
    {
        ulong* addresses = stackalloc ulong[Warp.Lanes];
        for (int i = 0; i < Warp.Lanes; i++)
            addresses[i] = rows[i] + (ulong)offset;
        w.Group.Observer!.Access(w, op, form, addresses);
    }

    private static ulong* Widened(Warp w, Op* op)
    {
        uint* row = (uint*)(w.Registers + op->R[0]);
        for (int i = 0; i < Warp.Lanes; i++)
            w.Scratch[i] = row[i];
        return w.Scratch;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* Aligned<T>(Warp w, Op* op, int lane, ulong address, int bytes, int alignment)
        where T : ISpace
    {
        if ((address & (ulong)(alignment - 1)) != 0)
            throw w.Group.Misaligned(w, op, lane, address, alignment);
        return T.Find(w, op, lane, address, bytes);
    }

    // The first executing lane, its address, and how the others lie to it.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Pattern Look(Warp w, Op* op, int bytes, out int lane, out ulong first)
    {
        lane = BitOperations.TrailingZeroCount(w.Mask);
        ulong* a = Addresses(w, op);
        ulong start = a[lane & 31];
        first = start + (ulong)op->Immediate;
        if (w.Mask == uint.MaxValue)
        {
            Vector512<ulong> v0 = Vector512.Load(a), v1 = Vector512.Load(a + 8), v2 = Vector512.Load(a + 16), v3 = Vector512.Load(a + 24);
            var base0 = Vector512.Create(start);
            if (((v0 ^ base0) | (v1 ^ base0) | (v2 ^ base0) | (v3 ^ base0)) == Vector512<ulong>.Zero)
                return Pattern.Same;
            if (a[31] - start != 31UL * (ulong)bytes)
                return Pattern.Any;
            Vector512<ulong> steps = base0 + (Vector512<ulong>.Indices * Vector512.Create((ulong)bytes)),
                eight = Vector512.Create(8UL * (ulong)bytes);
            if (((v0 ^ steps) | (v1 ^ (steps + eight)) | (v2 ^ (steps + eight + eight))
                | (v3 ^ (steps + eight + eight + eight))) == Vector512<ulong>.Zero)
                return Pattern.Neighbours;
            return Pattern.Any;
        }

        for (uint left = w.Mask; left != 0; left &= left - 1)
        {
            if (a[BitOperations.TrailingZeroCount(left)] != start)
                return Pattern.Any;
        }

        return Pattern.Same;
    }
}
