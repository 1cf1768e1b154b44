using UniCardio.Engine.Model;
using UniCardio.Engine.Reference;

namespace UniCardio.OpCases;

/// <summary>
/// A convolution over time of time-major signals, zeros around them, one bias and one residual an output; the activation by the size's last
/// number (0 none, 1 GELU, 2 ReLU, 3 tanh). Size: windows, samples, channels, outputs, taps (odd), stride, activation.
/// </summary>
internal sealed class ConvolvedRows : OpRow
{
    // Tiles and their neighbours, channels and outputs that are no multiple of 4, strides that do not divide, a tap alone.
    public override IReadOnlyList<int[]> Sizes { get; } =
        [[1, 1, 1, 1, 1, 1, 0], [2, 33, 2, 5, 9, 3, 0], [1, 65, 5, 33, 7, 2, 1], [3, 31, 7, 66, 3, 1, 2], [1, 100, 12, 30, 13, 5, 3],
         [2, 130, 4, 64, 11, 2, 2]];

    public static int Length(int[] n) => (n[1] + n[5] - 1) / n[5];

    public override OpInput[] Inputs(int[] n) =>
        [new("x", n[0] * n[1] * n[2]), new("W", n[3] * n[4] * n[2]), new("b", n[3]), new("residual", n[0] * Length(n) * n[3])];

    public override double[][] Twin(int[] n, double[][] x)
    {
        double[] y = new double[x[3].Length];
        for (int i = 0; i < y.Length; i++)
        {
            double sum = Terms(n, x, i).Sum();
            y[i] = n[6] switch { 1 => sum / 2 * (1 + Erf(sum)), 2 => Math.Max(sum, 0), 3 => Math.Tanh(sum), _ => sum };
        }

        return [y];
    }

    // One rounding a step of the sum of magnitudes; in tf32 parts the product of the rests, 2^-22 of each term, is left out; GELU and tanh
    // err by 4e-7 of their argument and of 1, and rise by at most 1.13 times it.
    public override double Bound(int[] n, double[][] x, double[][] y, int output, int i)
    {
        double[] terms = [.. Terms(n, x, i).Select(Math.Abs)];
        double size = terms.Sum();
        return (1.13 * ((2 * (terms.Length + 1) * U) + (4 * U)) * size) + (n[6] is 1 or 3 ? 4e-7 * Math.Max(1, size) : 0);
    }

    private static double Erf(double x)
    {
        double[] gelu = [x];
        ReferenceGelu.Forward(gelu, gelu);
        return x == 0 ? 0 : (2 * gelu[0] / x) - 1;
    }

    private static IEnumerable<double> Terms(int[] n, double[][] x, int i)
    {
        (int window, int row, int output) = (i / (Length(n) * n[3]), i / n[3] % Length(n), i % n[3]);
        yield return x[2][output];
        yield return x[3][i];
        for (int tap = 0; tap < n[4]; tap++)
        {
            int sample = (row * n[5]) + tap - (n[4] / 2);
            for (int c = 0; c < n[2] && sample >= 0 && sample < n[1]; c++)
                yield return x[0][(((window * n[1]) + sample) * n[2]) + c] * x[1][(((output * n[4]) + tap) * n[2]) + c];
        }
    }
}

/// <summary>GroupNorm with one group, GELU and an addend: GELU(norm(x + b) gamma + beta) + position, the norm over a window's rows and
/// channels; x comes in parts. Size: windows, rows, C, parts.</summary>
internal sealed class NormedWindows : OpRow
{
    public override IReadOnlyList<int[]> Sizes { get; } = [[1, 1, 6, 2], [2, 17, 5, 3], [3, 100, 30, 2], [2, 18, 104, 11], [1, 33, 513, 2]];

    public override OpInput[] Inputs(int[] n) =>
        [new("x", n[3] * n[0] * n[1] * n[2], 3), new("b", n[2]), new("gamma", n[2]), new("beta", n[2]), new("position", n[1] * n[2])];

    public override double[][] Twin(int[] n, double[][] x)
    {
        int window = n[1] * n[2];
        double[] y = new double[n[0] * window], gamma = new double[window], beta = new double[window];
        for (int i = 0; i < y.Length; i++)
        {
            y[i] = x[1][i % n[2]];
            for (int part = 0; part < n[3]; part++)
                y[i] += x[0][(part * y.Length) + i];
        }

        for (int i = 0; i < window; i++)
            (gamma[i], beta[i]) = (x[2][i % n[2]], x[3][i % n[2]]);
        ReferenceLayerNorm.Forward(y, gamma, beta, 1e-5, y);
        ReferenceGelu.Forward(y, y);
        for (int i = 0; i < y.Length; i++)
            y[i] += x[4][i % window];
        return [y];
    }

    // As NormOp's, a thread's sums being of its share of the values, and GELU, which errs by 4e-7 of 1.
    public override double Bound(int[] n, double[][] x, double[][] y, int output, int i) => (4 * ((n[1] * n[2] / 512) + 24) * U * 5) + 1e-6;
}

/// <summary>The mean of each window's rows. Size: windows, rows, C.</summary>
internal sealed class WindowMeans : OpRow
{
    public override IReadOnlyList<int[]> Sizes { get; } = [[1, 1, 1], [2, 17, 30], [3, 100, 130], [1, 33, 512]];

    public override OpInput[] Inputs(int[] n) => [new("x", n[0] * n[1] * n[2])];

    public override double[][] Twin(int[] n, double[][] x)
    {
        double[] y = new double[n[0] * n[2]];
        for (int i = 0; i < x[0].Length; i++)
            y[(i / (n[1] * n[2]) * n[2]) + (i % n[2])] += x[0][i] / n[1];
        return [y];
    }

    // A sum in order of rows terms below 1, over their number.
    public override double Bound(int[] n, double[][] x, double[][] y, int output, int i) => (n[1] + 2) * U;
}
