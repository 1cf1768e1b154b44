using MathNet.Numerics.LinearAlgebra;
using UniCardio.Signals.Processing;

namespace UniCardio.Signals.Patient;

/// <summary>Joins an estimate to the measured samples on both sides of a gap: what the estimate misses there is carried into the gap as far
/// as such errors usually last.</summary>
/// <remarks>
/// Simple kriging (Wiener-Kolmogorov prediction) of the residual r = measured - estimate: c(tau) is its autocovariance about the gap, by
/// the biased estimate over measured samples, which is never indefinite; the correction at t is c(t, E) C(E, E)^-1 r(E) over the edge
/// samples E, and its error variance c(0) - c(t, E) C^-1 c(E, t).
/// </remarks>
internal sealed class EdgeCorrection
{
    private static readonly int[] Offsets = [1, 2, 3, 4, 6, 8, 11, 15, 20, 27, 36, 48, 64, 85, 112];
    private readonly double[] _covariance;

    private EdgeCorrection(double[] covariance) => _covariance = covariance;

    /// <summary>Variance of the residual.</summary>
    public double Variance => _covariance[0];

    /// <summary>Learns how errors last.</summary>
    /// <param name="residual">[n] measured minus estimated, NaN where either is missing.</param>
    /// <param name="context">Where to learn.</param>
    /// <param name="longest">Longest gap, in samples.</param>
    public static EdgeCorrection Learn(ReadOnlySpan<double> residual, SampleRange context, int longest)
    {
        // A triangle over it keeps it definite where it is cut off.
        int lags = Math.Min(longest + 512, 1536);
        var filled = new double[context.Length];
        double measured = 0;
        for (int i = 0; i < filled.Length; i++)
        {
            double r = residual[context.Start + i];
            filled[i] = double.IsNaN(r) ? 0 : r;
            measured += double.IsNaN(r) ? 0 : 1;
        }

        var covariance = new double[lags];
        for (int lag = 0; lag < Math.Min(lags, filled.Length); lag++)
        {
            ReadOnlySpan<double> a = filled.AsSpan(0, filled.Length - lag), b = filled.AsSpan(lag);
            covariance[lag] = System.Numerics.Tensors.TensorPrimitives.Dot(a, b) / Math.Max(1, measured) * (1 - ((double)lag / lags));
        }

        return new EdgeCorrection(covariance);
    }

    /// <summary>Adds the correction to an estimate in a gap.</summary>
    /// <param name="residual">[n] measured minus estimated, NaN where either is missing.</param>
    /// <param name="gap">The gap.</param>
    /// <param name="wave">[n] corrected within the gap.</param>
    /// <param name="variance">[gap length] or empty: receives the error variance.</param>
    public void Apply(ReadOnlySpan<double> residual, SampleRange gap, Span<double> wave, Span<double> variance)
    {
        var places = new List<int>();
        foreach (int offset in Offsets)
        {
            if (gap.Start - offset >= 0 && !double.IsNaN(residual[gap.Start - offset]))
                places.Add(gap.Start - offset);
            if (gap.End + offset - 1 < residual.Length && !double.IsNaN(residual[gap.End + offset - 1]))
                places.Add(gap.End + offset - 1);
        }

        double c0 = _covariance[0];
        int n = places.Count;
        if (n == 0 || !(c0 > 0))
        {
            if (variance.Length > 0)
                variance.Fill(Math.Max(0, c0));
            return;
        }

        Matrix<double> matrix = Matrix<double>.Build.Dense(n, n, (i, j) => At(places[i] - places[j]) + (i == j ? 1e-3 * c0 : 0));
        var cholesky = matrix.Cholesky();
        var right = Vector<double>.Build.Dense(n);
        for (int i = 0; i < n; i++)
            right[i] = residual[places[i]];
        Vector<double> weights = cholesky.Solve(right);
        var cross = Vector<double>.Build.Dense(n);
        for (int t = gap.Start; t < gap.End; t++)
        {
            double sum = 0;
            for (int i = 0; i < n; i++)
            {
                cross[i] = At(places[i] - t);
                sum += cross[i] * weights[i];
            }

            wave[t] += sum;
            if (variance.Length > 0)
                variance[t - gap.Start] = Math.Max(0, c0 - cross.DotProduct(cholesky.Solve(cross)));
        }
    }

    private double At(int lag)
    {
        lag = Math.Abs(lag);
        return lag < _covariance.Length ? _covariance[lag] : 0;
    }
}
