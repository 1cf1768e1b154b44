using UniCardio.Engine;
using UniCardio.Files;
using UniCardio.Training.Optimization;
using UniCardio.Training.Runs;

namespace UniCardio.Training.Tests.Runs;

/// <summary>The n-th step of writing a run's files fails, for every n: the run says so, and continues from there to the same
/// bits.</summary>
public class FailedFileTests
{
    private static TrainingOptions Options { get; } = new()
    {
        Network = ToyNetwork.Small,
        Steps = 2,
        Batch = 2,
        Seed = 5,
        LogEvery = 1,
        LearningRate = new LearningRateSchedule { Peak = 0.02, WarmupSteps = 1 },
        EmaDecay = 0.9,
        Validation = new ValidationOptions { Every = 1, Windows = 1 },
    };

    private static float[] Run(RunTestFolder folder)
    {
        using var network = new ToyNetwork();
        using var run = new TrainingRun(folder.Run, Options, network, new WaveExamples(1), new WaveExamples(2),
            new RunSettings { CheckpointEvery = TimeSpan.Zero });
        Assert.Equal(RunOutcome.Completed, run.Run());
        return [.. run.Averaged];
    }

    [Fact]
    public void WhicheverStepFailsTheRunContinuesToTheSameBits()
    {
        using var whole = new RunTestFolder();
        float[] expected = Run(whole);
        string[] names = Names(whole);
        var steps = new HashSet<FileStep>();
        int failures = 0;
        while (true)
        {
            using var folder = new RunTestFolder();
            int left = failures;
            FileSteps.Before = (step, _) =>
            {
                steps.Add(step);
                if (left-- == 0)
                    throw new IOException("the disk is full");
            };
            Exception? problem = Record.Exception(() => Run(folder));
            FileSteps.Before = null;
            if (problem is null)
                break;
            Assert.True(problem is IOException or UniCardioException or Signals.SignalException, problem.ToString());
            Assert.Contains("the disk is full", problem.Message, StringComparison.Ordinal);
            Assert.Equal(expected, Run(folder));
            Assert.Equal(names, Names(folder));
            Assert.Equal(whole.Log, folder.Log);
            failures++;
        }
        Assert.True(failures >= 30, $"only {failures} steps");
        Assert.Superset(new HashSet<FileStep> { FileStep.Open, FileStep.Write, FileStep.Flush, FileStep.Rename }, steps);
    }

    private static string[] Names(RunTestFolder folder) =>
        [.. Directory.GetFiles(folder.Run.Path).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];
}
