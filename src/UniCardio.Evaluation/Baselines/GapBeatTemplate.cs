using UniCardio.Engine.Model;
using UniCardio.Evaluation.Cases;
using UniCardio.Pipeline.Patient;
using UniCardio.Signals.Processing;

namespace UniCardio.Evaluation.Baselines;

/// <summary>
/// The patient's own beat in a gap. With 30 s on either side it is the product's (<see cref="Signals.Patient.OwnBeat"/>); inside a window,
/// which holds too few beats for that, the average of those there are, stretched to the expected intervals, tilted to join the measured
/// samples on both sides. Beats are placed by the signal's own rhythm, or by the beats of another signal with the delay between the two
/// measured outside the gap. Straight lines where too few beats are found.
/// </summary>
/// <param name="byOther">Whether beats are placed by another signal: the ECG if it is given, else the pressure, else the PPG.</param>
/// <param name="beyond">Whether the recording beside the window is looked at.</param>
internal sealed class GapBeatTemplate(bool byOther, bool beyond) : IBaseline
{
    /// <inheritdoc/>
    public string Name => $"own beat ({(beyond ? "30 s" : "window")}), by {(byOther ? "signal" : "rhythm")}";

    /// <inheritdoc/>
    public bool SeesBeyondWindow => beyond;

    /// <inheritdoc/>
    public bool Fits(CardioTask task) => task.Kind == TaskKind.Impute && (!byOther || task.Conditions.Count() > 1);

    /// <inheritdoc/>
    public void Estimate(EvaluationWindow window, Span<float> result)
    {
        Modality target = window.Task.Output;
        if (beyond)
        {
            PatientGapFill.Fill(window, EstimatorChoice.Beat, byOther ? window.Task.Conditions & ~target.ToSet()
                : ModalitySet.None, result);
            return;
        }

        SampleRange seen = window.Window;
        float[] Cut(Modality m) => window.Given(m).Slice(seen.Start, seen.Length).ToArray();
        float[] filled = Cut(target);
        Modality? source = byOther ? BeatPlacement.Source(window.Task.Conditions & ~target.ToSet()) : null;
        Fill(target, filled, window.Scope, source, source is { } s ? Cut(s) : []);
        filled.CopyTo(result);
    }

    /// <summary>Fills a gap with the average of the beats around it.</summary>
    /// <param name="target">The signal.</param>
    /// <param name="filled">[n] its samples, NaN in the gap; filled.</param>
    /// <param name="gap">The gap.</param>
    /// <param name="source">The signal that places the beats; null for the signal's own rhythm.</param>
    /// <param name="placing">[n] that signal.</param>
    public static void Fill(Modality target, float[] filled, SampleRange gap, Modality? source, ReadOnlySpan<float> placing)
    {
        IReadOnlyList<int> beats = Beats.Detect(target, filled);
        if (BeatTemplate.Average(filled, beats, gap.Start + (0.5 * gap.Length), 1) is { } template
            && Place(target, source, placing, beats, gap, template) is { } placed)
        {
            Draw(template, placed, gap, filled);
        }

        LinearInterpolation.Fill(filled);
    }

    private static double[]? Place(Modality target, Modality? source, ReadOnlySpan<float> placing, IReadOnlyList<int> beats,
        SampleRange gap, BeatTemplate template)
    {
        if (source is not { } by)
            return BeatPlacement.Across(beats, gap, template.Interval);
        IReadOnlyList<int> others = Beats.Detect(by, placing);
        return BeatPlacement.Delay(by, others, target, beats) is { } delay
            ? BeatPlacement.Across(beats, gap, template.Interval, others.Select(b => b + delay))
            : BeatPlacement.Across(beats, gap, template.Interval);
    }

    private static void Draw(BeatTemplate template, double[] beats, SampleRange gap, Span<float> signal)
    {
        var wave = new float[signal.Length];
        Array.Fill(wave, float.NaN);
        template.Render(beats, wave);
        bool before = gap.Start > 0 && !float.IsNaN(wave[gap.Start - 1]), after = gap.End < signal.Length && !float.IsNaN(wave[gap.End]);
        double left = before ? (double)signal[gap.Start - 1] - wave[gap.Start - 1] : 0, right = after
            ? (double)signal[gap.End] - wave[gap.End] : left;
        if (!before)
            left = right;
        for (int i = gap.Start; i < gap.End; i++)
            signal[i] = (float)(wave[i] + left + ((right - left) * (i - gap.Start + 1) / (gap.Length + 1)));
    }
}
