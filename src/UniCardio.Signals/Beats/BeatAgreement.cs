namespace UniCardio.Signals.Beats;

/// <summary>How detected beats agree with known ones.</summary>
/// <param name="TruePositives">Known beats with a detection of their own within the tolerance.</param>
/// <param name="FalseNegatives">Known beats without one.</param>
/// <param name="FalsePositives">Detections that belong to no known beat.</param>
/// <param name="MeanAbsoluteErrorSeconds">Mean distance of the pairs in seconds, 0 without pairs.</param>
internal readonly record struct BeatAgreement(int TruePositives, int FalseNegatives, int FalsePositives, double MeanAbsoluteErrorSeconds)
{
    /// <summary>The tolerance that ANSI/AAMI EC57 calls for, 150 ms.</summary>
    public const double UsualTolerance = 0.15;

    /// <summary>The strict tolerance of this project's measures, 50 ms.</summary>
    public const double StrictTolerance = 0.05;

    /// <summary>Share of known beats that were found, or null if there are none.</summary>
    public double? Sensitivity => TruePositives + FalseNegatives == 0 ? null : TruePositives / (double)(TruePositives + FalseNegatives);

    /// <summary>Share of detections that are beats (positive predictive value), or null if there are none.</summary>
    public double? Precision => TruePositives + FalsePositives == 0 ? null : TruePositives / (double)(TruePositives + FalsePositives);

    /// <summary>Harmonic mean of the two, 2 TP / (2 TP + FN + FP), or null if there is neither a known beat nor a detection.</summary>
    public double? F1 => TruePositives + FalseNegatives + FalsePositives == 0 ? null
        : 2.0 * TruePositives / ((2.0 * TruePositives) + FalseNegatives + FalsePositives);

    /// <summary>Pairs known and detected beats, each at most once, in order of time.</summary>
    /// <param name="known">Times of the known beats in seconds, ascending.</param>
    /// <param name="detected">Times of the detections in seconds, ascending.</param>
    /// <param name="toleranceSeconds">Largest distance of a pair, finite and not negative.</param>
    /// <exception cref="ArgumentException">Times are not ascending.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The tolerance is out of range.</exception>
    public static BeatAgreement Compare(ReadOnlySpan<double> known, ReadOnlySpan<double> detected, double toleranceSeconds)
    {
        if (!double.IsFinite(toleranceSeconds) || toleranceSeconds < 0)
            throw new ArgumentOutOfRangeException(nameof(toleranceSeconds), toleranceSeconds, "The tolerance is finite and not negative.");
        RequireAscending(known, nameof(known));
        RequireAscending(detected, nameof(detected));
        int pairs = 0;
        double distance = 0;
        for (int i = 0, j = 0; i < known.Length && j < detected.Length;)
        {
            double difference = detected[j] - known[i];
            if (difference < -toleranceSeconds)
            {
                j++;
            }
            else if (difference > toleranceSeconds)
            {
                i++;
            }
            // The earliest possible pair never costs a later one, so the number of pairs is the largest there can be.
            else
            {
                pairs++;
                distance += Math.Abs(difference);
                i++;
                j++;
            }
        }
        return new BeatAgreement(pairs, known.Length - pairs, detected.Length - pairs, pairs > 0 ? distance / pairs : 0);
    }

    private static void RequireAscending(ReadOnlySpan<double> times, string parameter)
    {
        for (int i = 1; i < times.Length; i++)
        {
            if (!(times[i] >= times[i - 1]))
                throw new ArgumentException($"Time {i} ({times[i]} s) follows {times[i - 1]} s; expected ascending times.", parameter);
        }
    }
}
