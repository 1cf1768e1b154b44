using MathNet.Numerics.Statistics;
using UniCardio.Signals.Processing;

namespace UniCardio.Signals.Tests.Processing;

public class MeasuresTests
{
    private const float N = float.NaN;

    private static (float[] X, float[] Y) Pair(int n)
    {
        var random = new Random(5);
        var x = new float[n];
        var y = new float[n];
        for (int i = 0; i < n; i++)
        {
            x[i] = 100 + 20 * random.NextSingle();
            y[i] = x[i] + 10 * random.NextSingle();
        }
        return (x, y);
    }

    [Fact]
    public void ErrorsByHand()
    {
        Assert.Equal(Math.Sqrt(12.5), Measures.RootMeanSquareError([1, 2, N, 9], [4, 6, 1, N])!.Value, 1e-12);
        Assert.Equal(3.5, Measures.MeanAbsoluteError([1, 2, N, 9], [4, 6, 1, N])!.Value, 1e-12);
        Assert.Null(Measures.RootMeanSquareError([N], [1]));
        Assert.Null(Measures.MeanAbsoluteError([], []));
        Assert.Throws<ArgumentException>(() => Measures.RootMeanSquareError([1], [1, 2]));
    }

    [Fact]
    public void CorrelationAgreesWithAnIndependentOne()
    {
        (float[] x, float[] y) = Pair(500);
        double expected = Correlation.Pearson(x.Select(v => (double)v), y.Select(v => (double)v));
        // Both sum 500 products in double: 500 eps = 1e-13, times the conditioning of a few hundred.
        Assert.Equal(expected, Measures.PearsonCorrelation(x, y)!.Value, 1e-11);
        x[7] = N;
        y[9] = N;
        double[] kept(float[] v) => [.. v.Where((_, i) => i is not 7 and not 9).Select(s => (double)s)];
        Assert.Equal(Correlation.Pearson(kept(x), kept(y)), Measures.PearsonCorrelation(x, y)!.Value, 1e-11);
        Assert.Null(Measures.PearsonCorrelation([1, 1, 1], [1, 2, 3]));
        Assert.Null(Measures.PearsonCorrelation([1, N], [1, 2]));
        Assert.Equal(-1, Measures.PearsonCorrelation([1, 2, 3], [3, 2, 1])!.Value, 1e-12);
    }

    [Fact]
    public void KolmogorovSmirnovAgreesWithTheDefinition()
    {
        (float[] x, float[] y) = Pair(200);
        for (int i = 0; i < 50; i++)
            y[i] = x[3 * i]; // Ties between the samples.
        double expected = x.Concat(y).Max(v => Math.Abs(x.Count(a => a <= v) / 200.0 - y.Count(b => b <= v) / 200.0));
        Assert.Equal(expected, Measures.KolmogorovSmirnov(x, y)!.Value, 1e-12);
        Assert.Equal(0, Measures.KolmogorovSmirnov([1, 2, 3], [3, 1, N, 2])!.Value);
        Assert.Equal(1, Measures.KolmogorovSmirnov([1, 2], [3, 4, 5])!.Value);
        Assert.Null(Measures.KolmogorovSmirnov([N], [1]));
    }
}
