using UniCardio.Engine.Model;
using UniCardio.Evaluation.Cases;
using UniCardio.Pipeline.Patient;

namespace UniCardio.Evaluation.Baselines;

/// <summary>What a user would do without a network. Stateless once made; safe to share between threads.</summary>
internal interface IBaseline
{
    /// <summary>Name in tables.</summary>
    string Name { get; }

    /// <summary>Whether it looks at the recording beside the window, which the network does not see.</summary>
    bool SeesBeyondWindow { get; }

    /// <summary>Whether the baseline has an answer to a task.</summary>
    /// <param name="task">The task.</param>
    bool Fits(CardioTask task);

    /// <summary>Restores or makes a window.</summary>
    /// <param name="window">The window.</param>
    /// <param name="result">[S] in the window's result unit, every sample finite.</param>
    void Estimate(EvaluationWindow window, Span<float> result);
}

/// <summary>The baselines of an evaluation.</summary>
internal sealed class BaselineSet
{
    /// <summary>Makes them ready.</summary>
    /// <param name="windowSamples">Samples of a window, S.</param>
    /// <param name="cancellation">Looked at between synthetic subjects.</param>
    public BaselineSet(int windowSamples, CancellationToken cancellation = default)
    {
        Population = new SyntheticPopulation(cancellation: cancellation);
        Tuning = new FilterTuning(Population, windowSamples);
        All =
        [
            new LinearInterpolation(), new CubicSplineInterpolation(),
            new GapBeatTemplate(byOther: false, beyond: false), new GapBeatTemplate(byOther: true, beyond: false),
            new GapBeatTemplate(byOther: false, beyond: true), new GapBeatTemplate(byOther: true, beyond: true),
            new PatientGapFill(EstimatorChoice.Fir), new PatientGapFill(EstimatorChoice.Auto),
            new Untouched(), .. NoiseFilterFamily.All.Select(f => new NoiseFilterBaseline(f, Tuning)),
            new FlatLevel(Population), new PopulationTemplate(Population), new PatientTemplate(Population),
        ];
    }

    /// <summary>Every baseline.</summary>
    public IReadOnlyList<IBaseline> All { get; }

    /// <summary>The synthetic subjects that they know.</summary>
    public SyntheticPopulation Population { get; }

    /// <summary>The settings of the filters.</summary>
    public FilterTuning Tuning { get; }

    /// <summary>The baselines that have an answer to a task.</summary>
    /// <param name="task">The task.</param>
    public IEnumerable<IBaseline> For(CardioTask task) => All.Where(b => b.Fits(task));
}
