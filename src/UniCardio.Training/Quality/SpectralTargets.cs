using System.Numerics.Tensors;

namespace UniCardio.Training.Quality;

/// <summary>Amplitude and phase of DFT bins 0 .. d-1 of windows of one length, by tables: 2 d S multiply-adds a signal.</summary>
internal sealed class SpectralTargets
{
    private readonly float[] _cos;
    private readonly float[] _sin;
    private readonly int _samples;
    private readonly int _bins;

    public SpectralTargets(int samples, int bins)
    {
        (_samples, _bins) = (samples, bins);
        (_cos, _sin) = (new float[bins * samples], new float[bins * samples]);
        for (int k = 0; k < bins; k++)
        {
            for (int s = 0; s < samples; s++)
            {
                (double sin, double cos) = Math.SinCos(2 * Math.PI * ((long)k * s % samples) / samples);
                (_cos[(k * samples) + s], _sin[(k * samples) + s]) = ((float)cos, (float)sin);
            }
        }
    }

    /// <summary>Targets of signals.</summary>
    /// <param name="signals">[rows, samples].</param>
    /// <param name="amplitude">[rows, d] z-scored over bins (unbiased, + 1e-6), as published.</param>
    /// <param name="phase">[rows, d] radians.</param>
    /// <param name="weight">[rows, d] amplitude over its row's mean.</param>
    public void Fill(ReadOnlySpan<float> signals, Span<double> amplitude, Span<double> phase, Span<double> weight)
    {
        for (int row = 0; row < signals.Length / _samples; row++)
        {
            ReadOnlySpan<float> x = signals.Slice(row * _samples, _samples);
            Span<double> a = amplitude.Slice(row * _bins, _bins), w = weight.Slice(row * _bins, _bins);
            double mean = 0;
            for (int k = 0; k < _bins; k++)
            {
                double real = TensorPrimitives.Dot(x, _cos.AsSpan(k * _samples, _samples)),
                    imaginary = -TensorPrimitives.Dot(x, _sin.AsSpan(k * _samples, _samples));
                a[k] = Math.Sqrt((real * real) + (imaginary * imaginary));
                phase[(row * _bins) + k] = k == 0 ? (real < 0 ? Math.PI : 0) : Math.Atan2(imaginary, real);
                mean += a[k] / _bins;
            }

            for (int k = 0; k < _bins; k++)
                w[k] = mean > 0 ? a[k] / mean : 0;
            Standardise(a);
        }
    }

    /// <summary>Less its mean, over its unbiased standard deviation + 1e-6.</summary>
    public static void Standardise(Span<double> row)
    {
        double mean = 0, squares = 0;
        foreach (double x in row)
            mean += x / row.Length;
        foreach (double x in row)
            squares += (x - mean) * (x - mean);
        double scale = 1 / (Math.Sqrt(squares / (row.Length - 1)) + 1e-6);
        foreach (ref double x in row)
            x = (x - mean) * scale;
    }
}
