namespace UniCardio.Signals.Patient;

/// <summary>How much of each estimate goes into a blend: weights of at least 0 that sum to 1 and err least on hidden stretches.</summary>
/// <remarks>
/// Stacked regression (Wolpert 1992; Breiman 1996) on the simplex: w minimises w' (G + P) w, G the mean products of errors over the
/// stretches, each stretch's divided by
/// 1 + its least error over the median of that, so that one bad stretch does not decide for all; P is what <c>prior</c> stretches with
/// independent usual errors add.
/// </remarks>
internal sealed class StackedWeights
{
    private readonly Dictionary<int, int> _place = [];
    private readonly List<(double[,] Products, bool[] Present)> _stretches = [];
    private readonly Func<int, double> _usual;
    private readonly double _prior;

    /// <summary>Starts without a stretch.</summary>
    /// <param name="usual">Usual error of an estimate by its identity, relative to the signal's standard deviation.</param>
    /// <param name="prior">For how many stretches that counts.</param>
    public StackedWeights(Func<int, double> usual, double prior = 2)
    {
        _usual = usual;
        _prior = prior;
    }

    /// <summary>Number of stretches.</summary>
    public int Stretches => _stretches.Count;

    /// <summary>Adds a hidden stretch.</summary>
    /// <param name="estimates">Its estimates.</param>
    /// <param name="truth">[length] what was measured.</param>
    /// <param name="deviation">The signal's standard deviation, above 0.</param>
    public void Add(IReadOnlyList<GapEstimate> estimates, ReadOnlySpan<float> truth, double deviation)
    {
        foreach (GapEstimate e in estimates)
            _place.TryAdd(e.Identity, _place.Count);
        int n = estimates.Count;
        var products = new double[32, 32];
        var present = new bool[32];
        for (int a = 0; a < n; a++)
        {
            int i = _place[estimates[a].Identity];
            present[i] = true;
            for (int b = 0; b <= a; b++)
            {
                int j = _place[estimates[b].Identity];
                double sum = 0;
                for (int t = 0; t < truth.Length; t++)
                    sum += (estimates[a].Wave[t] - truth[t]) * (estimates[b].Wave[t] - truth[t]);
                products[i, j] = products[j, i] = sum / truth.Length / (deviation * deviation);
            }
        }

        _stretches.Add((products, present));
    }

    /// <summary>The weights of the estimates of a gap.</summary>
    /// <param name="identities">Their identities.</param>
    public double[] Of(IReadOnlyList<int> identities)
    {
        int n = identities.Count;
        var gram = new double[n, n];
        double[] min =
            [.. _stretches.Select(s => Enumerable.Range(0, _place.Count).Where(i => s.Present[i]).Min(i => s.Products[i, i])).Order()];
        double median = min.Length == 0 ? 1 : Math.Max(1e-12, min[min.Length / 2]);
        double best = identities.Min(_usual), level = min.Length == 0 ? 1 : Math.Sqrt(median) / best;
        for (int a = 0; a < n; a++)
        {
            for (int b = 0; b < n; b++)
            {
                double sum = 0, count = 0;
                if (_place.TryGetValue(identities[a], out int i) && _place.TryGetValue(identities[b], out int j))
                {
                    foreach ((double[,] products, bool[] present) in _stretches)
                    {
                        if (!present[i] || !present[j])
                            continue;
                        double own = double.PositiveInfinity;
                        for (int k = 0; k < _place.Count; k++)
                            own = present[k] ? Math.Min(own, products[k, k]) : own;
                        double weight = 1 / (1 + (own / median));
                        sum += weight * products[i, j];
                        count += weight;
                    }
                }

                double usual = a == b ? level * _usual(identities[a]) : 0;
                gram[a, b] = (sum + (0.5 * _prior * usual * usual)) / (count + (0.5 * _prior));
            }
        }

        return Minimize(gram, n);
    }

    // Exactly: on each set of estimates the minimum with weights of any sign that sum to 1 is G^-1 1 / (1' G^-1 1); the least of those that
    // are not negative is the minimum. n is at most 9, so that there are some hundred sets.
    private static double[] Minimize(double[,] gram, int n)
    {
        double[] best = new double[n], solved = new double[n];
        double least = double.PositiveInfinity;
        var factor = new double[n, n];
        var members = new int[n];
        for (int set = 1; set < 1 << n; set++)
        {
            int count = 0;
            for (int i = 0; i < n; i++)
            {
                if ((set >> i & 1) != 0)
                    members[count++] = i;
            }

            if (!Solve(gram, members.AsSpan(0, count), factor, solved))
                continue;
            double total = 0;
            bool inside = true;
            for (int a = 0; a < count; a++)
            {
                total += solved[a];
                inside &= solved[a] >= 0;
            }

            // w' G w = 1 / (1' G^-1 1).
            if (!inside || !(total > 0) || !(1 / total < least))
                continue;
            least = 1 / total;
            Array.Clear(best);
            for (int a = 0; a < count; a++)
                best[members[a]] = solved[a] / total;
        }

        return best;
    }

    // G x = 1 on some rows and columns by Cholesky; false where G is not positive there.
    private static bool Solve(double[,] gram, ReadOnlySpan<int> members, double[,] factor, double[] x)
    {
        for (int a = 0; a < members.Length; a++)
        {
            for (int b = 0; b <= a; b++)
            {
                double sum = gram[members[a], members[b]];
                for (int k = 0; k < b; k++)
                    sum -= factor[a, k] * factor[b, k];
                if (a == b)
                {
                    if (!(sum > 1e-12 * gram[members[a], members[a]]))
                        return false;
                    factor[a, a] = Math.Sqrt(sum);
                }
                else
                {
                    factor[a, b] = sum / factor[b, b];
                }
            }

            double right = 1;
            for (int k = 0; k < a; k++)
                right -= factor[a, k] * x[k];
            x[a] = right / factor[a, a];
        }

        for (int a = members.Length - 1; a >= 0; a--)
        {
            for (int k = a + 1; k < members.Length; k++)
                x[a] -= factor[k, a] * x[k];
            x[a] /= factor[a, a];
        }

        return true;
    }
}
