using MathNet.Numerics.Statistics;
using UniCardio.Engine.Sessions;

namespace UniCardio.Engine.Tests.Sessions;

public sealed class DrawStatisticsTests
{
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(2, 2, 17)]
    [InlineData(3, 5, 16)]
    [InlineData(2, 50, 33)]
    [InlineData(1, 1000, 5)]
    public void AgreeWithMathNet(int windows, int draws, int samples)
    {
        var random = new Random(draws);
        float[] results = [.. Enumerable.Range(0, windows * draws * samples).Select(_ => (float)random.NextDouble())];
        double[] p = [0, 0.05, 0.25, 0.5, 0.9, 1];
        float[] mean = new float[windows * samples], median = new float[windows * samples],
            quantiles = new float[p.Length * windows * samples];
        DrawStatistics.Mean(results, draws, samples, mean);
        DrawStatistics.Median(results, draws, samples, median);
        DrawStatistics.Quantiles(results, draws, samples, p, quantiles);
        for (int w = 0; w < windows; w++)
        {
            for (int s = 0; s < samples; s++)
            {
                double[] column = [.. Enumerable.Range(0, draws).Select(d => (double)results[(((w * draws) + d) * samples) + s])];

                // One rounding to float32 of values below 1.
                Assert.Equal(column.Average(), mean[(w * samples) + s], 6e-8);
                Assert.Equal(column.Median(), median[(w * samples) + s], 6e-8);
                for (int i = 0; i < p.Length; i++)
                    Assert.Equal(column.QuantileCustom(p[i], QuantileDefinition.R7), quantiles[(((i * windows) + w) * samples) + s], 6e-8);
            }
        }
    }

    [Fact]
    public void SmallCaseByHand()
    {
        // Draws 1, 4, 2, 8 of one sample.
        float[] out4 = new float[4];
        DrawStatistics.Quantiles([1, 4, 2, 8], 4, 1, [0, 0.25, 0.5, 0.95], out4);
        Assert.Equal([1, 1.75f, 3, 7.4f], out4);
    }

    [Fact]
    public void BadInputIsRefused()
    {
        float[] one = new float[1];
        Assert.Throws<ArgumentOutOfRangeException>(() => DrawStatistics.Mean([1], 0, 1, one));
        Assert.Throws<ArgumentException>(() => DrawStatistics.Mean([1, 2, 3], 2, 1, one));
        Assert.Throws<ArgumentException>(() => DrawStatistics.Mean([], 1, 1, one));
        Assert.Throws<ArgumentException>(() => DrawStatistics.Mean([1, 2], 2, 1, new float[2]));
        Assert.Throws<ArgumentException>(() => DrawStatistics.Quantiles([1, 2], 2, 1, [1.5], one));
        Assert.Throws<ArgumentException>(() => DrawStatistics.Quantiles([1, 2], 2, 1, [double.NaN], one));
        Assert.Contains("window 1, draw 0, sample 2", Assert.Throws<ArgumentException>(() =>
            DrawStatistics.Median([1, 2, 3, 1, 2, 3, 1, 2, float.NaN, 1, 2, 3], 2, 3, new float[6])).Message, StringComparison.Ordinal);
    }
}
