using UniCardio.Engine.Sessions;
using UniCardio.Evaluation.Cases;
using UniCardio.Pipeline;

namespace UniCardio.Evaluation.Model;

/// <summary>
/// Windows through the network as restoration runs them, with what it took. Sessions are kept from case to case while memory allows.
/// </summary>
internal sealed class NetworkRuns : IDisposable
{
    private const long MaxSessionBytes = 512L << 20;

    private readonly SessionPool _pool;
    private readonly WindowSeries _series;

    public NetworkRuns(InferenceEngine engine)
    {
        _pool = new SessionPool(engine, MaxSessionBytes);
        _series = new WindowSeries(_pool);
    }

    /// <summary>Time in the network.</summary>
    public TimeSpan ComputeTime => _series.ComputeTime;

    /// <summary>Runs windows that share a task.</summary>
    /// <param name="windows">The windows.</param>
    /// <param name="shape">Their task, draws and sampler, or an estimate.</param>
    /// <param name="seed">Key of the noise.</param>
    /// <param name="progress">Told the number of windows done, in parts.</param>
    /// <param name="cancellation">Looked at before every network call.</param>
    /// <returns>For each window [N, S] draws, or the estimate, in the network's units.</returns>
    public float[][] Run(IReadOnlyList<EvaluationWindow> windows, WindowShape shape, ulong seed, Action<double>? progress,
        CancellationToken cancellation) => Run([.. windows.Select(w => w.Observation)], shape, seed, progress, cancellation);

    /// <summary>Runs what is observed of windows that share a task.</summary>
    /// <param name="windows">What is observed of each.</param>
    /// <param name="shape">Their task, draws and sampler, or an estimate.</param>
    /// <param name="seed">Key of the noise.</param>
    /// <param name="progress">Told the number of windows done, in parts.</param>
    /// <param name="cancellation">Looked at before every network call.</param>
    /// <returns>For each window [N, S] draws, or the estimate, in the network's units.</returns>
    public float[][] Run(IReadOnlyList<WindowObservation> windows, WindowShape shape, ulong seed, Action<double>? progress,
        CancellationToken cancellation)
    {
        var draws = new float[windows.Count][];
        _series.Run(
            shape,
            windows.Count,
            i => windows[i] with { Seed = seed },
            (i, made) => draws[i] = made.Scaled.ToArray(),
            progress is null ? null : (_, work) => progress(work),
            cancellation);
        return draws;
    }

    public void Dispose() => _pool.Dispose();
}
