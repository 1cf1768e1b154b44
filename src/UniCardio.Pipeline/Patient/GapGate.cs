using UniCardio.Signals.Patient;

namespace UniCardio.Pipeline.Patient;

/// <summary>How much of a network goes into a gap beside what the patient's other beats say.</summary>
/// <remarks>
/// The network's weight is a + (b - a) S(ln(d / 2 u) / 0.3): S the logistic function, d the root mean square by which the two differ in
/// this gap, u by how much they usually do (the median over stretches that were hidden). Where they differ as usual the own beat is the
/// better one; where they differ by much more, the beat is likely to be another one (premature, or of a changed rhythm) and the network
/// takes over. a and b are fitted to the hidden stretches by least squares, beside four stretches' worth each of what independent errors of
/// the sizes found there would have them: a = e^2 / (e^2 + n^2) and b = e / (e + n), e the root mean square error of the others and n the
/// network's.
/// </remarks>
internal sealed class GapGate
{
    /// <summary>Weights without a hidden stretch, of synthetic subjects: as usual, and where the two differ by much more.</summary>
    public const double DefaultUsual = 0.08, DefaultUnusual = 0.35;

    private const double Turn = 2, Width = 0.3;

    private GapGate(double usual, double disagreement, double unusual, int stretches)
    {
        (Usual, Disagreement, Unusual, Stretches) = (usual, disagreement, unusual, stretches);
    }

    /// <summary>The network's weight where the two agree as usual, 0 to 1.</summary>
    public double Usual { get; }

    /// <summary>The network's weight where they differ by far more, 0 to 1.</summary>
    public double Unusual { get; }

    /// <summary>By how much they usually differ (RMS, in the target's unit); NaN if never seen.</summary>
    public double Disagreement { get; }

    /// <summary>Hidden stretches that it was fitted to.</summary>
    public int Stretches { get; }

    /// <summary>Fits the gate.</summary>
    /// <param name="hidden">For each stretch the network's estimate, the blend of the others and the truth, [length] each.</param>
    public static GapGate Fit(IReadOnlyList<(double[] Network, double[] Others, float[] Truth)> hidden)
    {
        ArgumentNullException.ThrowIfNull(hidden);
        if (hidden.Count == 0)
            return new GapGate(DefaultUsual, double.NaN, DefaultUnusual, 0);
        double[] apart = [.. hidden.Select(h => Distance(h.Network, h.Others))];
        double[] sorted = [.. apart.Order()];
        double usual = Math.Max(sorted[sorted.Length / 2], 1e-9);
        // g = a (1 - s) + b s; sum over stretches of |T - B - g (N - B)|^2 / |N - B|^2, with what is expected as stretches of their own.
        const double Prior = 4;
        double beat = Math.Sqrt(hidden.Average(h => Square(h.Others, h.Truth))),
            net = Math.Sqrt(hidden.Average(h => Square(h.Network, h.Truth)));
        double expected = beat * beat / Math.Max(1e-18, (beat * beat) + (net * net)), unlike = beat / Math.Max(1e-9, beat + net);
        double aa = Prior, bb = Prior, ab = 0, ar = Prior * expected, br = Prior * unlike;
        for (int i = 0; i < hidden.Count; i++)
        {
            (double[] network, double[] others, float[] truth) = hidden[i];
            double along = 0, square = 0;
            for (int t = 0; t < truth.Length; t++)
            {
                along += (network[t] - others[t]) * (truth[t] - others[t]);
                square += (network[t] - others[t]) * (network[t] - others[t]);
            }

            if (!(square > 0))
                continue;
            double s = Shape(apart[i] / usual), best = along / square;
            aa += (1 - s) * (1 - s);
            bb += s * s;
            ab += s * (1 - s);
            ar += (1 - s) * best;
            br += s * best;
        }

        double determinant = (aa * bb) - (ab * ab);
        // Ten stretches are few: neither weight becomes more than twice what errors of these sizes would have it.
        double a = Math.Clamp(((ar * bb) - (br * ab)) / determinant, 0, Math.Min(1, 2 * expected)),
            b = Math.Clamp(((br * aa) - (ar * ab)) / determinant, 0, Math.Min(1, 2 * unlike));
        return new GapGate(a, usual, Math.Max(a, b), hidden.Count);
    }

    /// <summary>The network's weight in a gap.</summary>
    /// <param name="network">[gap] its estimate.</param>
    /// <param name="others">[gap] the blend of the others.</param>
    public double WeightOf(ReadOnlySpan<double> network, ReadOnlySpan<double> others)
    {
        if (double.IsNaN(Disagreement))
            return Usual;
        double s = Shape(Distance(network, others) / Disagreement);
        return (Usual * (1 - s)) + (Unusual * s);
    }

    private static double Shape(double ratio) => ratio <= 0 ? 0 : 1 / (1 + Math.Exp(-Math.Log(ratio / Turn) / Width));

    private static double Square(ReadOnlySpan<double> made, ReadOnlySpan<float> truth)
    {
        double sum = 0;
        for (int t = 0; t < truth.Length; t++)
            sum += (made[t] - truth[t]) * (made[t] - truth[t]);
        return sum / Math.Max(1, truth.Length);
    }

    private static double Distance(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        double sum = 0;
        for (int t = 0; t < a.Length; t++)
            sum += (a[t] - b[t]) * (a[t] - b[t]);
        return Math.Sqrt(sum / Math.Max(1, a.Length));
    }
}
