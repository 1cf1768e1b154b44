using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using Xunit.Abstractions;

namespace UniCardio.Engine.Tests.Sampling;

/// <summary>Orders of the solvers on a problem with a known solution, and what they do at the ends.</summary>
public sealed class DpmSolverTests(ITestOutputHelper output)
{
    private static readonly CardioTask Task = CardioTask.Parse("ppg->ecg");

    // 20,000 steps, so that rounding nodes to discrete t hardly moves them; ends like the official schedule (abar_T = 4e-5).
    private static readonly ModelConfiguration Fine = ModelConfiguration.Tiny with
    {
        DiffusionSteps = 20000, BetaStart = 1e-8, BetaEnd = 1.5e-3, Prediction = PredictionKind.Sample,
    };

    private static readonly GaussianProcess Toy = new(0.3, 0.5);

    /// <summary>One row with exact x and exact clean signals: its error falls as h^(k+1) for order k.</summary>
    [Theory]
    [InlineData("ddim:{0},placement=logsnr", 1)]
    [InlineData("dpm++2m:{0}", 2)]
    [InlineData("dpm++3m:{0}", 3)]
    public void LocalErrorFallsWithOrderPlusOne(string text, int order)
    {
        var schedule = new NoiseSchedule(Fine);
        int[] counts = [40, 80, 160];
        double[] errors = Array.ConvertAll(counts, count =>
        {
            SamplerTable table = Table(text, count);
            double worst = 0;
            for (int i = 2; i < count - 1; i++)
            {
                int t = table.Steps[i].T, next = table.Steps[i + 1].T, last = Fine.DiffusionSteps - 1;
                double At(int step) => Toy.Clean(schedule, table.Steps[step].T, Toy.Exact(schedule, last, 1.2, table.Steps[step].T));
                SamplerStep s = table.Steps[i];
                double x = (s.State * Toy.Exact(schedule, last, 1.2, t)) + (s.Clean0 * At(i)) + (s.Clean1 * At(i - 1))
                    + (s.Clean2 * At(i - 2));
                worst = Math.Max(worst, Math.Abs(x - Toy.Exact(schedule, last, 1.2, next)));
            }

            return worst;
        });
        for (int i = 1; i < errors.Length; i++)
        {
            double measured = Math.Log2(errors[i - 1] / errors[i]) - 1;
            output.WriteLine($"{text} {counts[i]}: local error {errors[i]:e2}, order {measured:f2}");
            Assert.InRange(measured, order - 0.25, order + 0.35);
        }
    }

    [Theory]
    [InlineData("ddim:{0},placement=logsnr", 1)]
    [InlineData("dpm++2m:{0}", 2)]
    [InlineData("dpm++3m:{0}", 2.4)]
    public void WholeRunConverges(string text, double order)
    {
        var schedule = new NoiseSchedule(Fine);
        double[] errors = Array.ConvertAll((int[])[20, 40, 80], count =>
        {
            // To the last node: the jump from there to the clean signal is of first order in sigma, whatever the solver.
            SamplerTable table = Table(text, count);
            double[] x = TableRunner.Run(table, (x, t) => [.. x.Select(v => Toy.Clean(schedule, t, v))], [[1.2]], count - 1);
            return Math.Abs(x[0] - Toy.Exact(schedule, Fine.DiffusionSteps - 1, 1.2, table.Steps[^1].T));
        });
        output.WriteLine($"{text}: {string.Join(", ", errors.Select(e => $"{e:e2}"))}; order {Math.Log2(errors[1] / errors[2]):f2}");
        Assert.True(Math.Log2(errors[1] / errors[2]) > order - 0.3);
        Assert.True(Math.Log2(errors[0] / errors[1]) > order - 0.3);
    }

    /// <summary>What the order buys at the default's ten steps on the official schedule, for narrow and wide distributions.</summary>
    [Theory]
    [InlineData(0.05)]
    [InlineData(0.2)]
    [InlineData(0.5)]
    public void TenStepsOfSecondOrderAreNearerTheSolutionThanDdim(double deviation)
    {
        ModelConfiguration configuration = ModelConfiguration.Full with { Prediction = PredictionKind.Sample };
        var schedule = new NoiseSchedule(configuration);
        var toy = new GaussianProcess(0.3, deviation);
        double Error(string text)
        {
            SamplerTable table = SamplerTable.Create(SamplerOptions.Parse(text), configuration, Task);
            double[] x = TableRunner.Run(table, (x, t) => [.. x.Select(v => toy.Clean(schedule, t, v))], [[1.2]]);
            return Math.Abs(x[0] - toy.ExactClean(schedule, 49, 1.2)) / deviation;
        }

        double second = Error("dpm++2m:10"), first = Error("ddim:10,placement=logsnr");
        output.WriteLine($"error in deviations of the signal: {second:f3}, DDIM {first:f3}");
        Assert.True(second < 0.7 * first);
    }

    [Fact]
    public void TheFirstAndLastRowsAreOfFirstOrderTheSecondOfSecond()
    {
        SamplerStep[] ddim = [.. Table("ddim:{0},placement=logsnr", 6).Steps], second = [.. Table("dpm++2m:{0}", 6).Steps],
            third = [.. Table("dpm++3m:{0}", 6).Steps];
        foreach (int i in (int[])[0, 5])
        {
            Assert.Equal(ddim[i].State, third[i].State, 1e-12);
            Assert.Equal(ddim[i].Clean0, third[i].Clean0, 1e-12);
            Assert.Equal((0.0, 0.0), (third[i].Clean1, third[i].Clean2));
        }

        Assert.Equal(second[1], third[1]);
        Assert.Equal(0, second[2].Clean2);
        Assert.All(third[2..5], s => Assert.NotEqual(0, s.Clean2));
    }

    private static SamplerTable Table(string text, int count) =>
        SamplerTable.Create(SamplerOptions.Parse(string.Format(text, count)) with { Threshold = false }, Fine, Task);
}
