using System.Globalization;
using UniCardio.Engine;
using UniCardio.Signals;

namespace UniCardio.Restoration;

/// <summary>A cuff reading.</summary>
/// <param name="Systolic">Systolic pressure (mmHg).</param>
/// <param name="Diastolic">Diastolic pressure (mmHg), below <paramref name="Systolic"/>.</param>
/// <param name="TimeSeconds">When, in seconds from the start of the recording; below 0 before it.</param>
public readonly record struct CuffReading(double Systolic, double Diastolic, double TimeSeconds)
{
    /// <summary>Checks the values.</summary>
    /// <exception cref="ConfigurationException">A pressure is not between 20 and 300 mmHg, they are reversed, or the time is not
    /// finite.</exception>
    public CuffReading Validate()
    {
        if (!(Systolic is > 20 and <= 300 && Diastolic is >= 20 and < 300 && Diastolic < Systolic))
            throw new ConfigurationException(
                "calibrate",
                string.Create(CultureInfo.InvariantCulture,
                    $"{Systolic}/{Diastolic} mmHg is no pressure: expected 20 to 300, the systolic one above the diastolic one"));
        if (!double.IsFinite(TimeSeconds))
            throw new ConfigurationException("calibrate", "the time of a reading is finite");
        return this;
    }
}

/// <summary>What tells a translation what its target looks like in this patient: seconds in which it was measured together with the
/// conditions, or cuff readings.</summary>
/// <remarks>One of the three: another recording of the patient, a stretch of the recording itself, or readings.</remarks>
public sealed record Calibration
{
    /// <summary>Another recording of the same patient with the target and the conditions.</summary>
    public Recording? Recording { get; init; }

    /// <summary>Start of a stretch of the recording itself in which the target is measured, in seconds.</summary>
    public double? StartSeconds { get; init; }

    /// <summary>End of that stretch, in seconds.</summary>
    public double? EndSeconds { get; init; }

    /// <summary>Cuff readings, for a pressure alone.</summary>
    public IReadOnlyList<CuffReading> Cuffs { get; init; } = [];

    /// <summary>Checks that it is one of the three and in range.</summary>
    /// <exception cref="ConfigurationException">It is not.</exception>
    public Calibration Validate()
    {
        bool stretch = StartSeconds is not null || EndSeconds is not null;
        if ((Recording is null ? 0 : 1) + (stretch ? 1 : 0) + (Cuffs.Count > 0 ? 1 : 0) != 1)
            throw new ConfigurationException("calibrate", "expected one of a recording, a stretch START..END, or cuff readings");
        if (stretch && !(StartSeconds >= 0 && EndSeconds > StartSeconds && double.IsFinite(EndSeconds.Value)))
            throw new ConfigurationException(
                "calibrate", string.Create(CultureInfo.InvariantCulture, $"{StartSeconds} s to {EndSeconds} s is no stretch of time"));
        foreach (CuffReading cuff in Cuffs)
            cuff.Validate();
        return this;
    }
}

/// <summary>How a translation was calibrated.</summary>
/// <param name="By">"paired seconds of ..." or "N cuff readings".</param>
/// <param name="Beats">Beats, or readings, that it was learned from.</param>
/// <param name="EndSeconds">When it ended, in seconds of the recording; below 0 where it came before.</param>
/// <param name="AgeSeconds">How old it is at the end of the recording.</param>
/// <param name="Source">The signal whose beats placed most of it, or null.</param>
public sealed record CalibrationReport(string By, int Beats, double EndSeconds, double AgeSeconds, string? Source)
{
    /// <summary>Whether it may be older than <see cref="AgeSeconds"/> says: it comes from another recording, and the two do not both
    /// say when they began. Then it counts as ended where this one begins.</summary>
    public bool MayBeOlder { get; init; }

    /// <summary>When the paired seconds began, in seconds of the recording; null for cuff readings, and where nothing says when they
    /// were.</summary>
    public double? StartSeconds { get; init; }

    /// <summary>What the band of a translation by paired seconds is multiplied by at an age: its level walks, by the same mmHg whether the
    /// paired seconds were told well or badly.</summary>
    /// <remarks>What <c>evaluate --study calibration</c> says of the next person: three people's levels walked by different amounts, and
    /// how much faster a fourth one's may walk is added to what holds 90% of theirs. Said by two of them it holds 92, 91 and 99% of the
    /// third.</remarks>
    /// <param name="ageSeconds">Age, at least 0.</param>
    /// <param name="half">Half the width of the band in the paired seconds (mmHg), above 0.</param>
    public static double Widening(double ageSeconds, double half = 5) => Grown(PairedGrowth, ageSeconds, half);

    /// <summary>The same for a cuff reading that is carried on, whose band begins at 8 mmHg; said by two of the people it holds 78, 94 and
    /// 100% of the third, 90% in the mean.</summary>
    /// <param name="ageSeconds">Age, at least 0.</param>
    /// <param name="half">Half the width of its band (mmHg), above 0.</param>
    public static double CuffWidening(double ageSeconds, double half = 8) => Grown(CuffGrowth, ageSeconds, half);

    /// <summary>Variance that a minute adds to a pressure told by paired seconds, and to one carried on from a cuff (mmHg^2).</summary>
    internal const double PairedGrowth = 37, CuffGrowth = 52;

    /// <summary>Minutes after which it grows no further: a pressure is drawn back.</summary>
    internal const double GrowingMinutes = 10;

    // Half a band of 5 to 95% in standard deviations.
    private const double Inner = 1.645;

    private static double Grown(double growth, double ageSeconds, double half)
    {
        double walked = Inner * Inner * growth * Math.Clamp(ageSeconds / 60, 0, GrowingMinutes);
        return Math.Sqrt(1 + (walked / Math.Max(half * half, 0.01)));
    }
}
