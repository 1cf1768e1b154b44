using MathNet.Numerics;
using MathNet.Numerics.Distributions;

namespace UniCardio.Evaluation.Study.Calibration;

/// <summary>How fast a band must widen to hold 90% of what is true as its calibration ages: half its width, squared, grows by 1.645^2 g t,
/// t in minutes, g in mmHg^2.</summary>
/// <remarks>Fitted to what the band holds, over people, each the same: their levels walk by different amounts, and the tail of their
/// mixture is heavier than a normal one's, so that the mean squared error says too little. A few people do not show how much faster the
/// next one's level walks: <see cref="ForTheNext"/> adds what that is worth.</remarks>
internal static class BandGrowth
{
    /// <summary>What a band should hold.</summary>
    public const double Wanted = 0.9;

    private const double Least = 0.01, Most = 10_000, Inner = 1.645;

    // People walk by 1 to 8 mmHg a root minute (as LivingSubject draws them): the deviation of ln g, 6 ln 2 / sqrt(12); it counts as four
    // people's.
    private const double UsualSpread = 1.2, UsualPeople = 4;
    private const int Quantiles = 400;

    // A walk of less than 1 mmHg a root minute is not told from a level that stays: a logarithm would make much of it.
    private const double Slowest = 1;

    /// <summary>One piece of one person.</summary>
    /// <param name="Subject">Whose it is.</param>
    /// <param name="Minutes">Its age.</param>
    /// <param name="Needed">The variance (mmHg^2) that must be added for each sample to be held, ascending; below 0 where none.</param>
    public readonly record struct Piece(string Subject, double Minutes, float[] Needed);

    /// <summary>The variance that must be added for a sample to be held.</summary>
    /// <param name="error">Its error.</param>
    /// <param name="half">Half the fresh band's width.</param>
    public static float Needed(double error, double half) =>
        double.IsNaN(error) ? float.MaxValue : (float)(((error * error) - (half * half)) / (Inner * Inner));

    /// <summary>Share of a piece that a band holds with a variance added.</summary>
    /// <param name="piece">The piece.</param>
    /// <param name="added">mmHg^2.</param>
    public static double Held(Piece piece, double added)
    {
        int held = 0;
        while (held < piece.Needed.Length && piece.Needed[held] <= added)
            held++;
        return held / (double)Math.Max(1, piece.Needed.Length);
    }

    /// <summary>Share held, mean over people of the mean over their pieces.</summary>
    /// <param name="pieces">The pieces, at least one.</param>
    /// <param name="growth">mmHg^2 a minute.</param>
    /// <param name="most">Minutes after which it grows no further.</param>
    public static double Held(IEnumerable<Piece> pieces, double growth, double most) =>
        pieces.GroupBy(p => p.Subject).Average(g => g.Average(p => Held(p, growth * Math.Min(p.Minutes, most))));

    /// <summary>The growth with which the band holds <see cref="Wanted"/>; within 0.01 and 10,000 mmHg^2 a minute.</summary>
    /// <param name="pieces">The pieces, at least one.</param>
    /// <param name="most">Minutes after which it grows no further.</param>
    public static double Fit(IReadOnlyList<Piece> pieces, double most) =>
        Math.Exp(LogWhereWanted(log => Held(pieces, Math.Exp(log), most)));

    /// <summary>The growth with which the band of a person who is not among these should hold <see cref="Wanted"/>.</summary>
    /// <remarks>
    /// Each person's own growth g (<see cref="Fit"/>) is one draw of ln g, normal over people, its mean unknown and its deviation known as
    /// four people know it (1.2): the next person's ln g is Student's t about the mean, with n + 3 degrees of freedom and the scale
    /// s sqrt(1 + 1/n) (Gelman et al., Bayesian Data Analysis, 3.3). G holds 2 Phi(1.645 sqrt(G / g)) - 1 of a person who needs g; its mean
    /// over that t is what is wanted.
    /// </remarks>
    /// <param name="pieces">The pieces, at least one.</param>
    /// <param name="most">Minutes after which it grows no further.</param>
    public static double ForTheNext(IReadOnlyList<Piece> pieces, double most)
    {
        double[] logs = [.. pieces.GroupBy(p => p.Subject).Select(g => Math.Log(Math.Max(Slowest, Fit([.. g], most))))];
        double mean = logs.Average(), n = logs.Length, freedom = UsualPeople + n - 1;
        double variance = ((UsualPeople * UsualSpread * UsualSpread) + logs.Sum(x => (x - mean) * (x - mean))) / freedom;
        double[] next = [.. Enumerable.Range(0, Quantiles).Select(i =>
            StudentT.InvCDF(mean, Math.Sqrt(variance * (1 + (1 / n))), freedom, (i + 0.5) / Quantiles))];
        return Math.Exp(LogWhereWanted(log => next.Average(x => SpecialFunctions.Erf(Inner * Math.Exp((log - x) / 2) / Math.Sqrt(2)))));
    }

    /// <summary>What each person's band holds with the growth that the others say; empty with fewer than two people.</summary>
    /// <param name="pieces">The pieces.</param>
    /// <param name="most">Minutes after which it grows no further.</param>
    /// <param name="fit">What says the growth: <see cref="Fit"/> or <see cref="ForTheNext"/>.</param>
    public static IReadOnlyList<(string Subject, double Growth, double Held)> LeftOut(IReadOnlyList<Piece> pieces, double most,
        Func<IReadOnlyList<Piece>, double, double> fit)
    {
        string[] subjects = [.. pieces.Select(p => p.Subject).Distinct()];
        return subjects.Length < 2 ? [] : [.. subjects.Select(s =>
        {
            double g = fit([.. pieces.Where(p => p.Subject != s)], most);
            return (s, g, Held(pieces.Where(p => p.Subject == s), g, most));
        })];
    }

    // The logarithm of the growth from which on enough is held, by bisection.
    private static double LogWhereWanted(Func<double, double> heldAtLog)
    {
        double low = Math.Log(Least), high = Math.Log(Most);
        for (int i = 0; i < 30; i++)
        {
            double middle = (low + high) / 2;
            (low, high) = heldAtLog(middle) < Wanted ? (middle, high) : (low, middle);
        }

        return (low + high) / 2;
    }
}
