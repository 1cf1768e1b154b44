using UniCardio.Engine.Model;
using UniCardio.Evaluation.Cases;

namespace UniCardio.Evaluation.Baselines;

/// <summary>
/// The average synthetic subject's beat, placed by the beats found in the window of a given signal at the population's delay: what a user
/// without any recording of the target can do. A flat line where no beat is found.
/// </summary>
/// <param name="population">Where beat and delays come from.</param>
public sealed class PopulationTemplate(SyntheticPopulation population) : IBaseline
{
    /// <inheritdoc/>
    public string Name => "population beat, by signal";

    /// <inheritdoc/>
    public bool SeesBeyondWindow => false;

    /// <inheritdoc/>
    public bool Fits(CardioTask task) => task.Kind == TaskKind.Translate;

    /// <inheritdoc/>
    public void Estimate(EvaluationWindow window, Span<float> result)
    {
        Modality target = window.Task.Output, source = BeatPlacement.Source(window.Task.Conditions)!.Value;
        result.Fill((float)population.LevelOf(target));
        IReadOnlyList<int> beats = Beats.Detect(source, window.GivenWindow(source));
        double[] placed = [.. beats.Select(b => b + population.DelayOf(source, target))];
        double interval = beats.Count < 2 ? population.TemplateOf(target).Interval : (double)(beats[^1] - beats[0]) / (beats.Count - 1);
        if (BeatPlacement.Over(placed, new(0, result.Length), interval) is { } all)
            population.TemplateOf(target).Render(all, result);
    }
}
