using UniCardio.Engine.Model;
using UniCardio.Evaluation.Cases;
using UniCardio.Pipeline;
using UniCardio.Signals.Patient;
using UniCardio.Signals.Processing;

namespace UniCardio.Evaluation.Baselines;

/// <summary>
/// The patient's own average beat of the target, measured up to 30 s before and after the window, placed by the beats of a given signal
/// at this patient's delay. It knows what no translation is given: the target itself, right beside the window. A flat line at the patient's
/// mean where too few beats are found.
/// </summary>
/// <param name="population">Gives the level where the patient's target is measured nowhere else.</param>
internal sealed class PatientTemplate(SyntheticPopulation population) : IBaseline
{
    /// <inheritdoc/>
    public string Name => "patient's beat, by signal";

    /// <inheritdoc/>
    public bool SeesBeyondWindow => true;

    /// <inheritdoc/>
    public bool Fits(CardioTask task) => task.Kind == TaskKind.Translate;

    /// <inheritdoc/>
    public void Estimate(EvaluationWindow window, Span<float> result)
    {
        Modality target = window.Task.Output;
        ReadOnlySpan<float> elsewhere = window.Given(target);
        var wave = new float[elsewhere.Length];
        Array.Fill(wave, Mean(elsewhere) ?? (float)population.LevelOf(target));
        // The product's own: both signals beside the window pair, the window is made.
        PatientSignals signals = PatientGapFill.Signals(window, window.Task.Conditions | target.ToSet());
        if (PairedTranslation.Make(signals, NetworkSignal.KindOf(target), window.Task.Conditions.Members().Select(NetworkSignal.KindOf),
            new SampleRange(0, wave.Length)) is { } paired)
        {
            for (int t = 0; t < wave.Length; t++)
                wave[t] = float.IsNaN(paired.Value[t]) ? wave[t] : paired.Value[t];
        }

        Span<float> made = wave.AsSpan(window.Window.Start, window.Window.Length);
        if (window.IsNormalized)
            WindowScale.FromExtremes(made, new SampleRange(0, made.Length)).Forward(made, made);
        made.CopyTo(result);
    }

    private static float? Mean(ReadOnlySpan<float> signal)
    {
        double sum = 0;
        int count = 0;
        foreach (float x in signal)
            (sum, count) = float.IsNaN(x) ? (sum, count) : (sum + x, count + 1);
        return count == 0 ? null : (float)(sum / count);
    }
}
