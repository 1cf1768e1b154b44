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
/// not.</para>
/// <para>2 S^2 / 2 multiply-adds a transform, in double; S = 500: 0.25 million each way. Safe to use from several threads.</para>
/// </remarks>
internal sealed class ResidualFilter
{
    private const int MinHalfWidth = 2, ShareOfHalfWidth = 8;

    private readonly double[] _cosines;

    /// <summary>Makes the table of cosines.</summary>
    /// <param name="samples">S, samples of a window; at least 8.</param>
    /// <exception cref="ConfigurationException">Fewer.</exception>
    public ResidualFilter(int samples)
    {
        if (samples < 8)
            throw new ConfigurationException("samples", $"{samples} is below 8");
        Samples = samples;
        // cos(pi j / 2S) for j = 0 to 4S - 1, one turn.
        _cosines = new double[4 * samples];
        for (int j = 0; j < _cosines.Length; j++)
            _cosines[j] = Math.Cos(Math.PI * j / (2 * samples));
    }

    /// <summary>S.</summary>
    public int Samples { get; }

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
        for (int k = 0; k < Samples; k++)
            spectrum[k] = Project(residual, k);
        double[] kept = Kept(spectrum);
        for (int n = 0; n < Samples; n++)
        {
            double sum = kept[0] * Math.Sqrt(0.5);
            for (int k = 1; k < kept.Length; k++)
                sum += kept[k] * Cosine(n, k);
            correction[n] = (float)(sum * Math.Sqrt(2.0 / Samples));
        }
    }

    private double Project(double[] residual, int k)
    {
        double sum = 0;
        for (int n = 0; n < residual.Length; n++)
            sum += residual[n] * Cosine(n, k);
        return sum * Math.Sqrt((k == 0 ? 1.0 : 2.0) / Samples);
    }

    // cos(pi (2n + 1) k / 2S).
    private double Cosine(int n, int k) => _cosines[(int)((long)((2 * n) + 1) * k % _cosines.Length)];

    // The lower half of the coefficients, each times its H.
    private double[] Kept(double[] spectrum)
    {
        int half = Samples / 2;
        double noise = 0;
        for (int k = half; k < Samples; k++)
            noise += spectrum[k] * spectrum[k];
        noise /= Samples - half;
        double[] kept = new double[half];
        for (int k = 0; k < half; k++)
        {
            int width = Math.Max(MinHalfWidth, k / ShareOfHalfWidth), from = Math.Max(0, k - width), to = Math.Min(Samples - 1, k + width);
            double power = 0;
            for (int i = from; i <= to; i++)
                power += spectrum[i] * spectrum[i];
            power /= to - from + 1;
            kept[k] = power > noise ? spectrum[k] * (1 - (noise / power)) : 0;
        }

        return kept;
    }
}
