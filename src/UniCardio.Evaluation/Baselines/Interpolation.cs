using MathNet.Numerics.Interpolation;
using UniCardio.Engine.Model;
using UniCardio.Evaluation.Cases;
using UniCardio.Pipeline;
using UniCardio.Signals.Processing;

namespace UniCardio.Evaluation.Baselines;

/// <summary>
/// A straight line from the last measured sample before the gap to the first one after it; level where the window ends with the gap.
/// </summary>
internal sealed class LinearInterpolation : IBaseline
{
    /// <inheritdoc/>
    public string Name => "linear";

    /// <inheritdoc/>
    public bool SeesBeyondWindow => false;

    /// <inheritdoc/>
    public bool Fits(CardioTask task) => task.Kind == TaskKind.Impute;

    /// <inheritdoc/>
    public void Estimate(EvaluationWindow window, Span<float> result)
    {
        window.GivenWindow(window.Task.Output).CopyTo(result);
        Fill(result);
    }

    /// <summary>Fills every gap of a signal that has a measured sample.</summary>
    internal static void Fill(Span<float> signal)
    {
        foreach (SampleRange gap in GapFinder.Find(signal))
        {
            bool before = gap.Start > 0, after = gap.End < signal.Length;
            float from = before ? signal[gap.Start - 1] : after ? signal[gap.End] : 0, to = after ? signal[gap.End] : from;
            if (!before)
                from = to;
            for (int i = 0; i < gap.Length; i++)
                signal[gap.Start + i] = from + ((to - from) * (i + 1) / (gap.Length + 1));
        }
    }
}

/// <summary>
/// A natural cubic spline through the measured samples of the window up to a second before and after the gap; level where the window ends
/// with the gap.
/// </summary>
internal sealed class CubicSplineInterpolation : IBaseline
{
    private const int Reach = (int)NetworkSignal.Rate;

    /// <inheritdoc/>
    public string Name => "cubic spline";

    /// <inheritdoc/>
    public bool SeesBeyondWindow => false;

    /// <inheritdoc/>
    public bool Fits(CardioTask task) => task.Kind == TaskKind.Impute;

    /// <inheritdoc/>
    public void Estimate(EvaluationWindow window, Span<float> result)
    {
        window.GivenWindow(window.Task.Output).CopyTo(result);
        SampleRange gap = window.Scope;
        int from = Math.Max(0, gap.Start - Reach), to = Math.Min(result.Length, gap.End + Reach);
        double[] knots = [.. Enumerable.Range(from, to - from).Where(i => !gap.Contains(i))];
        if (knots.Length >= 2 && knots[0] < gap.Start && knots[^1] >= gap.End)
        {
            var values = new double[knots.Length];
            for (int k = 0; k < knots.Length; k++)
                values[k] = result[(int)knots[k]];
            CubicSpline spline = CubicSpline.InterpolateNaturalSorted(knots, values);
            for (int i = gap.Start; i < gap.End; i++)
                result[i] = (float)spline.Interpolate(i);
        }

        LinearInterpolation.Fill(result);
    }
}
