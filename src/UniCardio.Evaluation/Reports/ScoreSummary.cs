using UniCardio.Engine.Model;
using UniCardio.Evaluation.Measures;

namespace UniCardio.Evaluation.Reports;

/// <summary>Scores of many windows as one.</summary>
internal sealed record ScoreSummary
{
    /// <summary>Windows.</summary>
    public required int Windows { get; init; }

    /// <summary>Root of the mean squared error of all windows, scaled units.</summary>
    public required double Rmse { get; init; }

    /// <summary>Mean absolute error, scaled units.</summary>
    public required double Mae { get; init; }

    /// <summary><see cref="Rmse"/> of a blood pressure in mmHg.</summary>
    public double? RmseMmHg { get; init; }

    /// <summary><see cref="Mae"/> of a blood pressure in mmHg.</summary>
    public double? MaeMmHg { get; init; }

    /// <summary>Mean Kolmogorov-Smirnov statistic.</summary>
    public required double KolmogorovSmirnov { get; init; }

    /// <summary>Mean correlation.</summary>
    public double? Pearson { get; init; }

    /// <summary>Mean log-spectral distance, dB.</summary>
    public double? SpectralDistance { get; init; }

    /// <summary>F1 of all R peaks within 50 ms.</summary>
    public double? PeakF1 { get; init; }

    /// <summary>Mean timing error of the R peaks found, ms.</summary>
    public double? PeakTimingMilliseconds { get; init; }

    /// <summary>Mean absolute error of the heart rate, beats a minute; a failure counts with the whole true rate.</summary>
    public double? HeartRateMae { get; init; }

    /// <summary>Windows whose truth has a heart rate.</summary>
    public required int HeartRateWindows { get; init; }

    /// <summary>Those of them in which the method left fewer than two beats.</summary>
    public required int HeartRateFailures { get; init; }

    /// <summary>Systolic pressure errors.</summary>
    public PressureAgreement? Systolic { get; init; }

    /// <summary>Diastolic pressure errors.</summary>
    public PressureAgreement? Diastolic { get; init; }

    /// <summary>Windows without a pulse in the method's result, read by its extremes.</summary>
    public required int PressureFailures { get; init; }

    /// <summary>Share of true samples in the 5-95% band of the draws.</summary>
    public double? Coverage { get; init; }

    /// <summary>Sums up scores of one output.</summary>
    /// <param name="output">The output.</param>
    /// <param name="scores">The scores, at least one.</param>
    public static ScoreSummary Of(Modality output, IReadOnlyList<WindowScore> scores)
    {
        ArgumentNullException.ThrowIfNull(scores);
        double rmse = Math.Sqrt(scores.Average(s => s.MeanSquare)), mae = scores.Average(s => s.MeanAbsolute);
        PeakCounts peaks = scores.Select(s => s.Peaks).OfType<PeakCounts>().Aggregate(default(PeakCounts), PeakCounts.Add);
        RateReading[] rates = [.. scores.Select(s => s.Rate).OfType<RateReading>()];
        PressureError[] pressures = [.. scores.Select(s => s.Pressure).OfType<PressureError>()];
        BandCoverage coverage = scores.Select(s => s.Coverage).OfType<BandCoverage>().Aggregate(default(BandCoverage), BandCoverage.Add);
        const double MmHg = 50;
        return new ScoreSummary
        {
            Windows = scores.Count,
            Rmse = rmse,
            Mae = mae,
            RmseMmHg = output == Modality.Bp ? MmHg * rmse : null,
            MaeMmHg = output == Modality.Bp ? MmHg * mae : null,
            KolmogorovSmirnov = scores.Average(s => s.KolmogorovSmirnov),
            Pearson = scores.Average(s => s.Pearson),
            SpectralDistance = scores.Average(s => s.SpectralDistance),
            PeakF1 = peaks.F1,
            PeakTimingMilliseconds = peaks.TimingMilliseconds,
            HeartRateMae = rates.Length == 0 ? null : rates.Average(r => r.AbsoluteError),
            HeartRateWindows = rates.Length,
            HeartRateFailures = rates.Count(r => r.Failed),
            Systolic = PressureAgreement.Of([.. pressures.Select(p => p.Systolic).OfType<double>()]),
            Diastolic = PressureAgreement.Of([.. pressures.Select(p => p.Diastolic).OfType<double>()]),
            PressureFailures = pressures.Count(p => p.Failed),
            Coverage = coverage.Share,
        };
    }
}
