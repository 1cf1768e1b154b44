using UniCardio.Engine.Model;
using UniCardio.Evaluation.Cases;

namespace UniCardio.Evaluation.Baselines;

/// <summary>A filter with the settings that suit signal and noise best.</summary>
/// <param name="family">The filter.</param>
/// <param name="tuning">Chooses the settings.</param>
public sealed class NoiseFilterBaseline(NoiseFilterFamily family, FilterTuning tuning) : IBaseline
{
    /// <inheritdoc/>
    public string Name => family.Name;

    /// <inheritdoc/>
    public bool SeesBeyondWindow => false;

    /// <inheritdoc/>
    public bool Fits(CardioTask task) => task.Kind == TaskKind.Denoise;

    /// <inheritdoc/>
    public void Estimate(EvaluationWindow window, Span<float> result) =>
        tuning.Choose(family, window.Task.Output, window.Corruption).Run(window.GivenWindow(window.Task.Output), result);
}
