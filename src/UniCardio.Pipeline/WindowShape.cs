using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;

namespace UniCardio.Pipeline;

/// <summary>What decides whether windows can share a batch: the task, the draws of a window and the sampler.</summary>
/// <param name="Task">The task.</param>
/// <param name="Draws">Draws N a window.</param>
/// <param name="Sampler">The sampler; says nothing to an estimate.</param>
/// <param name="IsEstimate">Whether windows are estimated from what is measured, which draws nothing: each at its own noise level and so
/// on its own.</param>
/// <param name="RemovesSlowNoise">Whether an estimate takes off wander and motion too (<see cref="SlowNoise"/>).</param>
internal readonly record struct WindowShape(CardioTask Task, int Draws, SamplerOptions Sampler, bool IsEstimate = false,
    bool RemovesSlowNoise = false)
{
    // Draws of a batch bound the time of one step and so of a cancellation; bytes bound the cached keys and values of conditions.
    private const int MaxBatchDraws = 32, MaxWindows = 16;
    private const long MaxConditionBytes = 128L << 20;

    /// <summary>Network calls that an estimate takes at most: two, and one more that tells slow noise.</summary>
    public int MaxEstimateCalls => RemovesSlowNoise ? 3 : 2;

    // No sampler has a part in an estimate; one call stands for the one or two that it takes.
    private static readonly SamplerOptions s_none = new() { Kind = SamplerKind.Ddim, Steps = 1 };

    /// <summary>Denoising by estimate.</summary>
    /// <param name="task">A denoising task.</param>
    /// <param name="removesSlowNoise">Whether wander and motion are taken off too.</param>
    public static WindowShape Estimate(CardioTask task, bool removesSlowNoise = false) =>
        new(task, 1, s_none, IsEstimate: true, removesSlowNoise);

    /// <summary>Network calls of a draw: the sampler's steps.</summary>
    /// <param name="model">The network.</param>
    /// <exception cref="Engine.ConfigurationException">The sampler does not fit the network or the task.</exception>
    public int Steps(ModelConfiguration model) => SamplerTable.Create(Sampler, model, Task).NetworkCalls;

    /// <summary>Checks that the sampler fits the network and the task.</summary>
    /// <param name="model">The network.</param>
    /// <returns>This shape.</returns>
    /// <exception cref="Engine.ConfigurationException">It does not; what is wrong is named.</exception>
    public WindowShape Validate(ModelConfiguration model)
    {
        _ = Steps(model);
        return this;
    }

    /// <summary>Windows of a batch that keep memory bounded and cancellation prompt.</summary>
    /// <param name="model">The network.</param>
    public int BatchWindows(ModelConfiguration model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (IsEstimate)
            return 1;
        long keysAndValues = 2L * sizeof(float) * model.Blocks * model.Channels * Task.Conditions.Count() * model.SlotTokens;
        return (int)Math.Clamp(Math.Min(MaxBatchDraws / Draws, MaxConditionBytes / keysAndValues), 1, MaxWindows);
    }
}
