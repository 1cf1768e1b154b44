using FsCheck;
using FsCheck.Fluent;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Weights.Safetensors;

namespace UniCardio.Engine.Tests.Sampling;

public sealed class NoiseScheduleTests
{
    [Fact]
    public void OfficialSchedule()
    {
        var schedule = new NoiseSchedule(ModelConfiguration.Full);
        Assert.Equal(50, schedule.Steps);
        Assert.Equal(1e-4, schedule.Beta[0], 1e-19);
        Assert.Equal(0.5, schedule.Beta[49], 1e-15);
        Assert.Equal(Math.Pow(0.01 + ((Math.Sqrt(0.5) - 0.01) * 7 / 49), 2), schedule.Beta[7], 1e-15);

        // unicardio.md: abar_T = 3.35e-5, whose 1/sqrt is the amplification of 170 at the first step.
        Assert.Equal(3.35e-5, schedule.AlphaBar[49], 1e-7);
        Assert.InRange(1 / schedule.Alpha[49], 170, 175);
    }

    [Fact]
    public void LinearScheduleIsLinearInBeta()
    {
        var schedule = new NoiseSchedule(ModelConfiguration.Full with { Schedule = ScheduleKind.Linear });
        for (int t = 0; t < 50; t++)
            Assert.Equal(1e-4 + ((0.5 - 1e-4) * t / 49), schedule.Beta[t], 1e-15);
    }

    [SkippableFact]
    public void RoundsToTheOfficialCheckpointsBuffer()
    {
        using var file = SafetensorsFile.Open(Project.Shared("golden", "tiny.safetensors"));
        var schedule = new NoiseSchedule(ModelConfiguration.Tiny);
        Assert.Equal(file.Floats("alpha_torch").ToArray(), schedule.AlphaBar.Select(v => (float)v));
    }

    [Fact]
    public void Invariants() => Prop.ForAll(Arb.From(Configurations), m =>
    {
        var s = new NoiseSchedule(m);
        for (int t = 0; t < s.Steps; t++)
        {
            bool rising = t == 0
                || (s.Beta[t] >= s.Beta[t - 1] && s.AlphaBar[t] < s.AlphaBar[t - 1] && s.Variance[t] > s.Variance[t - 1]
                    && s.LogSnr[t] < s.LogSnr[t - 1]);

            // Each of t steps rounds a few times by 1.1e-16.
            double rounding = 1e-15 * (t + 2);
            bool consistent = Math.Abs(s.AlphaBar[t] + s.Variance[t] - 1) < rounding
                && Math.Abs((s.Alpha[t] * s.Alpha[t]) + (s.Sigma[t] * s.Sigma[t]) - 1) < rounding
                && Math.Abs(Math.Exp(s.LogSnr[t]) - (s.Alpha[t] / s.Sigma[t])) < 1e-12 * (s.Alpha[t] / s.Sigma[t]);
            bool inside = s.Beta[t] > 0 && s.Beta[t] < 1 && s.AlphaBar[t] > 0 && s.AlphaBar[t] < 1 && s.Variance[t] > 0
                && s.Variance[t] < 1;
            if (!rising || !consistent || !inside)
                return false;
        }

        return Math.Abs(s.Beta[0] - m.BetaStart) < 1e-15;
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(300).WithReplay(20260101, 7));

    [Fact]
    public void SmallBetasKeepTheirVariance()
    {
        // 1 - abar_0 = 1e-18 is lost in 1 - (1 - beta); the schedule keeps it.
        var schedule = new NoiseSchedule(ModelConfiguration.Full with { BetaStart = 1e-18 });
        Assert.Equal(1e-9, schedule.Sigma[0], 1e-18);
        Assert.True(double.IsFinite(schedule.LogSnr[0]));
    }

    [Fact]
    public void OneStepIsASchedule()
    {
        var schedule = new NoiseSchedule(ModelConfiguration.Full with { DiffusionSteps = 1 });
        Assert.Equal(1e-4, schedule.Beta[0], 1e-19);
        Assert.Equal(1 - 1e-4, schedule.AlphaBar[0], 1e-15);
    }

    [Theory]
    [InlineData(1000, 0.5)]
    [InlineData(100_000, 0.02)]
    [InlineData(200, 0.9)]
    public void AScheduleThatLeavesNoSignalIsRefused(int steps, double end)
    {
        var error = Assert.Throws<ConfigurationException>(() =>
            new NoiseSchedule(ModelConfiguration.Full with { DiffusionSteps = steps, BetaEnd = end }));
        Assert.Equal("steps", error.Setting);
    }

    /// <summary>Configurations whose abar stays above the limit: T up to 200, the sum of betas up to about 25.</summary>
    internal static Gen<ModelConfiguration> Configurations =>
        from steps in Gen.Choose(1, 200)
        from start in Gen.Choose(1, 600)
        from end in Gen.Choose(0, 1000)
        from kind in Gen.Elements(ScheduleKind.Quad, ScheduleKind.Linear)
        from prediction in Gen.Elements(PredictionKind.Epsilon, PredictionKind.V, PredictionKind.Sample)
        let betaStart = Math.Pow(10, -1 - (start / 100.0))
        let ceiling = Math.Max(betaStart, Math.Min(0.6, 25.0 / steps))
        select ModelConfiguration.Tiny with
        {
            DiffusionSteps = steps,
            BetaStart = betaStart,
            BetaEnd = betaStart + ((ceiling - betaStart) * end / 1000),
            Schedule = kind,
            Prediction = prediction,
        };
}
