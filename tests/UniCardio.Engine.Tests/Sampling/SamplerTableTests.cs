using FsCheck;
using FsCheck.Fluent;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;

namespace UniCardio.Engine.Tests.Sampling;

/// <summary>What holds for every table, over random schedules, prediction types, samplers and tasks.</summary>
public sealed class SamplerTableTests
{
    // Coefficients are a handful of double operations on numbers whose own relative error is some T times 1.1e-16, T up to 200:
    // 2e-14 and a few times that. Clean weights of DPM-Solver++ divide by ratios of steps; their sum is compared to their size.
    private const double Tolerance = 2e-13;

    private static readonly Config Fixed = Config.QuickThrowOnFailure.WithMaxTest(600).WithReplay(20260102, 11);

    [Fact]
    public void RowsAreFiniteAndInRange() => Prop.ForAll(Arb.From(Tables), table =>
    {
        int total = table.Configuration.DiffusionSteps;
        var drawn = new HashSet<int>();
        foreach (SamplerStep s in table.Steps)
        {
            bool finite = new[] { s.CleanFromState, s.CleanFromPrediction, s.State, s.Clean0, s.Clean1, s.Clean2, s.Noise }.All(c =>
                float.IsFinite((float)c));
            bool inRange = s.T >= 0 && s.T < total && s.Noise >= 0 && s.NoiseIndex >= 0 && s.NoiseIndex < table.NoiseDraws;

            // x_T is noise 0, and no draw is used twice.
            bool fresh = s.Noise == 0 || (s.NoiseIndex > 0 && drawn.Add(s.NoiseIndex));
            if (!finite || !inRange || !fresh)
                return false;
        }

        return table.Steps.Count == table.NetworkCalls && table.Steps.Count > 0 && table.Steps[0].T == total - 1;
    }).Check(Fixed);

    /// <summary>Whatever a network predicts, its weights turn the perfect prediction into the clean signal.</summary>
    [Fact]
    public void APerfectPredictionGivesTheCleanSignal() => Prop.ForAll(Arb.From(Tables), table =>
    {
        var schedule = new NoiseSchedule(table.Configuration);
        const double x0 = 0.7, eps = -1.3;
        return table.Steps.All(s =>
        {
            double x = (schedule.Alpha[s.T] * x0) + (schedule.Sigma[s.T] * eps);
            double p = Predict(table.Configuration.Prediction, schedule, s.T, x0, eps);
            return Math.Abs((s.CleanFromState * x) + (s.CleanFromPrediction * p) - x0) < Tolerance * (1 + Math.Abs(s.CleanFromState));
        });
    }).Check(Fixed);

    /// <summary>
    /// Every row leads from the marginal at its t to the marginal at the next: alpha_t State + sum of Clean = alpha_next, and
    /// (sigma_t State)^2 + Noise^2 = sigma_next^2; after the last is the clean signal. So for a network that predicts x0
    /// perfectly every sampler returns x0.
    /// </summary>
    [Fact]
    public void EveryRowLeadsFromMarginalToMarginal() => Prop.ForAll(Arb.From(Tables), table =>
    {
        var schedule = new NoiseSchedule(table.Configuration);
        for (int i = 0; i < table.Steps.Count; i++)
        {
            SamplerStep s = table.Steps[i];
            bool last = i == table.Steps.Count - 1;
            double alpha = last ? 1 : schedule.Alpha[table.Steps[i + 1].T], variance = last ? 0 : schedule.Variance[table.Steps[i + 1].T];
            double signal = (schedule.Alpha[s.T] * s.State) + s.Clean0 + s.Clean1 + s.Clean2;
            double noise = (schedule.Variance[s.T] * s.State * s.State) + (s.Noise * s.Noise);
            double scale = 1 + Math.Abs(s.Clean0) + Math.Abs(s.Clean1) + Math.Abs(s.Clean2);
            if (!(Math.Abs(signal - alpha) < Tolerance * scale) || !(Math.Abs(noise - variance) <= Tolerance * schedule.Variance[s.T]))
                return false;
        }

        return true;
    }).Check(Fixed);

    [Fact]
    public void ForAPerfectNetworkEverySamplerReturnsTheCleanSignal() => Prop.ForAll(Arb.From(Tables), table =>
    {
        var schedule = new NoiseSchedule(table.Configuration);
        double[] clean = [0.4, -0.9, 1.1];
        double[] result = TableRunner.Run(
            table,
            (x, t) => [.. x.Select((v, i) =>
                Predict(table.Configuration.Prediction, schedule, t, clean[i], (v - (schedule.Alpha[t] * clean[i])) / schedule.Sigma[t]))],
            TableRunner.Noise(table.NoiseDraws, 3));
        return result.Zip(clean, (r, c) => Math.Abs(r - c)).All(e => e < 1e-6);
    }).Check(Fixed);

    [Theory]
    [InlineData(50, ScheduleKind.Quad)]
    [InlineData(200, ScheduleKind.Linear)]
    [InlineData(2, ScheduleKind.Quad)]
    [InlineData(1, ScheduleKind.Quad)]
    public void DdimWithEtaOneAndAllStepsIsDdpm(int steps, ScheduleKind kind)
    {
        ModelConfiguration m = ModelConfiguration.Tiny with { DiffusionSteps = steps, Schedule = kind, BetaEnd = 0.2 };
        CardioTask task = CardioTask.Parse("ppg->ecg");
        IReadOnlyList<SamplerStep> ddpm = SamplerTable.Create(SamplerOptions.Parse("ddpm"), m, task).Steps;
        IReadOnlyList<SamplerStep> ddim = SamplerTable.Create(SamplerOptions.Parse("ddim,eta=1"), m, task).Steps;
        Assert.Equal(ddpm.Count, ddim.Count);
        for (int i = 0; i < ddpm.Count; i++)
        {
            Assert.Equal(ddpm[i].T, ddim[i].T);
            Assert.Equal(ddpm[i].State, ddim[i].State, Tolerance);
            Assert.Equal(ddpm[i].Clean0, ddim[i].Clean0, Tolerance);
            Assert.Equal(ddpm[i].Noise, ddim[i].Noise, Tolerance);
            Assert.Equal(ddpm[i].NoiseIndex, ddim[i].NoiseIndex);
        }
    }

    /// <summary>Equation 16: the noise's deviation is eta times the posterior's, and the deterministic part gives up what it
    /// adds.</summary>
    [Theory]
    [InlineData(0.25)]
    [InlineData(0.5)]
    [InlineData(1)]
    public void DdimNoiseIsProportionalToEta(double eta)
    {
        CardioTask task = CardioTask.Parse("ppg->ecg");
        var schedule = new NoiseSchedule(ModelConfiguration.Full);
        SamplerTable table =
            SamplerTable.Create(new SamplerOptions { Kind = SamplerKind.Ddim, Steps = 9, Eta = eta }, ModelConfiguration.Full, task);
        for (int i = 0; i < 8; i++)
        {
            double now = schedule.AlphaBar[table.Steps[i].T], next = schedule.AlphaBar[table.Steps[i + 1].T];
            Assert.Equal(eta * Math.Sqrt((1 - next) / (1 - now) * (1 - (now / next))), table.Steps[i].Noise, 1e-12);
            Assert.Equal(i + 1, table.Steps[i].NoiseIndex);
        }

        Assert.Equal(0, table.Steps[8].Noise);
        Assert.Equal(9, table.NoiseDraws);
    }

    [Theory]
    [InlineData(StepPlacement.Uniform)]
    [InlineData(StepPlacement.LogSnr)]
    [InlineData(StepPlacement.LogSnrToEnd)]
    public void NodesAreDistinctAndFall(StepPlacement placement)
    {
        foreach (int total in (int[])[1, 2, 3, 50, 97])
        {
            var schedule = new NoiseSchedule(ModelConfiguration.Tiny with { DiffusionSteps = total, BetaEnd = 0.3 });
            for (int count = 1; count <= total; count++)
            {
                int[] nodes = StepNodes.Place(schedule, count, placement);
                Assert.Equal(count, nodes.Length);
                Assert.Equal(total - 1, nodes[0]);
                for (int i = 1; i < count; i++)
                    Assert.True(nodes[i] < nodes[i - 1] && nodes[i] >= 0);
            }

            Assert.Equal(Enumerable.Range(0, total).Reverse(), StepNodes.Place(schedule, total, placement));
        }
    }

    [Fact]
    public void WeightsThatCorrectProposalsAreSampledInOneCallOrNotAtAll()
    {
        ModelConfiguration corrects = ModelConfiguration.Tiny with { Prediction = PredictionKind.Correction };
        CardioTask gap = CardioTask.Parse("impute bp | ecg");
        // Step 7 has a noise of 0.191, its neighbours 0.158 and 0.227.
        SamplerStep row = Assert.Single(SamplerTable.Create(SamplerOptions.Correction, corrects, gap).Steps);
        Assert.Equal(new SamplerStep { T = 7, CleanFromState = 0, CleanFromPrediction = 1, State = 0, Clean0 = 1 }, row);
        foreach (string other in (string[])["ddim:6", "ddim:1", "ddim:1,threshold=off,placement=logsnr", "ddpm", "dpm++2m:10"])
            Assert.Equal("sampler",
                Assert.Throws<ConfigurationException>(() => SamplerTable.Create(SamplerOptions.Parse(other), corrects, gap)).Setting);
        foreach (string task in (string[])["ppg->bp", "denoise ecg"])
            Assert.Equal(
                "task", Assert.Throws<ConfigurationException>(() =>
                    SamplerTable.Create(SamplerOptions.Correction, corrects, CardioTask.Parse(task))).Setting);
    }

    [Fact]
    public void NodesOfTheOfficialSchedule()
    {
        var schedule = new NoiseSchedule(ModelConfiguration.Full);
        Assert.Equal([49, 44, 39, 34, 29, 24, 19, 14, 9, 4], StepNodes.Place(schedule, 10, StepPlacement.Uniform));
        int[] nodes = StepNodes.Place(schedule, 10, StepPlacement.LogSnr);
        double step = (schedule.LogSnr[0] - schedule.LogSnr[49]) / 10;
        for (int i = 0; i < 10; i++)
        {
            // Nearest: no other t is closer to the wanted lambda.
            double wanted = schedule.LogSnr[49] + (i * step);
            Assert.Equal(schedule.LogSnr.Min(v => Math.Abs(v - wanted)), Math.Abs(schedule.LogSnr[nodes[i]] - wanted), 1e-12);
        }
    }

    [Fact]
    public void ASingleStepJumpsToTheCleanSignal()
    {
        foreach (string text in (string[])["ddim:1", "ddim:1,eta=1", "dpm++2m:1", "dpm++3m:1"])
        {
            SamplerTable table = SamplerTable.Create(SamplerOptions.Parse(text), ModelConfiguration.Full, CardioTask.Parse("ppg->ecg"));
            SamplerStep only = Assert.Single(table.Steps);
            Assert.Equal((49, 0.0, 1.0, 0.0), (only.T, only.State, only.Clean0, only.Noise));
            Assert.Equal(1, table.NoiseDraws);
        }
    }

    [Fact]
    public void ACoefficientBeyondFloat32IsRefused()
    {
        // 1/sigma_0 of a beta of 1e-300 overflows float32 in the official sampler's rows; the standard ones never divide by it.
        ModelConfiguration m = ModelConfiguration.Tiny with { BetaStart = 1e-300 };
        CardioTask task = CardioTask.Parse("ppg->ecg");
        Assert.Equal(
            "sampler", Assert.Throws<ConfigurationException>(() => SamplerTable.Create(SamplerOptions.Parse("improved"), m, task)).Setting);
        foreach (string text in (string[])["ddpm", "ddim:50,eta=0.5", "dpm++2m:50", "dpm++3m:50"])
            Assert.NotEmpty(SamplerTable.Create(SamplerOptions.Parse(text), m, task).Steps);
    }

    private static double Predict(PredictionKind kind, NoiseSchedule schedule, int t, double x0, double eps) => kind switch
    {
        PredictionKind.Epsilon => eps,
        PredictionKind.V => (schedule.Alpha[t] * eps) - (schedule.Sigma[t] * x0),
        _ => x0,
    };

    /// <summary>Standard (not official) tables without thresholding.</summary>
    private static Gen<SamplerTable> Tables =>
        from m in NoiseScheduleTests.Configurations
        from kind in Gen.Elements(SamplerKind.Ddpm, SamplerKind.Ddim, SamplerKind.DpmSolver2M, SamplerKind.DpmSolver3M)
        from steps in Gen.Choose(1, m.DiffusionSteps)
        from eta in Gen.Choose(0, 10)
        from placement in Gen.Elements(StepPlacement.LogSnr, StepPlacement.LogSnrToEnd, StepPlacement.Uniform)
        from task in Gen.Choose(0, CardioTask.All.Count - 1)
        let options = kind == SamplerKind.Ddpm
            ? new SamplerOptions { Kind = kind, Threshold = false }
            : new SamplerOptions { Kind = kind, Threshold = false, Steps = steps, Placement = placement, Eta = kind == SamplerKind.Ddim
                ? eta / 10.0 : 0 }
        select SamplerTable.Create(options, m, CardioTask.All[task]);
}
