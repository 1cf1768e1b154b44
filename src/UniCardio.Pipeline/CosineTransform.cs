using UniCardio.Engine;

namespace UniCardio.Pipeline;

/// <summary>The orthonormal cosine transform (DCT-II) of a window: no seam at the window's ends. Coefficient k stands for k / 2S of the
/// sample rate.</summary>
/// <remarks>S^2 multiply-adds each way, in double; S = 500: 0.25 million. Immutable and safe to share.</remarks>
internal sealed class CosineTransform
{
    private readonly double[] _cosines;

    /// <summary>Makes the table of cosines.</summary>
    /// <param name="samples">S, samples of a window; at least 8.</param>
    /// <exception cref="ConfigurationException">Fewer.</exception>
    public CosineTransform(int samples)
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

    /// <summary>The coefficients of a window.</summary>
    /// <param name="window">[S] samples.</param>
    /// <param name="spectrum">[up to S] receives as many coefficients as it has places, from k = 0 on.</param>
    public void Forward(ReadOnlySpan<double> window, Span<double> spectrum)
    {
        for (int k = 0; k < spectrum.Length; k++)
        {
            double sum = 0;
            for (int n = 0; n < window.Length; n++)
                sum += window[n] * Cosine(n, k);
            spectrum[k] = sum * Math.Sqrt((k == 0 ? 1.0 : 2.0) / Samples);
        }
    }

    /// <summary>The window that coefficients stand for; those that are not given are 0.</summary>
    /// <param name="spectrum">[up to S] coefficients from k = 0 on.</param>
    /// <param name="window">[S] receives the samples.</param>
    public void Inverse(ReadOnlySpan<double> spectrum, Span<double> window)
    {
        for (int n = 0; n < window.Length; n++)
        {
            double sum = spectrum[0] * Math.Sqrt(0.5);
            for (int k = 1; k < spectrum.Length; k++)
                sum += spectrum[k] * Cosine(n, k);
            window[n] = sum * Math.Sqrt(2.0 / Samples);
        }
    }

    /// <summary>Mean power about each of the lower coefficients: over an eighth of k to both sides, at least 2.</summary>
    /// <param name="spectrum">[S] coefficients.</param>
    /// <param name="first">The first that counts.</param>
    /// <param name="power">Receives the mean power about as many as it has places.</param>
    public static void SmoothPower(ReadOnlySpan<double> spectrum, int first, Span<double> power)
    {
        const int MinHalfWidth = 2, ShareOfHalfWidth = 8;
        for (int k = 0; k < power.Length; k++)
        {
            int width = Math.Max(MinHalfWidth, k / ShareOfHalfWidth), from = Math.Max(first, k - width),
                to = Math.Min(spectrum.Length - 1, k + width);
            double sum = 0;
            for (int i = from; i <= to; i++)
                sum += spectrum[i] * spectrum[i];
            power[k] = sum / (to - from + 1);
        }
    }

    // cos(pi (2n + 1) k / 2S).
    private double Cosine(int n, int k) => _cosines[(int)((long)((2 * n) + 1) * k % _cosines.Length)];
}
