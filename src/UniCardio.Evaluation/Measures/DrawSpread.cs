using UniCardio.Signals.Processing;

namespace UniCardio.Evaluation.Measures;

/// <summary>How well the spread of draws fits the truth, sums over the samples of any number of windows, in scaled units.</summary>
/// <param name="Samples">True samples.</param>
/// <param name="Crps">Sum of the continuous ranked probability score of the draws' distribution; for one draw the absolute error.</param>
/// <param name="Variance">Sum of the draws' variance about their mean, N - 1 in the denominator; 0 for one draw.</param>
/// <param name="SquaredError">Sum of the squared error of the draws' mean.</param>
/// <param name="Ranks">[<see cref="Bins"/>] how often the truth fell into each tenth of the draws (probability integral transform); a truth
/// equal to a draw, and the width of a rank, are shared out among the bins that they reach into.</param>
/// <param name="Draws">N.</param>
internal sealed record DrawSpread(long Samples, double Crps, double Variance, double SquaredError, IReadOnlyList<double> Ranks, int Draws)
{
    /// <summary>Bins of <see cref="Ranks"/>.</summary>
    public const int Bins = 10;

    /// <summary>Mean CRPS (Gneiting and Raftery, JASA 102, 2007, equation 21): smaller is better, in the unit of the signal.</summary>
    public double MeanCrps => Crps / Samples;

    /// <summary>
    /// Root mean variance over root mean squared error of the mean, as it would be with endless draws: with N draws the mean errs by 1/N of
    /// the variance more, which is taken out. 1 is right, below 1 too narrow; null for one draw.
    /// </summary>
    public double? SpreadOverError => Draws < 2 || SquaredError <= 0 ? null : Math.Sqrt((1 + (1.0 / Draws)) * Variance / SquaredError);

    /// <summary>How far the ranks are from equal shares: half the sum of |share - 1/10|, 0 (flat) to 0.9 (all in one bin); null for one
    /// draw.</summary>
    public double? PitDistance => Draws < 2 ? null : Ranks.Sum(r => Math.Abs((r / Samples) - (1.0 / Bins))) / 2;

    /// <summary>Sum of two.</summary>
    /// <exception cref="ArgumentException">They have different numbers of draws.</exception>
    public static DrawSpread operator +(DrawSpread a, DrawSpread b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        if (a.Draws != b.Draws)
            throw new ArgumentException($"{a.Draws} and {b.Draws} draws have no common spread.", nameof(b));
        return new DrawSpread(a.Samples + b.Samples, a.Crps + b.Crps, a.Variance + b.Variance, a.SquaredError + b.SquaredError,
            [.. a.Ranks.Zip(b.Ranks, (x, y) => x + y)], a.Draws);
    }

    /// <summary>Sum of two.</summary>
    public static DrawSpread Add(DrawSpread left, DrawSpread right) => left + right;

    /// <summary>Measures a window.</summary>
    /// <param name="draws">[N, S], finite in the scope.</param>
    /// <param name="truth">[S].</param>
    /// <param name="scope">The samples that count.</param>
    public static DrawSpread Of(ReadOnlySpan<float> draws, ReadOnlySpan<float> truth, SampleRange scope)
    {
        int n = draws.Length / truth.Length;
        double[] sorted = new double[n], ranks = new double[Bins];
        double crps = 0, variance = 0, squares = 0;
        for (int i = scope.Start; i < scope.End; i++)
        {
            double sum = 0;
            for (int k = 0; k < n; k++)
                sum += sorted[k] = draws[(k * truth.Length) + i];
            Array.Sort(sorted);
            double mean = sum / n, y = truth[i], near = 0, apart = 0, about = 0;
            int below = 0, equal = 0;
            for (int k = 0; k < n; k++)
            {
                near += Math.Abs(sorted[k] - y);

                // Sum over all pairs of |x_j - x_k| = 2 sum of (2 k - n + 1) x_(k), k from 0.
                apart += 2 * ((2 * k) - n + 1) * sorted[k];
                about += (sorted[k] - mean) * (sorted[k] - mean);
                below += sorted[k] < y ? 1 : 0;
                equal += sorted[k] == y ? 1 : 0;
            }

            crps += (near / n) - (apart / (2.0 * n * n));
            variance += n > 1 ? about / (n - 1) : 0;
            squares += (mean - y) * (mean - y);
            Share(ranks, below / (n + 1.0), (below + equal + 1) / (n + 1.0));
        }

        return new DrawSpread(scope.Length, crps, variance, squares, ranks, n);
    }

    // One count, spread evenly over [from, to] of the unit interval.
    private static void Share(double[] ranks, double from, double to)
    {
        for (int bin = 0; bin < Bins; bin++)
        {
            double overlap = Math.Min(to, (bin + 1.0) / Bins) - Math.Max(from, bin / (double)Bins);
            ranks[bin] += Math.Max(0, overlap) / (to - from);
        }
    }
}
