using System.Runtime.CompilerServices;
using UniCardio.Engine.Backends.Cpu.Simd;

namespace UniCardio.Engine.Backends.Cpu.Kernels;

/// <summary>
/// The network's elementary functions on a vector of lanes. Largest errors, measured over the stated ranges by the tests:
/// 2^x 3 ulp on [-126, 127]; e^x 2 ulp on [-87, 88]; sigmoid 3 ulp on [-80, 88]; tanh 4 ulp everywhere; erf 3 ulp everywhere.
/// </summary>
/// <remarks>
/// Coefficients are minimax fits made for this project (iteratively reweighted least squares in double on 4,000 Chebyshev
/// points, rounded to float32). Range reduction is x = n + f with n = round(x), |f| &lt;= 1/2, by adding and taking off
/// 1.5 2^23, which leaves n in the low bits of the sum.
/// </remarks>
internal static class Elementary
{
    /// <summary>log2(e).</summary>
    public const float Log2E = 1.44269504f;

    private const float RoundingShift = 12582912f;
    private const float MinExponent = -126f;
    private const float MaxExponent = 127f;

    // 2^f = 1 + f (F0 + F1 f + ... + F5 f^5), |f| <= 1/2: error 1.9e-9, good enough to stand alone as 2^f - 1.
    private const float F0 = 0.6931471824645996f, F1 = 0.24022650718688965f, F2 = 0.055503278970718384f, F3 = 0.009618003852665424f,
        F4 = 0.001340023591183126f, F5 = 0.00015476279077120125f;

    // The softmax's cheaper form, 1 + f (E0 + E1 f + ... + E4 f^4): error 9.4e-8.
    private const float E0 = 0.6931472420692444f, E1 = 0.24022234976291656f, E2 = 0.055503085255622864f, E3 = 0.009671861305832863f,
        E4 = 0.0013407237129285932f;

    // erf z = z (R0 + R1 z^2 + ... + R5 z^10), z <= ErfSplit: relative error 2.2e-8.
    private const float ErfSplit = 0.9453f;
    private const float R0 = 1.1283791065216064f, R1 = -0.37612447142601013f, R2 = 0.11281320452690125f, R3 = -0.026748863980174065f,
        R4 = 0.004967506974935532f, R5 = -0.0005862082471139729f;

    // erfc z = 2^(L0 + L1 z + ... + L6 z^6), ErfSplit <= z <= 4: error 1.5e-9 of erf.
    private const float L0 = -0.0003284351550973952f, L1 = -1.6267026662826538f, L2 = -0.9195767045021057f, L3 = -0.14966490864753723f,
        L4 = 0.0319339819252491f, L5 = -0.0043573095463216305f, L6 = 0.000279315747320652f;

    /// <summary>2^x for x &lt;= 0, the softmax's case: below -126 it stays at 2^-126.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Exp2OfNegative<S, V>(V x)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        x = S.Max(S.Set(MinExponent), x);
        V shifted = S.Add(x, S.Set(RoundingShift));
        V f = S.Subtract(x, S.Subtract(shifted, S.Set(RoundingShift)));
        return S.ScaleByPowerOfTwo(S.MultiplyAdd(Exp2Polynomial<S, V>(f), f, S.Set(1f)), shifted);
    }

    /// <summary>Vectors of the table of <see cref="ISimd{TSelf, V}.Exp2"/>.</summary>
    public const int Exp2Vectors = 9;

    /// <summary>Writes that table: [9, W], one constant a vector: -126, 126, 1.5 2^23, E4 to E0, 1.</summary>
    public static unsafe void FillExp2<S, V>(float* table)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        foreach (float constant in (ReadOnlySpan<float>)[MinExponent, -MinExponent, RoundingShift, E4, E3, E2, E1, E0, 1f])
        {
            S.Store(table, S.Set(constant));
            table += S.Width;
        }
    }

    /// <summary>2^x, x clamped to [-126, 127].</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Exp2<S, V>(V x)
        where S : struct, ISimd<S, V>
        where V : struct => Exp2OfNegative<S, V>(S.Min(S.Set(MaxExponent), x));

    /// <summary>e^x. The reduction takes n ln 2 off in two pieces, so that large |x| cost no accuracy.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Exp<S, V>(V x)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        Reduce<S, V>(S.Min(S.Set(88f), S.Max(S.Set(-87f), x)), out V f, out V shifted);
        return S.ScaleByPowerOfTwo(S.MultiplyAdd(FinePolynomial<S, V>(f), f, S.Set(1f)), shifted);
    }

    /// <summary>1 / (1 + e^-x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Sigmoid<S, V>(V x)
        where S : struct, ISimd<S, V>
        where V : struct => S.Divide(S.Set(1f), S.Add(S.Set(1f), Exp<S, V>(S.Subtract(S.Zero, x))));

    /// <summary>tanh x = E / (E + 2), E = e^2|x| - 1 formed without cancellation, with the sign of x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Tanh<S, V>(V x)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        V e = ExpMinusOneOfTwice<S, V>(S.Abs(x));
        return S.CopySign(S.Divide(e, S.Add(e, S.Set(2f))), x);
    }

    /// <summary>sigmoid(a) tanh(b) with one division: E_b / ((E_b + 2)(1 + e^-a)).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V SigmoidTanh<S, V>(V a, V b)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        // e^60 (E + 2) stays finite for E <= e^20, and below -60 the product is under 1e-26 either way.
        V ea = Exp<S, V>(S.Min(S.Set(60f), S.Subtract(S.Zero, a)));
        V eb = ExpMinusOneOfTwice<S, V>(S.Abs(b));
        V denominator = S.Multiply(S.Add(eb, S.Set(2f)), S.Add(ea, S.Set(1f)));
        return S.CopySign(S.Divide(eb, denominator), b);
    }

    /// <summary>erf x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Erf<S, V>(V x)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        V z = S.Min(S.Set(4f), S.Abs(x));
        V u = S.Multiply(z, z);
        V near = S.MultiplyAdd(S.Set(R5), u, S.Set(R4));
        near = S.MultiplyAdd(near, u, S.Set(R3));
        near = S.MultiplyAdd(near, u, S.Set(R2));
        near = S.MultiplyAdd(near, u, S.Set(R1));
        near = S.Multiply(S.MultiplyAdd(near, u, S.Set(R0)), z);
        V far = S.MultiplyAdd(S.Set(L6), z, S.Set(L5));
        far = S.MultiplyAdd(far, z, S.Set(L4));
        far = S.MultiplyAdd(far, z, S.Set(L3));
        far = S.MultiplyAdd(far, z, S.Set(L2));
        far = S.MultiplyAdd(far, z, S.Set(L1));
        far = S.MultiplyAdd(far, z, S.Set(L0));
        far = S.Subtract(S.Set(1f), Exp2OfNegative<S, V>(far));
        return S.CopySign(S.SelectLess(z, S.Set(ErfSplit), near, far), x);
    }

    /// <summary>GELU(x) = x/2 (1 + erf(x / sqrt 2)); error at most 2 ulp of |x|.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Gelu<S, V>(V x)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        V half = S.Multiply(x, S.Set(0.5f));
        return S.MultiplyAdd(half, Erf<S, V>(S.Multiply(x, S.Set(0.70710678f))), half);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Exp2Polynomial<S, V>(V f)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        V p = S.MultiplyAdd(S.Set(E4), f, S.Set(E3));
        p = S.MultiplyAdd(p, f, S.Set(E2));
        p = S.MultiplyAdd(p, f, S.Set(E1));
        return S.MultiplyAdd(p, f, S.Set(E0));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V FinePolynomial<S, V>(V f)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        V p = S.MultiplyAdd(S.Set(F5), f, S.Set(F4));
        p = S.MultiplyAdd(p, f, S.Set(F3));
        p = S.MultiplyAdd(p, f, S.Set(F2));
        p = S.MultiplyAdd(p, f, S.Set(F1));
        return S.MultiplyAdd(p, f, S.Set(F0));
    }

    // x log2(e) = n + f: f = (x - n ln2) log2(e) with ln 2 = 0.693359375 - 2.12194440e-4, the first exact in 9 bits.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Reduce<S, V>(V x, out V f, out V shifted)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        shifted = S.MultiplyAdd(x, S.Set(Log2E), S.Set(RoundingShift));
        V n = S.Subtract(shifted, S.Set(RoundingShift));
        V r = S.NegatedMultiplyAdd(n, S.Set(-2.12194440e-4f), S.NegatedMultiplyAdd(n, S.Set(0.693359375f), x));
        f = S.Multiply(r, S.Set(Log2E));
    }

    // e^2x - 1 for 0 <= x, clamped at 10 where tanh is 1 to the last bit: 2^n (2^f - 1) + (2^n - 1).
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V ExpMinusOneOfTwice<S, V>(V x)
        where S : struct, ISimd<S, V>
        where V : struct
    {
        x = S.Min(S.Set(10f), x);
        Reduce<S, V>(S.Add(x, x), out V f, out V shifted);
        V power = S.ScaleByPowerOfTwo(S.Set(1f), shifted);
        return S.MultiplyAdd(power, S.Multiply(FinePolynomial<S, V>(f), f), S.Subtract(power, S.Set(1f)));
    }
}
