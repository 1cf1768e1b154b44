using UniCardio.Engine.Model;
using UniCardio.Training.Data;
using UniCardio.Training.Objectives;
using UniCardio.Training.Tests.Runs;

namespace UniCardio.Training.Tests.Objectives;

public class DiffusionObjectiveTests
{
    private const int Windows = 6;

    private static ModelConfiguration Configuration(PredictionKind prediction) => ToyNetwork.Small with { Prediction = prediction };

    private static TrainingBatch Batch(DiffusionObjective objective, ModelConfiguration configuration, long step = 3)
    {
        var batch = new TrainingBatch(Windows, configuration.SlotSamples) { Step = step };
        CardioTask[] tasks = [CardioTask.Parse("ppg->ecg"), CardioTask.Parse("impute bp | ppg"), CardioTask.Parse("denoise ecg"),
            CardioTask.Parse("ppg,bp->ecg"), CardioTask.Parse("impute ppg | bp,ecg"), CardioTask.Parse("bp->ppg")];
        for (int i = 0; i < Windows; i++)
            new WaveExamples(1).Fill(i, tasks[i], batch, i);
        objective.Prepare(batch, 11);
        return batch;
    }

    private static float[] RandomPrediction(int samples, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, samples).Select(_ => (float)((2 * random.NextDouble()) - 1))];
    }

    [Theory]
    [InlineData(PredictionKind.Epsilon)]
    [InlineData(PredictionKind.V)]
    [InlineData(PredictionKind.Sample)]
    public void WhatShouldBePredictedIsTheCleanSignal(PredictionKind prediction)
    {
        ModelConfiguration configuration = Configuration(prediction);
        var objective = new DiffusionObjective(configuration, new ObjectiveOptions());
        TrainingBatch batch = Batch(objective, configuration);
        float[] right = new float[16], clean = new float[16], gradient = new float[16];
        for (int window = 0; window < Windows; window++)
        {
            int t = batch.Steps[window];
            double alpha = objective.Schedule.Alpha[t], sigma = objective.Schedule.Sigma[t];
            ReadOnlySpan<float> x0 = batch.CleanTarget(window), noise = batch.WindowNoise(window),
                xt = batch.Slot(window, (int)batch.Tasks[window].Target);
            for (int s = 0; s < 16; s++)
            {
                Assert.Equal((alpha * x0[s]) + (sigma * noise[s]), xt[s], 1e-6);
                // From the definitions: eps, v = alpha eps - sigma x0, x0.
                right[s] = (float)(
                    prediction switch { PredictionKind.Epsilon => noise[s], PredictionKind.V => (alpha * noise[s]) - (sigma * x0[s]),
                        _ => x0[s] });
            }

            // float32 coefficients: errors of a few 6e-8, squared.
            Assert.InRange(objective.Evaluate(batch, window, right, gradient), 0, 1e-12);
            objective.PredictClean(t, xt, right, clean);
            // Errors of x_t and the prediction, 1e-7, over alpha (above 0.07 at ten steps of this schedule).
            for (int s = 0; s < 16; s++)
                Assert.Equal(x0[s], clean[s], 1e-5);
        }
    }

    [Fact]
    public void ConditionsGoIntoTheirSlotsAndNothingElseDoes()
    {
        ModelConfiguration configuration = Configuration(PredictionKind.V);
        var objective = new DiffusionObjective(configuration, new ObjectiveOptions());
        TrainingBatch batch = Batch(objective, configuration);
        // Slots that a window before has left something in.
        Array.Fill(batch.Inputs, 9f);
        objective.Prepare(batch, 11);
        for (int window = 0; window < Windows; window++)
        {
            CardioTask task = batch.Tasks[window];
            for (int slot = 0; slot < 4; slot++)
            {
                float[] there = batch.Slot(window, slot).ToArray();
                if (slot < 3 && task.Conditions.Contains((Modality)slot))
                    Assert.Equal(batch.Condition(window, (Modality)slot).ToArray(), there);
                else if (slot != (int)task.Target)
                    Assert.All(there, x => Assert.Equal(0, x));
            }
        }
    }

    // The loss is quadratic in the prediction, so that central differences are exact up to rounding: float32 predictions of about 1 a step
    // h = 1/64 apart are exact, the loss is summed in double from float32 errors (6e-8 each), so a difference quotient is off by about 1e-7
    // / h x slope.
    [Theory]
    [InlineData(PredictionKind.Epsilon, LossNormalization.Window, StepWeighting.None)]
    [InlineData(PredictionKind.V, LossNormalization.Batch, StepWeighting.MinSnr)]
    [InlineData(PredictionKind.Sample, LossNormalization.Published, StepWeighting.P2)]
    public void GradientsAreThoseOfTheLoss(PredictionKind prediction, LossNormalization normalization, StepWeighting weighting)
    {
        ModelConfiguration configuration = Configuration(prediction);
        var objective =
            new DiffusionObjective(configuration, new ObjectiveOptions { Normalization = normalization, Weighting = weighting });
        TrainingBatch batch = Batch(objective, configuration);
        float[] gradient = new float[16], unused = new float[16];
        for (int window = 0; window < Windows; window++)
        {
            float[] at = RandomPrediction(16, window);
            double loss = objective.Evaluate(batch, window, at, gradient);
            Assert.True(loss > 0);
            for (int s = 0; s < 16; s++)
            {
                const float h = 1 / 64f;
                float[] up = [.. at], down = [.. at];
                up[s] += h;
                down[s] -= h;
                double slope = (objective.Evaluate(batch, window, up, unused) - objective.Evaluate(batch, window, down, unused))
                    / (up[s] - down[s]);
                Assert.Equal(slope, gradient[s], 1e-4 * (Math.Abs(slope) + batch.Scale[window]));
                if (batch.Weight(window)[s] == 0)
                    Assert.Equal(0, gradient[s]);
            }
        }
    }

    [Fact]
    public void NormalizationsDivideByWhatTheySay()
    {
        ModelConfiguration configuration = Configuration(PredictionKind.V);
        double[] Scales(LossNormalization normalization) =>
            Batch(new DiffusionObjective(configuration, new ObjectiveOptions { Normalization = normalization }), configuration).Scale;
        // 16 samples a window, of which imputation (windows 1 and 4) counts 4.
        double[] counted = [16, 4, 16, 16, 4, 16];
        Assert.Equal(counted.Select(c => 1 / (6 * c)), Scales(LossNormalization.Window), Near);
        Assert.Equal(counted.Select(_ => 1 / 72.0), Scales(LossNormalization.Batch), Near);
        Assert.Equal(counted.Select(_ => 1 / 64.0), Scales(LossNormalization.Published), Near);
    }

    // One error of x0 seen as an error of eps, v or x0 must weigh the same.
    [Theory]
    [InlineData(StepWeighting.MinSnr, 5)]
    [InlineData(StepWeighting.P2, 1)]
    public void WeightsMeanTheSameForEveryPrediction(StepWeighting weighting, double gamma)
    {
        var options = new ObjectiveOptions { Weighting = weighting, WeightingGamma = gamma };
        var schedule = new Engine.Sampling.NoiseSchedule(ToyNetwork.Small);
        double[] epsilon = StepWeights.Of(Configuration(PredictionKind.Epsilon), schedule, options),
            v = StepWeights.Of(Configuration(PredictionKind.V), schedule, options),
            sample = StepWeights.Of(Configuration(PredictionKind.Sample), schedule, options);
        for (int t = 0; t < schedule.Steps; t++)
        {
            double alpha = schedule.Alpha[t], sigma = schedule.Sigma[t], snr = alpha * alpha / (sigma * sigma);
            // x0 = (x_t - sigma eps) / alpha, so an error 1 of x0 is alpha / sigma of eps; x0 = alpha x_t - sigma v, so 1 / sigma of v.
            Assert.Equal(sample[t], epsilon[t] * alpha * alpha / (sigma * sigma), 1e-9 * sample[t]);
            Assert.Equal(sample[t], v[t] / (sigma * sigma), 1e-9 * sample[t]);
            Assert.Equal(weighting == StepWeighting.MinSnr ? Math.Min(snr, 5) : snr / (1 + snr), sample[t], 1e-9 * sample[t]);
        }
    }

    [Theory]
    [InlineData(StepDraw.Independent)]
    [InlineData(StepDraw.Stratified)]
    public void StepsAreUniform(StepDraw draw)
    {
        ModelConfiguration configuration = Configuration(PredictionKind.V);
        var objective = new DiffusionObjective(configuration, new ObjectiveOptions { Draw = draw });
        var counts = new int[10];
        var ofFirst = new int[10];
        for (int step = 0; step < 1000; step++)
        {
            TrainingBatch batch = Batch(objective, configuration, step);
            foreach (int t in batch.Steps)
                counts[t]++;
            ofFirst[batch.Steps[0]]++;
        }

        // 600 and 100 of each expected, give or take 5 standard deviations (24 and 9.5).
        Assert.All(counts, c => Assert.InRange(c, 480, 720));
        Assert.All(ofFirst, c => Assert.InRange(c, 52, 148));
    }

    [Fact]
    public void StratifiedStepsSpreadOverTheWholeRange()
    {
        ModelConfiguration configuration = Configuration(PredictionKind.V) with { DiffusionSteps = 60 };
        var objective = new DiffusionObjective(configuration, new ObjectiveOptions { Draw = StepDraw.Stratified });
        for (int step = 0; step < 50; step++)
            Assert.Equal([0, 1, 2, 3, 4, 5], Batch(objective, configuration, step).Steps.Select(t => t / 10).Order());
    }

    [Fact]
    public void NoiseDependsOnSeedStepAndWindow()
    {
        ModelConfiguration configuration = Configuration(PredictionKind.V);
        var objective = new DiffusionObjective(configuration, new ObjectiveOptions());
        TrainingBatch batch = Batch(objective, configuration), later = Batch(objective, configuration, 4);
        Assert.NotEqual(batch.WindowNoise(0)[0], batch.WindowNoise(1)[0]);
        Assert.NotEqual(batch.WindowNoise(0)[0], later.WindowNoise(0)[0]);
        Assert.Equal(batch.Noise, Batch(objective, configuration).Noise);
    }

    [Fact]
    public void ExamplesThatCannotBeLearnedFromAreRefused()
    {
        ModelConfiguration configuration = Configuration(PredictionKind.V);
        var objective = new DiffusionObjective(configuration, new ObjectiveOptions());
        TrainingBatch batch = Batch(objective, configuration);
        batch.Weight(2).Clear();
        Assert.Contains("window 2", Assert.Throws<ArgumentException>(() => objective.Prepare(batch, 1)).Message, StringComparison.Ordinal);
        batch = Batch(objective, configuration);
        batch.Condition(3, Modality.Bp)[5] = float.NaN;
        Assert.Contains("condition", Assert.Throws<ArgumentException>(() => objective.Prepare(batch, 1)).Message, StringComparison.Ordinal);
        batch = Batch(objective, configuration);
        batch.CleanTarget(0)[5] = float.PositiveInfinity;
        Assert.Contains("clean", Assert.Throws<ArgumentException>(() => objective.Prepare(batch, 1)).Message, StringComparison.Ordinal);
    }

    private static bool Near(double a, double b) => Math.Abs(a - b) <= 1e-15;
}
