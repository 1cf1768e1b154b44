using MathNet.Numerics.Interpolation;
using UniCardio.Engine.Model;
using UniCardio.Evaluation.Cases;
using UniCardio.Signals.Processing;

namespace UniCardio.Evaluation.Baselines;

/// <summary>A natural cubic spline through the measured samples up to a second before and after the gap. A gap at an end of the recording is filled level.</summary>
public sealed class CubicSplineInterpolation : IBaseline
{
    private const int Reach = (int)RecordingPreparation.NetworkRate;

    /// <inheritdoc/>
    public string Name => "cubic spline";

    /// <inheritdoc/>
    public bool Fits(CardioTask task) => task.Kind == TaskKind.Impute;

    /// <inheritdoc/>
    public void Estimate(EvaluationWindow window, Span<float> result)
    {
        float[] filled = window.Given(window.Task.Output).ToArray();
        SampleRange scope = window.Scope;
        var gap = new SampleRange(window.Window.Start + scope.Start, scope.Length);
        int from = Math.Max(0, gap.Start - Reach), to = Math.Min(filled.Length, gap.End + Reach);
        int[] knots = [.. Enumerable.Range(from, to - from).Where(i => !float.IsNaN(filled[i]))];
        if (knots.Length >= 2 && knots[0] < gap.Start && knots[^1] >= gap.End)
        {
            CubicSpline spline = CubicSpline.InterpolateNaturalSorted([.. knots.Select(k => (double)k)], [.. knots.Select(k => (double)filled[k])]);
            for (int i = gap.Start; i < gap.End; i++)
                filled[i] = (float)spline.Interpolate(i);
        }

        LinearInterpolation.Fill(filled);
        filled.AsSpan(window.Window.Start, window.Window.Length).CopyTo(result);
    }
}
