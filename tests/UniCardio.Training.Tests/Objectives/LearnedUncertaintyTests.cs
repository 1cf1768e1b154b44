using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Training.Data;
using UniCardio.Training.Objectives;

namespace UniCardio.Training.Tests.Objectives;

public class LearnedUncertaintyTests
{
    private const int Samples = 16;

    private static readonly ModelConfiguration Network = Runs.ToyNetwork.Small;

    private static TrainingBatch Batch(params string[] tasks)
    {
        var batch = new TrainingBatch(tasks.Length, Samples);
        for (int w = 0; w < tasks.Length; w++)
        {
            batch.Tasks[w] = CardioTask.Parse(tasks[w]);
            batch.Steps[w] = w % Network.DiffusionSteps;
        }

        return batch;
    }

    // What a window costs, its factor e^(beta s) taken at another s that is held.
    private static double Cost(double s, double held, double beta, double loss, int count) =>
        Math.Exp(beta * held) * ((Math.Exp(-s) * loss) + (s / count)) / 2;

    [Theory]
    [InlineData(UncertaintyKind.Task, 0)]
    [InlineData(UncertaintyKind.Output, 0)]
    [InlineData(UncertaintyKind.Output, 0.5)]
    [InlineData(UncertaintyKind.Task, 1)]
    public void GradientsAreTheSlopesOfTheCost(UncertaintyKind of, double beta)
    {
        TrainingBatch batch = Batch("ppg->ecg", "impute bp | ppg");
        var learned = new LearnedUncertainty(new UncertaintyOptions { Of = of, Beta = beta }, Network, batch.Count);
        double[] set = [0.7, -1.3];
        for (int w = 0; w < batch.Count; w++)
            learned.State.Span[learned.CellOf(batch.Tasks[w], batch.Steps[w])] = (float)set[w];
        for (int w = 0; w < batch.Count; w++)
        {
            // The window's loss is a quadratic of the prediction p: a sum of (p - 1)^2 over B S.
            float[] prediction = [.. Enumerable.Range(0, Samples).Select(i => 0.1f * i)], gradient = new float[Samples];
            double Loss(float[] p) => p.Sum(x => (double)(x - 1) * (x - 1)) / (batch.Count * Samples);
            for (int i = 0; i < Samples; i++)
                gradient[i] = 2 * (prediction[i] - 1) / (batch.Count * Samples);
            double s = (float)set[w], loss = Loss(prediction);
            learned.Weigh(batch, w, loss, gradient);

            // Central differences: exact for a quadratic but for rounding of float predictions, 1e-7 / h; in s the third derivative is
            // e^-s L / 2 < 2, times h^2 / 6.
            const double H = 1e-3;
            double slope = (Cost(s + H, s, beta, loss, batch.Count) - Cost(s - H, s, beta, loss, batch.Count)) / (2 * H);
            Assert.Equal(slope, learned.Slopes[w], 1e-6);
            for (int i = 0; i < Samples; i++)
            {
                float[] up = [.. prediction], down = [.. prediction];
                up[i] += 1 / 64f;
                down[i] -= 1 / 64f;
                slope = (Cost(s, s, beta, Loss(up), batch.Count) - Cost(s, s, beta, Loss(down), batch.Count)) * 32;
                Assert.Equal(slope, gradient[i], 1e-5);
            }
        }
    }

    [Fact]
    public void LogVariancesComeToTheMeanLossOfTheirTask()
    {
        TrainingBatch batch = Batch("ppg->ecg", "ppg->ecg", "impute bp | ppg", "denoise ecg");
        double[] mean = [0.5, 0.5, 0.05, 1e-9];
        var learned = new LearnedUncertainty(new UncertaintyOptions { Rate = 0.05 }, Network, batch.Count);
        float[] gradient = new float[Samples];
        for (int update = 1; update <= 2000; update++)
        {
            for (int w = 0; w < batch.Count; w++)
                learned.Weigh(batch, w, mean[w] / batch.Count, gradient);
            learned.Update(update, share: 1 - (update / 2001.0));
        }

        // Adam under a rate that falls to nothing comes nearer than its last steps, 0.05 / 2000 times some.
        Assert.Equal(Math.Log(0.5), learned.Values[learned.CellOf(batch.Tasks[0], 0)], 1e-2);
        Assert.Equal(Math.Log(0.05), learned.Values[learned.CellOf(batch.Tasks[2], 0)], 1e-2);

        // Clamped; and what was never seen is where it was.
        Assert.Equal(-LearnedUncertainty.Limit, learned.Values[learned.CellOf(batch.Tasks[3], 0)]);
        Assert.Equal(0, learned.Values[learned.CellOf(CardioTask.Parse("ecg->bp"), 0)]);
    }

    [Fact]
    public void CellsTellOutputsKindsAndStepsApart()
    {
        var learned = new LearnedUncertainty(new UncertaintyOptions { Of = UncertaintyKind.Output }, Network, 1);
        int[] cells = [.. CardioTask.All.SelectMany(t => Enumerable.Range(0, Network.DiffusionSteps).Select(k => learned.CellOf(t, k)))];
        Assert.Equal(learned.Cells, cells.Distinct().Count());
        Assert.All(cells, c => Assert.InRange(c, 0, learned.Cells - 1));
        Assert.Equal(learned.CellOf(CardioTask.Parse("impute bp | ppg"), 3), learned.CellOf(CardioTask.Parse("impute bp | ecg"), 3));
    }

    [Fact]
    public void BadNumbersAreNamed()
    {
        Assert.Equal("uncertainty_beta",
            Assert.Throws<ConfigurationException>(() => new UncertaintyOptions { Beta = 1.1 }.Validate()).Setting);
        Assert.Equal("uncertainty_rate",
            Assert.Throws<ConfigurationException>(() => new UncertaintyOptions { Rate = 0 }.Validate()).Setting);
        Assert.Equal("uncertainty",
            Assert.Throws<ConfigurationException>(() => new UncertaintyOptions { Of = (UncertaintyKind)7 }.Validate()).Setting);
    }
}
