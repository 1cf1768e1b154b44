using UniCardio.Engine.Model;
using UniCardio.Evaluation.Cases;
using UniCardio.Pipeline;
using UniCardio.Pipeline.Patient;
using UniCardio.Signals.Patient;
using UniCardio.Signals.Processing;

namespace UniCardio.Evaluation.Baselines;

/// <summary>The product's own estimators without a network, given the window and 30 s on either side: a filter from the other signals, or
/// all of them blended.</summary>
/// <param name="choice">Which.</param>
internal sealed class PatientGapFill(EstimatorChoice choice) : IBaseline
{
    /// <inheritdoc/>
    public string Name => choice == EstimatorChoice.Fir ? "filter from other signals (30 s)" : "own estimators blended (30 s)";

    /// <inheritdoc/>
    public bool SeesBeyondWindow => true;

    /// <inheritdoc/>
    public bool Fits(CardioTask task) => task.Kind == TaskKind.Impute && (choice != EstimatorChoice.Fir || task.Conditions.Count() > 1);

    /// <inheritdoc/>
    public void Estimate(EvaluationWindow window, Span<float> result) =>
        Fill(window, choice, window.Task.Conditions & ~window.Task.Output.ToSet(), result);

    /// <summary>Fills the gap of a window by what the product has.</summary>
    /// <param name="window">The window.</param>
    /// <param name="choice">What fills.</param>
    /// <param name="sources">Other signals that may be used.</param>
    /// <param name="result">[S] the window, filled.</param>
    public static void Fill(EvaluationWindow window, EstimatorChoice choice, ModalitySet sources, Span<float> result)
    {
        Modality target = window.Task.Output;
        var gap = new SampleRange(window.Window.Start + window.Scope.Start, window.Scope.Length);
        var filler = new GapFiller(Signals(window, sources | target.ToSet()), target, sources, choice, null);
        GapFill fill = filler.Fill([gap], _ => null)[0];
        window.GivenWindow(target).CopyTo(result);
        for (int t = 0; t < gap.Length; t++)
            result[window.Scope.Start + t] = (float)fill.Value[t];
        LinearInterpolation.Fill(result);
    }

    /// <summary>The signals about a window as they are given.</summary>
    public static PatientSignals Signals(EvaluationWindow window, ModalitySet which)
    {
        float[]? Of(Modality modality) => which.Contains(modality) && window.Given(modality).Length > 0
            ? window.Given(modality).ToArray() : null;
        return new PatientSignals(NetworkSignal.Rate, Of(Modality.Ppg), Of(Modality.Bp), Of(Modality.Ecg));
    }
}
