using System.Numerics.Tensors;

namespace UniCardio.Signals.Patient;

/// <summary>How much of each estimate goes into a blend: weights of at least 0 that sum to 1 and err least on hidden stretches.</summary>
/// <remarks>
/// Stacked regression (Wolpert 1992; Breiman 1996) on the simplex: w minimises w' (G + P) w, G the mean products of errors over the
/// stretches, each stretch's divided by
/// 1 + its least error over the median of that, so that one bad stretch does not decide for all; P is what <c>prior</c> stretches with
/// independent usual errors add.
/// <para>An estimate that stands alone is doubted: a is the root mean square by which it differs from the nearest other one in a gap, u the
/// median of that over the stretches, and its errors are taken for d = sqrt(max(1, a / u)) times as large as usual; on the hidden stretches
/// they are divided by what they were expected to be. Moments alike that are not alike, a beat whose place was missed and a filter from a
/// spoiled signal are told by this, as stretches that went well cannot tell. The straight line, which is far off by nature, and
/// the network, which may be the one to see a premature beat (that is the gate's business), are neither doubted nor asked. The square root
/// was chosen on gaps of 0.4 and 1.2 s of five people and of synthetic subjects; at 2 s, where nothing was chosen, the blend errs 20% less
/// than the best single estimator with it, 17% without.</para>
/// </remarks>
internal sealed class StackedWeights
{
    private const double MostDoubt = 8;
    private const int LeastTold = 4;

    private readonly Dictionary<int, int> _place = [];
    private readonly List<(double[,] Products, bool[] Present, double[] Apart)> _stretches = [];
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
        var apart = new double[32];
        Array.Fill(apart, double.NaN);
        for (int a = 0; a < n; a++)
        {
            int i = _place[estimates[a].Identity];
            present[i] = true;
            apart[i] = Apart(estimates, a);
            for (int b = 0; b <= a; b++)
            {
                int j = _place[estimates[b].Identity];
                double sum = 0;
                for (int t = 0; t < truth.Length; t++)
                    sum += (estimates[a].Wave[t] - truth[t]) * (estimates[b].Wave[t] - truth[t]);
                products[i, j] = products[j, i] = sum / truth.Length / (deviation * deviation);
            }
        }

        _stretches.Add((products, present, apart));
    }

    /// <summary>The weights of the estimates of a gap.</summary>
    /// <param name="estimates">The estimates.</param>
    public double[] Of(IReadOnlyList<GapEstimate> estimates)
    {
        int n = estimates.Count;
        int[] identities = [.. estimates.Select(e => e.Identity)];
        var gram = new double[n, n];
        double[] usualApart = [.. Enumerable.Range(0, _place.Count).Select(UsualApart)];
        double[] doubts = [.. estimates.Select((e, a) => _place.TryGetValue(e.Identity, out int i)
            ? Doubt(Apart(estimates, a), usualApart[i]) : 1)];
        (double[,] Products, bool[] Present)[] expected =
            [.. _stretches.Select(s => (Expected(s.Products, s.Apart, usualApart), s.Present))];
        double[] min =
            [.. expected.Select(s => Enumerable.Range(0, _place.Count).Where(i => s.Present[i]).Min(i => s.Products[i, i])).Order()];
        double median = min.Length == 0 ? 1 : Math.Max(1e-12, min[min.Length / 2]);
        double best = identities.Min(_usual), level = min.Length == 0 ? 1 : Math.Sqrt(median) / best;
        for (int a = 0; a < n; a++)
        {
            for (int b = 0; b < n; b++)
            {
                double sum = 0, count = 0;
                if (_place.TryGetValue(identities[a], out int i) && _place.TryGetValue(identities[b], out int j))
                {
                    foreach ((double[,] products, bool[] present) in expected)
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
                gram[a, b] = doubts[a] * doubts[b] * (sum + (0.5 * _prior * usual * usual)) / (count + (0.5 * _prior));
            }
        }

        return Minimize(gram, n);
    }

    // Errors over what they were expected to be by how far apart the estimates stood.
    private double[,] Expected(double[,] products, double[] apart, double[] usual)
    {
        int n = _place.Count;
        var expected = new double[n, n];
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j < n; j++)
                expected[i, j] = products[i, j] / (Doubt(apart[i], usual[i]) * Doubt(apart[j], usual[j]));
        }

        return expected;
    }

    private static double Doubt(double apart, double usual) =>
        double.IsNaN(apart) || !(usual > 0) ? 1 : Math.Sqrt(Math.Clamp(apart / usual, 1, MostDoubt));

    // The median distance from the nearest other one; NaN where it was told on fewer than four stretches.
    private double UsualApart(int place)
    {
        double[] all = [.. _stretches.Select(s => s.Apart[place]).Where(x => !double.IsNaN(x)).Order()];
        return all.Length < LeastTold ? double.NaN : all[all.Length / 2];
    }

    // How far an estimate is from the nearest other one that is told from something; NaN where fewer than two are.
    private static double Apart(IReadOnlyList<GapEstimate> estimates, int own)
    {
        if (!TellsOthers(estimates[own].Kind))
            return double.NaN;
        double nearest = double.PositiveInfinity;
        int others = 0;
        for (int k = 0; k < estimates.Count; k++)
        {
            if (k == own || !TellsOthers(estimates[k].Kind))
                continue;
            others++;
            nearest = Math.Min(nearest, TensorPrimitives.Distance<double>(estimates[own].Wave, estimates[k].Wave));
        }

        return others < 2 ? double.NaN : nearest / Math.Sqrt(estimates[own].Wave.Length);
    }

    private static bool TellsOthers(EstimatorKind kind) => kind is not (EstimatorKind.Line or EstimatorKind.Network);

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

        // Errors of nothing, or none that is a number, decide nothing: the estimate that is known to err least stands alone.
        if (double.IsPositiveInfinity(least) && n > 0)
            best[Enumerable.Range(0, n).MinBy(i => double.IsNaN(gram[i, i]) ? double.PositiveInfinity : gram[i, i])] = 1;
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
