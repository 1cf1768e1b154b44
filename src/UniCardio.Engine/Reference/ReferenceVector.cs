using System.Numerics;
using System.Runtime.InteropServices;

namespace UniCardio.Engine.Reference;

/// <summary>
/// The two inner loops that nearly all of the reference's time goes into. Vectorised so that a full-size network takes seconds
/// rather than minutes; everything else is written for reading.
/// </summary>
internal static class ReferenceVector
{
    /// <summary>sum_i a_i b_i.</summary>
    /// <remarks>Partial sums run in 4 vectors: the result differs from a plain loop's in the last bits, never by more than n ulp of sum |a_i b_i|.</remarks>
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
        double sum = Vector.Sum(s0 + s1 + (s2 + s3));
        for (int i = va.Length * Vector<double>.Count; i < a.Length; i++)
            sum += a[i] * b[i];
        return sum;
    }

    /// <summary>y &lt;- y + scale * x.</summary>
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
}
