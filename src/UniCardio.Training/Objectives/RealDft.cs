using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace UniCardio.Training.Objectives;

/// <summary>Discrete Fourier transform of real signals of one length, scaled by 1 / sqrt(S) (unitary), by tables of cosines and
/// sines.</summary>
/// <remarks>S^2 / 2 multiply-adds a part: for 500 samples less than a thousandth of a training step, for any S, and one fixed order of
/// sums.</remarks>
internal sealed class RealDft
{
    // [bins, stride] cos(2 pi k s / S) / sqrt(S) and the same of sin; rows padded with zeros to whole vectors.
    private readonly double[] _cos;
    private readonly double[] _sin;
    private readonly int _stride;

    public RealDft(int samples)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(samples, 1);
        Samples = samples;
        Bins = (samples / 2) + 1;
        _stride = (samples + 3) / 4 * 4;
        _cos = new double[Bins * _stride];
        _sin = new double[Bins * _stride];
        double scale = 1 / Math.Sqrt(samples);
        for (int k = 0; k < Bins; k++)
        {
            for (int s = 0; s < samples; s++)
            {
                // Whole turns off first: the angle stays exact.
                (double sin, double cos) = Math.SinCos(2 * Math.PI * ((long)k * s % samples) / samples);
                _cos[(k * _stride) + s] = scale * cos;
                _sin[(k * _stride) + s] = scale * sin;
            }
        }
    }

    /// <summary>S.</summary>
    public int Samples { get; }

    /// <summary>Bins 0 .. S/2; the others are their conjugates.</summary>
    public int Bins { get; }

    /// <summary>Length of a signal's buffer: S and zeros up to a whole vector.</summary>
    public int Padded => _stride;

    /// <summary>How many of the S bins a bin stands for: 2 with its conjugate, 1 without.</summary>
    public int Multiplicity(int bin) => bin == 0 || 2 * bin == Samples ? 1 : 2;

    /// <summary>X_k = sum_s x_s exp(-2 pi i k s / S) / sqrt(S).</summary>
    /// <param name="x">[<see cref="Padded"/>], zeros after S.</param>
    /// <param name="real">[bins].</param>
    /// <param name="imaginary">[bins].</param>
    public void Forward(ReadOnlySpan<double> x, Span<double> real, Span<double> imaginary)
    {
        for (int k = 0; k < Bins; k++)
        {
            real[k] = Dot(x, _cos.AsSpan(k * _stride, _stride));
            imaginary[k] = -Dot(x, _sin.AsSpan(k * _stride, _stride));
        }
    }

    /// <summary>The transpose, by which gradients go back: x_s = sum over all S bins of Re(G_k exp(2 pi i k s / S)) / sqrt(S).</summary>
    /// <param name="real">[bins] of G; the bins above S/2 are the conjugates.</param>
    /// <param name="imaginary">[bins].</param>
    /// <param name="x">[<see cref="Padded"/>].</param>
    public void Backward(ReadOnlySpan<double> real, ReadOnlySpan<double> imaginary, Span<double> x)
    {
        x.Clear();
        for (int k = 0; k < Bins; k++)
        {
            double a = Multiplicity(k) * real[k], b = -Multiplicity(k) * imaginary[k];
            ref double cos = ref MemoryMarshal.GetReference(_cos.AsSpan(k * _stride)),
                sin = ref MemoryMarshal.GetReference(_sin.AsSpan(k * _stride)), at = ref MemoryMarshal.GetReference(x);
            for (nuint s = 0; s < (nuint)_stride; s += 4)
                (Vector256.LoadUnsafe(ref at, s) + (Vector256.LoadUnsafe(ref cos, s) * a) + (Vector256.LoadUnsafe(ref sin, s) * b))
                    .StoreUnsafe(ref at, s);
        }
    }

    private static double Dot(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        ref double a = ref MemoryMarshal.GetReference(x), b = ref MemoryMarshal.GetReference(y);
        Vector256<double> sum = default;
        for (nuint s = 0; s < (nuint)y.Length; s += 4)
            sum += Vector256.LoadUnsafe(ref a, s) * Vector256.LoadUnsafe(ref b, s);
        return Vector256.Sum(sum);
    }
}
