using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace UniCardio.Engine.Reference;

/// <summary>
/// The inner loops that nearly all of the reference's time goes into. Vectorised so that a full-size network takes seconds
/// rather than minutes; everything else is written for reading. Optimised at once, since a short run would otherwise end before the JIT gets to them.
/// </summary>
internal static class ReferenceVector
{
    /// <summary>sum_i a_i b_i.</summary>
    /// <remarks>Summed in several vectors: the last bits differ from a plain loop's, by at most n units of rounding of sum |a_i b_i|.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        ReferenceShape.Expect(b.Length, a.Length, "of a", nameof(b));
        ReadOnlySpan<Vector<double>> va = MemoryMarshal.Cast<double, Vector<double>>(a), vb = MemoryMarshal.Cast<double, Vector<double>>(b)[..va.Length];
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
        ReadOnlySpan<Vector<double>> v0 = MemoryMarshal.Cast<double, Vector<double>>(a[..n])[..vb.Length], v1 = MemoryMarshal.Cast<double, Vector<double>>(a.Slice(n, n))[..vb.Length];
        ReadOnlySpan<Vector<double>> v2 = MemoryMarshal.Cast<double, Vector<double>>(a.Slice(2 * n, n))[..vb.Length], v3 = MemoryMarshal.Cast<double, Vector<double>>(a[(3 * n)..])[..vb.Length];
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
