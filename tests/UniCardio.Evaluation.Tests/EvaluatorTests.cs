using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Engine.Sessions;
using UniCardio.Evaluation.Cases;
using UniCardio.Evaluation.Model;
using UniCardio.Pipeline;
using UniCardio.Restoration;
using UniCardio.Signals;
using UniCardio.Signals.Processing;

namespace UniCardio.Evaluation.Tests;

[Collection(Interim.Name)]
public class EvaluatorTests(InterimWeights weights)
{
    private static readonly SamplerOptions Quick = new() { Kind = SamplerKind.Ddim, Steps = 3 };

    private static EvaluationOptions Options(params string[] tasks) => new()
    {
        Tasks = [.. tasks.Select(t => CardioTask.Parse(t))],
        WindowsPerRecording = 2,
        Draws = 3,
        Sampler = Quick,
        Seed = 5,
        SnrDecibels = [10],
        GapSeconds = [1.2],
    };

    private EvaluationResult Run(EvaluationOptions options, params EvaluationRecording[] recordings) =>
        new Evaluator(weights.Engine, options).Run(recordings);

    [Theory]
    [InlineData("impute bp | ppg")]
    [InlineData("impute ecg | ppg,bp")]
    [InlineData("denoise ppg | ecg")]
    [InlineData("denoise bp")]
    [InlineData("ppg,bp->ecg")]
    [InlineData("ecg->bp")]
    public void ANetworksResultIsWhatAUserOfRestorationGets(string task)
    {
        CardioTask parsed = CardioTask.Parse(task);
        Corruption corruption =
            parsed.Kind switch { TaskKind.Denoise => Corruption.Noise(10), TaskKind.Impute => Corruption.Gap(1.2), _ => Corruption.Absent };
        Recording made = new Signals.Synthesis.CardiovascularSynthesizer().Generate(new(), 500, 3).ToRecording();
        var window = new EvaluationWindow(EvaluationRecording.From(made)!, new SampleRange(0, 500), parsed, corruption, 0, 9);
        using var runs = new NetworkRuns(weights.Engine);
        DrawSummaries Ours(WindowShape shape) =>
            DrawSummaries.Of(new WindowDraws(runs.Run([window], shape, 5, null, CancellationToken.None)[0], 500, window.ResultScale));
        DrawSummaries ours = Ours(new WindowShape(parsed, 3, Quick));

        // The same window as a recording with the spoiled target, run as the commands do.
        Recording spoiled = made.WithChannels(
            made.Channels.Select(c => c.Kind == NetworkSignal.KindOf(parsed.Output)
                ? c.WithSamples(window.GivenWindow(parsed.Output).ToArray()) : c));
        var options = new RestorationOptions { Task = parsed, Method = DenoisingMethod.Draws, Draws = 3, Sampler = Quick, Seed = 5 };
        RestorationResult theirs = new Restorer(weights.Engine, options).Run(spoiled);
        // A translated pressure has no level for a user, who gets it in the network's units; the evaluation scores it in mmHg.
        bool levelled = parsed.Kind != TaskKind.Translate || parsed.Output != Modality.Bp;
        float[] InOurUnit(ReadOnlyMemory<float> samples) =>
            [.. samples.ToArray().Select(v => levelled ? v : AffineScale.BloodPressure.Inverse(v))];
        float[] expected = InOurUnit(theirs.Channel.Samples), low = InOurUnit(theirs.Band!.Low);
        foreach (SampleRange range in theirs.GeneratedRanges)
        {
            Assert.Equal(expected[range.Start..range.End], ours.Median[range.Start..range.End]);
            Assert.Equal(low[range.Start..range.End], ours.Low[range.Start..range.End]);
        }

        Assert.Equal(window.Scope.Length, theirs.GeneratedCount);
        if (parsed.Kind == TaskKind.Denoise)
        {
            RestorationResult estimate = new Restorer(weights.Engine, options with { Method = DenoisingMethod.Estimate }).Run(spoiled);
            Assert.Equal(estimate.Channel.Samples.ToArray(), Ours(WindowShape.Estimate(parsed)).First);
            RestorationResult slow =
                new Restorer(weights.Engine, options with { Method = DenoisingMethod.Estimate, RemovesSlowNoise = true }).Run(spoiled);
            Assert.Equal(slow.Channel.Samples.ToArray(), Ours(WindowShape.Estimate(parsed, removesSlowNoise: true)).First);
        }
    }

    [Fact]
    public void EveryTaskRunsOnTheRecordingsThatHaveItsSignals()
    {
        EvaluationRecording all = Make.Heart(20), ecg = Make.Heart(20, 8, signals: ModalitySet.Ecg);
        EvaluationResult result = Run(Options("impute bp | ppg", "denoise ecg", "ppg->ecg"), all, ecg);
        Assert.Equal([2, 4, 2], result.Cases.Select(c => c.Windows.Count));
        Assert.Equal(["impute bp | ppg", "denoise ecg", "ppg->ecg"], result.Cases.Select(c => c.Task.ToString()));
        Assert.Equal(((2 + 4 + 2) * 3 * 3) + (4 * (2 + 3)), result.NetworkCalls);
        foreach (CaseResult one in result.Cases)
        {
            Assert.All(one.Methods, m => Assert.Equal(one.Windows.Count, m.Scores.Count));
            // One draw, mean, median; in denoising the mean with its residual's Wiener part and the estimates too.
            Assert.Equal(one.Task.Kind == TaskKind.Denoise ? [(1, 3), (3, 9), (3, 9), (3, 9), (0, 2), (0, 3)] : [(1, 3), (3, 9), (3, 9)],
                one.Methods.Where(m => m.IsNetwork).Select(m => (m.Draws, m.NetworkCalls)));
            Assert.Equal(one.Task.Kind == TaskKind.Denoise ? 1 : 0,
                one.Methods.Count(m => m.Name.EndsWith(MethodScores.WithResidual, StringComparison.Ordinal)));
            Assert.Equal(["best", "median", "worst"], one.Examples.Select(e => e.Rank));
            double[] errors = [.. one.Examples.Select(e => e.Score.MeanSquare)],
                all1 = [.. one.Methods[1].Scores.Select(s => s.MeanSquare)];
            Assert.Equal((all1.Min(), all1.Max()), (errors[0], errors[2]));
        }
    }

    [Fact]
    public void NumbersDoNotDependOnThreadsAndDoOnTheSeed()
    {
        EvaluationRecording heart = Make.Heart(40);
        EvaluationOptions options = Options("impute ecg | ppg", "ecg->bp") with { WindowsPerRecording = 3 };
        double[] Errors(InferenceEngine engine, EvaluationOptions o) =>
            [.. new Evaluator(engine, o).Run([heart]).Cases.SelectMany(c => c.Methods).SelectMany(m => m.Scores).Select(s => s.MeanSquare)];
        using InferenceEngine alone = weights.CreateEngine(1);
        double[] expected = Errors(weights.Engine, options);
        Assert.Equal(expected, Errors(alone, options));
        Assert.NotEqual(expected, Errors(weights.Engine, options with { Seed = 6 }));
    }

    [Fact]
    public void ASingleDrawHasOneRowAndNoBand()
    {
        CaseResult one = Run(Options("ppg->bp") with { Draws = 1 }, Make.Heart(20)).Cases.Single();
        MethodScores network = Assert.Single(one.Methods, m => m.IsNetwork);
        Assert.All(network.Scores, s => Assert.Null(s.Coverage));
    }

    [Fact]
    public void ProgressGrowsAndCancellationEndsTheRun()
    {
        using var cancel = new CancellationTokenSource();
        var reports = new List<EvaluationProgress>();
        var progress = new Watch(p =>
        {
            reports.Add(p);
            if (p.CasesDone == 1)
                cancel.Cancel();
        });
        Assert.ThrowsAny<OperationCanceledException>(() =>
            new Evaluator(weights.Engine, Options("ppg->bp", "ppg->ecg")).Run([Make.Heart(20)], progress, cancel.Token));
        Assert.Equal(reports.Select(r => r.Share).Order(), reports.Select(r => r.Share));
        Assert.InRange(reports[^1].Share, 0.5, 1);
        Assert.Equal(("ppg->ecg", 2), (reports[^1].Case, reports[^1].CasesTotal));
    }

    [Fact]
    public void OptionsThatCannotBeAreRefusedByName()
    {
        void Refused(string setting, EvaluationOptions options) =>
            Assert.Equal(setting, Assert.Throws<ConfigurationException>(() => new Evaluator(weights.Engine, options)).Setting);
        Refused("draws", Options("ppg->bp") with { Draws = 0 });
        Refused("windows", Options("ppg->bp") with { WindowsPerRecording = 0 });
        Refused("snr", Options("denoise bp") with { SnrDecibels = [] });
        Refused("snr", Options("denoise bp") with { SnrDecibels = [double.NaN] });
        Refused("noise", Options("denoise bp") with { NoiseKinds = [] });
        Refused("noise", Options("denoise bp") with { NoiseKinds = [(NoiseKind)5] });
        Refused("gap", Options("impute bp") with { GapSeconds = [3.5] });
        Refused("gap", Options("impute bp") with { GapSeconds = [0] });
        Refused("tasks", Options());
        Refused("steps", Options("ppg->bp") with { Sampler = Quick with { Steps = 51 } });
    }

    private sealed class Watch(Action<EvaluationProgress> act) : IProgress<EvaluationProgress>
    {
        public void Report(EvaluationProgress value) => act(value);
    }
}
