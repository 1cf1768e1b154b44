using UniCardio.Engine.Sampling;

namespace UniCardio.Engine.Tests.Sampling;

/// <summary>Executes a table's rows in double on one number a sample, with any function in place of the network.</summary>
internal static class TableRunner
{
    public static double[] Run(SamplerTable table, Func<double[], int, double[]> network, double[][] noise, int? rows = null)
    {
        double[] x = [.. noise[0]], c1 = new double[x.Length], c2 = new double[x.Length];
        foreach (SamplerStep s in table.Steps.Take(rows ?? table.Steps.Count))
        {
            double[] p = network(x, s.T), c0 = new double[x.Length], next = new double[x.Length];
            for (int i = 0; i < x.Length; i++)
            {
                c0[i] = Math.Clamp((s.CleanFromState * x[i]) + (s.CleanFromPrediction * p[i]), s.ClampLow, s.ClampHigh);
                next[i] = (s.State * x[i]) + (s.Clean0 * c0[i]) + (s.Clean1 * c1[i]) + (s.Clean2 * c2[i]);
                if (s.Noise != 0)
                    next[i] += s.Noise * noise[s.NoiseIndex][i];
            }

            (x, c1, c2) = (next, c0, c1);
        }

        return x;
    }

    /// <summary>Noise draws from a fixed generator; good enough where only the arithmetic is compared.</summary>
    public static double[][] Noise(int draws, int samples, int seed = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, draws)
            .Select(_ => Enumerable.Range(0, samples).Select(_ => (2 * random.NextDouble()) - 1).ToArray())];
    }

    /// <summary>Some function of x and t that is nowhere linear and mixes neighbours.</summary>
    public static double[] Network(double[] x, int t) =>
        [.. x.Select((v, i) => Math.Tanh(v + (0.3 * x[(i + 1) % x.Length])) + (0.2 * Math.Sin(t + i)))];
}
