using System.Numerics;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace UniCardio.Ptx.Execution;

// Integer instructions of 32 and 64 bits (PTX ISA 9.7.1 and 9.7.8). Sums and products wrap; shifts past the width give 0, or the sign.
internal readonly struct Add : IMap2, IWide2
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b) => a + b;

    public static Vector512<ulong> Of(Vector512<ulong> a, Vector512<ulong> b) => a + b;
}

internal readonly struct Subtract : IMap2, IWide2
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b) => a - b;

    public static Vector512<ulong> Of(Vector512<ulong> a, Vector512<ulong> b) => a - b;
}

internal readonly struct MultiplyLow : IMap2, IWide2
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b) => a * b;

    public static Vector512<ulong> Of(Vector512<ulong> a, Vector512<ulong> b) => a * b;
}

internal readonly struct MultiplyAddLow : IMap3, IWide3
{
    public static Vector512<ulong> Of(Vector512<ulong> a, Vector512<ulong> b, Vector512<ulong> c) => (a * b) + c;

    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b, Vector512<uint> c) => (a * b) + c;
}

internal readonly struct MultiplyHighUnsigned : IMap2
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b) => Vector512.Narrow(
        (Vector512.WidenLower(a) * Vector512.WidenLower(b)) >> 32,
        (Vector512.WidenUpper(a) * Vector512.WidenUpper(b)) >> 32);
}

internal readonly struct MultiplyHighSigned : IMap2
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b) => Vector512.Narrow(
        (Vector512.WidenLower(a.AsInt32()) * Vector512.WidenLower(b.AsInt32())).AsUInt64() >> 32,
        (Vector512.WidenUpper(a.AsInt32()) * Vector512.WidenUpper(b.AsInt32())).AsUInt64() >> 32);
}

internal readonly struct And : IMap2, IWide2, IPredicate
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b) => a & b;

    public static Vector512<ulong> Of(Vector512<ulong> a, Vector512<ulong> b) => a & b;

    public static uint Of(uint a, uint b) => a & b;
}

internal readonly struct Or : IMap2, IWide2, IPredicate
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b) => a | b;

    public static Vector512<ulong> Of(Vector512<ulong> a, Vector512<ulong> b) => a | b;

    public static uint Of(uint a, uint b) => a | b;
}

internal readonly struct Xor : IMap2, IWide2, IPredicate
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b) => a ^ b;

    public static Vector512<ulong> Of(Vector512<ulong> a, Vector512<ulong> b) => a ^ b;

    public static uint Of(uint a, uint b) => a ^ b;
}

internal readonly struct Not : IMap1, IWide1
{
    public static Vector512<uint> Of(Vector512<uint> a) => ~a;

    public static Vector512<ulong> Of(Vector512<ulong> a) => ~a;
}

internal readonly struct Negate : IMap1, IWide1
{
    public static Vector512<uint> Of(Vector512<uint> a) => -a;

    public static Vector512<ulong> Of(Vector512<ulong> a) => -a;
}

// |int.MinValue| is itself.
internal readonly struct AbsSigned : IMap1
{
    public static Vector512<uint> Of(Vector512<uint> a) =>
        Vector512.ConditionalSelect(Vector512.LessThan(a.AsInt32(), Vector512<int>.Zero).AsUInt32(), -a, a);
}

internal readonly struct MinSigned : IMap2, IWide2
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b) => Vector512.Min(a.AsInt32(), b.AsInt32()).AsUInt32();

    public static Vector512<ulong> Of(Vector512<ulong> a, Vector512<ulong> b) => Vector512.Min(a.AsInt64(), b.AsInt64()).AsUInt64();
}

internal readonly struct MaxSigned : IMap2, IWide2
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b) => Vector512.Max(a.AsInt32(), b.AsInt32()).AsUInt32();

    public static Vector512<ulong> Of(Vector512<ulong> a, Vector512<ulong> b) => Vector512.Max(a.AsInt64(), b.AsInt64()).AsUInt64();
}

internal readonly struct MinUnsigned : IMap2, IWide2
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b) => Vector512.Min(a, b);

    public static Vector512<ulong> Of(Vector512<ulong> a, Vector512<ulong> b) => Vector512.Min(a, b);
}

internal readonly struct MaxUnsigned : IMap2, IWide2
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b) => Vector512.Max(a, b);

    public static Vector512<ulong> Of(Vector512<ulong> a, Vector512<ulong> b) => Vector512.Max(a, b);
}

internal readonly struct ShiftLeft : IMap2, IWide2
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b)
    {
        // The processor's own shifts have the same rule.
        if (Avx512F.IsSupported)
            return Avx512F.ShiftLeftLogicalVariable(a, b);
        Span<uint> result = stackalloc uint[16];
        for (int i = 0; i < 16; i++)
            result[i] = b[i] > 31 ? 0 : a[i] << (int)b[i];
        return Vector512.Create<uint>(result);
    }

    public static Vector512<ulong> Of(Vector512<ulong> a, Vector512<ulong> b)
    {
        if (Avx512F.IsSupported)
            return Avx512F.ShiftLeftLogicalVariable(a, b);
        Span<ulong> result = stackalloc ulong[8];
        for (int i = 0; i < 8; i++)
            result[i] = b[i] > 63 ? 0 : a[i] << (int)b[i];
        return Vector512.Create<ulong>(result);
    }
}

internal readonly struct ShiftRightUnsigned : IMap2, IWide2
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b)
    {
        // The processor's own shifts have the same rule.
        if (Avx512F.IsSupported)
            return Avx512F.ShiftRightLogicalVariable(a, b);
        Span<uint> result = stackalloc uint[16];
        for (int i = 0; i < 16; i++)
            result[i] = b[i] > 31 ? 0 : a[i] >> (int)b[i];
        return Vector512.Create<uint>(result);
    }

    public static Vector512<ulong> Of(Vector512<ulong> a, Vector512<ulong> b)
    {
        if (Avx512F.IsSupported)
            return Avx512F.ShiftRightLogicalVariable(a, b);
        Span<ulong> result = stackalloc ulong[8];
        for (int i = 0; i < 8; i++)
            result[i] = b[i] > 63 ? 0 : a[i] >> (int)b[i];
        return Vector512.Create<ulong>(result);
    }
}

internal readonly struct ShiftRightSigned : IMap2, IWide2
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b)
    {
        // The processor's own shifts have the same rule.
        if (Avx512F.IsSupported)
            return Avx512F.ShiftRightArithmeticVariable(a.AsInt32(), b).AsUInt32();
        Span<uint> result = stackalloc uint[16];
        for (int i = 0; i < 16; i++)
            result[i] = (uint)((int)a[i] >> (int)Math.Min(b[i], 31));
        return Vector512.Create<uint>(result);
    }

    public static Vector512<ulong> Of(Vector512<ulong> a, Vector512<ulong> b)
    {
        if (Avx512F.IsSupported)
            return Avx512F.ShiftRightArithmeticVariable(a.AsInt64(), b).AsUInt64();
        Span<ulong> result = stackalloc ulong[8];
        for (int i = 0; i < 8; i++)
            result[i] = (ulong)((long)a[i] >> (int)Math.Min(b[i], 63));
        return Vector512.Create<ulong>(result);
    }
}

// Division by zero has no result that the ISA names: all ones here, as the hardware gives; int.MinValue / -1 wraps.
internal readonly struct DivideSigned : IMap2, IWide2
{
    public static Vector512<ulong> Of(Vector512<ulong> a, Vector512<ulong> b) =>
        IntegerDivision.EachWide(a, b, static (x, y) => y == 0 ? ulong.MaxValue : (long)y == -1 ? 0 - x : (ulong)((long)x / (long)y));

    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b) => IntegerDivision.Signed(a, b);
}

internal readonly struct DivideUnsigned : IMap2, IWide2
{
    public static Vector512<ulong> Of(Vector512<ulong> a, Vector512<ulong> b) =>
        IntegerDivision.EachWide(a, b, static (x, y) => y == 0 ? ulong.MaxValue : x / y);

    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b) => IntegerDivision.Unsigned(a, b);
}

internal readonly struct RemainderSigned : IMap2, IWide2
{
    public static Vector512<ulong> Of(Vector512<ulong> a, Vector512<ulong> b) =>
        IntegerDivision.EachWide(a, b, static (x, y) => y == 0 ? x : (long)y == -1 ? 0 : (ulong)((long)x % (long)y));

    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b) =>
        Vector512.ConditionalSelect(Vector512.Equals(b, Vector512<uint>.Zero), a, a - (IntegerDivision.Signed(a, b) * b));
}

internal readonly struct RemainderUnsigned : IMap2, IWide2
{
    public static Vector512<ulong> Of(Vector512<ulong> a, Vector512<ulong> b) =>
        IntegerDivision.EachWide(a, b, static (x, y) => y == 0 ? x : x % y);

    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b) =>
        Vector512.ConditionalSelect(Vector512.Equals(b, Vector512<uint>.Zero), a, a - (IntegerDivision.Unsigned(a, b) * b));
}

internal readonly struct PopulationCount : IMap1
{
    public static Vector512<uint> Of(Vector512<uint> a) => IntegerDivision.Each(a, static v => (uint)BitOperations.PopCount(v));
}

internal readonly struct LeadingZeros : IMap1
{
    public static Vector512<uint> Of(Vector512<uint> a) => IntegerDivision.Each(a, static v => (uint)BitOperations.LeadingZeroCount(v));
}

// Quotients of 32-bit integers are exact in double: 53 bits hold the operands, and a quotient that is no integer is at least 2^-32
// of its value away from the next one.
internal static class IntegerDivision
{
    public static Vector512<uint> Signed(Vector512<uint> a, Vector512<uint> b)
    {
        Vector512<uint> quotient = Vector512.Narrow(
            Half(Vector512.WidenLower(a.AsInt32()), Vector512.WidenLower(b.AsInt32())),
            Half(Vector512.WidenUpper(a.AsInt32()), Vector512.WidenUpper(b.AsInt32())));
        return Vector512.ConditionalSelect(Vector512.Equals(b, Vector512<uint>.Zero), Vector512<uint>.AllBitsSet, quotient);
    }

    public static Vector512<uint> Unsigned(Vector512<uint> a, Vector512<uint> b)
    {
        Vector512<uint> quotient = Vector512.Narrow(
            Half(Vector512.WidenLower(a).AsInt64(), Vector512.WidenLower(b).AsInt64()),
            Half(Vector512.WidenUpper(a).AsInt64(), Vector512.WidenUpper(b).AsInt64()));
        return Vector512.ConditionalSelect(Vector512.Equals(b, Vector512<uint>.Zero), Vector512<uint>.AllBitsSet, quotient);
    }

    public static Vector512<uint> Each(Vector512<uint> a, Func<uint, uint> of)
    {
        Span<uint> result = stackalloc uint[16];
        for (int i = 0; i < 16; i++)
            result[i] = of(a[i]);
        return Vector512.Create<uint>(result);
    }

    public static Vector512<ulong> EachWide(Vector512<ulong> a, Vector512<ulong> b, Func<ulong, ulong, ulong> of)
    {
        Span<ulong> result = stackalloc ulong[8];
        for (int i = 0; i < 8; i++)
            result[i] = of(a[i], b[i]);
        return Vector512.Create<ulong>(result);
    }

    private static Vector512<ulong> Half(Vector512<long> a, Vector512<long> b)
    {
        // A zero divisor is taken out beforehand, so that no infinity is converted.
        Vector512<long> divisor = Vector512.ConditionalSelect(Vector512.Equals(b, Vector512<long>.Zero), Vector512<long>.One, b);
        Vector512<double> quotient = Vector512.ConvertToDouble(a) / Vector512.ConvertToDouble(divisor);
        return Vector512.ConvertToInt64(Vector512.Truncate(quotient)).AsUInt64() & Map.Low;
    }
}
