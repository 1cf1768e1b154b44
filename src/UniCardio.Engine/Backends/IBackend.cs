using UniCardio.Engine.Model;
using UniCardio.Engine.Plan;
using UniCardio.Engine.Sampling;

namespace UniCardio.Engine.Backends;

/// <summary>A network made ready on one kind of device: weights folded and packed once, shared by all its executors.</summary>
/// <remarks>Safe to use from several threads. Dispose after its executors.</remarks>
public interface IBackend : IDisposable
{
    /// <summary>What computes, e.g. <c>cpu avx512 x 2 threads</c> or <c>reference</c>.</summary>
    string Name { get; }

    /// <summary>The network's sizes.</summary>
    ModelConfiguration Configuration { get; }

    /// <summary>Allocates everything that a plan needs.</summary>
    /// <exception cref="ConfigurationException">The plan is for another configuration.</exception>
    IExecutor CreateExecutor(InferencePlan plan);
}

/// <summary>
/// One plan's buffers on a backend. It does three things: takes the conditions of the windows, evaluates the network for all
/// draws at t, executes a sampler's row. Not for concurrent use; the session guards it.
/// </summary>
public interface IExecutor : IDisposable
{
    /// <summary>The plan that this was made for.</summary>
    InferencePlan Plan { get; }

    /// <summary>Bytes of working memory held by this executor, beyond the backend's packed weights.</summary>
    long ArenaBytes { get; }

    /// <summary>Takes the condition samples and forgets what was computed from earlier ones.</summary>
    /// <param name="conditions">[W, conditions, S] scaled samples, conditions in <see cref="InferencePlan.Conditions"/>' order.</param>
    void SetConditions(ReadOnlySpan<float> conditions);

    /// <summary>Sets the state x and clears the history of clean signals.</summary>
    /// <param name="state">[W N, S].</param>
    void SetState(ReadOnlySpan<float> state);

    /// <summary>Sets the state x to the noise source's draw 0 and clears the history of clean signals.</summary>
    /// <param name="noise">The run's noise.</param>
    void SetState(NoiseSource noise);

    /// <summary>Copies the state x.</summary>
    /// <param name="state">[W N, S].</param>
    void GetState(Span<float> state);

    /// <summary>Copies the clean signal predicted by the last row.</summary>
    /// <param name="clean">[W N, S].</param>
    void GetClean(Span<float> clean);

    /// <summary>Evaluates the network at the current state, which stays as it is.</summary>
    /// <param name="t">Diffusion step, 0 to T-1.</param>
    /// <param name="prediction">[W N, S] what the network predicts (eps, v or x0).</param>
    void Predict(int t, Span<float> prediction);

    /// <summary>Executes one row: evaluates the network, predicts the clean signal, updates the state.</summary>
    /// <remarks>The condition rows is computed once per (conditions, t): consecutive calls at one t share it.</remarks>
    /// <param name="step">The row.</param>
    /// <param name="noise">The run's noise; read only where the row's noise weight is not 0.</param>
    void Step(in SamplerStep step, NoiseSource noise);

    /// <summary>Executes all rows of a run as one, where the backend has a way that is faster than row by row; the same bits.</summary>
    /// <param name="rows">The sampler's rows, the first right after the state was set.</param>
    /// <param name="noise">The run's noise.</param>
    /// <returns>False where it has none, or not for this run: nothing was done, and the rows are to be executed one by one.</returns>
    bool TryRun(ReadOnlySpan<SamplerStep> rows, NoiseSource noise) => false;
}
