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

/// <summary>Where the options of fine-tuning start from.</summary>
internal enum FinetunePreset
{
    /// <summary>The loss that the weights were trained with, all tasks, a tenth of the learning rate.</summary>
    Plain,

    /// <summary>As published: blood pressure from PPG or ECG, with spectral and peak-weighted losses.</summary>
    OfficialFinetune,

    /// <summary>The weights become ones that correct proposals in gaps (<see cref="PredictionKind.Correction"/>): imputation tasks
    /// only.</summary>
    Correction,
}

/// <summary>The options that presets stand for.</summary>
internal static class TrainingPresets
{
    private static TrainingOptions Ours { get; } =
        new() { Objective = new ObjectiveOptions { Draw = StepDraw.Stratified, ClampsTargets = true } };

    public static TrainingOptions Options(TrainingPreset preset)
    {
        TrainingOptions ours = Ours;
        return preset switch
        {
            TrainingPreset.Mixed => ours with { Curriculum = ours.Curriculum with { Kind = CurriculumKind.Mixed } },
            TrainingPreset.Published => Published(ours),
            _ => ours,
        };
    }

    /// <summary>Options of fine-tuning a network.</summary>
    public static TrainingOptions Options(FinetunePreset preset, ModelConfiguration network)
    {
        TrainingOptions plain = Ours with
        {
            Network = network,
            Initialization = InitializationKind.Published,
            Steps = 10_000,
            Curriculum = new CurriculumOptions { Kind = CurriculumKind.Mixed },
            LearningRate = new LearningRateSchedule { Peak = 1e-4, WarmupSteps = 200 },
        };
        if (preset == FinetunePreset.Correction)
        {
            return plain with
            {
                Network = network with { Prediction = PredictionKind.Correction },
                Curriculum = new CurriculumOptions { Kind = CurriculumKind.Mixed,
                    Tasks = [.. CardioTask.All.Where(t => t.Kind == TaskKind.Impute).Select(t => t.ToString())] },
                LearningRate = new LearningRateSchedule { Peak = 2e-4, WarmupSteps = 50 },
                // Adam turns an L2 decay alone into whole steps: where a gradient is small, as at the start of a correction, features wear
                // away.
                Adam = new AdamOptions { WeightDecay = 0 },
                EmaDecay = 0.99,
                Validation = new ValidationOptions { Every = 200, Windows = 16 },
            };
        }

        return preset == FinetunePreset.Plain ? plain : plain with
        {
            Batch = 128,
            Dropout = 0.1,
            Curriculum = new CurriculumOptions { Kind = CurriculumKind.Mixed, Tasks = ["ppg->bp", "ecg->bp"] },
            Objective = new ObjectiveOptions { Normalization = LossNormalization.Published, WeighsPeaks = true, SpectralAmplitude = 1,
                PeakL1 = 1 },
            Adam = new AdamOptions { ClipNorm = double.PositiveInfinity },
            LearningRate = new LearningRateSchedule { Peak = 1e-4, Shape = LearningRateShape.Step, Milestones = [0.75] },
            EmaDecay = 0,
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
