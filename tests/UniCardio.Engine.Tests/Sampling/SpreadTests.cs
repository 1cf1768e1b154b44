using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;

namespace UniCardio.Engine.Tests.Sampling;

/// <summary>
/// How much of a posterior's spread each sampler keeps with a perfect network. For a posterior N(m, s^2) the perfect clean signal is linear
/// in x (<see cref="GaussianProcess"/>), so a sampler's rows are linear too, and the variance of their result follows exactly from the
/// weights of every noise draw.
/// </summary>
public sealed class SpreadTests
{
    // The published network's schedule: 50 steps, quad.
    private static readonly ModelConfiguration Network = ModelConfiguration.Full with { Prediction = PredictionKind.V };

    private static readonly CardioTask Task = CardioTask.Parse("impute bp | ecg");

    private static readonly double[] Deviations = [0.03, 0.1, 0.2, 0.4, 0.8];

    // The figures were rounded to three digits and then to two (0.92474 stands as 0.93): a right value lies within 0.0005 + 0.005.
    private const double Digit = 0.0055;

    [Theory]
    [InlineData("ddpm", 0.71, 0.83, 0.88, 0.92, 0.94)]
    [InlineData("ddim:50", 0.82, 0.92, 0.95, 0.96, 0.97)]
    [InlineData("ddim:25", 0.67, 0.84, 0.89, 0.93, 0.94)]
    [InlineData("ddim:10", 0.29, 0.64, 0.76, 0.82, 0.86)]
    [InlineData("ddim:5", 0.11, 0.33, 0.54, 0.68, 0.73)]
    [InlineData("ddim:2", 0.02, 0.07, 0.14, 0.26, 0.43)]
    [InlineData("ddim:1", 0.0, 0.0, 0.0, 0.0, 0.005)]
    [InlineData("dpm++2m:10,placement=uniform", 0.29, 0.68, 0.87, 0.99, 1.03)]
    [InlineData("dpm++2m:12,placement=logsnr-to-end", 0.91, 1.03, 1.04, 1.03, 1.03)]
    [InlineData("dpm++2m:8,placement=logsnr-to-end", 0.84, 0.98, 0.99, 1.00, 1.02)]
    [InlineData("dpm++2m:6,placement=logsnr-to-end", 0.72, 0.85, 0.86, 0.94, 0.96)]
    public void SpreadIsWhatTheArithmeticSays(string sampler, params double[] expected)
    {
        SamplerTable table = Table(sampler);
        for (int i = 0; i < expected.Length; i++)
        {
            double spread = Spread(table.Steps, table.NoiseDraws, Deviations[i]);
            Assert.True(Math.Abs(spread - expected[i]) <= Digit, $"{sampler}, s = {Deviations[i]}: {spread:f4}, expected {expected[i]:f2}");
        }
    }

    /// <summary>Twenty values of lambda fall on 19 steps of the grid; rounded without moving one on, they are what 20 equal parts give in
    /// print.</summary>
    [Fact]
    public void TwentyLevelsOfEqualLogSnrKeepTheSpread()
    {
        double[] expected = [0.96, 1.02, 1.02, 1.02, 1.01];
        var schedule = new NoiseSchedule(Network);
        double noisy = schedule.LogSnr[49], step = (schedule.LogSnr[0] - noisy) / 19;
        int[] nodes = [.. Enumerable.Range(0, 20)
            .Select(i => Enumerable.Range(0, 50).MinBy(t => Math.Abs(schedule.LogSnr[t] - noisy - (i * step)))).Distinct()];
        Assert.Equal(19, nodes.Length);
        (SamplerStep[] rows, int draws) = DpmSolver.Rows(new RowFactory(schedule, PredictionKind.V, null), nodes, 2);
        SamplerTable ours = Table("dpm++2m:20,placement=logsnr-to-end");
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(Math.Abs(Spread(rows, draws, Deviations[i]) - expected[i]) <= Digit);

            // One node elsewhere at the noisy end moves it by a hundredth.
            Assert.InRange(Spread(ours.Steps, ours.NoiseDraws, Deviations[i]), 0.95, 1.03);
        }
    }

    /// <summary>What any sampler does to the mean of a posterior: a perfect network's draws are centred on it.</summary>
    [Theory]
    [InlineData("ddpm")]
    [InlineData("ddim:6")]
    [InlineData("ddim:20,eta=1")]
    [InlineData("dpm++2m:8,placement=logsnr-to-end")]
    [InlineData("dpm++3m:10")]
    public void TheMeanOfTheDrawsIsThePosteriors(string sampler)
    {
        SamplerTable table = Table(sampler);
        var schedule = new NoiseSchedule(Network);
        var posterior = new GaussianProcess(0.4, 0.1);
        double[] mean =
            TableRunner.Run(table, (x, t) => Predict(schedule, posterior, x, t), [.. Enumerable.Repeat(new double[1], table.NoiseDraws)]);

        // x_T is drawn around 0, not around alpha_T m: alpha_T = 0.0058 of the mean is lost at most.
        Assert.Equal(0.4, mean[0], 0.0058 * 0.4);
    }

    private static SamplerTable Table(string sampler) =>
        SamplerTable.Create(SamplerOptions.Parse(sampler) with { Threshold = false }, Network, Task);

    // The root of the sum of squares of every noise draw's weight in the result, over s.
    private static double Spread(IReadOnlyList<SamplerStep> rows, int draws, double deviation)
    {
        var schedule = new NoiseSchedule(Network);
        var posterior = new GaussianProcess(0, deviation);
        double squares = 0;
        for (int draw = 0; draw < draws; draw++)
        {
            double x = draw == 0 ? 1 : 0, c1 = 0, c2 = 0;
            foreach (SamplerStep s in rows)
            {
                double prediction = Predict(schedule, posterior, [x], s.T)[0];
                double clean = (s.CleanFromState * x) + (s.CleanFromPrediction * prediction);
                double next = (s.State * x) + (s.Clean0 * clean) + (s.Clean1 * c1) + (s.Clean2 * c2);
                if (s.Noise != 0 && s.NoiseIndex == draw)
                    next += s.Noise;
                (x, c1, c2) = (next, clean, c1);
            }

            squares += x * x;
        }

        return Math.Sqrt(squares) / deviation;
    }

    // v of the perfect clean signal: v = (alpha x - x0) / sigma.
    private static double[] Predict(NoiseSchedule schedule, GaussianProcess posterior, double[] x, int t) =>
        [.. x.Select(v => ((schedule.Alpha[t] * v) - posterior.Clean(schedule, t, v)) / schedule.Sigma[t])];
}
