using UniCardio.Engine.Model;
using UniCardio.Engine.Sessions;
using UniCardio.Evaluation.Cases;
using UniCardio.Restoration;

namespace UniCardio.Evaluation.Model;

/// <summary>Denoising by estimate, window by window, as restoration does it (<see cref="DenoisingMethod.Estimate"/>).</summary>
internal static class WindowEstimates
{
    /// <summary>Network calls that a window takes at most.</summary>
    public const int NetworkCalls = 2;

    /// <summary>Estimates the clean signal of windows that share a denoising task.</summary>
    /// <param name="engine">The network.</param>
    /// <param name="windows">The windows.</param>
    /// <param name="cancellationToken">Looked at before every call.</param>
    /// <returns>For each window [S] in the result's unit.</returns>
    public static float[][] Run(InferenceEngine engine, IReadOnlyList<EvaluationWindow> windows, CancellationToken cancellationToken)
    {
        CardioTask task = windows[0].Task;
        using InferenceSession session = engine.CreateSession(task);
        int samples = session.Plan.Configuration.SlotSamples;
        var conditions = new float[session.Plan.ConditionSamples];
        var results = new float[windows.Count][];
        for (int w = 0; w < windows.Count; w++)
        {
            EvaluationWindow window = windows[w];
            window.ScaleConditions(session.Plan.Conditions, conditions);
            results[w] = new float[samples];
            WindowEstimate.Run(session, conditions, window.GivenWindow(task.Output), window.ResultScale, results[w], cancellation: cancellationToken);
        }

        return results;
    }
}
