using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;

namespace UniCardio.Streaming;

/// <summary>What decides whether windows can share a batch: the task, and draws and sampler.</summary>
/// <param name="Task">The task.</param>
/// <param name="Sampling">Draws and sampler; those of <see cref="Estimate"/> for denoising.</param>
internal readonly record struct TaskShape(CardioTask Task, StreamSampling Sampling)
{
    // An estimate draws nothing; one call stands for the one or two that it takes.
    private static readonly StreamSampling Estimate = new() { Draws = 1, Sampler = new() { Kind = SamplerKind.Ddim, Steps = 1 } };

    /// <summary>Whether windows are estimated from what is measured, each at its own noise level and so on its own.</summary>
    public bool Estimates => Task.Kind == TaskKind.Denoise;

    public static TaskShape Of(CardioTask task, StreamSampling sampling) => new(task, task.Kind == TaskKind.Denoise ? Estimate : sampling);

    public bool Equals(TaskShape other) => Task == other.Task && (ReferenceEquals(Sampling, other.Sampling) || Sampling.Equals(other.Sampling));

    public override int GetHashCode() => Task.GetHashCode();

    /// <summary>The shapes that a session with these channels and targets can ask for.</summary>
    public static IEnumerable<TaskShape> Reachable(ModalitySet channels, ModalitySet generated, ModalitySet denoised, StreamSampling sampling) => CardioTask.All
        .Where(t => (t.Kind == TaskKind.Denoise ? denoised : generated).Contains(t.Output) && (t.Conditions & ~channels) == 0)
        .Select(t => Of(t, sampling));
}
