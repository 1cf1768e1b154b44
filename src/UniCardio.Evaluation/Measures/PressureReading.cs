using UniCardio.Signals.Beats;
using UniCardio.Signals.Processing;

namespace UniCardio.Evaluation.Measures;

/// <summary>Mean systolic and diastolic pressure of the pulses in a stretch, in mmHg.</summary>
/// <param name="Systolic">Mean of the pulses' peaks; null if none lies in the stretch.</param>
/// <param name="Diastolic">Mean of the pulses' feet; null if none lies in the stretch.</param>
internal readonly record struct PressureReading(double? Systolic, double? Diastolic)
{
    /// <summary>Reads a stretch.</summary>
    /// <param name="pulses">Pulses of a wave in mmHg.</param>
    /// <param name="scope">The stretch.</param>
    public static PressureReading Of(IReadOnlyList<Beat> pulses, SampleRange scope)
    {
        double systolic = 0, diastolic = 0;
        int peaks = 0, feet = 0;
        foreach (Beat pulse in pulses)
        {
            if (scope.Contains((int)pulse.Sample))
                (systolic, peaks) = (systolic + pulse.Value, peaks + 1);
            if (scope.Contains((int)pulse.Onset))
                (diastolic, feet) = (diastolic + pulse.OnsetValue, feet + 1);
        }

        return new PressureReading(peaks > 0 ? systolic / peaks : null, feet > 0 ? diastolic / feet : null);
    }
}

/// <summary>Errors of an estimate's pressures in one stretch, estimate minus truth in mmHg; null where the truth has none to compare
/// with.</summary>
/// <param name="Systolic">Of the systolic pressure.</param>
/// <param name="Diastolic">Of the diastolic pressure.</param>
/// <param name="Failed">Whether the estimate had no pulse there, so that its largest or smallest value was read instead.</param>
internal readonly record struct PressureError(double? Systolic, double? Diastolic, bool Failed)
{
    /// <summary>Compares readings. An estimate without a pulse is read by its extremes in the stretch, and counts as a failure
    /// too.</summary>
    /// <param name="truth">The true reading.</param>
    /// <param name="estimate">The estimate's reading.</param>
    /// <param name="highest">Largest value of the estimate in the stretch, mmHg.</param>
    /// <param name="lowest">Smallest value of the estimate in the stretch, mmHg.</param>
    public static PressureError Of(PressureReading truth, PressureReading estimate, double highest, double lowest) => new(
        (estimate.Systolic ?? highest) - truth.Systolic,
        (estimate.Diastolic ?? lowest) - truth.Diastolic,
        (truth.Systolic is not null && estimate.Systolic is null) || (truth.Diastolic is not null && estimate.Diastolic is null));
}
