using UniCardio.Engine.Model;

namespace UniCardio.Training.Data;

/// <summary>Where training windows come from. Window number i of a task is the same whenever and on whatever thread it is asked
/// for.</summary>
public interface IExampleSource
{
    /// <summary>What the source is, for logs and the run's state: two sources with one identity give the same windows.</summary>
    string Identity { get; }

    /// <summary>Samples S of a window.</summary>
    int SlotSamples { get; }

    /// <summary>Fills a place of a batch with window <paramref name="index"/> for a task. Safe to call from several threads for different
    /// places.</summary>
    /// <param name="index">Number of the window, 0 and up.</param>
    /// <param name="task">The task.</param>
    /// <param name="batch">Receives task, conditions, clean target and loss weights.</param>
    /// <param name="place">Where in the batch.</param>
    void Fill(long index, CardioTask task, TrainingBatch batch, int place);
}
