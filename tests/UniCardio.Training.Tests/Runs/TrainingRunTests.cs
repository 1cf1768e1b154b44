using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Training.Curricula;
using UniCardio.Training.Network;
using UniCardio.Training.Optimization;
using UniCardio.Training.Runs;
using UniCardio.Weights;

namespace UniCardio.Training.Tests.Runs;

public class TrainingRunTests
{
    private static TrainingOptions Options { get; } = new()
    {
        Network = ToyNetwork.Small,
        Steps = 120,
        Batch = 4,
        Seed = 5,
        LogEvery = 7,
        LearningRate = new LearningRateSchedule { Peak = 0.02, WarmupSteps = 5 },
        EmaDecay = 0.9,
        Curriculum = new CurriculumOptions { ConditionDrop = 0.2 },
        Validation = new ValidationOptions { Every = 24, Windows = 3 },
    };

    private static RunSettings OftenSaved { get; } = new() { CheckpointEvery = TimeSpan.Zero };

    private static TrainingRun Open(RunTestFolder folder, ToyNetwork network, TrainingOptions? options = null, RunSettings? settings = null,
        StartWeights? start = null) =>
        new(folder.Run, options ?? Options, network, new WaveExamples(1), new WaveExamples(2), settings ?? OftenSaved, start);

    private static (float[] Parameters, float[] Averaged) Uninterrupted(RunTestFolder folder)
    {
        using var network = new ToyNetwork();
        using TrainingRun run = Open(folder, network, settings: new RunSettings());
        Assert.Equal(RunOutcome.Completed, run.Run());
        return (network.Parameters.ToArray(), run.Averaged.ToArray());
    }

    [Fact]
    public void ARunLearns()
    {
        using var folder = new RunTestFolder();
        Uninterrupted(folder);
        double[] losses = [.. File.ReadAllLines(folder.Run.LogFile).Skip(1).Select(r => double.Parse(r.Split(',')[3]))];
        Assert.Equal(18, losses.Length); // 120 updates in rows of 7: 17 whole ones and the last update's.
        Assert.True(losses[^4..].Average() < 0.8 * losses[..4].Average(), $"{losses[..4].Average()} -> {losses[^4..].Average()}");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void ARunKilledAtAnyUpdateEndsWithTheSameBits(int seed)
    {
        using var whole = new RunTestFolder();
        (float[] parameters, float[] averaged) = Uninterrupted(whole);
        using var pieces = new RunTestFolder();
        var random = new Random(seed);
        for (int kill = 0; ; kill++)
        {
            using var network = new ToyNetwork();
            // Checkpoints after every update, after none, or somewhere between: a killed process resumes from the last one, whichever it
            // was.
            var settings = new RunSettings { CheckpointEvery =
                random.Next(3) switch { 0 => TimeSpan.Zero, 1 => TimeSpan.FromMilliseconds(2), _ => TimeSpan.FromHours(1) } };
            using TrainingRun run = Open(pieces, network, settings: settings);
            // An exception out of the report is as good as a kill: no file is written any more.
            var killer = new Killer(kill < 12 ? run.Updates + random.Next(1, 25) : long.MaxValue);
            try
            {
                Assert.Equal(RunOutcome.Completed, run.Run(killer));
            }
            catch (KilledException)
            {
                // A row that the process was writing when it ended.
                if (kill % 3 == 0)
                {
                    run.Dispose();
                    File.AppendAllText(pieces.Run.LogFile, "119,3,4");
                    File.WriteAllText(pieces.Run.CheckpointFile + ".next", "half");
                }

                continue;
            }

            Assert.Equal(parameters, network.Parameters.ToArray());
            Assert.Equal(averaged, run.Averaged.ToArray());
            break;
        }

        Assert.Equal(whole.Log, pieces.Log);
        Assert.Equal(whole.Checks, pieces.Checks);
    }

    [Fact]
    public void ChecksChangeNothing()
    {
        using var often = new RunTestFolder();
        (float[] parameters, _) = Uninterrupted(often);
        using var never = new RunTestFolder();
        using var network = new ToyNetwork();
        using TrainingRun run = Open(never, network, Options with { Validation = new ValidationOptions { Every = 1000, Windows = 1 } });
        run.Run();
        Assert.Equal(parameters, network.Parameters.ToArray());
    }

    [Fact]
    public void ACancelledRunSavesItsStateAndGoesOn()
    {
        using var whole = new RunTestFolder();
        (float[] parameters, _) = Uninterrupted(whole);
        using var folder = new RunTestFolder();
        using var cancellation = new CancellationTokenSource();
        using (var network = new ToyNetwork())
        using (TrainingRun run = Open(folder, network, settings: new RunSettings()))
        {
            Assert.Equal(RunOutcome.Cancelled, run.Run(new Killer(31, cancellation.Cancel), cancellation.Token));
            Assert.Equal(31, run.Updates);
        }

        using var second = new ToyNetwork();
        using TrainingRun rest = Open(folder, second);
        Assert.Equal(31, rest.Updates);
        Assert.Equal(RunOutcome.Completed, rest.Run());
        Assert.Equal(parameters, second.Parameters.ToArray());
        Assert.Equal(whole.Log, folder.Log);
        Assert.Equal(whole.Checks, folder.Checks);
    }

    [Fact]
    public void TheEndOfTheTimeSavesTheState()
    {
        using var folder = new RunTestFolder();
        using var network = new ToyNetwork();
        using TrainingRun run = Open(folder, network, settings: new RunSettings { StopAfter = TimeSpan.Zero });
        Assert.Equal(RunOutcome.TimeUp, run.Run());
        Assert.True(File.Exists(folder.Run.CheckpointFile));
    }

    [Fact]
    public void ABrokenCheckpointFallsBackToTheOneBefore()
    {
        using var whole = new RunTestFolder();
        (float[] parameters, _) = Uninterrupted(whole);
        using var folder = new RunTestFolder();
        using (var network = new ToyNetwork())
        using (TrainingRun run = Open(folder, network))
            Assert.Throws<KilledException>(() => run.Run(new Killer(40)));
        using (FileStream cut = File.OpenWrite(folder.Run.CheckpointFile))
            cut.SetLength(1000);
        using var second = new ToyNetwork();
        using (TrainingRun rest = Open(folder, second))
        {
            Assert.InRange(rest.Updates, 1, 39);
            Assert.Equal(RunOutcome.Completed, rest.Run());
        }

        Assert.Equal(parameters, second.Parameters.ToArray());
        Assert.Equal(whole.Log, folder.Log);

        File.WriteAllText(folder.Run.CheckpointFile, "no");
        File.WriteAllText(folder.Run.PreviousFile, "no");
        Assert.Throws<WeightFormatException>(() => Open(folder, second));
    }

    [Fact]
    public void AGradientThatIsNotFiniteStopsTheRunWithTheLastGoodCheckpoint()
    {
        using var folder = new RunTestFolder();
        using var network = new ToyNetwork { PoisonedCall = 50 };
        using TrainingRun run = Open(folder, network);
        TrainingDivergedException problem = Assert.Throws<TrainingDivergedException>(() => run.Run());
        Assert.Equal(50, problem.Step);
        run.Dispose();
        using var fresh = new ToyNetwork();
        using TrainingRun rest = Open(folder, fresh);
        Assert.InRange(rest.Updates, 1, 50);
        Assert.Equal(-1, FiniteScan(fresh.Parameters));
        Assert.Equal(RunOutcome.Completed, rest.Run());
    }

    [Fact]
    public void AnExplodingLossStopsTheRun()
    {
        using var folder = new RunTestFolder();
        using var network = new ToyNetwork();
        using TrainingRun run = Open(folder, network, Options with { Steps = 2000 });
        // The weights are blown up behind the optimiser's back.
        var bomb = new Killer(100, () => network.Parameters[..10].Fill(1e4f));
        TrainingDivergedException problem = Assert.Throws<TrainingDivergedException>(() => run.Run(bomb));
        Assert.InRange(problem.Step, 100, 110);
    }

    [Fact]
    public void AFailureOfTheExamplesComesOut()
    {
        using var folder = new RunTestFolder();
        using var network = new ToyNetwork();
        using var run = new TrainingRun(folder.Run, Options, network, new WaveExamples(1) { Broken = 90 }, new WaveExamples(2), OftenSaved);
        InvalidDataException problem = Assert.Throws<InvalidDataException>(() => run.Run());
        Assert.Contains("window 90", problem.Message, StringComparison.Ordinal);
        Assert.Equal(22, run.Updates); // 4 windows an update: number 90 is in the 23rd.
    }

    [Fact]
    public void AnotherRunsFolderIsRefused()
    {
        using var folder = new RunTestFolder();
        using var network = new ToyNetwork();
        using (TrainingRun run = Open(folder, network, settings: new RunSettings { StopAfter = TimeSpan.Zero }))
            run.Run();
        Assert.Throws<RunFolderException>(() => Open(folder, network, Options with { Seed = 6 }));
        Assert.Throws<RunFolderException>(() =>
            new TrainingRun(folder.Run, Options, network, new WaveExamples(3), new WaveExamples(2), OftenSaved));
        using TrainingRun open = Open(folder, network);
        RunFolderException held = Assert.Throws<RunFolderException>(() => Open(folder, network));
        Assert.Contains("another process", held.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnAmendedRunGoesOnWithItsStateAndKeepsTheChange()
    {
        using var folder = new RunTestFolder();
        using (var network = new ToyNetwork())
        using (TrainingRun run = Open(folder, network))
            Assert.Throws<KilledException>(() => run.Run(new Killer(40)));
        TrainingOptions longer = Options
            with { Steps = 200, LearningRate = Options.LearningRate with { Shape = LearningRateShape.Constant } };
        RunSettings amending = new RunSettings { AmendsRun = true };
        using (var network = new ToyNetwork())
        using (TrainingRun run = Open(folder, network, longer, amending))
        {
            Assert.InRange(run.Updates, 38, 40);
            // Ended before its first checkpoint: the state from before the change is still found.
            Assert.Throws<KilledException>(() => run.Run(new Killer(60)));
        }

        using var second = new ToyNetwork();
        using TrainingRun rest = Open(folder, second, longer);
        Assert.InRange(rest.Updates, 38, 40);
        RunAmendment change = Assert.Single(rest.Record.Amendments);
        Assert.Equal(["options.learning_rate.shape: \"cosine\" -> \"constant\"", "options.steps: 120 -> 200"],
            change.Changes.Order(StringComparer.Ordinal));
        Assert.Equal(RunOutcome.Completed, rest.Run());
        Assert.Equal(200, rest.Updates);
        rest.Dispose();
        using TrainingRun done = Open(folder, second, longer);
        Assert.Equal(200, done.Updates);
    }

    [Fact]
    public void ARunOfOlderCodeThatKnewFewerOptionsIsTakenUp()
    {
        using var folder = new RunTestFolder();
        using (var network = new ToyNetwork())
        using (TrainingRun run = Open(folder, network))
        {
            string text = File.ReadAllText(folder.Run.RecordFile);
            string older = text.Replace("\n      \"weighting_offset\": 1,", string.Empty, StringComparison.Ordinal)
                .Replace(",\n  \"amendments\": []", string.Empty, StringComparison.Ordinal);
            Assert.True(text.Length - older.Length > 40);
            File.WriteAllText(folder.Run.RecordFile, older);
        }

        using (var network = new ToyNetwork())
        using (TrainingRun run = Open(folder, network))
            Assert.Throws<KilledException>(() => run.Run(new Killer(40)));
        using var second = new ToyNetwork();
        using TrainingRun rest = Open(folder, second);
        Assert.InRange(rest.Updates, 38, 40);
    }

    [Fact]
    public void WhatDoesNotFitIsRefused()
    {
        using var folder = new RunTestFolder();
        using var network = new ToyNetwork();
        Assert.Throws<ConfigurationException>(() =>
            Open(folder, network, Options with { Network = ToyNetwork.Small with { DiffusionSteps = 9 } }));
        Assert.Throws<ConfigurationException>(() => Open(folder, network, Options with { Batch = 0 }));
        Assert.Throws<ConfigurationException>(() =>
            new TrainingRun(folder.Run, Options, network, new WaveExamples(1, 20), new WaveExamples(2), OftenSaved));
        Assert.Throws<ConfigurationException>(() =>
            new TrainingRun(folder.Run, Options, network, new WaveExamples(1), new WaveExamples(1), OftenSaved));
        Assert.False(Directory.Exists(folder.Run.Path));
    }

    [Fact]
    public void OptionsSurviveRunJson()
    {
        using var folder = new RunTestFolder();
        using var network = new ToyNetwork();
        TrainingOptions options = Options with { Adam = new AdamOptions { ClipNorm = double.PositiveInfinity },
            Curriculum = new CurriculumOptions { Kind = CurriculumKind.Mixed, Tasks = ["ppg->ecg", "impute bp | ppg"] } };
        using TrainingRun run = Open(folder, network, options);
        RunRecord read = folder.Run.ReadRecord();
        Assert.Equal(run.Record.Identity, read.Identity);
        Assert.Empty(run.Record.Differences(read));
        Assert.Equal(options.Network, read.Options.Network);
        Assert.Equal(options.Curriculum.Tasks, read.Options.Curriculum.Tasks);
        Assert.Equal(double.PositiveInfinity, read.Options.Adam.ClipNorm);
        File.WriteAllText(folder.Run.RecordFile, "{}");
        Assert.Throws<RunFolderException>(() => folder.Run.ReadRecord());
    }

    [Fact]
    public void TheAveragedWeightsAreExportedAndStartAnotherRun()
    {
        using var folder = new RunTestFolder();
        (_, float[] averaged) = Uninterrupted(folder);
        string file = Path.Combine(folder.Run.Path, "out.safetensors");
        Assert.Equal(120, RunExport.Write(folder.Run, file));
        using LoadedWeights loaded = WeightFile.Load(file);
        Assert.Equal(ToyNetwork.Small, loaded.Configuration);
        Assert.Contains("120 of 120 updates", loaded.Description, StringComparison.Ordinal);
        float[] flat = new float[averaged.Length];
        new ParameterLayout(loaded.Configuration).Read(loaded.Weights, flat);
        Assert.Equal(averaged, flat);

        using var next = new RunTestFolder();
        using var network = new ToyNetwork();
        using TrainingRun run = Open(next, network, start: new StartWeights(loaded.Weights, "out"));
        Assert.Equal(averaged, network.Parameters.ToArray());
        Assert.Equal("out", run.Record.Start);
    }

    private static int FiniteScan(ReadOnlySpan<float> values)
    {
        for (int i = 0; i < values.Length; i++)
        {
            if (!float.IsFinite(values[i]))
                return i;
        }

        return -1;
    }
}
