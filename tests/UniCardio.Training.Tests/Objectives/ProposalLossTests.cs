using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Pipeline;
using UniCardio.Training.Data;
using UniCardio.Training.Objectives;

namespace UniCardio.Training.Tests.Objectives;

public class ProposalLossTests
{
    private const int Samples = 16;

    private static readonly ModelConfiguration Network = new()
    {
        Channels = 12, Heads = 2, Blocks = 1, FeedForward = 2, Embedding = 4, SlotSamples = Samples, Positions = PositionKind.Slot,
            Prediction = PredictionKind.Correction,
    };

    private static (TrainingBatch Batch, DiffusionObjective Objective) Prepare()
    {
        var batch = new TrainingBatch(2, Samples);
        var random = new Random(3);
        for (int w = 0; w < 2; w++)
        {
            batch.Tasks[w] = CardioTask.Parse(w == 0 ? "impute bp | ecg" : "impute ppg");
            for (int s = 0; s < Samples; s++)
            {
                batch.CleanTarget(w)[s] = (float)random.NextDouble();
                batch.Condition(w, batch.Tasks[w].Output)[s] = (float)random.NextDouble();
                batch.Weight(w)[s] = s >= 4 && s < 10 + w ? 1 : 0;
            }
        }

        var objective = new DiffusionObjective(Network, new ObjectiveOptions());
        objective.Prepare(batch, seed: 1);
        return (batch, objective);
    }

    [Fact]
    public void TheStateHoldsTheProposalAndTheConditionItsGap()
    {
        (TrainingBatch batch, DiffusionObjective objective) = Prepare();

        // The step whose noise is nearest to 0.2, of one diffusion: no other step is nearer.
        int step = objective.Schedule.CorrectionStep;
        Assert.Equal([step, step], batch.Steps);
        Assert.All(objective.Schedule.Sigma, sigma =>
            Assert.True(Math.Abs(sigma - 0.2) >= Math.Abs(objective.Schedule.Sigma[step] - 0.2)));
        for (int w = 0; w < 2; w++)
        {
            float[] given = batch.Condition(w, batch.Tasks[w].Output).ToArray(), gap = batch.Weight(w).ToArray();
            Assert.Equal(given, batch.Slot(w, (int)batch.Tasks[w].Target).ToArray());
            Assert.Equal(given.Zip(gap, (x, inside) => inside > 0 ? AffineScale.Missing : x),
                batch.Slot(w, (int)batch.Tasks[w].Output).ToArray());
        }
    }

    [Fact]
    public void GradientIsTheSlopeOfTheLoss()
    {
        (TrainingBatch batch, DiffusionObjective objective) = Prepare();
        float[] correction = [.. Enumerable.Range(0, Samples).Select(s => 0.1f * (float)Math.Sin(s))], gradient = new float[Samples],
            scratch = new float[Samples];
        for (int w = 0; w < 2; w++)
        {
            double loss = objective.Evaluate(batch, w, correction, gradient), square = 0;
            int counted = 6 + w;
            for (int s = 4; s < 10 + w; s++)
                square += Math.Pow(batch.Condition(w, batch.Tasks[w].Output)[s] + correction[s] - (double)batch.CleanTarget(w)[s], 2);

            // Float sums of numbers below 2: 2^-23 each.
            Assert.Equal(Math.Log(1 + (square / counted / 0.0004)) / 4, loss, 1e-6);
            for (int s = 0; s < Samples; s++)
            {
                // Central difference over +-h = 2^-6 of ln(n m + c) / 4 with n m of 1 and more: the third derivative in one sample's error
                // e is (e / 2) (4 e^2 / (n m)^3 - 3 / (n m)^2), below 2 for e below 1; h^2 / 6 of it is 1e-4; float rounding of the answer
                // 1e-7 / h = 8e-6.
                const float H = 1f / 64;
                float[] up = [.. correction], down = [.. correction];
                up[s] += H;
                down[s] -= H;
                double slope = (objective.Evaluate(batch, w, up, scratch) - objective.Evaluate(batch, w, down, scratch)) / (2 * H);
                Assert.Equal(slope, gradient[s], 3e-4);
                Assert.Equal(batch.Weight(w)[s] == 0, gradient[s] == 0);
            }
        }
    }
}
