using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Training.Curricula;
using UniCardio.Training.Network;
using UniCardio.Training.Objectives;
using UniCardio.Training.Optimization;
using UniCardio.Training.Runs;

namespace UniCardio.Training.Tests.Runs;

/// <summary>Options that a run is carried out with beside the usual loss and optimiser: each does something, is kept, and resumes to the
/// same bits.</summary>
public class RunOptionsTests
{
    private static TrainingOptions Plain { get; } = new()
    {
        Network = ToyNetwork.Small,
        Steps = 60,
        Batch = 4,
        Seed = 5,
        LogEvery = 7,
        LearningRate = new LearningRateSchedule { Peak = 0.02, WarmupSteps = 5 },
        EmaDecay = 0.9,
        Validation = new ValidationOptions { Every = 24, Windows = 3 },
    };

    public static TheoryData<string> Names => ["task", "output", "layers", "gates", "all"];

    private static TrainingOptions Of(string name) => name switch
    {
        "task" => Plain with { Uncertainty = new UncertaintyOptions { Rate = 0.1 } },
        "output" => Plain with { Uncertainty = new UncertaintyOptions { Of = UncertaintyKind.Output, Beta = 0.5, Rate = 0.1 } },
        "layers" => Plain with { LayerRates = new LayerRateOptions { Updates = 20 } },
        "gates" => Plain with { GateL1 = 3 },
        _ => Of("output") with { LayerRates = new LayerRateOptions { Updates = 20 }, GateL1 = 3 },
    };

    // A whole network: layers differ only where there are several.
    private static TrainingNetwork Network() =>
        new(ToyNetwork.Small, new TrainingNetworkOptions { Threads = 1, Dropout = 0, Lanes = 2 });

    private static TrainingRun Open(RunTestFolder folder, IGradientNetwork network, TrainingOptions options, TimeSpan every) =>
        new(folder.Run, options, network, new WaveExamples(1), new WaveExamples(2), new RunSettings { CheckpointEvery = every });

    private static (float[] Parameters, float[] Averaged) Whole(TrainingOptions options)
    {
        using var folder = new RunTestFolder();
        using IGradientNetwork network = Network();
        using TrainingRun run = Open(folder, network, options, TimeSpan.FromHours(1));
        Assert.Equal(RunOutcome.Completed, run.Run());
        return (network.Parameters.ToArray(), run.Averaged.ToArray());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void ARunKilledInItsMiddleEndsWithTheSameBits(string name)
    {
        TrainingOptions options = Of(name);
        (float[] parameters, float[] averaged) = Whole(options);
        Assert.NotEqual(Whole(Plain).Parameters, parameters);
        using var pieces = new RunTestFolder();
        foreach (int stop in (int[])[9, 31, 60])
        {
            using IGradientNetwork network = Network();
            // What run.json says is enough to go on with.
            TrainingOptions kept = pieces.Run.HasRun ? pieces.Run.ReadRecord().Options : options;
            using TrainingRun run = Open(pieces, network, kept, TimeSpan.Zero);
            if (stop < 60)
            {
                Assert.Throws<KilledException>(() => run.Run(new Killer(stop)));
                continue;
            }

            Assert.Equal(RunOutcome.Completed, run.Run());
            Assert.Equal(parameters, network.Parameters.ToArray());
            Assert.Equal(averaged, run.Averaged.ToArray());
        }
    }

    [Fact]
    public void ExportAndTakingUpKeepWhatIsLearned()
    {
        TrainingOptions options = Of("all");
        (float[] parameters, _) = Whole(options);
        using var folder = new RunTestFolder();
        using (IGradientNetwork network = Network())
        using (TrainingRun run = Open(folder, network, options, TimeSpan.Zero))
            Assert.Throws<KilledException>(() => run.Run(new Killer(33)));
        using var elsewhere = new RunTestFolder();
        Directory.CreateDirectory(elsewhere.Run.Path);
        string file = Path.Combine(elsewhere.Run.Path, "..", "state.safetensors");
        RunState.Export(folder.Run, file);
        RunState.Import(file, elsewhere.Run);
        using IGradientNetwork other = Network();
        using TrainingRun rest = Open(elsewhere, other, elsewhere.Run.ReadRecord().Options, TimeSpan.Zero);
        Assert.Equal(RunOutcome.Completed, rest.Run());
        Assert.Equal(parameters, other.Parameters.ToArray());
    }

    [Fact]
    public void WhatDoesNotFitIsNamed()
    {
        static string Setting(TrainingOptions options) => Assert.Throws<ConfigurationException>(() => options.Validate()).Setting;
        Assert.Equal("gate_l1", Setting(Plain with { GateL1 = -1 }));
        Assert.Equal("condition_corruption", Setting(Plain with { ConditionCorruption = 1.5 }));
        Assert.Equal("layer_rates", Setting(Plain with { LayerRates = new LayerRateOptions(), Muon = new MuonOptions() }));
        Assert.Equal("uncertainty_beta", Setting(Plain with { Uncertainty = new UncertaintyOptions { Beta = 2 } }));
        Assert.Equal("condition_corruption", Setting(Plain with
        {
            ConditionCorruption = 0.1,
            Network = Plain.Network with { Prediction = PredictionKind.Correction },
            Curriculum = Plain.Curriculum with { Kind = CurriculumKind.Mixed, Tasks = ["impute bp"] },
        }));
    }
}
