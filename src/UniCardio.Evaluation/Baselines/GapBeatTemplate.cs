using UniCardio.Engine.Model;
using UniCardio.Evaluation.Cases;
using UniCardio.Signals.Processing;

namespace UniCardio.Evaluation.Baselines;

/// <summary>
/// The patient's own average beat in a gap: made of up to 30 measured beats within 30 s, stretched to the expected intervals, tilted to join the
/// measured samples on both sides. Beats are placed by the signal's own rhythm, or by the beats of another signal with the delay between
/// the two measured outside the gap. Straight lines where too few beats are found.
/// </summary>
public sealed class GapBeatTemplate : IBaseline
{
    private readonly bool _byOther;

    private GapBeatTemplate(bool byOther) => _byOther = byOther;

    /// <summary>Beats carried on at the usual interval.</summary>
    public static GapBeatTemplate ByRhythm { get; } = new(false);

    /// <summary>Beats placed by another signal's: the ECG if it is given, else the pressure, else the PPG.</summary>
    public static GapBeatTemplate ByOtherSignal { get; } = new(true);

    /// <inheritdoc/>
    public string Name => _byOther ? "own beat, placed by other signal" : "own beat, by rhythm";

    /// <inheritdoc/>
    public bool Fits(CardioTask task) => task.Kind == TaskKind.Impute && (!_byOther || task.Conditions.Count() > 1);

    /// <inheritdoc/>
    public void Estimate(EvaluationWindow window, Span<float> result)
    {
        Modality target = window.Task.Output;
        float[] filled = window.Given(target).ToArray();
        var gap = new SampleRange(window.Window.Start + window.Scope.Start, window.Scope.Length);
        IReadOnlyList<int> beats = Beats.Detect(target, filled);
        if (BeatTemplate.Average(filled, beats, gap.Start + (0.5 * gap.Length)) is { } template && Place(window, beats, gap, template) is { } placed)
            Draw(template, placed, gap, filled);
        LinearInterpolation.Fill(filled);
        filled.AsSpan(window.Window.Start, window.Window.Length).CopyTo(result);
    }

    private double[]? Place(EvaluationWindow window, IReadOnlyList<int> beats, SampleRange gap, BeatTemplate template)
    {
        Modality target = window.Task.Output;
        if (!_byOther || BeatPlacement.Source(window.Task.Conditions & ~target.ToSet()) is not { } source)
            return BeatPlacement.Across(beats, gap, template.Interval);
        IReadOnlyList<int> others = Beats.Detect(source, window.Given(source));
        return BeatPlacement.Delay(source, others, target, beats) is { } delay
            ? BeatPlacement.Across(beats, gap, template.Interval, others.Select(b => b + delay))
            : BeatPlacement.Across(beats, gap, template.Interval);
    }

    private static void Draw(BeatTemplate template, double[] beats, SampleRange gap, Span<float> signal)
    {
        var wave = new float[signal.Length];
        Array.Fill(wave, float.NaN);
        template.Render(beats, wave);
        bool before = gap.Start > 0 && !float.IsNaN(wave[gap.Start - 1]), after = gap.End < signal.Length && !float.IsNaN(wave[gap.End]);
        double left = before ? (double)signal[gap.Start - 1] - wave[gap.Start - 1] : 0, right = after ? (double)signal[gap.End] - wave[gap.End] : left;
        if (!before)
            left = right;
        for (int i = gap.Start; i < gap.End; i++)
            signal[i] = (float)(wave[i] + left + ((right - left) * (i - gap.Start + 1) / (gap.Length + 1)));
    }
}
