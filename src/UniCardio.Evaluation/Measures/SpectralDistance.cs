using System.Numerics;
using MathNet.Numerics.IntegralTransforms;

namespace UniCardio.Evaluation.Measures;

/// <summary>How far the spectrum of an estimate is from that of the truth, whatever the phases.</summary>
/// <remarks>
/// Log-spectral distance in decibels (Gray and Markel, "Distance measures for speech processing", IEEE Trans. Acoust. Speech Signal
/// Process. 24(5), 1976): the root mean square, over the bins from 0.5 to 40 Hz, of 10 log10((P_estimate + f) / (P_truth + f)). P is the
/// periodogram of the window under a Hann taper with its mean taken off; the floor f is 40 dB below the truth's mean power in the band, so
/// that bins in which the truth holds nothing decide nothing until an estimate puts something there.
/// </remarks>
internal static class SpectralDistance
{
    /// <summary>Lowest frequency that counts (Hz).</summary>
    public const double LowEdge = 0.5;

    /// <summary>Highest frequency that counts (Hz).</summary>
    public const double HighEdge = 40;

    private const double Floor = 1e-4;

    /// <summary>The distance in dB, 0 for equal spectra; null if the truth is constant.</summary>
    /// <param name="estimate">The estimate, [n], finite.</param>
    /// <param name="truth">The truth, [n], finite.</param>
    /// <param name="sampleRate">Samples a second.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static double? LogSpectral(ReadOnlySpan<float> estimate, ReadOnlySpan<float> truth, double sampleRate)
    {
        if (estimate.Length != truth.Length)
            throw new ArgumentException(
                $"The estimate has {estimate.Length} samples and the truth {truth.Length}; expected the same number.");
        return Between(Power(estimate), Power(truth), truth.Length, sampleRate);
    }

    /// <summary>The same of two periodograms (<see cref="Power"/>) of n samples.</summary>
    internal static double? Between(double[] ours, double[] theirs, int samples, double sampleRate)
    {
        int low = (int)Math.Ceiling(LowEdge * samples / sampleRate),
            high = Math.Min(theirs.Length - 1, (int)Math.Floor(HighEdge * samples / sampleRate));
        if (high < low)
            return null;
        double floor = Floor * theirs.AsSpan(low, high - low + 1).ToArray().Average();
        if (!(floor > 0))
            return null;
        double sum = 0;
        for (int k = low; k <= high; k++)
        {
            double decibels = 10 * Math.Log10((ours[k] + floor) / (theirs[k] + floor));
            sum += decibels * decibels;
        }

        return Math.Sqrt(sum / (high - low + 1));
    }

    /// <summary>Periodogram under a Hann taper, mean taken off, [n / 2 + 1].</summary>
    internal static double[] Power(ReadOnlySpan<float> samples)
    {
        double mean = 0;
        foreach (float x in samples)
            mean += x;
        mean /= samples.Length;
        var spectrum = new Complex[samples.Length];
        for (int i = 0; i < samples.Length; i++)
            spectrum[i] = (samples[i] - mean) * (0.5 - (0.5 * Math.Cos(2 * Math.PI * (i + 0.5) / samples.Length)));
        Fourier.Forward(spectrum, FourierOptions.NoScaling);
        var power = new double[(samples.Length / 2) + 1];
        for (int k = 0; k < power.Length; k++)
            power[k] = (spectrum[k].Real * spectrum[k].Real) + (spectrum[k].Imaginary * spectrum[k].Imaginary);
        return power;
    }
}
