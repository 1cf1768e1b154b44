using UniCardio.Engine.Model;
using UniCardio.Evaluation.Cases;

namespace UniCardio.Evaluation.Baselines;

/// <summary>The noisy signal as it is given.</summary>
public sealed class Untouched : IBaseline
{
    /// <inheritdoc/>
    public string Name => "as given";

    /// <inheritdoc/>
    public bool SeesBeyondWindow => false;

    /// <inheritdoc/>
    public bool Fits(CardioTask task) => task.Kind == TaskKind.Denoise;

    /// <inheritdoc/>
    public void Estimate(EvaluationWindow window, Span<float> result) => window.GivenWindow(window.Task.Output).CopyTo(result);
}
