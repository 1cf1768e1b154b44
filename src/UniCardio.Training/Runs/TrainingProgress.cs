namespace UniCardio.Training.Runs;

/// <summary>How far a run is; reported after every update.</summary>
/// <param name="Updates">Updates done.</param>
/// <param name="Steps">Updates of the whole run.</param>
/// <param name="Phase">Phase of the curriculum, 0 and up.</param>
/// <param name="Loss">Mean loss of the last row of the log; NaN before the first.</param>
/// <param name="LearningRate">Of the last update.</param>
/// <param name="ExamplesPerSecond">Over the last row of the log; NaN before the first.</param>
/// <param name="PeakShare">Share of the multiply-add peak over the last row, 0 to 1; NaN where the peak is unknown.</param>
/// <param name="Remaining">Time left at the pace of this process's part so far; null before the first row.</param>
/// <param name="Event">What beside updates has just been done, e.g. a check's figures; null if nothing.</param>
public sealed record TrainingProgress(
    long Updates,
    long Steps,
    int Phase,
    double Loss,
    double LearningRate,
    double ExamplesPerSecond,
    double PeakShare,
    TimeSpan? Remaining,
    string? Event = null);

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
