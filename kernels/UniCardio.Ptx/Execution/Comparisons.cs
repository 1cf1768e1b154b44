using System.Runtime.Intrinsics;

namespace UniCardio.Ptx.Execution;

// setp (PTX ISA 9.7.6). Ordered comparisons of floats are false with a NaN, unordered ones (equ, neu, ltu ...) are true.
internal readonly struct Equal : ICompare, IWideCompare
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b) => Vector512.Equals(a, b);

    public static Vector512<ulong> Of(Vector512<ulong> a, Vector512<ulong> b) => Vector512.Equals(a, b);
}

internal readonly struct LessSigned : ICompare, IWideCompare
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b) => Vector512.LessThan(a.AsInt32(), b.AsInt32()).AsUInt32();

    public static Vector512<ulong> Of(Vector512<ulong> a, Vector512<ulong> b) => Vector512.LessThan(a.AsInt64(), b.AsInt64()).AsUInt64();
}

internal readonly struct LessUnsigned : ICompare, IWideCompare
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b) => Vector512.LessThan(a, b);

    public static Vector512<ulong> Of(Vector512<ulong> a, Vector512<ulong> b) => Vector512.LessThan(a, b);
}

internal readonly struct EqualFloat : ICompare
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b) => Vector512.Equals(a.AsSingle(), b.AsSingle()).AsUInt32();
}

internal readonly struct LessFloat : ICompare
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b) => Vector512.LessThan(a.AsSingle(), b.AsSingle()).AsUInt32();
}

internal readonly struct LessOrEqualFloat : ICompare
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b) =>
        Vector512.LessThanOrEqual(a.AsSingle(), b.AsSingle()).AsUInt32();
}

internal readonly struct OrderedFloat : ICompare
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b) =>
        (Vector512.Equals(a.AsSingle(), a.AsSingle()) & Vector512.Equals(b.AsSingle(), b.AsSingle())).AsUInt32();
}

// The comparison with its operands exchanged, and its opposite.
internal readonly struct Swapped<T> : ICompare, IWideCompare
    where T : ICompare, IWideCompare
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b) => T.Of(b, a);

    public static Vector512<ulong> Of(Vector512<ulong> a, Vector512<ulong> b) => T.Of(b, a);
}

internal readonly struct Opposite<T> : ICompare, IWideCompare
    where T : ICompare, IWideCompare
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b) => ~T.Of(a, b);

    public static Vector512<ulong> Of(Vector512<ulong> a, Vector512<ulong> b) => ~T.Of(a, b);
}

internal readonly struct SwappedFloat<T> : ICompare
    where T : ICompare
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b) => T.Of(b, a);
}

internal readonly struct OppositeFloat<T> : ICompare
    where T : ICompare
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b) => ~T.Of(a, b);
}

// Ordered and not equal.
internal readonly struct NotEqualOrdered : ICompare
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b) => OrderedFloat.Of(a, b) & ~EqualFloat.Of(a, b);
}
