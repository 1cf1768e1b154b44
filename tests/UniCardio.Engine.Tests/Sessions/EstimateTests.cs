using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Engine.Sessions;
using UniCardio.Weights;

namespace UniCardio.Engine.Tests.Sessions;

/// <summary><see cref="InferenceSession.Estimate"/> against a network whose posterior mean is known, and over the real backends.</summary>
public sealed class EstimateTests
{
    private const int S = 100;
    private const double PriorVariance = 0.25;
    private static readonly CardioTask Task = CardioTask.Parse("denoise ecg | ppg");

    public static TheoryData<PredictionKind> Predictions => [PredictionKind.Epsilon, PredictionKind.V, PredictionKind.Sample];

    [Theory]
    [MemberData(nameof(Predictions))]
    public void AGaussianPriorGivesWienersShrinkage(PredictionKind prediction)
    {
        ModelConfiguration configuration = ModelConfiguration.Tiny with { Prediction = prediction };
        var schedule = new NoiseSchedule(configuration);
        using var engine = new InferenceEngine(Gaussian(configuration, schedule));
        using InferenceSession session = engine.CreateSession(Task, new() { Windows = 2 });
        float[] measured = Values(2 * S, 1), results = new float[2 * S];
        for (int t = 0; t < schedule.Steps; t += 7)
        {
            double level = Math.Exp(-schedule.LogSnr[t]);
            int calls = session.Estimate(Values(4 * S, 2), measured, level, results);
            Assert.InRange(calls, 1, 2); // Rounding of exp and log may put the level beside its node, with next to no weight on the other.
            // The epsilon form divides by alpha, 1/170 at the last step: float32 rounding of the prediction, 170 2^-24 ~ 1e-5, of values up
            // to 170.
            double tolerance = 4e-7 / schedule.Alpha[t] * (prediction == PredictionKind.Epsilon ? 1 / schedule.Alpha[t] : 1) * 3;
            for (int i = 0; i < measured.Length; i++)
                Assert.Equal(Shrunk(measured[i], level), results[i], tolerance);
        }
    }

    [Fact]
    public void BetweenTwoStepsTheEstimateLiesBetweenTheirs()
    {
        var schedule = new NoiseSchedule(ModelConfiguration.Tiny);
        using var engine = new InferenceEngine(Gaussian(ModelConfiguration.Tiny, schedule));
        using InferenceSession session = engine.CreateSession(Task);
        float[] measured = Values(S, 1), results = new float[S];
        for (int t = 5; t < 30; t += 5)
        {
            double low = Math.Exp(-schedule.LogSnr[t]), high = Math.Exp(-schedule.LogSnr[t + 1]), level = Math.Sqrt(low * high);
            Assert.Equal(2, session.Estimate(Values(2 * S, 2), measured, level, results));
            for (int i = 0; i < S; i++)
                Assert.Equal((Shrunk(measured[i], low) + Shrunk(measured[i], high)) / 2, results[i], 1e-5); // The middle in ln s.
        }
    }

    [Fact]
    public void BelowTheScheduleTheEstimateGoesToTheMeasurementAsItShould()
    {
        var schedule = new NoiseSchedule(ModelConfiguration.Tiny);
        using var engine = new InferenceEngine(Gaussian(ModelConfiguration.Tiny, schedule));
        using InferenceSession session = engine.CreateSession(Task);
        float[] conditions = Values(2 * S, 2), measured = Values(S, 1), results = new float[S];
        double min = Math.Exp(-schedule.LogSnr[0]);
        foreach (double level in (double[])[min / 2, min / 10, min / 1000])
        {
            Assert.Equal(1, session.Estimate(conditions, measured, level, results));
            // The score is that of the least level in place of this one: y s^2 / (v + s^2), off by at most s^2 least^2 / v^2 of y, and
            // rounding.
            double off = level * level * min * min / (PriorVariance * PriorVariance);
            for (int i = 0; i < S; i++)
                Assert.Equal(Shrunk(measured[i], level), results[i], (off + 3e-7) * Math.Abs(measured[i]));
        }

        Assert.Equal(0, session.Estimate(conditions, measured, 0, results));
        Assert.Equal(measured, results);
    }

    [Fact]
    public void AboveTheScheduleTheLastStepAnswers()
    {
        var schedule = new NoiseSchedule(ModelConfiguration.Tiny);
        using var engine = new InferenceEngine(Gaussian(ModelConfiguration.Tiny, schedule));
        using InferenceSession session = engine.CreateSession(Task);
        float[] measured = Values(S, 1), last = new float[S], beyond = new float[S];
        Assert.Equal(1, session.Estimate(Values(2 * S, 2), measured, 1e6, beyond));
        session.Estimate(Values(2 * S, 2), measured, Math.Exp(-schedule.LogSnr[^1]), last);
        for (int i = 0; i < S; i++)
            Assert.Equal(last[i], beyond[i], 1e-4);
    }

    [Fact]
    public void BackendsAgreeAndBitsDoNotDependOnThreads()
    {
        float[] conditions = Values(4 * S, 2), measured = Values(2 * S, 1);
        float[] Result(EngineOptions options)
        {
            using var engine = new InferenceEngine(new WeightRecipe(4, ModelConfiguration.Tiny).Create(), options, ownsWeights: true);
            using InferenceSession session = engine.CreateSession(Task, new() { Windows = 2 });
            float[] results = new float[2 * S];
            Assert.Equal(2, session.Estimate(conditions, measured, 0.3, results));
            return results;
        }

        float[] one = Result(new() { Threads = 1 }), reference = Result(new() { Threads = 1, Backend = BackendKind.Reference });
        Assert.Equal(one, Result(new() { Threads = 2 }));
        float largest = reference.Max(Math.Abs); // 1e-5 of the largest value, as golden runs.
        Assert.All(one.Zip(reference), p => Assert.InRange(p.First - p.Second, -1e-5f * largest, 1e-5f * largest));
    }

    [Fact]
    public void NothingIsAllocatedAfterTheFirstEstimate()
    {
        using var engine = new InferenceEngine(Gaussian(ModelConfiguration.Tiny, new NoiseSchedule(ModelConfiguration.Tiny)));
        using InferenceSession session = engine.CreateSession(Task);
        float[] conditions = Values(2 * S, 2), measured = Values(S, 1), results = new float[S];
        session.Estimate(conditions, measured, 0.1, results);
        Assert.Equal(0, Allocations.Of(() => session.Estimate(conditions, measured, 0.1, results)));
    }

    [Fact]
    public void BadInputIsRefusedAndTheSessionGoesOn()
    {
        var schedule = new NoiseSchedule(ModelConfiguration.Tiny);
        using var engine = new InferenceEngine(Gaussian(ModelConfiguration.Tiny, schedule));
        using InferenceSession session = engine.CreateSession(Task), draws = engine.CreateSession(Task, new() { Draws = 2 });
        float[] conditions = Values(2 * S, 2), measured = Values(S, 1), results = new float[S];
        Assert.Throws<InvalidOperationException>(() => draws.Estimate(conditions, measured, 0.1, new float[2 * S]));
        foreach (double level in (double[])[-1e-9, double.NaN, double.PositiveInfinity])
            Assert.Throws<ArgumentOutOfRangeException>(() => session.Estimate(conditions, measured, level, results));
        Assert.Throws<ArgumentException>(() => session.Estimate(conditions, measured.AsSpan(1), 0.1, results));
        Assert.Throws<ArgumentException>(() => session.Estimate(conditions, measured, 0.1, results.AsSpan(1)));
        Assert.Throws<ArgumentException>(() => session.Estimate(conditions.AsSpan(1), measured, 0.1, results));
        float[] broken = [.. measured];
        broken[17] = float.NaN;
        Assert.Contains("sample 17", Assert.Throws<ArgumentException>(() => session.Estimate(conditions, broken, 0.1, results)).Message,
            StringComparison.Ordinal);
        Assert.Throws<ConditionValueException>(() =>
            session.Estimate([.. conditions.AsSpan(1), float.PositiveInfinity], measured, 0.1, results));
        Assert.ThrowsAny<OperationCanceledException>(() =>
            session.Estimate(conditions, measured, 0.1, results, new CancellationToken(true)));
        Assert.Equal(2, session.Estimate(conditions, measured, 0.1, results));

        using var wild = new InferenceEngine(new FakeBackend(ModelConfiguration.Tiny, (x, _, t) => t > 10 && x == 0 ? float.NaN : x));
        using InferenceSession one = wild.CreateSession(Task);
        measured[40] = 0;
        var problem = Assert.Throws<NonFiniteResultException>(() => one.Estimate(conditions, measured, 1, results));
        Assert.Equal((0, 40), (problem.Window, problem.Sample));
        Assert.All(results, x => Assert.Equal(0, x));
    }

    // The network that knows x0 ~ N(0, v): E[x0 | x] = alpha v x / (alpha^2 v + sigma^2), E[eps | x] = sigma x / (alpha^2 v + sigma^2).
    private static FakeBackend Gaussian(ModelConfiguration configuration, NoiseSchedule schedule) => new(configuration, (x, _, t) =>
    {
        double alpha = schedule.Alpha[t], sigma = schedule.Sigma[t], total = (alpha * alpha * PriorVariance) + (sigma * sigma);
        double clean = alpha * PriorVariance * x / total, epsilon = sigma * x / total;
        return (float)(configuration.Prediction switch
        {
            PredictionKind.Epsilon => epsilon,
            PredictionKind.V => (alpha * epsilon) - (sigma * clean),
            _ => clean,
        });
    });

    // E[x0 | y] for y = x0 + level z.
    private static double Shrunk(double y, double level) => y * PriorVariance / (PriorVariance + (level * level));

    private static float[] Values(int count, ulong seed)
    {
        float[] values = new float[count];
        PhiloxNormal.Fill(seed, 0, 0, 0, values);
        return values;
    }
}
