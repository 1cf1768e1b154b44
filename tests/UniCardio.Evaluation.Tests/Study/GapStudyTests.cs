using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Engine.Sessions;
using UniCardio.Evaluation.Cases;
using UniCardio.Evaluation.Reports;
using UniCardio.Evaluation.Study;
using UniCardio.Evaluation.Study.Gaps;
using UniCardio.Weights;

namespace UniCardio.Evaluation.Tests.Study;

public class GapStudyTests
{
    private static readonly ModelConfiguration Network = new()
    {
        Channels = 30, Heads = 2, Blocks = 1, FeedForward = 4, Embedding = 4, SlotSamples = 500, SamplesPerToken = 5,
            Positions = PositionKind.Slot, Prediction = PredictionKind.V,
    };

    private static readonly GapStudyOptions Options = new()
    {
        Tasks = [CardioTask.Parse("impute bp | ecg")], GapSeconds = [0.4], GapsPerRecording = 5, Draws = 1,
            Sampler = SamplerOptions.Default.For(Network),
    };

    private static readonly Lazy<GapStudyResult> s_corrected = new(() =>
    {
        using ModelWeights recipe = new WeightRecipe(3, Network).Create(),
            corrects = new WeightRecipe(4, Network with { Prediction = PredictionKind.Correction }).Create();
        using InferenceEngine engine = Engine(recipe), nothing = Engine(Silent(corrects));
        return new GapStudy(engine, Options) { Correction = nothing }.Run([Make.Heart(60, 3), Make.Heart(60, 9)]);
    });

    private static InferenceEngine Engine(ModelWeights weights) => new(weights, new EngineOptions { Threads = 1 });

    // Weights whose last layer is zero: they correct by nothing.
    private static ModelWeights Silent(ModelWeights weights) => ModelWeights.Create(weights.Configuration, [.. weights.Tensors.Select(t =>
        new ParameterTensor(t.Name, t.Shape,
            t.Name.Contains("output_projection", StringComparison.Ordinal) && t.Name.Contains("_2.", StringComparison.Ordinal)
                ? new float[t.Span.Length] : t.Span.ToArray()))]);

    [Fact]
    public void ARowHoldsTheBlendItsEstimatorsAndSimpleMethods()
    {
        Assert.Equal(2, s_corrected.Value.Rows.Count);
        foreach (GapRow row in s_corrected.Value.Rows)
        {
            Assert.Equal(5, row.Gaps);
            Assert.Equal(GapStudy.Auto, row.Scores[0].Name);
            foreach (string name in (string[])[GapStudy.Network, GapStudy.Line, GapStudy.Averaged, GapStudy.Flat, "beat, ecg"])
                Assert.True(row.Of(name) > 0, name);

            // A steady synthetic heart: its own beat errs by less than a third of what the mean of the signal does.
            Assert.InRange(row.Of("beat, ecg")!.Value, 0, row.Of(GapStudy.Flat)!.Value / 3);
            Assert.InRange(row.Scores[0].Coverage!.Value, 0.3, 1);
        }
    }

    [Fact]
    public void ACorrectionOfNothingIsTheBeatAndAnotherBeatIsWorse()
    {
        foreach (GapRow row in s_corrected.Value.Rows)
        {
            Assert.Equal(row.Of(GapStudy.OwnBeat), row.Of(GapStudy.CorrectedBeat));
            Assert.Equal(row.Of("beat, ecg"), row.Of(GapStudy.OwnBeat));
            Assert.True(row.Of(GapStudy.CorrectedWrong) > 2 * row.Of(GapStudy.OwnBeat));
            Assert.True(row.Of(GapStudy.CorrectedNothing) > 2 * row.Of(GapStudy.OwnBeat));
        }

        StudyReport report = GapStudyReport.Of(s_corrected.Value, new EvaluationSubject("recipe", "untrained", [], "cpu"));
        StudyTable table = Assert.Single(report.Tables, t => t.Title.StartsWith("The correction", StringComparison.Ordinal));
        Assert.Equal("1.00", table.Rows[0][^1]);
    }

    [Theory]
    [InlineData("gap", 0.05, 4)]
    [InlineData("draws", 1.2, 0)]
    public void ASettingOutOfRangeIsNamed(string setting, double seconds, int draws) => Assert.Equal(setting,
        Assert.Throws<ConfigurationException>(() => (Options with { GapSeconds = [seconds], Draws = draws }).Validate()).Setting);
}
