using System.Buffers;

namespace UniCardio.Engine.Sessions;

/// <summary>Mean, median and quantiles over the draws of each window, sample by sample.</summary>
/// <remarks>
/// Sums run in double in the order of the draws and quantiles sort, so equal draws give equal bits everywhere. Quantiles are
/// linear between order statistics (Hyndman and Fan 1996, type 7, the default of R and NumPy). Working memory is rented:
/// 16 samples of all draws.
/// </remarks>
internal static class DrawStatistics
{
    private const int Columns = 16;

    /// <summary>Mean over the draws.</summary>
    /// <param name="results">[W, N, S] finite draws.</param>
    /// <param name="draws">N.</param>
    /// <param name="samples">S.</param>
    /// <param name="mean">[W, S].</param>
    /// <exception cref="ArgumentException">The lengths do not fit, or a draw is not finite.</exception>
    public static void Mean(ReadOnlySpan<float> results, int draws, int samples, Span<float> mean)
    {
        int windows = Check(results, draws, samples, mean.Length, 1);
        Span<double> sums = stackalloc double[Columns];
        for (int window = 0; window < windows; window++)
        {
            ReadOnlySpan<float> all = results.Slice(window * draws * samples, draws * samples);
            for (int first = 0; first < samples; first += Columns)
            {
                int count = Math.Min(Columns, samples - first);
                sums.Clear();
                for (int draw = 0; draw < draws; draw++)
                {
                    ReadOnlySpan<float> row = all.Slice((draw * samples) + first, count);
                    for (int i = 0; i < row.Length; i++)
                        sums[i] += row[i];
                }

                for (int i = 0; i < count; i++)
                    mean[(window * samples) + first + i] = (float)(sums[i] / draws);
            }
        }
    }

    /// <summary>Median over the draws: the middle one, or the mean of the two middle ones.</summary>
    /// <inheritdoc cref="Mean" path="/exception"/>
    /// <param name="results">[W, N, S] finite draws.</param>
    /// <param name="draws">N.</param>
    /// <param name="samples">S.</param>
    /// <param name="median">[W, S].</param>
    public static void Median(ReadOnlySpan<float> results, int draws, int samples, Span<float> median) =>
        Quantiles(results, draws, samples, [0.5], median);

    /// <summary>Any quantiles over the draws, e.g. 0.05 and 0.95 for a 90% band.</summary>
    /// <param name="results">[W, N, S] finite draws.</param>
    /// <param name="draws">N.</param>
    /// <param name="samples">S.</param>
    /// <param name="probabilities">[P], each from 0 (smallest) to 1 (largest).</param>
    /// <param name="quantiles">[P, W, S].</param>
    /// <exception cref="ArgumentException">The lengths do not fit, a probability is not in [0, 1], or a draw is not finite.</exception>
    public static void Quantiles(ReadOnlySpan<float> results, int draws, int samples, ReadOnlySpan<double> probabilities,
        Span<float> quantiles)
    {
        foreach (double p in probabilities)
        {
            if (!(p >= 0 && p <= 1))
                throw new ArgumentException($"{p} is not a probability from 0 to 1", nameof(probabilities));
        }

        int windows = Check(results, draws, samples, quantiles.Length, probabilities.Length);
        float[] rented = ArrayPool<float>.Shared.Rent(Columns * draws);
        try
        {
            for (int window = 0; window < windows; window++)
            {
                ReadOnlySpan<float> all = results.Slice(window * draws * samples, draws * samples);
                for (int first = 0; first < samples; first += Columns)
                {
                    // Sixteen neighbouring samples at a time: their draws share cache lines.
                    int count = Math.Min(Columns, samples - first);
                    for (int draw = 0; draw < draws; draw++)
                    {
                        ReadOnlySpan<float> row = all.Slice((draw * samples) + first, count);
                        for (int i = 0; i < row.Length; i++)
                            rented[(i * draws) + draw] = row[i];
                    }

                    for (int i = 0; i < count; i++)
                    {
                        Span<float> sorted = rented.AsSpan(i * draws, draws);
                        sorted.Sort();
                        for (int p = 0; p < probabilities.Length; p++)
                            quantiles[(((p * windows) + window) * samples) + first + i] = OfSorted(sorted, probabilities[p]);
                    }
                }
            }
        }
        finally
        {
            ArrayPool<float>.Shared.Return(rented);
        }
    }

    /// <summary>Type-7 quantile: the value at place p (n - 1) of the sorted values, linear between neighbours.</summary>
    private static float OfSorted(ReadOnlySpan<float> sorted, double p)
    {
        double place = p * (sorted.Length - 1);
        int below = (int)place;
        double low = sorted[below];
        return below + 1 < sorted.Length ? (float)(low + ((place - below) * (sorted[below + 1] - low))) : (float)low;
    }

    private static int Check(ReadOnlySpan<float> results, int draws, int samples, int output, int rows)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(draws, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(samples, 1);
        long window = (long)draws * samples;
        if (results.Length == 0 || results.Length % window != 0)
            throw new ArgumentException($"{results.Length} values are not whole windows of [{draws} draws, {samples} samples]",
                nameof(results));
        int windows = (int)(results.Length / window);
        if (output != (long)rows * windows * samples)
            throw new ArgumentException(
                $"the output holds {output} values, expected [{(rows == 1 ? "" : $"{rows} quantiles, ")}{windows} windows, "
                + $"{samples} samples]");
        int at = FiniteScan.FirstNonFinite(results);
        if (at >= 0)
            throw new ArgumentException($"window {at / window}, draw {at % window / samples}, sample {at % samples} is {results[at]}",
                nameof(results));
        return windows;
    }
}
