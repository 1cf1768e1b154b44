using UniCardio.Evaluation.Measures;

namespace UniCardio.Evaluation.Study;

/// <summary>A sampler with a number of draws, over all cases of a study.</summary>
internal sealed record SamplerLine
{
    /// <summary>The sampler.</summary>
    public required string Sampler { get; init; }

    /// <summary>Network calls a draw.</summary>
    public required int Steps { get; init; }

    /// <summary>Draws that the result is the mean of.</summary>
    public required int Draws { get; init; }

    /// <summary>Geometric mean over the cases of the RMSE over that of the reference with its most draws.</summary>
    public required double RelativeRmse { get; init; }

    /// <summary>Mean over the cases of the RMSE, scaled units.</summary>
    public required double Rmse { get; init; }

    /// <summary>Mean over the cases of the KS statistic.</summary>
    public required double KolmogorovSmirnov { get; init; }

    /// <summary>Mean over the cases of the log-spectral distance, dB.</summary>
    public required double? SpectralDistance { get; init; }

    /// <summary>Mean over the cases of the coverage of the 5-95% band; null for one draw.</summary>
    public required double? Coverage { get; init; }

    /// <summary>How near to the least RMSE a recommended sampler has to come.</summary>
    public const double Near = 1.02;

    /// <summary>Network calls a window.</summary>
    public int NetworkCalls => Steps * Draws;

    /// <summary>Mean over the cases of the CRPS, scaled units.</summary>
    public double Crps { get; init; }

    /// <summary>Mean over the cases of the time in the network of a window with all its draws, milliseconds on this machine.</summary>
    public double Milliseconds { get; init; }

    /// <summary>Geometric mean over the cases of the draws' spread over the error of their mean (<see cref="DrawSpread.SpreadOverError"/>);
    /// null for one draw.</summary>
    public double? SpreadOverError { get; init; }

    /// <summary>Mean over the cases of the ranks' distance from flat (<see cref="DrawSpread.PitDistance"/>); null for one draw.</summary>
    public double? PitDistance { get; init; }

    /// <summary>Mean over the cases with an ECG of the F1 of R peaks in the mean of the draws; null without one.</summary>
    public double? PeakF1 { get; init; }

    /// <summary>Name without steps, such as "ddim".</summary>
    public string Family => Sampler.Split(':', ',')[0];

    /// <summary>Sums up the points of a study.</summary>
    /// <param name="result">The study.</param>
    public static IReadOnlyList<SamplerLine> Of(SamplerStudyResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        string reference = SamplerStudyOptions.Reference.ToString();
        int max = result.Points.Where(p => p.Sampler == reference).Select(p => p.Draws).DefaultIfEmpty().Max();
        Dictionary<(string, string), double> yardstick = result.Points.Where(p => p.Sampler == reference && p.Draws == max)
            .ToDictionary(p => (p.Task, p.Corruption), p => p.Scores.Rmse);
        return [.. result.Points.GroupBy(p => (p.Sampler, p.Draws)).Select(g => new SamplerLine
        {
            Sampler = g.Key.Sampler, Steps = g.Max(p => p.Steps), Draws = g.Key.Draws,
            RelativeRmse = Math.Exp(g.Average(p => Math.Log(p.Scores.Rmse / yardstick[(p.Task, p.Corruption)]))),
            Rmse = g.Average(p => p.Scores.Rmse), KolmogorovSmirnov = g.Average(p => p.Scores.KolmogorovSmirnov),
            SpectralDistance = g.Average(p => p.Scores.SpectralDistance), Coverage = g.Average(p => p.Scores.Coverage),
            Crps = g.Average(p => p.Spread.MeanCrps), Milliseconds = g.Average(p => p.Milliseconds),
            SpreadOverError = g.Key.Draws < 2 ? null : Math.Exp(g.Average(p => Math.Log(Math.Max(p.Spread.SpreadOverError ?? 1, 1e-9)))),
            PitDistance = g.Average(p => p.Spread.PitDistance),
            PeakF1 = g.Average(p => p.Scores.PeakF1),
        })
            .OrderBy(l => l.Draws).ThenBy(l => l.Family, StringComparer.Ordinal).ThenBy(l => l.Steps)];
    }

    /// <summary>The line with the fewest calls whose relative RMSE is within 2% of the least there is at this number of draws.</summary>
    /// <param name="lines">The lines.</param>
    /// <param name="draws">The number of draws.</param>
    public static SamplerLine? Cheapest(IEnumerable<SamplerLine> lines, int draws)
    {
        SamplerLine[] alike = [.. lines.Where(l => l.Draws == draws)];
        return alike.Length == 0 ? null : alike.Where(l => l.RelativeRmse <= Near * alike.Min(a => a.RelativeRmse))
            .MinBy(l => (l.NetworkCalls, l.RelativeRmse));
    }
}
