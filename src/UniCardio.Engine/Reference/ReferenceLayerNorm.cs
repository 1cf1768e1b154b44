namespace UniCardio.Engine.Reference;

/// <summary>LayerNorm with an affine map (Ba, Kiros and Hinton, arXiv 1607.06450): the variance is the biased one.</summary>
public static class ReferenceLayerNorm
{
    /// <summary>Computes y = (x - mean) / sqrt(variance + epsilon) * gamma + beta for each row.</summary>
    /// <param name="x">[rows, n]: a row is a token's C channels, or the whole [C, S/p] plane of an encoder.</param>
    /// <param name="gamma">[n]; its length gives n.</param>
    /// <param name="beta">[n].</param>
    /// <param name="epsilon">Added to the variance; the network's is 1e-5.</param>
    /// <param name="y">[rows, n]; may be <paramref name="x"/> itself.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    public static void Forward(ReadOnlySpan<double> x, ReadOnlySpan<double> gamma, ReadOnlySpan<double> beta, double epsilon, Span<double> y)
    {
        int n = gamma.Length, rows = ReferenceShape.Rows(x.Length, n);
        ReferenceShape.Expect(beta.Length, n, "[n]", nameof(beta));
        ReferenceShape.Expect(y.Length, x.Length, "[rows, n]", nameof(y));
        for (int r = 0; r < rows; r++)
        {
            ReadOnlySpan<double> row = x.Slice(r * n, n);
            double mean = 0;
            foreach (double value in row)
                mean += value;
            mean /= n;
            double variance = 0;
            foreach (double value in row)
                variance += (value - mean) * (value - mean);
            variance /= n;
            double scale = 1 / Math.Sqrt(variance + epsilon);
            for (int i = 0; i < n; i++)
                y[(r * n) + i] = ((row[i] - mean) * scale * gamma[i]) + beta[i];
        }
    }
}
