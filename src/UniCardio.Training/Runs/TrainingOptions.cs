using UniCardio.Engine;
using UniCardio.Engine.Model;
using UniCardio.Training.Curricula;
using UniCardio.Training.Objectives;
using UniCardio.Training.Optimization;

namespace UniCardio.Training.Runs;

/// <summary>Everything that the result of a run depends on beside its data: equal options and data give equal bits.</summary>
public sealed record TrainingOptions
{
    /// <summary>The network.</summary>
    public ModelConfiguration Network { get; init; } = ModelConfiguration.Compact
        with { Positions = PositionKind.Slot, Prediction = PredictionKind.V };

    /// <summary>Seed of initial weights, tasks, steps, noise and dropout.</summary>
    public ulong Seed { get; init; }

    /// <summary>Seed of the examples, where they are synthetic.</summary>
    public ulong DataSeed { get; init; } = 1;

    /// <summary>Folder of recordings among whose subjects some are learned from and some kept apart; null for synthetic examples
    /// only.</summary>
    public string? RecordingFolder { get; init; }

    /// <summary>File of a teacher's samples to learn in one or two calls (<see cref="Distillation.TeacherPairs"/>); null for none. With
    /// <see cref="ObjectiveOptions.Distils"/>.</summary>
    public string? PairFile { get; init; }

    /// <summary>Calls that a student of a <see cref="PairFile"/>, or a network of scored draws, is to need, 1 or 2.</summary>
    public int StudentCalls { get; init; } = 1;

    /// <summary>Share of windows that are of recordings, 0 to 1, where there is a <see cref="RecordingFolder"/>.</summary>
    public double RecordingShare { get; init; }

    /// <summary>Updates of the run; at least 1.</summary>
    public long Steps { get; init; } = 100_000;

    /// <summary>Windows of a batch; at least 1.</summary>
    public int Batch { get; init; } = 32;

    /// <summary>How weights start.</summary>
    public InitializationKind Initialization { get; init; } = InitializationKind.Aligned;

    /// <summary>Dropout, 0 to below 1. Published: 0.1.</summary>
    public double Dropout { get; init; }

    /// <summary>Which tasks are learned when.</summary>
    public CurriculumOptions Curriculum { get; init; } = new();

    /// <summary>The loss.</summary>
    public ObjectiveOptions Objective { get; init; } = new();

    /// <summary>The optimiser.</summary>
    public AdamOptions Adam { get; init; } = new();

    /// <summary>Where it is not null, the linear maps inside blocks and decoders are <see cref="Optimization.Muon"/>'s and only the rest is
    /// Adam's.</summary>
    public MuonOptions? Muon { get; init; }

    /// <summary>Log-variances that weigh the losses and are learned with the weights; null where all losses count as they are.</summary>
    public UncertaintyOptions? Uncertainty { get; init; }

    /// <summary>Learning rates by layer from gradient sensitivity; null where all layers have one rate. Not with
    /// <see cref="Muon"/>.</summary>
    public LayerRateOptions? LayerRates { get; init; }

    /// <summary>Weight of the L1 norm of the gates' weights, 0 for none.</summary>
    public double GateL1 { get; init; }

    /// <summary>Chance that one further condition of a window is spoiled, 0 to 1.</summary>
    public double ConditionCorruption { get; init; }

    /// <summary>The learning rate.</summary>
    public LearningRateSchedule LearningRate { get; init; } = new() { WarmupSteps = 500 };

    /// <summary>Decay of the averaged weights, 0 to below 1.</summary>
    public double EmaDecay { get; init; } = 0.999;

    /// <summary>Updates between two rows of the log; at least 1.</summary>
    public int LogEvery { get; init; } = 10;

    /// <summary>Held-out checks.</summary>
    public ValidationOptions Validation { get; init; } = new();

    /// <summary>Checks every number.</summary>
    /// <returns>These options.</returns>
    /// <exception cref="ConfigurationException">One is out of range; it is named.</exception>
    public TrainingOptions Validate()
    {
        Network.Validate();
        if (Steps is < 1 or > uint.MaxValue)
            throw new ConfigurationException("steps", $"{Steps} is not between 1 and {uint.MaxValue}");
        if (Batch is < 1 or > 65536)
            throw new ConfigurationException("batch", $"{Batch} is not between 1 and 65536");
        if (!(RecordingShare >= 0 && RecordingShare <= 1))
            throw new ConfigurationException("recording_share", $"{RecordingShare} is not between 0 and 1");
        if (!(Dropout >= 0 && Dropout < 1))
            throw new ConfigurationException("dropout", $"{Dropout} is not from 0 to below 1");
        if (!(EmaDecay >= 0 && EmaDecay < 1))
            throw new ConfigurationException("ema_decay", $"{EmaDecay} is not from 0 to below 1");
        if (LogEvery < 1)
            throw new ConfigurationException("log_every", $"{LogEvery} is below 1");
        if (Initialization == InitializationKind.Aligned && Network.Positions != PositionKind.Slot)
            throw new ConfigurationException("initialization", "aligned heads need positions = slot");
        Curriculum.Validate();
        if (Network.Prediction == PredictionKind.Correction
            && (Curriculum.Tasks.Count == 0 || Curriculum.Tasks.Any(t => CardioTask.Parse(t).Kind != TaskKind.Impute)))
            throw new ConfigurationException("tasks", "a network that corrects proposals learns imputation tasks only; name them");
        if (Network.Prediction == PredictionKind.Correction && RecordingFolder is not null)
            throw new ConfigurationException("data", "proposals are made from synthetic subjects only; leave the folder of recordings out");
        Objective.Validate();
        if (Objective.Distils != (PairFile is not null))
            throw new ConfigurationException("distil", "a teacher's samples and the loss that learns them go together");
        if (StudentCalls is < 1 or > 2)
            throw new ConfigurationException("distil_calls", $"{StudentCalls} is neither 1 nor 2");
        if (Objective.Distils && Network.Prediction is (PredictionKind.Epsilon or PredictionKind.Correction))
            throw new ConfigurationException(
                "prediction",
                $"a network that predicts {Network.Prediction.ToString().ToLowerInvariant()} cannot be distilled to one call; v or "
                + $"sample can");
        if (Batch % Objective.Draws != 0)
            throw new ConfigurationException("score_draws", $"a batch of {Batch} windows is not whole groups of {Objective.Draws} draws");
        if (Objective.ScoredDraws > 0 && (Uncertainty is not null
            || Network.Prediction is (PredictionKind.Epsilon or PredictionKind.Correction)))
            throw new ConfigurationException("score_draws",
                "are for networks that predict v or sample, without log-variances: only these give a clean signal from noise alone");
        Adam.Validate();
        Muon?.Validate();
        ValidateFurther();
        LearningRate.Validate();
        Validation.Validate();
        return this;
    }

    private void ValidateFurther()
    {
        Uncertainty?.Validate();
        LayerRates?.Validate();
        if (LayerRates is not null && Muon is not null)
            throw new ConfigurationException("layer_rates", "are for Adam: Muon's updates have one size whatever the gradient's");
        if (!(GateL1 >= 0 && double.IsFinite(GateL1)))
            throw new ConfigurationException("gate_l1", $"{GateL1} is not a finite number from 0 on");
        if (!(ConditionCorruption >= 0 && ConditionCorruption <= 1))
            throw new ConfigurationException("condition_corruption", $"{ConditionCorruption} is not between 0 and 1");
        if (ConditionCorruption > 0 && (Objective.Distils || Network.Prediction == PredictionKind.Correction))
            throw new ConfigurationException("condition_corruption",
                "a teacher's samples and proposals belong to the conditions that they were made from; leave it out");
    }
}

/// <summary>Held-out checks of a run.</summary>
public sealed record ValidationOptions
{
    /// <summary>Updates between two checks; at least 1. The first are after an eighth, a quarter and a half of it.</summary>
    public int Every { get; init; } = 2000;

    /// <summary>Windows a task; at least 1.</summary>
    public int Windows { get; init; } = 12;

    /// <summary>Whether the weights themselves are checked beside their average.</summary>
    public bool ChecksRaw { get; init; } = true;

    /// <summary>Whether a check is due.</summary>
    /// <param name="updates">Updates done.</param>
    public bool IsDue(long updates) =>
        updates % Every == 0 || (updates < Every && (updates * 2 == Every || updates * 4 == Every || updates * 8 == Every));

    /// <summary>Checks the numbers.</summary>
    /// <returns>These options.</returns>
    /// <exception cref="ConfigurationException">One is out of range; it is named.</exception>
    public ValidationOptions Validate()
    {
        if (Every < 1)
            throw new ConfigurationException("validate_every", $"{Every} is below 1");
        if (Windows is < 1 or > 4096)
            throw new ConfigurationException("validation_windows", $"{Windows} is not between 1 and 4096");
        return this;
    }
}

/// <summary>How a run is carried out; nothing here but <see cref="AmendsRun"/> changes its result.</summary>
public sealed record RunSettings
{
    /// <summary>Time between two checkpoints.</summary>
    public TimeSpan CheckpointEvery { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>When to stop with a checkpoint, counted from the start of this process's part; null for the last step.</summary>
    public TimeSpan? StopAfter { get; init; }

    /// <summary>Whether other options or data than the folder's own change the run from its last checkpoint on, instead of being refused.
    /// The change is kept in run.json. The network's sizes cannot change.</summary>
    public bool AmendsRun { get; init; }

    /// <summary>Asked between updates whether to pause, beside the file <see cref="RunFolder.PauseFile"/>; null for never. A paused run has
    /// saved its state and computes nothing.</summary>
    public Func<bool>? IsPaused { get; init; }

    /// <summary>Multiply-add peak in GFLOP/s of the threads that compute, measured when it is called; null where unknown.</summary>
    public Func<double>? MeasurePeak { get; init; }
}
