using UniCardio.Engine.Model;

namespace UniCardio.Evaluation.Reports;

/// <summary>
/// How the error of a restored signal falls as other signals are given, on the same windows of the recordings that have all three.
/// </summary>
internal sealed record ConditionGain
{
    /// <summary>Imputation or denoising.</summary>
    public required TaskKind Kind { get; init; }

    /// <summary>The restored signal.</summary>
    public required Modality Output { get; init; }

    /// <summary>What was done to it.</summary>
    public required string Corruption { get; init; }

    /// <summary>The method.</summary>
    public required string Method { get; init; }

    /// <summary>Windows.</summary>
    public required int Windows { get; init; }

    /// <summary>RMSE with the dirty signal alone, scaled units.</summary>
    public required double One { get; init; }

    /// <summary>RMSE with one other signal: root of the mean square over both choices.</summary>
    public required double? Two { get; init; }

    /// <summary>RMSE with both other signals.</summary>
    public required double? Three { get; init; }

    /// <summary>Two / One: below 1 the other signal helps.</summary>
    public double? TwoToOne => Two / One;

    /// <summary>Three / One.</summary>
    public double? ThreeToOne => Three / One;

    /// <summary>The gains of an evaluation, for the mean of the draws. Only recordings with all three signals take part.</summary>
    /// <param name="result">The evaluation.</param>
    public static IReadOnlyList<ConditionGain> Of(EvaluationResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        var gains = new List<ConditionGain>();
        foreach (IGrouping<(TaskKind Kind, Modality Output, Cases.Corruption Corruption), CaseResult> group in result.Cases
            .Where(c => c.Task.Kind != TaskKind.Translate).GroupBy(c => (c.Task.Kind, c.Task.Output, c.Corruption)))
        {
            double? Error(int conditions)
            {
                double[] squares = [.. group.Where(c => c.Task.Conditions.Count() == conditions).SelectMany(Squares)];
                return squares.Length == 0 ? null : Math.Sqrt(squares.Average());
            }

            if (Error(1) is { } one && (Error(2) ?? Error(3)) is not null)
            {
                CaseResult alone = group.Single(c => c.Task.Conditions.Count() == 1);
                gains.Add(new ConditionGain
                {
                    Kind = group.Key.Kind, Output = group.Key.Output, Corruption = group.Key.Corruption.ToString(),
                    Method = alone.Mean.Name, Windows = Squares(alone).Count(), One = one, Two = Error(2), Three = Error(3),
                });
            }
        }

        return gains;
    }

    private static IEnumerable<double> Squares(CaseResult one)
    {
        MethodScores method = one.Mean;
        return Enumerable.Range(0, one.Windows.Count).Where(w => one.Windows[w].Recording.Signals == ModalitySet.All)
            .Select(w => method.Scores[w].MeanSquare);
    }
}
