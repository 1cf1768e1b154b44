using UniCardio.Engine.Model;
using UniCardio.Evaluation.Cases;

namespace UniCardio.Evaluation.Baselines;

/// <summary>A flat line at the population's mean level: what errs least without looking at anything. A translation that is no better has told nothing.</summary>
/// <param name="population">Where the level comes from.</param>
public sealed class FlatLevel(SyntheticPopulation population) : IBaseline
{
    /// <inheritdoc/>
    public string Name => "flat line";

    /// <inheritdoc/>
    public bool SeesBeyondWindow => false;

    /// <inheritdoc/>
    public bool Fits(CardioTask task) => task.Kind == TaskKind.Translate;

    /// <inheritdoc/>
    public void Estimate(EvaluationWindow window, Span<float> result) => result.Fill((float)population.LevelOf(window.Task.Output));
}
