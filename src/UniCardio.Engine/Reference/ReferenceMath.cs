using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace UniCardio.Engine.Reference;

/// <summary>The error function and its complement in double.</summary>
/// <remarks>
/// Rational approximations of W. J. Cody, "Rational Chebyshev approximations for the error function", Mathematics of Computation
/// 23 (1969), 631-637, three ranges: |x| up to 0.46875, up to 4, and beyond. The coefficients are good to about 1e-18 relative; what is
/// left is double rounding, at most 6e-16 relative for erf and for erfc down to where it underflows (x near 26.5), which the tests measure.
/// </remarks>
internal static class ReferenceErf
{
    private const double OneOverSqrtPi = 0.56418958354775628695;

    private static readonly double[] SmallNumerator =
        [1.85777706184603153e-1, 3.16112374387056560, 1.13864154151050156e2, 3.77485237685302021e2, 3.20937758913846947e3];
    private static readonly double[] SmallDenominator =
        [1, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3];

    private static readonly double[] MiddleNumerator =
    [
        2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1, 2.98635138197400131e2,
        8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3,
    ];

    private static readonly double[] MiddleDenominator =
    [
        1, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
        3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3,
    ];

    private static readonly double[] LargeNumerator =
    [
        1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1, 1.60837851487422766e-2,
        6.58749161529837803e-4,
    ];

    private static readonly double[] LargeDenominator =
    [
        1, 2.56852019228982242, 1.87295284992346725, 5.27905102951428412e-1, 6.05183413124413191e-2, 2.33520497626869185e-3,
    ];

    /// <summary>erf(x) = 2/sqrt(pi) times the integral of exp(-u^2) from 0 to x.</summary>
    public static double Erf(double x)
    {
        double magnitude = Math.Abs(x);
        if (!(magnitude > 0.46875))
            return SmallErf(x);
        double erf = 1 - Complement(magnitude);
        return x < 0 ? -erf : erf;
    }

    /// <summary>erfc(x) = 1 - erf(x), without its cancellation for large x.</summary>
    public static double Erfc(double x)
    {
        double magnitude = Math.Abs(x);
        if (!(magnitude > 0.46875))
            return 1 - SmallErf(x);
        double complement = Complement(magnitude);
        return x < 0 ? 2 - complement : complement;
    }

    private static double SmallErf(double x) => x * Polynomial(SmallNumerator, x * x) / Polynomial(SmallDenominator, x * x);

    // erfc of y > 0.46875. exp(-y^2) is taken in two parts, y rounded to sixteenths first: y^2 alone would lose the bits that a large
    // exponent needs.
    private static double Complement(double y)
    {
        if (y > 27)
            return 0;
        double rational;
        if (y <= 4)
        {
            rational = Polynomial(MiddleNumerator, y) / Polynomial(MiddleDenominator, y);
        }
        else
        {
            double z = 1 / (y * y);
            rational = (OneOverSqrtPi - (z * Polynomial(LargeNumerator, z) / Polynomial(LargeDenominator, z))) / y;
        }

        double coarse = Math.Truncate(y * 16) / 16;
        return Math.Exp(-coarse * coarse) * Math.Exp(-(y - coarse) * (y + coarse)) * rational;
    }

    // Horner's rule; the highest power stands first.
    private static double Polynomial(double[] coefficients, double x)
    {
        double sum = coefficients[0];
        for (int i = 1; i < coefficients.Length; i++)
            sum = (sum * x) + coefficients[i];
        return sum;
    }
}

/// <summary>
/// The inner loops that nearly all of the reference's time goes into. Vectorised so that a full-size network takes seconds
/// rather than minutes; everything else is written for reading. Optimised at once, since a short run would otherwise end before the JIT
/// gets to them.
/// </summary>
internal static class ReferenceVector
{
    /// <summary>sum_i a_i b_i.</summary>
    /// <remarks>Summed in several vectors: the last bits differ from a plain loop's, by at most n units of rounding of sum |a_i
    /// b_i|.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        ReferenceShape.Expect(b.Length, a.Length, "of a", nameof(b));
        ReadOnlySpan<Vector<double>> va = MemoryMarshal.Cast<double, Vector<double>>(a),
            vb = MemoryMarshal.Cast<double, Vector<double>>(b)[..va.Length];
        Vector<double> s0 = default, s1 = default, s2 = default, s3 = default;
        int v = 0;
        for (; v <= va.Length - 4; v += 4)
        {
            s0 = Vector.FusedMultiplyAdd(va[v], vb[v], s0);
            s1 = Vector.FusedMultiplyAdd(va[v + 1], vb[v + 1], s1);
            s2 = Vector.FusedMultiplyAdd(va[v + 2], vb[v + 2], s2);
            s3 = Vector.FusedMultiplyAdd(va[v + 3], vb[v + 3], s3);
        }

        for (; v < va.Length; v++)
            s0 = Vector.FusedMultiplyAdd(va[v], vb[v], s0);
        double sum = Vector.Sum((s0 + s1) + (s2 + s3));
        for (int i = va.Length * Vector<double>.Count; i < a.Length; i++)
            sum += a[i] * b[i];
        return sum;
    }

    /// <summary>The products of four rows with one: sum_i a_ri b_i for r = 0..3.</summary>
    /// <param name="a">[4, n].</param>
    /// <param name="b">[n].</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static (double R0, double R1, double R2, double R3) Dot4(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        int n = b.Length;
        ReferenceShape.Expect(a.Length, 4L * n, "[4, n]", nameof(a));
        ReadOnlySpan<Vector<double>> vb = MemoryMarshal.Cast<double, Vector<double>>(b);
        ReadOnlySpan<Vector<double>> v0 = MemoryMarshal.Cast<double, Vector<double>>(a[..n])[..vb.Length],
            v1 = MemoryMarshal.Cast<double, Vector<double>>(a.Slice(n, n))[..vb.Length];
        ReadOnlySpan<Vector<double>> v2 = MemoryMarshal.Cast<double, Vector<double>>(a.Slice(2 * n, n))[..vb.Length],
            v3 = MemoryMarshal.Cast<double, Vector<double>>(a[(3 * n)..])[..vb.Length];
        Vector<double> s0 = default, s1 = default, s2 = default, s3 = default;
        for (int v = 0; v < vb.Length; v++)
        {
            s0 = Vector.FusedMultiplyAdd(v0[v], vb[v], s0);
            s1 = Vector.FusedMultiplyAdd(v1[v], vb[v], s1);
            s2 = Vector.FusedMultiplyAdd(v2[v], vb[v], s2);
            s3 = Vector.FusedMultiplyAdd(v3[v], vb[v], s3);
        }

        (double r0, double r1, double r2, double r3) = (Vector.Sum(s0), Vector.Sum(s1), Vector.Sum(s2), Vector.Sum(s3));
        for (int i = vb.Length * Vector<double>.Count; i < n; i++)
        {
            r0 += a[i] * b[i];
            r1 += a[n + i] * b[i];
            r2 += a[(2 * n) + i] * b[i];
            r3 += a[(3 * n) + i] * b[i];
        }

        return (r0, r1, r2, r3);
    }

    /// <summary>y &lt;- y + scale * x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddScaled(double scale, ReadOnlySpan<double> x, Span<double> y)
    {
        ReferenceShape.Expect(y.Length, x.Length, "of x", nameof(y));
        ReadOnlySpan<Vector<double>> vx = MemoryMarshal.Cast<double, Vector<double>>(x);
        Span<Vector<double>> vy = MemoryMarshal.Cast<double, Vector<double>>(y)[..vx.Length];
        var s = new Vector<double>(scale);
        for (int v = 0; v < vx.Length; v++)
            vy[v] = Vector.FusedMultiplyAdd(s, vx[v], vy[v]);
        for (int i = vx.Length * Vector<double>.Count; i < x.Length; i++)
            y[i] += scale * x[i];
    }

    /// <summary>x_i &lt;- exp(x_i - offset); negative infinity becomes 0.</summary>
    /// <returns>Their sum.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double ExpMinus(double offset, Span<double> x)
    {
        Span<Vector<double>> v = MemoryMarshal.Cast<double, Vector<double>>(x);
        var o = new Vector<double>(offset);
        Vector<double> sums = default;
        for (int i = 0; i < v.Length; i++)
        {
            v[i] = Vector.Exp(v[i] - o);
            sums += v[i];
        }

        double sum = Vector.Sum(sums);
        for (int i = v.Length * Vector<double>.Count; i < x.Length; i++)
            sum += x[i] = Math.Exp(x[i] - offset);
        return sum;
    }
}

/// <summary>Runs work over ranges of rows on several threads. Rows are independent, so results do not depend on how they are
/// divided.</summary>
internal static class ReferenceRows
{
    private const int RangeRows = 32;

    /// <summary>Calls <paramref name="work"/>(first row, number of rows) for ranges that cover all rows once.</summary>
    /// <param name="rows">Number of rows.</param>
    /// <param name="threads">Most threads at a time; 0 for as many as the machine has.</param>
    /// <param name="work">What to do with a range.</param>
    public static void For(int rows, int threads, Action<int, int> work)
    {
        var options = new ParallelOptions { MaxDegreeOfParallelism = threads == 0 ? -1 : threads };
        Parallel.For(0, (rows + RangeRows - 1) / RangeRows, options, i => work(i * RangeRows, Math.Min(RangeRows, rows - (i * RangeRows))));
    }
}

/// <summary>Checks the lengths of spans at the door of an op.</summary>
internal static class ReferenceShape
{
    /// <summary>Throws unless a span holds what its shape says.</summary>
    /// <exception cref="ArgumentException">It does not; the message names argument, shape and length.</exception>
    public static void Expect(int length, long expected, string shape, string argument)
    {
        if (length != expected)
            throw new ArgumentException($"{argument} has {length} elements, its shape {shape} {expected}", argument);
    }

    /// <summary>Number of whole rows in a span.</summary>
    /// <exception cref="ArgumentException">The length is not a multiple of the row's.</exception>
    public static int Rows(int length, int columns, [CallerArgumentExpression(nameof(length))] string argument = "")
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        if (length % columns != 0)
            throw new ArgumentException($"{argument} has {length} elements, which is not a whole number of rows of {columns}", argument);
        return length / columns;
    }
}
