using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace UniCardio.Ptx.Execution;

// What one instruction does to 16 lanes of 32 bits, or 8 of 64.
internal interface IMap1
{
    static abstract Vector512<uint> Of(Vector512<uint> a);
}

internal interface IMap2
{
    static abstract Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b);
}

internal interface IMap3
{
    static abstract Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b, Vector512<uint> c);
}

internal interface IWide1
{
    static abstract Vector512<ulong> Of(Vector512<ulong> a);
}

internal interface IWide2
{
    static abstract Vector512<ulong> Of(Vector512<ulong> a, Vector512<ulong> b);
}

internal interface IWide3
{
    static abstract Vector512<ulong> Of(Vector512<ulong> a, Vector512<ulong> b, Vector512<ulong> c);
}

internal interface ICompare
{
    static abstract Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b);
}

internal interface IWideCompare
{
    static abstract Vector512<ulong> Of(Vector512<ulong> a, Vector512<ulong> b);
}

internal interface IPredicate
{
    static abstract uint Of(uint a, uint b);
}

// Runs a map over the 32 lanes of its operands' rows.
internal static unsafe class Map
{
    public static void One<T>(Warp w, Op* op)
        where T : IMap1 => w.Put(op->R[0], T.Of(w.Get<uint>(op->R[1], 0)), T.Of(w.Get<uint>(op->R[1], 1)));

    public static void Two<T>(Warp w, Op* op)
        where T : IMap2 => w.Put(op->R[0], T.Of(w.Get<uint>(op->R[1], 0), w.Get<uint>(op->R[2], 0)),
            T.Of(w.Get<uint>(op->R[1], 1), w.Get<uint>(op->R[2], 1)));

    public static void Three<T>(Warp w, Op* op)
        where T : IMap3 => w.Put(
            op->R[0],
            T.Of(w.Get<uint>(op->R[1], 0), w.Get<uint>(op->R[2], 0), w.Get<uint>(op->R[3], 0)),
            T.Of(w.Get<uint>(op->R[1], 1), w.Get<uint>(op->R[2], 1), w.Get<uint>(op->R[3], 1)));

    public static void WideOne<T>(Warp w, Op* op)
        where T : IWide1
    {
        for (int i = 0; i < 4; i++)
            w.Put(op->R[0], i, T.Of(w.Get<ulong>(op->R[1], i)));
    }

    public static void WideTwo<T>(Warp w, Op* op)
        where T : IWide2
    {
        for (int i = 0; i < 4; i++)
            w.Put(op->R[0], i, T.Of(w.Get<ulong>(op->R[1], i), w.Get<ulong>(op->R[2], i)));
    }

    public static void WideThree<T>(Warp w, Op* op)
        where T : IWide3
    {
        for (int i = 0; i < 4; i++)
            w.Put(op->R[0], i, T.Of(w.Get<ulong>(op->R[1], i), w.Get<ulong>(op->R[2], i), w.Get<ulong>(op->R[3], i)));
    }

    /// <summary>64-bit shifts: the amount is of 32 bits.</summary>
    public static void WideShift<T>(Warp w, Op* op)
        where T : IWide2
    {
        for (int i = 0; i < 4; i++)
            w.Put(op->R[0], i, T.Of(w.Get<ulong>(op->R[1], i), Widen(w, op->R[2], i)));
    }

    /// <summary>Products of 32-bit values as 64-bit ones, and what may be added to them.</summary>
    public static void MultiplyWideUnsigned(Warp w, Op* op)
    {
        for (int i = 0; i < 4; i++)
            w.Put(op->R[0], i, Widen(w, op->R[1], i) * Widen(w, op->R[2], i));
    }

    public static void MultiplyWideSigned(Warp w, Op* op)
    {
        for (int i = 0; i < 4; i++)
            w.Put(op->R[0], i, (WidenSigned(w, op->R[1], i) * WidenSigned(w, op->R[2], i)).AsUInt64());
    }

    public static void MultiplyAddWideUnsigned(Warp w, Op* op)
    {
        for (int i = 0; i < 4; i++)
            w.Put(op->R[0], i, (Widen(w, op->R[1], i) * Widen(w, op->R[2], i)) + w.Get<ulong>(op->R[3], i));
    }

    public static void MultiplyAddWideSigned(Warp w, Op* op)
    {
        for (int i = 0; i < 4; i++)
            w.Put(op->R[0], i, (WidenSigned(w, op->R[1], i) * WidenSigned(w, op->R[2], i)).AsUInt64() + w.Get<ulong>(op->R[3], i));
    }

    public static void Compare<T>(Warp w, Op* op)
        where T : ICompare => w.SetPredicate(
            op->R[0],
            (uint)T.Of(w.Get<uint>(op->R[1], 0), w.Get<uint>(op->R[2], 0)).ExtractMostSignificantBits()
            | ((uint)T.Of(w.Get<uint>(op->R[1], 1), w.Get<uint>(op->R[2], 1)).ExtractMostSignificantBits() << 16));

    public static void WideCompare<T>(Warp w, Op* op)
        where T : IWideCompare
    {
        uint bits = 0;
        for (int i = 0; i < 4; i++)
            bits |= (uint)T.Of(w.Get<ulong>(op->R[1], i), w.Get<ulong>(op->R[2], i)).ExtractMostSignificantBits() << (8 * i);
        w.SetPredicate(op->R[0], bits);
    }

    public static void Predicates<T>(Warp w, Op* op)
        where T : IPredicate => w.SetPredicate(op->R[0], T.Of(w.Predicate(op->R[1]), w.Predicate(op->R[2])));

    public static void PredicateMove(Warp w, Op* op) => w.SetPredicate(op->R[0], w.Predicate(op->R[1]));

    public static void PredicateNot(Warp w, Op* op) => w.SetPredicate(op->R[0], ~w.Predicate(op->R[1]));

    public static void Move(Warp w, Op* op) => w.Put(op->R[0], w.Get<uint>(op->R[1], 0), w.Get<uint>(op->R[1], 1));

    public static void WideMove(Warp w, Op* op)
    {
        for (int i = 0; i < 4; i++)
            w.Put(op->R[0], i, w.Get<ulong>(op->R[1], i));
    }

    public static void Select(Warp w, Op* op)
    {
        Expand(w.Predicate(op->R[3]), out Vector512<uint> m0, out Vector512<uint> m1);
        w.Put(
            op->R[0],
            Vector512.ConditionalSelect(m0, w.Get<uint>(op->R[1], 0), w.Get<uint>(op->R[2], 0)),
            Vector512.ConditionalSelect(m1, w.Get<uint>(op->R[1], 1), w.Get<uint>(op->R[2], 1)));
    }

    public static void WideSelect(Warp w, Op* op)
    {
        Expand(w.Predicate(op->R[3]), out Vector512<uint> m0, out Vector512<uint> m1);
        for (int i = 0; i < 4; i++)
        {
            Vector512<int> half = (i < 2 ? m0 : m1).AsInt32();
            Vector512<ulong> m = ((i & 1) == 0 ? Vector512.WidenLower(half) : Vector512.WidenUpper(half)).AsUInt64();
            w.Put(op->R[0], i, Vector512.ConditionalSelect(m, w.Get<ulong>(op->R[1], i), w.Get<ulong>(op->R[2], i)));
        }
    }

    /// <summary>mov.b64 %rd, {%r, %r} and back.</summary>
    public static void Pack(Warp w, Op* op)
    {
        for (int i = 0; i < 4; i++)
            w.Put(op->R[0], i, Widen(w, op->R[1], i) | (Widen(w, op->R[2], i) << 32));
    }

    public static void Unpack(Warp w, Op* op)
    {
        Vector512<ulong> a = w.Get<ulong>(op->R[2], 0), b = w.Get<ulong>(op->R[2], 1), c = w.Get<ulong>(op->R[2], 2),
            d = w.Get<ulong>(op->R[2], 3);
        w.Put(op->R[0], Vector512.Narrow(a & Low, b & Low), Vector512.Narrow(c & Low, d & Low));
        w.Put(op->R[1], Vector512.Narrow(a >> 32, b >> 32), Vector512.Narrow(c >> 32, d >> 32));
    }

    /// <summary>mov.b32 %r, {%h, %h} and back: 16 bits each.</summary>
    public static void PackHalves(Warp w, Op* op)
    {
        var half = Vector512.Create(0xffffu);
        w.Put(
            op->R[0],
            (w.Get<uint>(op->R[1], 0) & half) | (w.Get<uint>(op->R[2], 0) << 16),
            (w.Get<uint>(op->R[1], 1) & half) | (w.Get<uint>(op->R[2], 1) << 16));
    }

    public static void UnpackHalves(Warp w, Op* op)
    {
        var half = Vector512.Create(0xffffu);
        Vector512<uint> a = w.Get<uint>(op->R[2], 0), b = w.Get<uint>(op->R[2], 1);
        w.Put(op->R[0], a & half, b & half);
        w.Put(op->R[1], a >> 16, b >> 16);
    }

    public static Vector512<ulong> Low => Vector512.Create(0xffffffffUL);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> Widen(Warp w, int row, int part)
    {
        Vector512<uint> half = w.Get<uint>(row, part >> 1);
        return (part & 1) == 0 ? Vector512.WidenLower(half) : Vector512.WidenUpper(half);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<long> WidenSigned(Warp w, int row, int part)
    {
        Vector512<int> half = w.Get<int>(row, part >> 1);
        return (part & 1) == 0 ? Vector512.WidenLower(half) : Vector512.WidenUpper(half);
    }

    // A word for each bit.
    private static void Expand(uint bits, out Vector512<uint> m0, out Vector512<uint> m1)
    {
        Vector512<uint> one = Vector512.Create<uint>([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768]);
        m0 = Vector512.Equals(Vector512.Create(bits & 0xffff) & one, one);
        m1 = Vector512.Equals(Vector512.Create(bits >> 16) & one, one);
    }
}
