using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace UniCardio.Ptx.Execution;

// Instructions on float32 (PTX ISA 9.7.3): rounded to nearest even, subnormals kept (but for .ftz), every NaN is 0x7fffffff.
// Approximations (.approx) are given correctly rounded: within the bounds that the ISA states.
internal static class Float
{
    public static Vector512<uint> Canonical(Vector512<float> v) =>
        Vector512.ConditionalSelect(Vector512.Equals(v, v), v, Vector512.Create(0x7fffffffu).AsSingle()).AsUInt32();

    public static Vector512<uint> Flush(Vector512<uint> v)
    {
        Vector512<uint> isSmall = Vector512.Equals(v & Vector512.Create(0x7f800000u), Vector512<uint>.Zero);
        return Vector512.ConditionalSelect(isSmall, v & Vector512.Create(0x80000000u), v);
    }

    // Of the double nearest to the true value.
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static Vector512<uint> Each(Vector512<uint> a, Func<double, double> of)
    {
        Span<float> result = stackalloc float[16];
        for (int i = 0; i < 16; i++)
            result[i] = (float)of(a.AsSingle()[i]);
        return Canonical(Vector512.Create<float>(result));
    }
}

// Subnormal operands and results become zeros of their sign.
internal readonly struct Flushed1<T> : IMap1
    where T : IMap1
{
    public static Vector512<uint> Of(Vector512<uint> a) => Float.Flush(T.Of(Float.Flush(a)));
}

internal readonly struct Flushed2<T> : IMap2
    where T : IMap2
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b) => Float.Flush(T.Of(Float.Flush(a), Float.Flush(b)));
}

internal readonly struct Flushed3<T> : IMap3
    where T : IMap3
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b, Vector512<uint> c) =>
        Float.Flush(T.Of(Float.Flush(a), Float.Flush(b), Float.Flush(c)));
}

// Clamped to [0, 1]; NaN becomes 0.
internal readonly struct Saturated2<T> : IMap2
    where T : IMap2
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b) => Saturate.Of(T.Of(a, b));
}

internal readonly struct Saturated3<T> : IMap3
    where T : IMap3
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b, Vector512<uint> c) => Saturate.Of(T.Of(a, b, c));
}

internal readonly struct Saturate : IMap1
{
    public static Vector512<uint> Of(Vector512<uint> a)
    {
        Vector512<float> v = a.AsSingle();
        Vector512<float> low = Vector512.ConditionalSelect(Vector512.GreaterThan(v, Vector512<float>.Zero), v, Vector512<float>.Zero);
        return Vector512.ConditionalSelect(Vector512.LessThan(low, Vector512<float>.One), low, Vector512<float>.One).AsUInt32();
    }
}

internal readonly struct AddFloat : IMap2
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b) => Float.Canonical(a.AsSingle() + b.AsSingle());
}

internal readonly struct SubtractFloat : IMap2
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b) => Float.Canonical(a.AsSingle() - b.AsSingle());
}

internal readonly struct MultiplyFloat : IMap2
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b) => Float.Canonical(a.AsSingle() * b.AsSingle());
}

internal readonly struct DivideFloat : IMap2
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b) => Float.Canonical(a.AsSingle() / b.AsSingle());
}

// One rounding. The three below are a product and a sum that the assembler would fuse.
internal readonly struct MultiplyAddFloat : IMap3
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b, Vector512<uint> c) =>
        Float.Canonical(Vector512.FusedMultiplyAdd(a.AsSingle(), b.AsSingle(), c.AsSingle()));
}

internal readonly struct MultiplySubtractFloat : IMap3
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b, Vector512<uint> c) =>
        Float.Canonical(Vector512.FusedMultiplyAdd(a.AsSingle(), b.AsSingle(), -c.AsSingle()));
}

internal readonly struct MultiplyFromFloat : IMap3
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b, Vector512<uint> c) =>
        Float.Canonical(Vector512.FusedMultiplyAdd(-a.AsSingle(), b.AsSingle(), c.AsSingle()));
}

// The operand that is a number wins over NaN; -0 is less than +0.
internal readonly struct MinFloat : IMap2
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b) =>
        Float.Canonical(Vector512.MinNumber(a.AsSingle(), b.AsSingle()));
}

internal readonly struct MaxFloat : IMap2
{
    public static Vector512<uint> Of(Vector512<uint> a, Vector512<uint> b) =>
        Float.Canonical(Vector512.MaxNumber(a.AsSingle(), b.AsSingle()));
}

internal readonly struct NegateFloat : IMap1
{
    public static Vector512<uint> Of(Vector512<uint> a) => Float.Canonical((a ^ Vector512.Create(0x80000000u)).AsSingle());
}

internal readonly struct AbsFloat : IMap1
{
    public static Vector512<uint> Of(Vector512<uint> a) => Float.Canonical((a & Vector512.Create(0x7fffffffu)).AsSingle());
}

internal readonly struct Reciprocal : IMap1
{
    public static Vector512<uint> Of(Vector512<uint> a) => Float.Canonical(Vector512<float>.One / a.AsSingle());
}

internal readonly struct SquareRoot : IMap1
{
    public static Vector512<uint> Of(Vector512<uint> a) => Float.Canonical(Vector512.Sqrt(a.AsSingle()));
}

internal readonly struct ReciprocalSquareRoot : IMap1
{
    public static Vector512<uint> Of(Vector512<uint> a) => Float.Each(a, static v => 1 / Math.Sqrt(v));
}

internal readonly struct PowerOfTwo : IMap1
{
    // In double and rounded once.
    public static Vector512<uint> Of(Vector512<uint> a)
    {
        (Vector512<double> low, Vector512<double> high) = Vector512.Widen(a.AsSingle());
        Vector512<double> ln2 = Vector512.Create(0.69314718055994530941723212145818);
        return Float.Canonical(Vector512.Narrow(Vector512.Exp(low * ln2), Vector512.Exp(high * ln2)));
    }
}

internal readonly struct LogarithmOfTwo : IMap1
{
    public static Vector512<uint> Of(Vector512<uint> a) => Float.Each(a, Math.Log2);
}

internal readonly struct Sine : IMap1
{
    public static Vector512<uint> Of(Vector512<uint> a) => Float.Each(a, Math.Sin);
}

internal readonly struct Cosine : IMap1
{
    public static Vector512<uint> Of(Vector512<uint> a) => Float.Each(a, Math.Cos);
}

internal readonly struct HyperbolicTangent : IMap1
{
    public static Vector512<uint> Of(Vector512<uint> a) => Float.Each(a, Math.Tanh);
}
