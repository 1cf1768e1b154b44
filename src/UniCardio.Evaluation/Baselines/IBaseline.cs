using UniCardio.Engine.Model;
using UniCardio.Evaluation.Cases;

namespace UniCardio.Evaluation.Baselines;

/// <summary>What a user would do without a network. Stateless once made; safe to share between threads.</summary>
public interface IBaseline
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
