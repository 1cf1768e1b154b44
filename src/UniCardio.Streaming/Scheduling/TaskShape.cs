using UniCardio.Engine.Model;

namespace UniCardio.Streaming;

/// <summary>What decides whether windows can share a batch: the network's view of the task, and draws and sampler.</summary>
/// <param name="Task">The task; denoising stands as imputation, which it is to the network.</param>
/// <param name="Sampling">Draws and sampler.</param>
internal readonly record struct TaskShape(CardioTask Task, StreamSampling Sampling)
{
    public static TaskShape Of(CardioTask task, StreamSampling sampling) => new(CardioTask.FromSlots(task.Conditions, task.Target, task.Output), sampling);

    public bool Equals(TaskShape other) => Task == other.Task && (ReferenceEquals(Sampling, other.Sampling) || Sampling.Equals(other.Sampling));

    public override int GetHashCode() => Task.GetHashCode();

    /// <summary>The shapes that a session with these channels and targets can ask for.</summary>
    public static IEnumerable<TaskShape> Reachable(ModalitySet channels, ModalitySet targets, StreamSampling sampling) => CardioTask.All
        .Where(t => targets.Contains(t.Output) && (t.Conditions & ~channels) == 0)
        .Select(t => Of(t, sampling))
        .Distinct();
}
