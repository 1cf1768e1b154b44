using System.Buffers;

namespace UniCardio.Training.Objectives;

/// <summary>Distance of two signals' spectra X and Y, in amplitude and in phase.</summary>
/// <remarks>
/// <para>Amplitude: mean over all S bins of (|X| - |Y|)^2, unitary transform, as the official fine-tuning has it. Phase: mean of |X| |Y| -
/// Re(X conj Y) = |X|
/// |Y| (1 - cos of the phases' difference): it needs no unwrapping, and bins without energy do not count. By Parseval amplitude + 2 phase
/// is the mean squared error; weights in another ratio forgive shifts or shapes.</para>
/// <para>Gradients by x: (2/S) F*((|X| - |Y|) X/|X|) and (1/S) F*(|Y| X/|X| - Y), F* the adjoint transform; X/|X| is taken as 0 at X =
/// 0.</para>
/// </remarks>
internal sealed class SpectralLoss
{
    private readonly RealDft _dft;
    private readonly double _amplitude;
    private readonly double _phase;

    public SpectralLoss(int samples, double amplitude, double phase)
    {
        _dft = new RealDft(samples);
        _amplitude = amplitude;
        _phase = phase;
    }

    /// <summary>The weighted sum of both distances, and its gradient by the first signal.</summary>
    /// <param name="x">[S].</param>
    /// <param name="y">[S].</param>
    /// <param name="gradient">[S], added to.</param>
    /// <param name="scale">Factor of loss and gradient.</param>
    public double Add(ReadOnlySpan<double> x, ReadOnlySpan<double> y, Span<double> gradient, double scale)
    {
        int padded = _dft.Padded, bins = _dft.Bins;
        double[] rented = ArrayPool<double>.Shared.Rent(padded + (4 * bins));
        try
        {
            Span<double> signal = rented.AsSpan(0, padded), xr = rented.AsSpan(padded, bins), xi = rented.AsSpan(padded + bins, bins);
            Span<double> yr = rented.AsSpan(padded + (2 * bins), bins), yi = rented.AsSpan(padded + (3 * bins), bins);
            Transform(x, signal, xr, xi);
            Transform(y, signal, yr, yi);
            double loss = 0, share = scale / _dft.Samples;
            for (int k = 0; k < bins; k++)
            {
                double ax = Math.Sqrt((xr[k] * xr[k]) + (xi[k] * xi[k])), ay = Math.Sqrt((yr[k] * yr[k]) + (yi[k] * yi[k]));
                double difference = ax - ay, turned = (ax * ay) - (xr[k] * yr[k]) - (xi[k] * yi[k]);
                loss += _dft.Multiplicity(k) * ((_amplitude * difference * difference) + (_phase * turned));
                double along = ax > 0 ? ((2 * _amplitude * difference) + (_phase * ay)) / ax : 0;
                xr[k] = share * ((along * xr[k]) - (_phase * yr[k]));
                xi[k] = share * ((along * xi[k]) - (_phase * yi[k]));
            }

            _dft.Backward(xr, xi, signal);
            for (int s = 0; s < gradient.Length; s++)
                gradient[s] += signal[s];
            return share * loss;
        }
        finally
        {
            ArrayPool<double>.Shared.Return(rented);
        }
    }

    private void Transform(ReadOnlySpan<double> samples, Span<double> padded, Span<double> real, Span<double> imaginary)
    {
        samples.CopyTo(padded);
        padded[samples.Length..].Clear();
        _dft.Forward(padded, real, imaginary);
    }
}
