using UniCardio.Signals.Processing;

namespace UniCardio.Evaluation.Measures;

/// <summary>How the R peaks of an estimate agree with those of the truth, summed over any number of windows.</summary>
/// <param name="Found">True peaks with a peak of their own within the tolerance.</param>
/// <param name="Missed">True peaks without one.</param>
/// <param name="False">Peaks that belong to no true one.</param>
/// <param name="ErrorSeconds">Sum of the pairs' absolute distances in seconds.</param>
internal readonly record struct PeakCounts(int Found, int Missed, int False, double ErrorSeconds)
{
    /// <summary>2 found / (2 found + missed + false), 0 to 1; null where there was no peak at all.</summary>
    public double? F1 => Found + Missed + False == 0 ? null : 2.0 * Found / ((2.0 * Found) + Missed + False);

    /// <summary>Mean absolute distance of the pairs in milliseconds; null without a pair.</summary>
    public double? TimingMilliseconds => Found == 0 ? null : 1000 * ErrorSeconds / Found;

    /// <summary>Sum of two counts.</summary>
    public static PeakCounts operator +(PeakCounts a, PeakCounts b) =>
        new(a.Found + b.Found, a.Missed + b.Missed, a.False + b.False, a.ErrorSeconds + b.ErrorSeconds);

    /// <summary>Sum of two counts.</summary>
    public static PeakCounts Add(PeakCounts left, PeakCounts right) => left + right;

    /// <summary>
    /// Pairs peaks, each at most once, in order of time; what lies outside <paramref name="scope"/> may take part in a pair but is not
    /// counted.
    /// </summary>
    /// <param name="known">Samples of the true peaks, ascending.</param>
    /// <param name="detected">Samples of the estimate's peaks, ascending.</param>
    /// <param name="scope">The samples in which true peaks are asked for and others held against the estimate.</param>
    /// <param name="sampleRate">Samples a second.</param>
    /// <param name="toleranceSeconds">Largest distance of a pair.</param>
    public static PeakCounts Compare(IReadOnlyList<int> known, IReadOnlyList<int> detected, SampleRange scope, double sampleRate,
        double toleranceSeconds)
    {
        int found = 0, missed = 0, spurious = 0, i = 0, j = 0;
        double error = 0;
        while (i < known.Count || j < detected.Count)
        {
            double difference = i == known.Count ? double.NegativeInfinity : j == detected.Count ? double.PositiveInfinity
                : (detected[j] - known[i]) / sampleRate;
            if (difference < -toleranceSeconds)
            {
                spurious += scope.Contains(detected[j++]) ? 1 : 0;
            }
            else if (difference > toleranceSeconds)
            {
                missed += scope.Contains(known[i++]) ? 1 : 0;
            }
            else
            {
                if (scope.Contains(known[i++]))
                {
                    found++;
                    error += Math.Abs(difference);
                }
                j++;
            }
        }

        return new PeakCounts(found, missed, spurious, error);
    }
}
