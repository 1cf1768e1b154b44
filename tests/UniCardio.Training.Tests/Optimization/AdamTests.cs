using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Training.Network;
using UniCardio.Training.Optimization;

namespace UniCardio.Training.Tests.Optimization;

public class AdamTests
{
    private static readonly ParameterLayout Layout = new(Runs.ToyNetwork.Small);

    private static float[] Random(int seed, double scale)
    {
        var random = new Random(seed);
        float[] values = new float[Layout.Length];
        foreach (ParameterSlice slice in Layout.Slices)
        {
            for (int i = 0; i < slice.Count; i++)
                values[slice.Offset + i] = (float)(scale * ((2 * random.NextDouble()) - 1));
        }

        return values;
    }

    public static TheoryData<WeightDecayKind, double, double> Cases() => new()
    {
        { WeightDecayKind.L2, 1e-2, double.PositiveInfinity },
        { WeightDecayKind.L2, 0, 0.5 },
        { WeightDecayKind.Decoupled, 0.1, 0.5 },
        { WeightDecayKind.Decoupled, 0.1, double.PositiveInfinity },
    };

    // The papers' formulas in double. One float32 update rounds some ten operations to half an ulp each, 6e-8: relative 6e-7 of a step of
    // about rate, and of p; over 20 steps p is off by at most 20 (6e-8 |p| + 6e-7 rate) + what moments that are off by 1e-6 move: 5e-6
    // covers it for |p| < 1.5.
    [Theory]
    [MemberData(nameof(Cases))]
    public void UpdatesAreThoseOfTheFormula(WeightDecayKind kind, double decay, double clip)
    {
        var options = new AdamOptions { Decay = kind, WeightDecay = decay, ClipNorm = clip };
        var adam = new Adam(Layout, options);
        float[] parameters = Random(1, 1);
        double[] p = [.. parameters.Select(x => (double)x)], m = new double[p.Length], v = new double[p.Length];
        bool[] decayed = new bool[p.Length];
        foreach (ParameterSlice slice in Layout.Slices.Where(s => s.Shape.Count > 1 && !s.Name.Contains("norm", StringComparison.Ordinal)))
            Array.Fill(decayed, true, slice.Offset, slice.Count);
        for (int k = 1; k <= 20; k++)
        {
            float[] gradient = Random(100 + k, 0.3);
            double norm = Math.Sqrt(gradient.Sum(g => (double)g * g)), rate = 0.01 / k;
            Assert.Equal(norm, adam.Update(parameters, gradient, rate), 1e-9 * norm);
            for (int i = 0; i < p.Length; i++)
            {
                double g = gradient[i] * Math.Min(1, clip / norm);
                if (kind == WeightDecayKind.L2)
                    g += decay * p[i];
                else if (decayed[i])
                    p[i] -= rate * decay * p[i];
                m[i] = (0.9 * m[i]) + (0.1 * g);
                v[i] = (0.999 * v[i]) + (0.001 * g * g);
                p[i] -= rate * (m[i] / (1 - Math.Pow(0.9, k))) / (Math.Sqrt(v[i] / (1 - Math.Pow(0.999, k))) + 1e-8);
            }
        }

        for (int i = 0; i < p.Length; i++)
            Assert.True(Math.Abs(p[i] - parameters[i]) <= 5e-6, $"{i}: {parameters[i]} instead of {p[i]}");
    }

    [Fact]
    public void PaddingStaysZero()
    {
        var adam = new Adam(Layout, new AdamOptions { WeightDecay = 0.1 });
        float[] parameters = Random(1, 1);
        adam.Update(parameters, Random(2, 1), 0.1);
        var padding = Enumerable.Range(0, Layout.Length)
            .Except(Layout.Slices.SelectMany(s => Enumerable.Range(s.Offset, s.Count))).ToList();
        Assert.NotEmpty(padding);
        Assert.All(padding, i => Assert.Equal(0, parameters[i]));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void AGradientThatIsNotFiniteChangesNothing(float bad)
    {
        var adam = new Adam(Layout, new AdamOptions());
        float[] parameters = Random(1, 1), before = [.. parameters], gradient = Random(2, 1);
        gradient[3] = bad;
        Assert.False(double.IsFinite(adam.Update(parameters, gradient, 0.1)));
        Assert.Equal(before, parameters);
        Assert.Equal(0, adam.Updates);
        Assert.All(adam.Moment1.ToArray(), x => Assert.Equal(0, x));
    }

    [Fact]
    public void BadNumbersAreNamed()
    {
        Assert.Equal("beta2", Assert.Throws<ConfigurationException>(() => new Adam(Layout, new AdamOptions { Beta2 = 1 })).Setting);
        Assert.Equal(
            "clip_norm", Assert.Throws<ConfigurationException>(() => new Adam(Layout, new AdamOptions { ClipNorm = double.NaN })).Setting);
        Assert.Equal(
            "weight_decay", Assert.Throws<ConfigurationException>(() => new Adam(Layout, new AdamOptions { WeightDecay = -1 })).Setting);
    }

    [Fact]
    public void TheAverageFollowsItsFormula()
    {
        float[] start = Random(1, 1);
        var average = new AveragedParameters(start, 0.9);
        double[] expected = [.. start.Select(x => (double)x)];
        for (int k = 1; k <= 200; k++)
        {
            float[] parameters = Random(k, 1);
            average.Include(parameters, k);
            double share = 1 - Math.Min(0.9, k / (k + 9.0));
            for (int i = 0; i < expected.Length; i++)
                expected[i] += share * (parameters[i] - expected[i]);
        }

        // Three roundings of values below 1 an update, each forgotten by 0.9 an update: 3 * 6e-8 * 10.
        for (int i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], average.Values.Span[i], 2e-6);
        Assert.Throws<ConfigurationException>(() => new AveragedParameters(start, 1));
    }

    [Fact]
    public void NoDecayKeepsTheParametersThemselves()
    {
        var average = new AveragedParameters(Random(1, 1), 0);
        float[] parameters = Random(2, 1);
        average.Include(parameters, 1);
        Assert.Equal(parameters, average.Values.ToArray());
    }

    [Fact]
    public void SquaresAreSummedExactly()
    {
        for (int length = 0; length < 40; length++)
        {
            float[] values = [.. Random(length, 1).Take(length)];
            double expected = values.Sum(x => (double)x * x);
            // Products are exact in double; the orders differ by at most n roundings of 1e-16.
            Assert.Equal(expected, VectorSum.OfSquares(values), 1e-14 * (expected + 1));
        }
    }
}
