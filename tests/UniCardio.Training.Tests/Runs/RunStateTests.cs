using UniCardio.Training.Curricula;
using UniCardio.Training.Optimization;
using UniCardio.Training.Runs;
using UniCardio.Weights;

namespace UniCardio.Training.Tests.Runs;

public class RunStateTests
{
    private static TrainingOptions Options { get; } = new()
    {
        Network = ToyNetwork.Small, Steps = 60, Batch = 4, Seed = 5, LogEvery = 7, EmaDecay = 0.9,
        LearningRate = new LearningRateSchedule { Peak = 0.02, WarmupSteps = 5 },
        Curriculum = new CurriculumOptions { ConditionDrop = 0.2 },
        Validation = new ValidationOptions { Every = 24, Windows = 3 },
    };

    private static TrainingRun Open(RunFolder folder, ToyNetwork network, RunSettings? settings = null) =>
        new(folder, Options, network, new WaveExamples(1), new WaveExamples(2), settings ?? new RunSettings());

    [Fact]
    public void ARunTakenUpElsewhereEndsWithTheSameBits()
    {
        using RunTestFolder whole = new(), here = new(), there = new();
        using ToyNetwork first = new(), second = new(), third = new();
        using (TrainingRun run = Open(whole.Run, first))
            run.Run();
        using var stop = new CancellationTokenSource();
        using (TrainingRun run = Open(here.Run, second))
            Assert.Equal(RunOutcome.Cancelled, run.Run(new Watch(p => { if (p.Updates == 31) stop.Cancel(); }), stop.Token));
        string file = Path.Combine(Path.GetDirectoryName(here.Run.Path)!, "state.safetensors");
        Assert.Equal(31, RunState.Export(here.Run, file));
        Assert.Equal(31, RunState.Import(file, there.Run));
        using (TrainingRun run = Open(there.Run, third))
        {
            Assert.Equal(31, run.Updates);
            Assert.Equal(RunOutcome.Completed, run.Run());
        }

        Assert.Equal(first.Parameters.ToArray(), third.Parameters.ToArray());
        Assert.Equal(whole.Log, there.Log);
        Assert.Equal(whole.Checks, there.Checks);
    }

    [Fact]
    public void WhatIsNoStateOrWouldHideARunIsRefused()
    {
        using RunTestFolder folder = new(), other = new();
        using var network = new ToyNetwork();
        Assert.Throws<RunFolderException>(() => RunState.Export(folder.Run, "nowhere"));
        using (TrainingRun run = Open(folder.Run, network))
            run.Run();
        string file = Path.Combine(Path.GetDirectoryName(folder.Run.Path)!, "state.safetensors");
        RunState.Export(folder.Run, file);
        Assert.Throws<RunFolderException>(() => RunState.Import(file, folder.Run));

        // A checkpoint alone has no options; a file cut short holds nothing.
        Assert.Throws<WeightFormatException>(() => RunState.Import(folder.Run.CheckpointFile, other.Run));
        File.WriteAllBytes(file, File.ReadAllBytes(file)[..^100]);
        Assert.Throws<WeightFormatException>(() => RunState.Import(file, other.Run));
        Assert.False(other.Run.HasRun);
    }

    [Fact]
    public void APausedRunSavesComputesNothingAndGoesOn()
    {
        using RunTestFolder whole = new(), paused = new();
        using ToyNetwork first = new(), second = new();
        using (TrainingRun run = Open(whole.Run, first))
            run.Run();
        bool asked = false, told = false;
        int looks = 0, callsThen = 0;
        bool Look()
        {
            // Asked at update 20, and let go after five looks.
            if (asked && ++looks == 1)
                callsThen = second.Calls;
            if (looks > 5)
            {
                Assert.Equal(callsThen, second.Calls);
                Assert.True(File.Exists(paused.Run.CheckpointFile));
                asked = false;
                looks = 0;
            }

            return asked;
        }

        using (TrainingRun run = Open(paused.Run, second, new RunSettings { IsPaused = Look, CheckpointEvery = TimeSpan.FromHours(1) }))
            Assert.Equal(RunOutcome.Completed, run.Run(new Watch(p =>
            {
                asked |= p.Updates == 20 && p.Event is null;
                told |= p.Event?.StartsWith("paused", StringComparison.Ordinal) == true;
            })));
        Assert.True(told);
        Assert.Equal(first.Parameters.ToArray(), second.Parameters.ToArray());
        Assert.Equal(whole.Log, paused.Log);
    }

    [Fact]
    public void AFileInTheFolderPausesUntilItIsGoneOrTheTimeIsUp()
    {
        using var folder = new RunTestFolder();
        using var network = new ToyNetwork();
        using TrainingRun run = Open(folder.Run, network, new RunSettings { StopAfter = TimeSpan.FromSeconds(1) });
        File.WriteAllText(folder.Run.PauseFile, string.Empty);
        Assert.Equal(RunOutcome.TimeUp, run.Run());
        Assert.Equal(0, run.Updates);
        Assert.Equal(0, network.Calls);
    }

    private sealed class Watch(Action<TrainingProgress> look) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => look(value);
    }
}
