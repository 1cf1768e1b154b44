namespace UniCardio.Training.Runs;

/// <summary>How far a run is; reported after every update.</summary>
public sealed record TrainingProgress
{
    /// <summary>Updates done.</summary>
    public required long Updates { get; init; }

    /// <summary>Updates of the whole run.</summary>
    public required long Steps { get; init; }

    /// <summary>Phase of the curriculum, 0 and up.</summary>
    public required int Phase { get; init; }

    /// <summary>Mean loss of the last row of the log; NaN before the first.</summary>
    public required double Loss { get; init; }

    /// <summary>Of the last update.</summary>
    public required double LearningRate { get; init; }

    /// <summary>Over the last row of the log; NaN before the first.</summary>
    public required double ExamplesPerSecond { get; init; }

    /// <summary>Share of the multiply-add peak over the last row, 0 to 1; NaN where the peak is unknown.</summary>
    public required double PeakShare { get; init; }

    /// <summary>Time left at the pace of this process's part so far; null before the first row.</summary>
    public required TimeSpan? Remaining { get; init; }

    /// <summary>What beside updates has just been done, e.g. a check's figures; null if nothing.</summary>
    public string? Event { get; init; }
}

/// <summary>Why <see cref="TrainingRun.Run"/> came back.</summary>
public enum RunOutcome
{
    /// <summary>All updates are done.</summary>
    Completed,

    /// <summary>The time was up; the state is saved.</summary>
    TimeUp,

    /// <summary>Cancelled; the state is saved.</summary>
    Cancelled,
}
