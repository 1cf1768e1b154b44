using System.Runtime.Intrinsics;

namespace UniCardio.Ptx.Execution;

// cvt (PTX ISA 9.7.9): between integers by truncation or extension, from integers to float rounded to nearest even, from floats to
// integers clamped to the range, NaN to 0.
internal static unsafe class Conversions
{
    public static void Narrow64(Warp w, Op* op) => w.Put(
        op->R[0],
        Vector512.Narrow(w.Get<ulong>(op->R[1], 0) & Map.Low, w.Get<ulong>(op->R[1], 1) & Map.Low),
        Vector512.Narrow(w.Get<ulong>(op->R[1], 2) & Map.Low, w.Get<ulong>(op->R[1], 3) & Map.Low));

    public static void WidenUnsigned(Warp w, Op* op)
    {
        Vector512<ulong> a = Map.Widen(w, op->R[1], 0), b = Map.Widen(w, op->R[1], 1), c = Map.Widen(w, op->R[1], 2),
            d = Map.Widen(w, op->R[1], 3);
        w.Put(op->R[0], 0, a);
        w.Put(op->R[0], 1, b);
        w.Put(op->R[0], 2, c);
        w.Put(op->R[0], 3, d);
    }

    public static void WidenSigned(Warp w, Op* op)
    {
        Vector512<long> a = Map.WidenSigned(w, op->R[1], 0), b = Map.WidenSigned(w, op->R[1], 1), c = Map.WidenSigned(w, op->R[1], 2),
            d = Map.WidenSigned(w, op->R[1], 3);
        w.Put(op->R[0], 0, a.AsUInt64());
        w.Put(op->R[0], 1, b.AsUInt64());
        w.Put(op->R[0], 2, c.AsUInt64());
        w.Put(op->R[0], 3, d.AsUInt64());
    }

    /// <summary>An f32 from a 64-bit integer.</summary>
    public static void FloatFromWide(Warp w, Op* op, bool isSigned)
    {
        Span<float> result = stackalloc float[32];
        ulong* from = (ulong*)(w.Registers + op->R[1]);
        for (int i = 0; i < 32; i++)
            result[i] = isSigned ? (long)from[i] : from[i];
        w.Put(op->R[0], Vector512.Create<float>(result[..16]).AsUInt32(), Vector512.Create<float>(result[16..]).AsUInt32());
    }

    public static void FloatFromS64(Warp w, Op* op) => FloatFromWide(w, op, isSigned: true);

    public static void FloatFromU64(Warp w, Op* op) => FloatFromWide(w, op, isSigned: false);

    /// <summary>cvt.rn.bf16x2.f32 d, a, b: a goes to the upper half.</summary>
    public static void PairOfBFloat(Warp w, Op* op) => w.Put(
        op->R[0],
        (BFloat.Round(w.Get<uint>(op->R[1], 0)) << 16) | BFloat.Round(w.Get<uint>(op->R[2], 0)),
        (BFloat.Round(w.Get<uint>(op->R[1], 1)) << 16) | BFloat.Round(w.Get<uint>(op->R[2], 1)));
}

internal readonly struct FloatFromSigned : IMap1
{
    public static Vector512<uint> Of(Vector512<uint> a) => Vector512.ConvertToSingle(a.AsInt32()).AsUInt32();
}

internal readonly struct FloatFromUnsigned : IMap1
{
    // Through double, which holds every 32-bit integer: one rounding.
    public static Vector512<uint> Of(Vector512<uint> a) => Vector512.Narrow(
        Vector512.ConvertToDouble(Vector512.WidenLower(a).AsInt64()),
        Vector512.ConvertToDouble(Vector512.WidenUpper(a).AsInt64())).AsUInt32();
}

// How a float becomes whole before it is converted.
internal interface IRounding
{
    static abstract Vector512<float> Of(Vector512<float> a);
}

internal readonly struct ToNearest : IRounding
{
    public static Vector512<float> Of(Vector512<float> a) => Vector512.Round(a);
}

internal readonly struct ToZero : IRounding
{
    public static Vector512<float> Of(Vector512<float> a) => Vector512.Truncate(a);
}

internal readonly struct ToFloor : IRounding
{
    public static Vector512<float> Of(Vector512<float> a) => Vector512.Floor(a);
}

internal readonly struct ToCeiling : IRounding
{
    public static Vector512<float> Of(Vector512<float> a) => Vector512.Ceiling(a);
}

internal readonly struct SignedFromFloat<T> : IMap1
    where T : IRounding
{
    // 2^31 and above clamp; NaN gives 0.
    public static Vector512<uint> Of(Vector512<uint> a)
    {
        Vector512<float> v = T.Of(a.AsSingle());
        Vector512<float> limit = Vector512.Create(2147483648f);
        Vector512<float> inside = Vector512.ConditionalSelect(Vector512.LessThan(v, limit) & Vector512.GreaterThanOrEqual(v, -limit), v,
            Vector512<float>.Zero);
        Vector512<int> result = Vector512.ConvertToInt32(inside);
        result = Vector512.ConditionalSelect(Vector512.GreaterThanOrEqual(v, limit).AsInt32(), Vector512.Create(int.MaxValue), result);
        return Vector512.ConditionalSelect(Vector512.LessThan(v, -limit).AsInt32(), Vector512.Create(int.MinValue), result).AsUInt32();
    }
}

internal readonly struct UnsignedFromFloat<T> : IMap1
    where T : IRounding
{
    public static Vector512<uint> Of(Vector512<uint> a)
    {
        Vector512<float> v = T.Of(a.AsSingle());
        Span<uint> result = stackalloc uint[16];
        for (int i = 0; i < 16; i++)
            result[i] = v[i] >= 4294967296f ? uint.MaxValue : v[i] > 0 ? (uint)v[i] : 0;
        return Vector512.Create<uint>(result);
    }
}

internal readonly struct WholeFloat<T> : IMap1
    where T : IRounding
{
    public static Vector512<uint> Of(Vector512<uint> a) => Float.Canonical(T.Of(a.AsSingle()));
}

// Between 8, 16 and 32 bits.
internal readonly struct ZeroExtend8 : IMap1
{
    public static Vector512<uint> Of(Vector512<uint> a) => a & Vector512.Create(0xffu);
}

internal readonly struct ZeroExtend16 : IMap1
{
    public static Vector512<uint> Of(Vector512<uint> a) => a & Vector512.Create(0xffffu);
}

internal readonly struct SignExtend8 : IMap1
{
    public static Vector512<uint> Of(Vector512<uint> a) => ((a.AsInt32() << 24) >> 24).AsUInt32();
}

internal readonly struct SignExtend16 : IMap1
{
    public static Vector512<uint> Of(Vector512<uint> a) => ((a.AsInt32() << 16) >> 16).AsUInt32();
}

// bf16: the upper half of a float32, rounded to nearest even; NaN is 0x7fff.
internal static class BFloat
{
    public static Vector512<uint> Round(Vector512<uint> a)
    {
        Vector512<uint> odd = (a >> 16) & Vector512<uint>.One;
        Vector512<uint> rounded = (a + Vector512.Create(0x7fffu) + odd) >> 16;
        return Vector512.ConditionalSelect(Vector512.Equals(a.AsSingle(), a.AsSingle()).AsUInt32(), rounded, Vector512.Create(0x7fffu));
    }
}

internal readonly struct BFloatFromFloat : IMap1
{
    public static Vector512<uint> Of(Vector512<uint> a) => BFloat.Round(a);
}

internal readonly struct FloatFromBFloat : IMap1
{
    public static Vector512<uint> Of(Vector512<uint> a) => a << 16;
}

// f16's exponent is 112 less than float32's, so that its bits, moved, are 2^-112 of the value, subnormals too; NaN is 0x7fffffff.
internal readonly struct FloatFromHalf : IMap1
{
    public static Vector512<uint> Of(Vector512<uint> a)
    {
        Vector512<uint> magnitude = a & Vector512.Create(0x7fffu), sign = (a & Vector512.Create(0x8000u)) << 16;
        Vector512<float> scaled = (magnitude << 13).AsSingle() * Vector512.Create(5.192296858534828e33f);
        Vector512<uint> infinity = Vector512.Create(0x7c00u), special = Vector512.ConditionalSelect(Vector512.Equals(magnitude, infinity),
            sign | Vector512.Create(0x7f800000u), Vector512.Create(0x7fffffffu));
        return Vector512.ConditionalSelect(Vector512.LessThan(magnitude, infinity), sign | scaled.AsUInt32(), special);
    }
}

// tf32 keeps 10 bits of the fraction: rounded to nearest, ties away from zero; the low 13 bits are left 0.
internal readonly struct Tf32FromFloat : IMap1
{
    public static Vector512<uint> Of(Vector512<uint> a)
    {
        Vector512<uint> rounded = (a + Vector512.Create(0x1000u)) & Vector512.Create(0xffffe000u);
        Vector512<uint> isFinite = Vector512.LessThan(a & Vector512.Create(0x7fffffffu), Vector512.Create(0x7f800000u));
        Vector512<uint> isNumber = Vector512.Equals(a.AsSingle(), a.AsSingle()).AsUInt32();
        return Vector512.ConditionalSelect(isFinite, rounded, Vector512.ConditionalSelect(isNumber, a, Vector512.Create(0x7fffffffu)));
    }
}
