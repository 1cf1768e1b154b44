namespace UniCardio.Evaluation.Measures;

/// <summary>Grades of the British Hypertension Society, best first; none of them is reached below C.</summary>
internal enum PressureGrade
{
    /// <summary>60, 85 and 95% of readings within 5, 10 and 15 mmHg.</summary>
    A,

    /// <summary>50, 75 and 90%.</summary>
    B,

    /// <summary>40, 65 and 85%.</summary>
    C,

    /// <summary>Less than that.</summary>
    D,
}

/// <summary>
/// Errors of pressure readings set beside numeric limits. Both protocols ask for far more (85 subjects and cuffs): nothing is validated by
/// this.
/// </summary>
/// <remarks>
/// AAMI: ANSI/AAMI/ISO 81060-2 criterion 1, mean error within 5 mmHg and standard deviation (n - 1) up to 8 mmHg. BHS: O'Brien et al., "The
/// British Hypertension Society protocol for the evaluation of blood pressure measuring devices", J. Hypertens. 11(suppl. 2), 1993.
/// </remarks>
/// <param name="Readings">How many.</param>
/// <param name="MeanError">Mean of the errors, mmHg.</param>
/// <param name="Deviation">Their standard deviation, mmHg; null for a single reading.</param>
/// <param name="MeanAbsoluteError">Mean of their sizes, mmHg.</param>
/// <param name="Within5">Share within 5 mmHg, 0 to 1.</param>
/// <param name="Within10">Share within 10 mmHg.</param>
/// <param name="Within15">Share within 15 mmHg.</param>
internal sealed record PressureAgreement(int Readings, double MeanError, double? Deviation, double MeanAbsoluteError, double Within5,
    double Within10, double Within15)
{
    /// <summary>Whether the errors are within the AAMI numeric limits.</summary>
    public bool WithinAamiLimits => Math.Abs(MeanError) <= 5 && Deviation <= 8;

    /// <summary>The grade whose numeric limits the errors meet.</summary>
    public PressureGrade Grade =>
        Meets(0.60, 0.85, 0.95) ? PressureGrade.A : Meets(0.50, 0.75, 0.90) ? PressureGrade.B : Meets(0.40, 0.65, 0.85) ? PressureGrade.C
            : PressureGrade.D;

    /// <summary>Sums errors up; null if there are none.</summary>
    /// <param name="errors">Estimate minus truth, mmHg.</param>
    public static PressureAgreement? Of(IReadOnlyCollection<double> errors)
    {
        if (errors.Count == 0)
            return null;
        double mean = errors.Average(), n = errors.Count;
        double? deviation = errors.Count < 2 ? null : Math.Sqrt(errors.Sum(e => (e - mean) * (e - mean)) / (n - 1));
        double Within(double limit) => errors.Count(e => Math.Abs(e) <= limit) / n;
        return new PressureAgreement(errors.Count, mean, deviation, errors.Average(Math.Abs), Within(5), Within(10), Within(15));
    }

    private bool Meets(double within5, double within10, double within15) => Within5 >= within5 && Within10 >= within10
        && Within15 >= within15;
}
