using System.Numerics.Tensors;
using UniCardio.Training.Differentiation;

namespace UniCardio.Training.Pretraining;

/// <summary>Losses of the arms; each adds its gradient to its input's.</summary>
internal static class MaskedLosses
{
    /// <summary>Squared error of patches that were asked for and not shown, weighted: sum of weight (y - target)^2 over their
    /// samples.</summary>
    /// <param name="patches">[windows places, 3 x 25].</param>
    /// <param name="windows">The windows.</param>
    /// <param name="draws">What each showed and was asked.</param>
    /// <param name="places">Tokens that each window was decoded at.</param>
    /// <param name="weights">[3] weight of a sample of each signal.</param>
    public static double Reconstruction(TapeMatrix patches, IReadOnlyList<MaskedWindow> windows, IReadOnlyList<MaskedDraw> draws,
        int[] places, double[] weights)
    {
        const int Patch = MaskedConfiguration.Patch;
        double loss = 0;
        for (int w = 0; w < windows.Count; w++)
        {
            for (int i = 0; i < places.Length; i++)
            {
                int signal = places[i] / MaskedConfiguration.Patches, row = (w * places.Length) + i;
                if (!IsCounted(draws[w], places[i]))
                    continue;
                ReadOnlySpan<float> target = windows[w].Targets.AsSpan(places[i] * Patch, Patch);
                Span<float> y = patches.Row(row).Slice(signal * Patch, Patch),
                    gradient = patches.GradientRow(row).Slice(signal * Patch, Patch);
                for (int k = 0; k < Patch; k++)
                {
                    double error = y[k] - target[k];
                    loss += weights[signal] * error * error;
                    gradient[k] += (float)(2 * weights[signal] * error);
                }
            }
        }

        return loss;
    }

    /// <summary>[3] the weight of a sample: the mean over a signal's counted patches, then over the signals that have any.</summary>
    public static double[] Weights(IReadOnlyList<MaskedDraw> draws)
    {
        double[] counts = new double[MaskedConfiguration.Signals];
        foreach (MaskedDraw draw in draws)
        {
            for (int token = 0; token < MaskedConfiguration.Tokens; token++)
                counts[token / MaskedConfiguration.Patches] += IsCounted(draw, token) ? 1 : 0;
        }

        int signals = counts.Count(c => c > 0);
        return [.. counts.Select(c => c > 0 ? 1 / (signals * c * MaskedConfiguration.Patch) : 0)];
    }

    /// <summary>InfoNCE of two signals' embeddings, both ways: a window's pair against the other windows' (van den Oord et al., arXiv
    /// 1807.03748): with z = x / |x|, S = Za Zb' / tau, the mean of the cross-entropies of rows and columns.</summary>
    /// <param name="a">[windows, d].</param>
    /// <param name="b">[windows, d].</param>
    /// <param name="temperature">tau.</param>
    /// <param name="weight">Factor of loss and gradient.</param>
    public static double Contrast(TapeMatrix a, TapeMatrix b, double temperature, double weight)
    {
        int n = a.Rows;
        float[][] za = [.. Enumerable.Range(0, n).Select(i => Unit(a.Row(i)))],
            zb = [.. Enumerable.Range(0, n).Select(i => Unit(b.Row(i)))];
        double[,] score = new double[n, n], slope = new double[n, n];
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j < n; j++)
                score[i, j] = TensorPrimitives.Dot(za[i], zb[j]) / temperature;
        }

        double loss = 0;
        for (int i = 0; i < n; i++)
        {
            double row = LogSum(Enumerable.Range(0, n).Select(j => score[i, j])), column = LogSum(Enumerable.Range(0, n).Select(j =>
                score[j, i]));
            loss += weight * (row + column - (2 * score[i, i])) / (2 * n);
            for (int j = 0; j < n; j++)
            {
                slope[i, j] += weight * (Math.Exp(score[i, j] - row) - (i == j ? 1 : 0)) / (2 * n * temperature);
                slope[j, i] += weight * (Math.Exp(score[j, i] - column) - (i == j ? 1 : 0)) / (2 * n * temperature);
            }
        }

        for (int i = 0; i < n; i++)
        {
            float[] da = new float[a.Columns], db = new float[a.Columns];
            for (int j = 0; j < n; j++)
            {
                TensorPrimitives.MultiplyAdd(zb[j], (float)slope[i, j], da, da);
                TensorPrimitives.MultiplyAdd(za[j], (float)slope[j, i], db, db);
            }

            Through(a.Row(i), za[i], da, a.GradientRow(i));
            Through(b.Row(i), zb[i], db, b.GradientRow(i));
        }

        return loss;
    }

    private static bool IsCounted(MaskedDraw draw, int token) =>
        (draw.Asked >> (token / MaskedConfiguration.Patches) & 1) != 0 && Array.BinarySearch(draw.Visible, token) < 0;

    // The least norm keeps a window of zeros finite.
    private static float Norm(ReadOnlySpan<float> x) => Math.Max(1e-6f, TensorPrimitives.Norm(x));

    private static float[] Unit(ReadOnlySpan<float> x)
    {
        float[] z = new float[x.Length];
        TensorPrimitives.Divide(x, Norm(x), z);
        return z;
    }

    // z = x / |x|: dx += (dz - z (z . dz)) / |x|.
    private static void Through(ReadOnlySpan<float> x, float[] z, float[] dz, Span<float> dx)
    {
        float along = TensorPrimitives.Dot<float>(z, dz), norm = Norm(x);
        for (int k = 0; k < dz.Length; k++)
            dx[k] += (dz[k] - (z[k] * along)) / norm;
    }

    private static double LogSum(IEnumerable<double> values)
    {
        double[] all = [.. values];
        double most = all.Max();
        return most + Math.Log(all.Sum(v => Math.Exp(v - most)));
    }
}
