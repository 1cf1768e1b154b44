using UniCardio.Engine;
using UniCardio.Signals.Processing;

namespace UniCardio.Pipeline;

/// <summary>What denoising does with the residual, measured minus generated.</summary>
public enum ResidualRule
{
    /// <summary>Leaves it out: the result is the network's alone.</summary>
    None,

    /// <summary>Gives back the part of it that stands above broadband noise, see <see cref="ResidualFilter"/>.</summary>
    Wiener,
}

/// <summary>
/// Wiener filter of a denoised window's residual: <c>x + H (y - x)</c>, y measured, x the network's. What the network gets wrong slowly
/// (level, amplitude, wave shape) is in the residual with more power than broadband noise has there, and comes back from the measurement.
/// </summary>
/// <remarks>
/// <para>Over the cosine transform (DCT-II, orthonormal; no seam at the window's ends) of the residual: noise power N is the mean of the
/// upper half of the coefficients, P_k the mean around k over an eighth of k to both sides (at least 2), and H_k = max(0, 1 - N / P_k)
/// below half of the band, 0 above (Wiener 1949, with the spectrum estimated as in spectral subtraction, Boll 1979).</para>
/// <para>It holds for broadband noise. Wander and motion are as slow as the network's own errors: they come back too. Mains hum does
/// not. <see cref="SlowNoise"/> takes the same residual the other way.</para>
/// <para>One and a half transforms (<see cref="CosineTransform"/>). Safe to use from several threads.</para>
/// </remarks>
/// <param name="samples">S, samples of a window; at least 8.</param>
/// <exception cref="ConfigurationException">Fewer samples.</exception>
internal sealed class ResidualFilter(int samples)
{
    private readonly CosineTransform _transform = new(samples);

    /// <summary>S.</summary>
    public int Samples => _transform.Samples;

    /// <summary>What to add to the network's window.</summary>
    /// <param name="measured">[S] measured, NaN where missing.</param>
    /// <param name="generated">[S] the network's, finite, in the same unit.</param>
    /// <param name="correction">[S] receives H (y - x); zeros where nothing is measured at all.</param>
    /// <exception cref="ArgumentException">A length differs.</exception>
    public void Correction(ReadOnlySpan<float> measured, ReadOnlySpan<float> generated, Span<float> correction)
    {
        if (measured.Length != Samples || generated.Length != Samples || correction.Length != Samples)
            throw new ArgumentException(
                $"windows of {measured.Length}, {generated.Length} and {correction.Length} samples, expected {Samples}");
        double[] residual = new double[Samples];
        for (int n = 0; n < Samples; n++)
            residual[n] = (double)measured[n] - generated[n];
        GapBridge.FillAll<double>(residual);
        double[] spectrum = new double[Samples];
        _transform.Forward(residual, spectrum);
        _transform.Inverse(Kept(spectrum), residual);
        for (int n = 0; n < Samples; n++)
            correction[n] = (float)residual[n];
    }

    // The lower half of the coefficients, each times its H.
    private double[] Kept(double[] spectrum)
    {
        int half = Samples / 2;
        double noise = 0;
        for (int k = half; k < Samples; k++)
            noise += spectrum[k] * spectrum[k];
        noise /= Samples - half;
        double[] kept = new double[half];
        CosineTransform.SmoothPower(spectrum, first: 0, kept);
        for (int k = 0; k < half; k++)
            kept[k] = kept[k] > noise ? spectrum[k] * (1 - (noise / kept[k])) : 0;
        return kept;
    }
}
