using UniCardio.Engine;
using UniCardio.Training.Network;
using UniCardio.Training.Optimization;

namespace UniCardio.Training.Tests.Optimization;

public class GateShrinkageTests
{
    private static readonly ParameterLayout Layout = new(Runs.ToyNetwork.Small);

    [Fact]
    public void OnlyGatesShrinkAndStayAtZero()
    {
        var random = new Random(1);
        float[] before = [.. Enumerable.Range(0, Layout.Length).Select(_ => (float)((2 * random.NextDouble()) - 1))], after = [.. before];
        var gates = new GateShrinkage(Layout, 2);
        gates.Apply(after, 0.1);
        int channels = Layout.Configuration.Channels;
        var gate = Layout.Network.Blocks.SelectMany(b => Enumerable.Range(b.MidProjection.Weight.Offset, channels * channels)).ToHashSet();
        for (int i = 0; i < before.Length; i++)
        {
            // The step of the formula in double; one float subtraction of numbers below 1 rounds by at most 6e-8.
            double expected = gate.Contains(i) ? Math.Sign(before[i]) * Math.Max(0, Math.Abs(before[i]) - 0.2) : before[i];
            Assert.Equal(expected, after[i], 1e-7);
        }

        double zeros = gate.Count(i => Math.Abs(before[i]) <= 0.2) / (double)gate.Count;
        Assert.InRange(zeros, 0.1, 0.3);
        Assert.Equal(zeros, gates.ZeroShare(after), 1e-12);
    }

    [Fact]
    public void TheStepMinimisesTheDistanceWithTheNorm()
    {
        // 1/2 (x - w)^2 + rate lambda |x| has its minimum where the step ends: no x on a grid is below it.
        float[] parameters = new float[Layout.Length];
        int at = Layout.Network.Blocks[0].MidProjection.Weight.Offset;
        var gates = new GateShrinkage(Layout, 3);
        foreach (float w in (float[])[-0.5f, -0.05f, 0, 0.02f, 0.031f, 2])
        {
            parameters[at] = w;
            gates.Apply(parameters, 0.01);
            double Cost(double x) => ((x - w) * (x - w) / 2) + (0.03 * Math.Abs(x));
            double least = Enumerable.Range(-30_000, 60_001).Min(i => Cost(i * 1e-4));
            // A grid of 1e-4 misses the minimum of a curve of second derivative 1 by at most 1e-8.
            Assert.InRange(Cost(parameters[at]), least - 1e-8, least + 1e-8);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void BadNumbersAreNamed(double lambda) =>
        Assert.Equal("gate_l1", Assert.Throws<ConfigurationException>(() => new GateShrinkage(Layout, lambda)).Setting);
}
