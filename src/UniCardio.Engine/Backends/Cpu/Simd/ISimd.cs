namespace UniCardio.Engine.Backends.Cpu.Simd;

/// <summary>
/// The handful of float32 lane operations that every kernel is written in. A kernel is one generic body over
/// (<typeparamref name="TSelf"/>, <typeparamref name="V"/>); the JIT specialises it for each instruction set, so every call
/// below is one instruction (or a few) and <see cref="Width"/> is a constant.
/// </summary>
/// <typeparam name="TSelf">The instruction set.</typeparam>
/// <typeparam name="V">Its vector of <see cref="Width"/> lanes.</typeparam>
internal unsafe interface ISimd<TSelf, V>
    where TSelf : struct, ISimd<TSelf, V>
    where V : struct
{
    /// <summary>Lanes of a vector.</summary>
    static abstract int Width { get; }

    /// <summary>Rows of the register tile: rows x 2 vectors of accumulators + 2 loads + 1 broadcast fit the register file.</summary>
    static abstract int TileRows { get; }

    static abstract V Zero { get; }

    static abstract V Set(float value);

    static abstract V Load(float* source);

    static abstract void Store(float* target, V value);

    static abstract V Add(V a, V b);

    static abstract V Subtract(V a, V b);

    static abstract V Multiply(V a, V b);

    static abstract V Divide(V a, V b);

    /// <summary>a b + c, fused wherever the hardware can.</summary>
    static abstract V MultiplyAdd(V a, V b, V c);

    /// <summary>c - a b, fused wherever the hardware can.</summary>
    static abstract V NegatedMultiplyAdd(V a, V b, V c);

    /// <summary>The larger; where <paramref name="b"/> is NaN, NaN. Bounds go first, so that no clamp turns a NaN into a number.</summary>
    static abstract V Max(V a, V b);

    /// <summary>The smaller; where <paramref name="b"/> is NaN, NaN.</summary>
    static abstract V Min(V a, V b);

    /// <summary>|a|.</summary>
    static abstract V Abs(V a);

    /// <summary>Magnitude of the first, sign of the second.</summary>
    static abstract V CopySign(V magnitude, V sign);

    /// <summary>a where a is less than b in that lane, else the other choice: (x &lt; y) ? a : b.</summary>
    static abstract V SelectLess(V x, V y, V a, V b);

    /// <summary>
    /// p 2^n by adding n to the exponent, where n stands in the low bits of <paramref name="shifted"/> = n + 1.5 2^23.
    /// </summary>
    static abstract V ScaleByPowerOfTwo(V p, V shifted);

    /// <summary>
    /// 2^x for either sign by the polynomial of <see cref="Kernels.Elementary.Exp2OfNegative"/>: below -126 it stays at 2^-126, from 126 on
    /// it is at least 2^126 or infinite, so that a sum of such values tells that one left the range. Constants come from memory, for where
    /// every register holds a sum, and the body is written out for each set, since the JIT keeps no more than 1,024 locals of a method in
    /// registers and every inlined operation makes some.
    /// </summary>
    /// <param name="x">Exponent; NaN gives NaN.</param>
    /// <param name="table">[9, W] of <see cref="Kernels.Elementary.FillExp2"/>.</param>
    static abstract V Exp2(V x, float* table);

    /// <summary>Sum of the lanes, halves folded onto each other (a fixed order).</summary>
    static abstract float Sum(V a);
}
