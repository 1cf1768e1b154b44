namespace UniCardio.Evaluation.Study.Calibration;

/// <summary>How fast a band must widen to hold 90% of what is true as its calibration ages: half-widths are multiplied by
/// sqrt(1 + g t), t in minutes.</summary>
/// <remarks>A squared error that grows by g a minute is not enough of a width: people's levels move by different amounts, and the tail of
/// their mixture is heavier than a normal one's. g is therefore fitted to what the band holds, over people, each the same.</remarks>
internal static class BandGrowth
{
    /// <summary>What a band should hold.</summary>
    public const double Wanted = 0.9;

    private const double Least = 0.01, Most = 1000;

    /// <summary>One piece of one person: its age and by how many half-widths of the fresh band its samples are off.</summary>
    /// <param name="Subject">Whose it is.</param>
    /// <param name="Minutes">Its age.</param>
    /// <param name="Off">Their distances, ascending.</param>
    public readonly record struct Piece(string Subject, double Minutes, float[] Off);

    /// <summary>Share of a piece that a widened band holds.</summary>
    /// <param name="piece">The piece.</param>
    /// <param name="wide">What half-widths are multiplied by.</param>
    public static double Held(Piece piece, double wide)
    {
        int at = Array.BinarySearch(piece.Off, (float)wide);
        return (at >= 0 ? at + 1 : ~at) / (double)Math.Max(1, piece.Off.Length);
    }

    /// <summary>Share held, mean over people of the mean over their pieces.</summary>
    /// <param name="pieces">The pieces, at least one.</param>
    /// <param name="widening">What half-widths are multiplied by at an age in seconds.</param>
    public static double Held(IEnumerable<Piece> pieces, Func<double, double> widening) =>
        pieces.GroupBy(p => p.Subject).Average(g => g.Average(p => Held(p, widening(60 * p.Minutes))));

    /// <summary>The growth with which the band holds <see cref="Wanted"/>; within 0.01 and 1000 a minute.</summary>
    /// <param name="pieces">The pieces, at least one.</param>
    /// <param name="most">Minutes after which it grows no further.</param>
    public static double Fit(IReadOnlyList<Piece> pieces, double most)
    {
        double low = Math.Log(Least), high = Math.Log(Most);
        for (int i = 0; i < 40; i++)
        {
            double middle = (low + high) / 2, g = Math.Exp(middle);
            if (Held(pieces, age => Grown(g, age, most)) < Wanted)
                low = middle;
            else
                high = middle;
        }

        return Math.Exp((low + high) / 2);
    }

    /// <summary>What each person's band holds with the growth fitted to the others; empty with fewer than two people.</summary>
    /// <param name="pieces">The pieces.</param>
    /// <param name="most">Minutes after which it grows no further.</param>
    public static IReadOnlyList<(string Subject, double Growth, double Held)> LeftOut(IReadOnlyList<Piece> pieces, double most)
    {
        string[] subjects = [.. pieces.Select(p => p.Subject).Distinct()];
        return subjects.Length < 2 ? [] : [.. subjects.Select(s =>
        {
            double g = Fit([.. pieces.Where(p => p.Subject != s)], most);
            return (s, g, Held(pieces.Where(p => p.Subject == s), age => Grown(g, age, most)));
        })];
    }

    private static double Grown(double growth, double ageSeconds, double most) =>
        Math.Sqrt(1 + (growth * Math.Clamp(ageSeconds / 60, 0, most)));
}
