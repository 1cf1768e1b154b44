using System.Text.Json;
using System.Xml.Linq;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Evaluation.Cases;
using UniCardio.Evaluation.Measures;
using UniCardio.Evaluation.Reports;

namespace UniCardio.Evaluation.Tests;

[Collection(Interim.Name)]
public class ReportTests(InterimWeights weights)
{
    private static readonly EvaluationSubject With = new("weights.safetensors", "synthetic windows only", ["somebody"], "cpu");

    private static (EvaluationReport Report, EvaluationResult Result)? _made;

    private (EvaluationReport Report, EvaluationResult Result) Make() => _made ??= Run();

    private (EvaluationReport Report, EvaluationResult Result) Run()
    {
        var options = new EvaluationOptions
        {
            Tasks = [.. ((string[])["impute bp", "impute bp | ppg", "impute bp | ppg,ecg", "denoise ecg", "ppg->ecg"])
                .Select(t => CardioTask.Parse(t))],
            WindowsPerRecording = 2, Draws = 2, Sampler = new SamplerOptions { Kind = SamplerKind.Ddim, Steps = 2 }, SnrDecibels = [5, 10],
            GapSeconds = [1.2],
        };
        EvaluationResult result = new Evaluator(weights.Engine, options).Run([Tests.Make.Heart(20), Tests.Make.Heart(20, 8)]);
        return (EvaluationReport.Of(result, With), result);
    }

    [Fact]
    public void RowsMarkTheBestBaselineAndTheNetworksMargin()
    {
        EvaluationReport report = Make().Report;
        foreach (IGrouping<(string, string, string), EvaluationRow> rows in report.Rows.GroupBy(r => (r.Task, r.Corruption, r.Recording)))
        {
            EvaluationRow best = rows.Single(r => r.IsBestBaseline), alike = rows.Single(r => r.IsBestOfWindow);
            Assert.False(best.IsNetwork || alike.IsNetwork || alike.SeesBeyondWindow);
            Assert.Equal(rows.Where(r => !r.IsNetwork).Min(r => r.Scores.Rmse), best.Scores.Rmse);
            Assert.Equal(rows.Where(r => !r.IsNetwork && !r.SeesBeyondWindow).Min(r => r.Scores.Rmse), alike.Scores.Rmse);
            foreach (EvaluationRow network in rows.Where(r => r.IsNetwork))
            {
                Assert.Equal(1 - (network.Scores.Rmse / best.Scores.Rmse), network.Margin!.Value.Share, 9);
                Assert.Equal(1 - (network.Scores.Rmse / alike.Scores.Rmse), network.MarginOfWindow!.Value.Share, 9);
                Assert.True(network.Margin.Value.Low <= network.Margin.Value.Share + 1e-9
                    && network.Margin.Value.Share <= network.Margin.Value.High + 1e-9);
            }
        }

        // Six cases of two hearts and of both together.
        Assert.Equal(6 * 3, report.Rows.Count(r => r.IsBestBaseline));
        EvaluationRow noisy = report.Rows.First(r => r.Method == "as given" && r.Corruption == "5 dB"),
            less = report.Rows.First(r => r.Method == "as given" && r.Corruption == "10 dB");
        // The same noise, 5 dB smaller.
        Assert.Equal(Math.Pow(10, -5 / 20.0), less.Scores.Rmse / noisy.Scores.Rmse, 3);
        Assert.Contains("order", report.Rows.First(r => r.Method == "Butterworth").Settings, StringComparison.Ordinal);
        Assert.Equal(0.3, report.Rows.First(r => r.Draws == 2).ExpectedCoverage!.Value, 9);
    }

    [Fact]
    public void ConditionGainsCompareTheSameWindows()
    {
        EvaluationReport report = Make().Report;
        ConditionGain gain = Assert.Single(report.ConditionGains);
        Assert.Equal((TaskKind.Impute, Modality.Bp, 4), (gain.Kind, gain.Output, gain.Windows));
        double Rmse(string task) =>
            report.Rows.First(r => r.Task == task && r.Recording == "all" && r.Method == "network, mean of 2").Scores.Rmse;
        Assert.Equal(Rmse("impute bp"), gain.One, 9);
        Assert.Equal(Rmse("impute bp | ppg"), gain.Two!.Value, 9);
        Assert.Equal(Rmse("impute bp | ppg,ecg") / Rmse("impute bp"), gain.ThreeToOne!.Value, 9);
    }

    [Fact]
    public void EveryFormHoldsEveryRowAndTheRemark()
    {
        (EvaluationReport report, EvaluationResult result) = Make();
        string markdown = MarkdownReport.Of(report), csv = CsvReport.Of(report), html = HtmlReport.Of(report, result);
        Assert.Contains("not a medical device", markdown, StringComparison.Ordinal);
        Assert.Contains("nothing is validated", html, StringComparison.Ordinal);
        // A table's rows have as many cells as its heading.
        foreach (string[] table in markdown.Split("\n\n").Where(p => p.StartsWith('|'))
            .Select(p => p.Split('\n', StringSplitOptions.RemoveEmptyEntries)))
            Assert.All(table, line => Assert.Equal(Cells(table[0]), Cells(line)));

        string[] lines = csv.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(report.Rows.Count + 1, lines.Length);
        Assert.StartsWith("task,kind,output,", lines[0], StringComparison.Ordinal);

        JsonElement json = JsonDocument.Parse(JsonReport.Of(report)).RootElement;
        Assert.Equal(report.Rows.Count, json.GetProperty("rows").GetArrayLength());
        Assert.Equal("impute", json.GetProperty("rows")[0].GetProperty("kind").GetString());
        Assert.Equal(report.Rows[0].Scores.Rmse, json.GetProperty("rows")[0].GetProperty("scores").GetProperty("rmse").GetDouble());

        // The page is well-formed, with three pictures a task.
        XElement page = XDocument.Parse(html.Replace("<!DOCTYPE html>", "", StringComparison.Ordinal)
            .Replace("<meta charset=\"utf-8\">", "", StringComparison.Ordinal)).Root!;
        Assert.Equal(3 * 5, page.Descendants().Count(e => e.Name.LocalName == "svg"));
        Assert.Contains("impute bp | ppg,ecg", page.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void ASubjectThatWasTrainedOnIsRefused()
    {
        EvaluationRecording heart = Tests.Make.Heart(20);
        SharedSubjectException problem =
            Assert.Throws<SharedSubjectException>(() => EvaluationReport.KeptApart([heart], With with { TrainingSubjects = ["HEART 3"] }));
        Assert.Equal(["heart 3"], problem.Subjects);
        Assert.Contains("none of them is among the 1", EvaluationReport.KeptApart([heart], With), StringComparison.Ordinal);
        Assert.Contains("not known", EvaluationReport.KeptApart([heart], With with { TrainingSubjects = [], Trained = null }),
            StringComparison.Ordinal);
    }

    [Fact]
    public void ScoresOfWindowsAreSummedUpAsTheMeasuresSay()
    {
        WindowScore Score(double square, double? r, RateReading rate, double systolic) => new()
        {
            MeanSquare = square, MeanAbsolute = Math.Sqrt(square), KolmogorovSmirnov = 0.5, Pearson = r, SpectralDistance = null,
            Rate = rate, Pressure = new PressureError(systolic, null, systolic > 5), Coverage = new BandCoverage(100, 80),
        };
        ScoreSummary sum =
            ScoreSummary.Of(Modality.Bp, [Score(0.01, 0.5, new RateReading(60, 63), 2), Score(0.07, null, new RateReading(80, null), 8)]);
        // sqrt((0.01 + 0.07) / 2) = 0.2, 10 mmHg; rates are off by 3 and, as a failure, by 80.
        Assert.Equal(0.2, sum.Rmse, 9);
        Assert.Equal(10, sum.RmseMmHg!.Value, 9);
        Assert.Equal(0.5, sum.Pearson);
        Assert.Null(sum.SpectralDistance);
        Assert.Equal((41.5, 2, 1), (sum.HeartRateMae!.Value, sum.HeartRateWindows, sum.HeartRateFailures));
        Assert.Equal(5, sum.Systolic!.MeanError, 9);
        Assert.Null(sum.Diastolic);
        Assert.Equal(1, sum.PressureFailures);
        Assert.Equal(0.8, sum.Coverage!.Value, 9);
        Assert.Null(sum.PeakF1);
    }

    // A bar after a backslash is part of a cell.
    private static int Cells(string line) => line.Replace("\\|", "", StringComparison.Ordinal).Count(c => c == '|');
}
