namespace UniCardio.Evaluation.Measures;

/// <summary>
/// What one method's result for one window is worth. Errors are in scaled units ([-1, 1] of the clean window; blood pressure 50 mmHg a
/// unit).
/// </summary>
internal sealed record WindowScore
{
    /// <summary>Mean squared error over the scope.</summary>
    public required double MeanSquare { get; init; }

    /// <summary>Mean absolute error over the scope.</summary>
    public required double MeanAbsolute { get; init; }

    /// <summary>Kolmogorov-Smirnov statistic of the sample values in the scope, 0 to 1.</summary>
    public required double KolmogorovSmirnov { get; init; }

    /// <summary>
    /// Pearson's correlation over the scope; 0 where the result is constant (it explains nothing), null where the truth is.
    /// </summary>
    public required double? Pearson { get; init; }

    /// <summary>Log-spectral distance over the window, dB (<see cref="Measures.SpectralDistance"/>).</summary>
    public required double? SpectralDistance { get; init; }

    /// <summary>R peaks within 50 ms, in the scope; null unless the output is an ECG.</summary>
    public PeakCounts? Peaks { get; init; }

    /// <summary>Heart rate over the window; null where the truth has fewer than two beats.</summary>
    public RateReading? Rate { get; init; }

    /// <summary>Pressure errors in the scope; null unless the output is a blood pressure.</summary>
    public PressureError? Pressure { get; init; }

    /// <summary>Coverage of the band of the draws; null for a method without one.</summary>
    public BandCoverage? Coverage { get; init; }

    /// <summary>Root of <see cref="MeanSquare"/>.</summary>
    public double RootMeanSquare => Math.Sqrt(MeanSquare);
}
