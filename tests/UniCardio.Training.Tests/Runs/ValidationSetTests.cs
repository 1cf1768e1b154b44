using UniCardio.Engine.Model;
using UniCardio.Training.Runs;

namespace UniCardio.Training.Tests.Runs;

public class ValidationSetTests
{
    private static readonly ModelConfiguration Clean = ToyNetwork.Small with { Prediction = PredictionKind.Sample };

    private static IReadOnlyList<TaskValidation> Evaluate(ToyNetwork network, params string[] tasks) =>
        new ValidationSet(network.Configuration, [.. tasks.Select(t => CardioTask.Parse(t))], new WaveExamples(2), 20, 9).Evaluate(network);

    // A network that predicts the clean signal as half the sum of the conditions, which is what the waves' targets are.
    [Fact]
    public void ANetworkThatUsesItsConditionsHasAProbeOfZero()
    {
        using var network = new ToyNetwork(Clean);
        foreach (int half in (int[])[0, 5])
            network.Parameters.Slice(half, 3).Fill(0.5f);
        foreach (TaskValidation result in Evaluate(network, "impute ppg", "impute bp | ppg,ecg", "denoise ecg | bp"))
        {
            Assert.InRange(result.Loss, 0, 1e-12);
            Assert.InRange(result.LastProbe, 0, 1e-12);
            Assert.InRange(result.HighProbe, 0, 1e-12);
        }
    }

    // Zero is the waves' mean but for their number being finite: 20 windows of 16 samples of a sine, about 20 independent ones, whose mean
    // is off by
    // 0.7 / sqrt(20) = 0.16 of an amplitude of 1: a square of 0.025 beside a variance of 0.5, five times over.
    [Fact]
    public void ANetworkThatPredictsTheMeanHasAProbeOfOne()
    {
        using var network = new ToyNetwork(Clean);
        foreach (TaskValidation result in Evaluate(network, "ppg->ecg", "denoise bp"))
        {
            Assert.InRange(result.LastProbe, 1, 1.25);
            Assert.Equal(result.LastProbe, result.HighProbe, 1e-9);
            Assert.True(result.Loss > 0.05);
        }
    }

    [Fact]
    public void OtherWeightsGiveOtherFiguresAndTheSameWeightsTheSame()
    {
        using var network = new ToyNetwork();
        IReadOnlyList<TaskValidation> before = Evaluate(network, "ppg->ecg"), again = Evaluate(network, "ppg->ecg");
        Assert.Equal(before, again);
        network.Parameters[0] = 0.3f;
        Assert.NotEqual(before, Evaluate(network, "ppg->ecg"));
    }
}
