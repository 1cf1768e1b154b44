using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;

namespace UniCardio.Engine.Tests.Sampling;

/// <summary>The official forms against the update formulas of unicardio.md, written out in terms of eps as the public code has
/// them.</summary>
public sealed class OfficialSamplerTests
{
    private const int Samples = 7;

    // Both sides are double; 50 to 99 steps that amplify a rounding of 1.1e-16 some tens of times each at worst.
    private const double Tolerance = 1e-11;

    [Theory]
    [InlineData("ppg->ecg", 50, ScheduleKind.Quad)]
    [InlineData("ppg,bp->ecg", 50, ScheduleKind.Linear)]
    [InlineData("impute bp | ppg,ecg", 7, ScheduleKind.Quad)]
    [InlineData("bp->ecg", 1, ScheduleKind.Quad)]
    public void Ddpm(string task, int steps, ScheduleKind kind)
    {
        ModelConfiguration configuration = ModelConfiguration.Tiny with { DiffusionSteps = steps, Schedule = kind };
        SamplerTable table = SamplerTable.Create(SamplerOptions.Parse("ddpm,official"), configuration, CardioTask.Parse(task));
        (double[] beta, double[] abar) = Schedule(configuration);
        Assert.Equal(steps + 1, table.NoiseDraws);
        Assert.Equal(steps, table.NetworkCalls);

        double[][] noise = TableRunner.Noise(table.NoiseDraws, Samples);
        double[] x = noise[0];
        for (int t = steps - 1, draw = 1; t >= 0; t--, draw++)
        {
            x = Mean(x, TableRunner.Network(x, t), beta[t], abar[t]);
            if (t > 0)
                x = Add(x, noise[draw], Deviation(beta, abar, t));
        }

        AssertClose(x, TableRunner.Run(table, TableRunner.Network, noise));
    }

    [Theory]
    [InlineData("ddim:6,official", "ppg->ecg", 6, 48)]
    [InlineData("ddim:10,official,ratio=1.1", "ecg->ppg", 9, 45)]
    [InlineData("ddim:6,official", "impute bp", 6, 48)]
    [InlineData("ddim:6,official,ratio=0.9", "ecg->bp", 6, 48)]
    [InlineData("ddim:50,official", "bp->ppg", 49, 49)]
    [InlineData("ddim:30,official", "bp->ppg", 49, 49)]
    public void Ddim(string options, string text, int calls, int first)
    {
        SamplerOptions sampler = SamplerOptions.Parse(options);
        CardioTask task = CardioTask.Parse(text);
        SamplerTable table = SamplerTable.Create(sampler, ModelConfiguration.Tiny, task);
        Assert.Equal(calls, table.NetworkCalls);
        Assert.Equal(first, table.Steps[0].T);
        Assert.Equal(1, table.NoiseDraws);

        (_, double[] abar) = Schedule(ModelConfiguration.Tiny);
        int stride = 50 / sampler.Steps!.Value;
        int[] times = [.. Enumerable.Range(0, 50).Where(t => t % stride == 0).Reverse()];
        double[][] noise = TableRunner.Noise(1, Samples);
        double[] x = noise[0];
        for (int i = 0; i + 1 < times.Length; i++)
        {
            double now = abar[times[i]], next = abar[times[i + 1]];
            double[] e = [.. TableRunner.Network(x, times[i]).Select(v => v / sampler.Ratio)];
            double[] clean = [.. x.Zip(e, (v, n) => (v - (Math.Sqrt(1 - now) * n)) / Math.Sqrt(now))];
            x = text == "ecg->bp" ? clean : [.. clean.Zip(e, (c, n) => (Math.Sqrt(next) * c) + (Math.Sqrt(1 - next) * n))];
        }

        AssertClose(x, TableRunner.Run(table, TableRunner.Network, noise));
    }

    [Theory]
    [InlineData("ppg->ecg", 50, true)]
    [InlineData("impute ppg", 50, true)]
    [InlineData("ecg->bp", 50, true)]
    [InlineData("bp->ecg", 50, false)]
    [InlineData("denoise bp", 4, false)]
    [InlineData("ppg->ecg", 2, true)]
    [InlineData("ppg->ecg", 1, true)]
    public void Improved(string task, int steps, bool noisy)
    {
        ModelConfiguration configuration = ModelConfiguration.Tiny with { DiffusionSteps = steps };
        SamplerTable table = SamplerTable.Create(SamplerOptions.Parse("improved"), configuration, CardioTask.Parse(task));
        (double[] beta, double[] abar) = Schedule(configuration);
        Assert.Equal(steps, table.NoiseDraws);
        Assert.Equal((2 * steps) - 1, table.NetworkCalls);

        double[][] noise = TableRunner.Noise(table.NoiseDraws, Samples);
        double[] x = noise[0];
        for (int t = steps - 1, draw = 1; t > 0; t--, draw++)
        {
            double[] e1 = TableRunner.Network(x, t);
            double[] x1 = Mean(x, e1, beta[t], abar[t]);
            double[] e2 = TableRunner.Network(x1, t - 1);
            x = Mean(x1, [.. e1.Zip(e2, (a, b) => (0.95 * a) + (0.05 * b))], beta[t], abar[t]);
            if (noisy)
                x = Add(x, noise[draw], Deviation(beta, abar, t));
        }

        x = Mean(x, TableRunner.Network(x, 0), beta[0], abar[0]);
        AssertClose(x, TableRunner.Run(table, TableRunner.Network, noise));
    }

    [Theory]
    [InlineData("ddim:6,official", "ppg,bp->ecg")]
    [InlineData("improved", "impute ecg | ppg")]
    public void TwoConditionsAreRefused(string options, string task)
    {
        var error = Assert.Throws<ConfigurationException>(() =>
            SamplerTable.Create(SamplerOptions.Parse(options), ModelConfiguration.Tiny, CardioTask.Parse(task)));
        Assert.Contains("one-condition", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OneStepThatWouldReturnNoiseIsRefused()
    {
        var error = Assert.Throws<ConfigurationException>(() =>
            SamplerTable.Create(SamplerOptions.Parse("ddim:1,official"), ModelConfiguration.Tiny, CardioTask.Parse("ppg->ecg")));
        Assert.Equal("steps", error.Setting);
    }

    [Fact]
    public void OfficialRowsNeverClamp()
    {
        foreach (string text in (string[])["ddpm,official", "ddim:6,official", "improved"])
        {
            SamplerTable table = SamplerTable.Create(SamplerOptions.Parse(text), ModelConfiguration.Tiny, CardioTask.Parse("ppg->ecg"));
            Assert.All(table.Steps, s => Assert.True(double.IsNegativeInfinity(s.ClampLow) && double.IsPositiveInfinity(s.ClampHigh)));
        }
    }

    private static (double[] Beta, double[] AlphaBar) Schedule(ModelConfiguration m)
    {
        bool quad = m.Schedule == ScheduleKind.Quad;
        double a = quad ? Math.Sqrt(m.BetaStart) : m.BetaStart, b = quad ? Math.Sqrt(m.BetaEnd) : m.BetaEnd;
        double[] beta = [.. Enumerable.Range(0, m.DiffusionSteps)
            .Select(t => a + (m.DiffusionSteps > 1 ? (b - a) * t / (m.DiffusionSteps - 1) : 0)).Select(v => quad ? v * v : v)];
        double[] abar = new double[beta.Length];
        for (int t = 0; t < beta.Length; t++)
            abar[t] = (t > 0 ? abar[t - 1] : 1) * (1 - beta[t]);
        return (beta, abar);
    }

    private static double[] Mean(double[] x, double[] eps, double beta, double abar) =>
        [.. x.Zip(eps, (v, e) => (v - (beta / Math.Sqrt(1 - abar) * e)) / Math.Sqrt(1 - beta))];

    private static double Deviation(double[] beta, double[] abar, int t) => Math.Sqrt((1 - abar[t - 1]) / (1 - abar[t]) * beta[t]);

    private static double[] Add(double[] x, double[] z, double scale) => [.. x.Zip(z, (v, n) => v + (scale * n))];

    private static void AssertClose(double[] expected, double[] actual)
    {
        double largest = expected.Max(Math.Abs);
        for (int i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - actual[i]) <= Tolerance * largest,
                $"sample {i}: expected {expected[i]:R}, got {actual[i]:R}");
    }
}
