using System.Text.Json;
using System.Xml.Linq;
using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Evaluation.Cases;
using UniCardio.Evaluation.Reports;
using UniCardio.Evaluation.Study;

namespace UniCardio.Evaluation.Tests;

[Collection(Interim.Name)]
public class StudyTests(InterimWeights weights)
{
    private static readonly SamplerOptions Few = SamplerOptions.Parse("ddim:2"), Chosen = SamplerOptions.Parse("dpm++2m:3");

    private static EvaluationOptions Evaluation { get; } = new()
    {
        Tasks = [CardioTask.Parse("impute bp | ppg"), CardioTask.Parse("ppg->ecg")], WindowsPerRecording = 2, Seed = 5, GapSeconds = [1.2],
    };

    private static SamplerStudyResult? _result;

    // Fifty steps of the reference are most of the work: run once.
    private SamplerStudyResult Run() => _result ??= new SamplerStudy(weights.Engine, new SamplerStudyOptions
    {
        Samplers = [Few, Chosen], Draws = [1, 2], ManyDraws = [1, 4], Chosen = Chosen, Evaluation = Evaluation,
    }).Run([Make.Heart(20)]);

    [Fact]
    public void PointsAreWhatAnEvaluationFinds()
    {
        SamplerStudyResult result = Run();
        // The reference and ddim with 1 and 2 draws, the chosen one with 1, 2 and 4; two tasks.
        Assert.Equal(2 * (2 + 2 + 3), result.Points.Count);
        Assert.Equal(2L * 2 * ((50 * 2) + (2 * 2) + (3 * 4)), result.NetworkCalls);
        EvaluationResult alone = new Evaluator(weights.Engine, Evaluation with { Draws = 2, Sampler = Few }).Run([Make.Heart(20)]);
        foreach (CaseResult one in alone.Cases)
        {
            double Study(int draws) =>
                result.Points.Single(p => p.Sampler == Few.ToString() && p.Draws == draws && p.Task == one.Task.ToString()).Scores.Rmse;
            Assert.Equal(ScoreSummary.Of(one.Task.Output, one.Methods[0].Scores).Rmse, Study(1));
            Assert.Equal(ScoreSummary.Of(one.Task.Output, one.Methods[1].Scores).Rmse, Study(2));
        }

        SamplerPoint many = result.Points.First(p => p.Draws == 4);
        Assert.Equal((Chosen.ToString(), 3, 12), (many.Sampler, many.Steps, many.NetworkCalls));
        Assert.NotNull(many.Scores.Coverage);

        // A draw alone has its absolute error for a CRPS, and no spread.
        foreach (SamplerPoint point in result.Points)
        {
            Assert.Equal(point.Draws, point.Spread.Draws);
            Assert.True(point.Milliseconds > 0 && double.IsFinite(point.Milliseconds));
            Assert.Equal(point.Draws == 1, point.Spread.SpreadOverError is null);
            Assert.Equal(1, point.Spread.Ranks.Sum() / point.Spread.Samples, 9);
            if (point.Draws == 1)
                Assert.Equal(point.Scores.Mae, point.Spread.MeanCrps, 5);
        }
    }

    [Fact]
    public void LinesAreRelativeToTheReferenceWithItsMostDraws()
    {
        SamplerStudyResult result = Run();
        IReadOnlyList<SamplerLine> lines = SamplerLine.Of(result);
        Assert.Equal(1, lines.Single(l => l.Sampler == "ddpm" && l.Draws == 2).RelativeRmse, 12);
        double Error(string sampler, string task) =>
            result.Points.Single(p => p.Sampler == sampler && p.Draws == 2 && p.Task == task).Scores.Rmse;
        double expected = Math.Sqrt(Error("ddim:2", "ppg->ecg") / Error("ddpm", "ppg->ecg") * Error("ddim:2", "impute bp | ppg")
            / Error("ddpm", "impute bp | ppg"));
        Assert.Equal(expected, lines.Single(l => l.Sampler == "ddim:2" && l.Draws == 2).RelativeRmse, 9);
    }

    [Fact]
    public void TheCheapestIsTheFewestCallsNearTheLeastError()
    {
        static SamplerLine Line(string name, int steps, double rmse) => new()
        {
            Sampler = name, Steps = steps, Draws = 4, RelativeRmse = rmse, Rmse = rmse, KolmogorovSmirnov = 0.1, SpectralDistance = 1,
            Coverage = 0.5,
        };
        SamplerLine[] lines = [Line("a", 50, 1), Line("b", 10, 1.019), Line("c", 6, 1.03), Line("d", 20, 1.001)];
        Assert.Equal("b", SamplerLine.Cheapest(lines, 4)!.Sampler);
        Assert.Null(SamplerLine.Cheapest(lines, 8));
    }

    [Fact]
    public void EveryFormHoldsTheStudy()
    {
        SamplerStudyResult result = Run();
        var report = SamplerReport.Of(result, new EvaluationSubject("weights", "synthetic windows", [], "cpu"));
        Assert.Contains("with 2 draws", report.Verdict, StringComparison.Ordinal);
        Assert.Contains("| ddim:2 | 2 | 2 | 4 |", report.ToMarkdown(), StringComparison.Ordinal);
        Assert.Equal(result.Points.Count + 1, report.ToCsv().Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Equal(result.Points.Count, JsonDocument.Parse(JsonReport.Of(report)).RootElement.GetProperty("points").GetArrayLength());
        string page = report.ToHtml(result.Options);
        Assert.Contains("not a medical device", page, StringComparison.Ordinal);
        string svg = page[page.IndexOf("<svg", StringComparison.Ordinal)..(page.IndexOf("</svg>", StringComparison.Ordinal) + 6)];
        string words = XDocument.Parse(svg).Root!.Value;
        foreach (string word in (string[])["ddim, 2 draws", "CRPS", "spectral distance", "ms a window"])
            Assert.Contains(word, words, StringComparison.Ordinal);
    }

    [Fact]
    public void SamplersThatTheNetworkHasNoStepsForAreLeftOutAndNonsenseIsRefused()
    {
        var options = new SamplerStudyOptions { Evaluation = Evaluation, Samplers = [Few, SamplerOptions.Parse("ddim:60")] };
        Assert.Equal(["ddpm", "ddim:2"], options.Validate(weights.Engine.Configuration).Samplers.Select(s => s.ToString()));
        Assert.Equal("draws",
            Assert.Throws<ConfigurationException>(() => (options with { Draws = [] }).Validate(weights.Engine.Configuration)).Setting);
        Assert.Equal("draws",
            Assert.Throws<ConfigurationException>(() => (options with { ManyDraws = [0] }).Validate(weights.Engine.Configuration)).Setting);
    }
}
