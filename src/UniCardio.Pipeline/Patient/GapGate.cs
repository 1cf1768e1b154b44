namespace UniCardio.Pipeline.Patient;

/// <summary>What a network has in a gap beyond its part of the blend, where the two are far apart.</summary>
/// <remarks>
/// value = blend + b S(ln(d / 2 u) / 0.3) (network - blend): S the logistic function, d the root mean square by which the two differ in
/// this gap, u by how much they usually do (the median over stretches that were hidden). Where they differ as usual the blend's own weights
/// hold; where they differ by much more, the beat may be another one (premature, or of a changed rhythm) that the network sees in the other
/// signals. Whether it does, hidden stretches of the same recording say: b is fitted to them by least squares beside four stretches that
/// speak against it.
/// </remarks>
internal sealed class GapGate
{
    private const double Turn = 2, Width = 0.3, Prior = 4;

    private GapGate(double disagreement, double unusual, int stretches)
    {
        (Disagreement, Unusual, Stretches) = (disagreement, unusual, stretches);
    }

    /// <summary>What the network takes over where the two differ by far more than usual, 0 to 1.</summary>
    public double Unusual { get; }

    /// <summary>By how much they usually differ (RMS, in the target's unit); NaN if never seen.</summary>
    public double Disagreement { get; }

    /// <summary>Hidden stretches that it was fitted to.</summary>
    public int Stretches { get; }

    /// <summary>Fits the gate.</summary>
    /// <param name="hidden">For each stretch the network's estimate, the blend and the truth, [length] each.</param>
    public static GapGate Fit(IReadOnlyList<(double[] Network, double[] Blend, float[] Truth)> hidden)
    {
        ArgumentNullException.ThrowIfNull(hidden);
        if (hidden.Count == 0)
            return new GapGate(double.NaN, 0, 0);
        double[] apart = [.. hidden.Select(h => Distance(h.Network, h.Blend))];
        double[] sorted = [.. apart.Order()];
        double usual = Math.Max(sorted[sorted.Length / 2], 1e-9), squares = Prior, products = 0;
        for (int i = 0; i < hidden.Count; i++)
        {
            (double[] network, double[] blend, float[] truth) = hidden[i];
            double along = 0, square = 0;
            for (int t = 0; t < truth.Length; t++)
            {
                along += (network[t] - blend[t]) * (truth[t] - blend[t]);
                square += (network[t] - blend[t]) * (network[t] - blend[t]);
            }

            if (!(square > 0))
                continue;
            double s = Shape(apart[i] / usual);
            squares += s * s;
            products += s * along / square;
        }

        return new GapGate(usual, Math.Clamp(products / squares, 0, 1), hidden.Count);
    }

    /// <summary>What the network takes over in a gap, 0 to 1.</summary>
    /// <param name="network">[gap] its estimate.</param>
    /// <param name="blend">[gap] the blend.</param>
    public double WeightOf(ReadOnlySpan<double> network, ReadOnlySpan<double> blend) =>
        double.IsNaN(Disagreement) ? 0 : Unusual * Shape(Distance(network, blend) / Disagreement);

    private static double Shape(double ratio) => ratio <= 0 ? 0 : 1 / (1 + Math.Exp(-Math.Log(ratio / Turn) / Width));

    private static double Distance(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        double sum = 0;
        for (int t = 0; t < a.Length; t++)
            sum += (a[t] - b[t]) * (a[t] - b[t]);
        return Math.Sqrt(sum / Math.Max(1, a.Length));
    }
}
