using System.Globalization;
using UniCardio.Evaluation.Cases;
using UniCardio.Evaluation.Measures;
using UniCardio.Signals.Plotting;

namespace UniCardio.Evaluation.Reports;

/// <summary>What the measures and baselines are, for whoever reads a report alone.</summary>
internal static class MeasureText
{
    public const string Remark = SignalPlot.Disclaimer + " Pressure figures are set beside numeric limits; nothing is validated by them.";

    public static IReadOnlyList<string> Lines { get; } =
    [
        "Windows are cut from stretches in which every signal of the recording is measured, neither flat nor clipped, and beats are "
        + "found; spread evenly over them. All tasks share them.",
        "RMSE (root of the mean square over all windows), MAE and KS (two-sample Kolmogorov-Smirnov statistic of the values) are over "
        + "the gap in imputation and over the window otherwise, in scaled units: the clean PPG or ECG window's minimum and maximum are "
        + "-1 and 1, a unit of blood pressure is 50 mmHg; case by case and below pictures a pressure's errors are in mmHg. "
        + "r is Pearson's, a constant result counts 0.",
        string.Create(CultureInfo.InvariantCulture,
            $"Spectrum: log-spectral distance over the window, {SpectralDistance.LowEdge} to {SpectralDistance.HighEdge} Hz, in dB, with "
            + $"a floor 40 dB below the truth's mean power."),
        string.Create(CultureInfo.InvariantCulture,
            $"R peaks: F1 of the peaks within 50 ms, in the scored stretch but not in the first and last "
            + $"{1000 * WindowScorer.EdgeSeconds:0} ms of the window, and the mean distance of the pairs. Both from the same detector."),
        "Heart rate: mean absolute error over the whole window. A result with fewer than two beats is a failure and counts as a reading "
        + "of 0, that is with the whole true rate; failures are counted beside.",
        "SBP and DBP: mean of the pulses' peaks and feet in the scored stretch, estimate minus truth, mean and standard deviation. A "
        + "result without a pulse there is read by its extremes and counted as a failure. AAMI: within the numeric limits of 5 and 8 "
        + "mmHg; BHS: the grade whose numeric limits are met. The protocols themselves ask for 85 subjects.",
        "Coverage: true samples in the 5-95% band of the draws, beside what as many draws of the true distribution would cover. One-draw "
        + "rows stand beside the mean and the median of the draws, since averaging flatters the RMSE.",
        "Margin: by how much the RMSE is below that of the best baseline, and of the best one that sees the window alone as the network "
        + "does, in percent of it, with a 95% interval (bootstrap over windows). The best baseline is chosen on these very windows, "
        + "which favours it. Windows of one person resemble each other: intervals say little of other people.",
        string.Create(CultureInfo.InvariantCulture,
            $"Beat templates are placed by the signal's own rhythm or by the beats of another given signal (ECG before BP before PPG). "
            + $"'own beat (30 s)' and 'patient's beat' know the recording up to {EvaluationWindow.ContextSeconds:0} s before and after "
            + $"the window, the latter the very signal that a translation has to do without; the network and all other baselines see the "
            + $"window alone. Filter settings and the population's beat come from synthetic subjects."),
    ];
}
