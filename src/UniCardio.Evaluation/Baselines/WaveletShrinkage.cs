using System.Globalization;

namespace UniCardio.Evaluation.Baselines;

/// <summary>
/// Wavelet shrinkage: D. L. Donoho and I. M. Johnstone, "Ideal spatial adaptation by wavelet shrinkage", Biometrika 81(3), 1994. Daubechies
/// wavelet of four vanishing moments (eight taps), soft threshold of a share of sigma sqrt(2 ln n), sigma the median size of the finest
/// details over 0.6745. The window is continued by reflection and mirrored, so that it is periodic without a step.
/// </summary>
/// <param name="levels">Levels of details that are shrunk, 1 or more.</param>
/// <param name="share">Threshold as a share of the universal one.</param>
internal sealed class WaveletShrinkage(int levels, double share) : INoiseFilter
{
    // I. Daubechies, "Ten Lectures on Wavelets", 1992, table 6.1, N = 4.
    private static readonly double[] Low =
    [
        0.23037781330885523, 0.7148465705525415, 0.6308807679295904, -0.02798376941698385,
        -0.18703481171888114, 0.030841381835986965, 0.032883011666982945, -0.010597401784997278,
    ];

    /// <summary>Two to six levels, a quarter to all of the universal threshold.</summary>
    public static NoiseFilterFamily Family { get; } = new("wavelet shrinkage",
        [.. from levels in Enumerable.Range(2, 5) from share in (double[])[0.25, 0.4, 0.55, 0.7, 0.85,
            1] select new WaveletShrinkage(levels, share)]);

    /// <inheritdoc/>
    public string Settings =>
        string.Create(CultureInfo.InvariantCulture, $"db4, {levels} levels, soft, {share:0.##} of the universal threshold");

    /// <inheritdoc/>
    public void Run(ReadOnlySpan<float> noisy, Span<float> smooth)
    {
        int step = 1 << levels, half = (noisy.Length + step - 1) / step * step;
        var work = new double[2 * half];
        for (int i = 0; i < half; i++)
            work[i] = work[^(i + 1)] = noisy[i < noisy.Length ? i : Math.Max(0, (2 * noisy.Length) - 1 - i)];
        double threshold = 0;
        for (int level = 0, length = work.Length; level < levels; level++, length /= 2)
        {
            Analyse(work.AsSpan(0, length));
            Span<double> details = work.AsSpan(length / 2, length / 2);
            if (level == 0)
                threshold = share * Sigma(details) * Math.Sqrt(2 * Math.Log(noisy.Length));
            foreach (ref double d in details)
                d = Math.Sign(d) * Math.Max(0, Math.Abs(d) - threshold);
        }

        for (int level = levels - 1; level >= 0; level--)
            Synthesise(work.AsSpan(0, work.Length >> level));
        for (int i = 0; i < smooth.Length; i++)
            smooth[i] = (float)work[i];
    }

    /// <summary>One level of the periodic transform in place: the means in the first half, the details in the second.</summary>
    internal static void Analyse(Span<double> x)
    {
        var result = new double[x.Length];
        int half = x.Length / 2;
        for (int k = 0; k < half; k++)
        {
            for (int j = 0; j < Low.Length; j++)
            {
                double value = x[Wrapped((2 * k) + j, x.Length)];
                result[k] += Low[j] * value;
                result[half + k] += High(j) * value;
            }
        }

        result.CopyTo(x);
    }

    /// <summary>Undoes <see cref="Analyse"/>.</summary>
    internal static void Synthesise(Span<double> x)
    {
        var result = new double[x.Length];
        int half = x.Length / 2;
        for (int k = 0; k < half; k++)
        {
            for (int j = 0; j < Low.Length; j++)
                result[Wrapped((2 * k) + j, x.Length)] += (Low[j] * x[k]) + (High(j) * x[half + k]);
        }

        result.CopyTo(x);
    }

    // A transform of fewer samples than taps wraps more than once; a division there, none elsewhere.
    private static int Wrapped(int i, int length) => i < length ? i : i % length;

    private static double High(int j) => j % 2 == 0 ? Low[^(j + 1)] : -Low[^(j + 1)];

    private static double Sigma(ReadOnlySpan<double> details)
    {
        double[] sizes = new double[details.Length];
        for (int i = 0; i < sizes.Length; i++)
            sizes[i] = Math.Abs(details[i]);
        return BeatTemplate.Median(sizes) / 0.6745;
    }
}
