using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace UniCardio.Training.Optimization;

/// <summary>Sums over long vectors in double, in one fixed order on every machine.</summary>
internal static class VectorSum
{
    /// <summary>Sum of squares: four chains of four doubles, folded at the end. NaN and infinity come out as such.</summary>
    /// <param name="x">Any length.</param>
    public static double OfSquares(ReadOnlySpan<float> x)
    {
        ref float first = ref MemoryMarshal.GetReference(x);
        Vector256<double> a = default, b = default;
        int i = 0;
        for (; i + 8 <= x.Length; i += 8)
        {
            (Vector256<double> low, Vector256<double> high) = Vector256.Widen(Vector256.LoadUnsafe(ref first, (nuint)i));
            a += low * low;
            b += high * high;
        }

        double sum = Vector256.Sum(a + b);
        for (; i < x.Length; i++)
            sum += (double)x[i] * x[i];
        return sum;
    }
}
