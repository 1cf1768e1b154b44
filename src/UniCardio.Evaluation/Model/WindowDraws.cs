using UniCardio.Engine.Model;
using UniCardio.Engine.Sampling;
using UniCardio.Engine.Sessions;
using UniCardio.Evaluation.Cases;
using UniCardio.Restoration;

namespace UniCardio.Evaluation.Model;

/// <summary>Every draw of a network for windows of one task, scaled and run as restoration does it.</summary>
internal sealed class WindowDraws
{
    // Streams of a batch bound the time of a step and so of a cancellation.
    private const int MostStreams = 64, MostWindows = 16;

    private readonly InferenceEngine _engine;
    private readonly SamplerOptions _sampler;
    private readonly int _draws;
    private readonly ulong _seed;

    public WindowDraws(InferenceEngine engine, SamplerOptions sampler, int draws, ulong seed)
    {
        _engine = engine;
        _sampler = sampler;
        _draws = draws;
        _seed = seed;
    }

    /// <summary>Runs windows that share a task.</summary>
    /// <param name="windows">The windows.</param>
    /// <param name="progress">Told the number of windows done, in parts.</param>
    /// <param name="cancellationToken">Looked at before every step of the sampler.</param>
    /// <returns>For each window [N, S] draws in the network's units.</returns>
    public float[][] Run(IReadOnlyList<EvaluationWindow> windows, Action<double>? progress, CancellationToken cancellationToken)
    {
        var draws = new float[windows.Count][];
        int batch = Math.Clamp(MostStreams / _draws, 1, Math.Min(MostWindows, windows.Count)), whole = windows.Count / batch * batch;
        RunBatches(windows, 0, whole, batch, draws, progress, cancellationToken);
        if (whole < windows.Count)
            RunBatches(windows, whole, windows.Count, windows.Count - whole, draws, progress, cancellationToken);
        return draws;
    }

    private void RunBatches(IReadOnlyList<EvaluationWindow> windows, int from, int to, int batch, float[][] draws, Action<double>? progress, CancellationToken cancellationToken)
    {
        using InferenceSession session = _engine.CreateSession(windows[from].Task, new SessionOptions { Windows = batch, Draws = _draws, Sampler = _sampler, Seed = _seed });
        int samples = session.Plan.Configuration.SlotSamples, inputs = session.Plan.Conditions.Count;
        var conditions = new float[session.Plan.ConditionSamples];
        var results = new float[session.Plan.StateSamples];
        var identities = new uint[batch];
        for (int first = from; first < to; first += batch)
        {
            for (int i = 0; i < batch; i++)
            {
                EvaluationWindow window = windows[first + i];
                identities[i] = window.Identity;
                window.ScaleConditions(session.Plan.Conditions, conditions.AsSpan(i * inputs * samples, inputs * samples));
            }

            int done = first;
            StepObserver? observer = progress is null ? null : (in StepObservation step) => progress(done + (batch * (step.Step + 1.0) / step.Steps));
            session.Run(conditions, results, identities, observer, cancellationToken);
            for (int i = 0; i < batch; i++)
                draws[first + i] = results.AsSpan(i * _draws * samples, _draws * samples).ToArray();
        }
    }
}
