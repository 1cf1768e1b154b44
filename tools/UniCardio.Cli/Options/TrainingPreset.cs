using UniCardio.Engine.Model;
using UniCardio.Training.Curricula;
using UniCardio.Training.Objectives;
using UniCardio.Training.Optimization;
using UniCardio.Training.Runs;

namespace UniCardio.Cli.Options;

/// <summary>Where the options of a run start from.</summary>
internal enum TrainingPreset
{
    /// <summary>The published phases, mixed within a batch; v-prediction, slot positions, aligned heads.</summary>
    Phased,

    /// <summary>The same with all tasks from the start.</summary>
    Mixed,

    /// <summary>Everything as published but the network's size and the number of updates.</summary>
    Published,
}

/// <summary>The options that presets stand for.</summary>
internal static class TrainingPresets
{
    public static TrainingOptions Options(TrainingPreset preset)
    {
        var ours = new TrainingOptions { Objective = new ObjectiveOptions { Draw = StepDraw.Stratified } };
        return preset switch
        {
            TrainingPreset.Mixed => ours with { Curriculum = ours.Curriculum with { Kind = CurriculumKind.Mixed } },
            TrainingPreset.Published => Published(ours),
            _ => ours,
        };
    }

    private static TrainingOptions Published(TrainingOptions options) => options with
    {
        Network = options.Network with { Positions = PositionKind.Global, Prediction = PredictionKind.Epsilon },
        Batch = 128,
        Initialization = InitializationKind.Published,
        Dropout = 0.1,
        Curriculum = new CurriculumOptions { Kind = CurriculumKind.Published },
        Objective = new ObjectiveOptions { Normalization = LossNormalization.Published },
        Adam = new AdamOptions { ClipNorm = double.PositiveInfinity },
        LearningRate = new LearningRateSchedule { Shape = LearningRateShape.Step },
        EmaDecay = 0,
    };
}
