using MathNet.Numerics.LinearAlgebra;

namespace UniCardio.Evaluation.Baselines;

/// <summary>Mean of the samples about each sample; at the ends of the window of as many as lie on both sides.</summary>
/// <param name="width">Samples, odd.</param>
internal sealed class MovingAverage(int width) : INoiseFilter
{
    /// <summary>Widths of 3 to 25 samples (24 to 200 ms).</summary>
    public static NoiseFilterFamily Family { get; } =
        new("moving average", [.. Enumerable.Range(1, 12).Select(half => new MovingAverage((2 * half) + 1))]);

    /// <inheritdoc/>
    public string Settings => $"{width} samples";

    /// <inheritdoc/>
    public void Run(ReadOnlySpan<float> noisy, Span<float> smooth)
    {
        for (int i = 0; i < noisy.Length; i++)
        {
            int half = Math.Min(width / 2, Math.Min(i, noisy.Length - 1 - i));
            double sum = 0;
            for (int j = i - half; j <= i + half; j++)
                sum += noisy[j];
            smooth[i] = (float)(sum / ((2 * half) + 1));
        }
    }
}

/// <summary>
/// A polynomial fitted to the samples about each sample: A. Savitzky and M. J. E. Golay, "Smoothing and differentiation of data by
/// simplified least squares procedures", Anal. Chem. 36(8), 1964. The first and last samples take the values of the polynomials of the
/// first and last full stretch.
/// </summary>
internal sealed class SavitzkyGolay : INoiseFilter
{
    private readonly int _width, _order;
    private readonly double[,] _fit;

    /// <summary>Computes the weights.</summary>
    /// <param name="width">Samples of a stretch, odd, above <paramref name="order"/>.</param>
    /// <param name="order">Order of the polynomial.</param>
    public SavitzkyGolay(int width, int order)
    {
        if (width % 2 == 0 || width <= order || order < 0)
            throw new ArgumentOutOfRangeException(nameof(width), width, $"A stretch has an odd number of samples above the order {order}.");
        (_width, _order) = (width, order);
        int half = width / 2;
        // The thin Q of the powers' QR spans the polynomials: Q Q' takes samples to fitted values, [width, width].
        Matrix<double> powers = Matrix<double>.Build.Dense(width, order + 1, (i, p) => Math.Pow((i - half) / (double)Math.Max(1, half), p));
        Matrix<double> q = powers.QR(MathNet.Numerics.LinearAlgebra.Factorization.QRMethod.Thin).Q;
        _fit = q.TransposeAndMultiply(q).ToArray();
    }

    /// <summary>Orders 2 and 4 over 5 to 41 samples (40 to 328 ms).</summary>
    public static NoiseFilterFamily Family { get; } = new("Savitzky-Golay",
        [.. from order in (int[])[2, 4] from half in Enumerable.Range(2, 19) where (2 * half) + 1 > order
            + 1 select new SavitzkyGolay((2 * half) + 1, order)]);

    /// <inheritdoc/>
    public string Settings => $"order {_order}, {_width} samples";

    /// <inheritdoc/>
    public void Run(ReadOnlySpan<float> noisy, Span<float> smooth)
    {
        if (noisy.Length < _width)
        {
            noisy.CopyTo(smooth);
            return;
        }

        int half = _width / 2;
        for (int i = 0; i < noisy.Length; i++)
        {
            int from = Math.Clamp(i - half, 0, noisy.Length - _width);
            double sum = 0;
            for (int j = 0; j < _width; j++)
                sum += _fit[i - from, j] * noisy[from + j];
            smooth[i] = (float)sum;
        }
    }
}
