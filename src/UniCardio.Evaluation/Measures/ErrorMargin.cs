using UniCardio.Signals.Synthesis;

namespace UniCardio.Evaluation.Measures;

/// <summary>By what share of a baseline's error a method's is smaller, with a bootstrap interval over windows.</summary>
/// <param name="Share">1 - method / baseline: 0.2 is an error smaller by a fifth, below 0 the baseline is better.</param>
/// <param name="Low">Lower end of the 95% interval.</param>
/// <param name="High">Upper end of the 95% interval.</param>
internal readonly record struct ErrorMargin(double Share, double Low, double High)
{
    /// <summary>Resamples of the windows.</summary>
    public const int Resamples = 2000;

    private const ulong Sequence = 77;

    /// <summary>Compares root mean square errors of the same windows.</summary>
    /// <remarks>
    /// Windows are drawn with replacement, the same ones for both (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993,
    /// percentile interval). Windows of one person resemble each other, so the interval says little of other people.
    /// </remarks>
    /// <param name="method">Mean squared error of each window.</param>
    /// <param name="baseline">The baseline's, of the same windows in the same order.</param>
    /// <param name="seed">Equal seeds give equal intervals.</param>
    /// <returns>Null without windows, or if the baseline makes no error at all.</returns>
    /// <exception cref="ArgumentException">The numbers of windows differ.</exception>
    public static ErrorMargin? Of(ReadOnlySpan<double> method, ReadOnlySpan<double> baseline, ulong seed)
    {
        if (method.Length != baseline.Length)
            throw new ArgumentException(
                $"{method.Length} windows of the method and {baseline.Length} of the baseline; expected the same ones.");
        double ours = 0, theirs = 0;
        for (int i = 0; i < method.Length; i++)
            (ours, theirs) = (ours + method[i], theirs + baseline[i]);
        if (!(theirs > 0))
            return null;
        var random = new CounterRandom(seed, Sequence);
        var shares = new List<double>(Resamples);
        for (int r = 0; r < Resamples; r++)
        {
            double a = 0, b = 0;
            for (int i = 0; i < method.Length; i++)
            {
                int at = (int)(random.NextDouble() * method.Length);
                (a, b) = (a + method[at], b + baseline[at]);
            }

            if (b > 0)
                shares.Add(Smaller(a, b));
        }

        if (shares.Count == 0)
            return null;
        shares.Sort();
        return new ErrorMargin(Smaller(ours, theirs), Quantile(shares, 0.025), Quantile(shares, 0.975));
    }

    private static double Smaller(double method, double baseline) => 1 - Math.Sqrt(method / baseline);

    private static double Quantile(List<double> sorted, double q)
    {
        double place = q * (sorted.Count - 1);
        int below = (int)place;
        return sorted[below] + ((place - below) * (sorted[Math.Min(below + 1, sorted.Count - 1)] - sorted[below]));
    }
}
