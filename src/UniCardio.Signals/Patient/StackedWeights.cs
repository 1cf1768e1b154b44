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

    // Exponentiated gradient: every step stays on the simplex.
    private static double[] Minimize(double[,] gram, int n)
    {
        var w = new double[n];
        Array.Fill(w, 1.0 / n);
        if (n < 2)
            return w;
        double largest = 0;
        for (int i = 0; i < n; i++)
            largest = Math.Max(largest, gram[i, i]);
        var gradient = new double[n];
        for (int step = 0; step < 4000; step++)
        {
            double value = 0;
            for (int i = 0; i < n; i++)
            {
                gradient[i] = 0;
                for (int j = 0; j < n; j++)
                    gradient[i] += gram[i, j] * w[j];
                value += w[i] * gradient[i];
            }

            // The step is scaled by what the blend still errs, which small weights' gradients are large against.
            double rate = 0.3 / Math.Max(value, 1e-9 * largest), total = 0;
            for (int i = 0; i < n; i++)
            {
                w[i] *= Math.Exp(Math.Clamp(-rate * (gradient[i] - value), -2, 2));
                total += w[i];
            }

            for (int i = 0; i < n; i++)
                w[i] /= total;
        }

        return w;
    }
}
