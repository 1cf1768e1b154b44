using UniCardio.Engine.Model;

namespace UniCardio.Evaluation.Reports;

/// <summary>
/// How the error of a restored signal falls as other signals are given, on the same windows of the recordings that have all three.
/// </summary>
/// <param name="Kind">Imputation or denoising.</param>
/// <param name="Output">The restored signal.</param>
/// <param name="Corruption">What was done to it.</param>
/// <param name="Method">The method.</param>
/// <param name="Windows">Windows.</param>
/// <param name="One">RMSE with the dirty signal alone, scaled units.</param>
/// <param name="Two">RMSE with one other signal: root of the mean square over both choices.</param>
/// <param name="Three">RMSE with both other signals.</param>
internal sealed record ConditionGain(TaskKind Kind, Modality Output, string Corruption, string Method, int Windows, double One, double? Two,
    double? Three)
{
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
                gains.Add(new ConditionGain(group.Key.Kind, group.Key.Output, group.Key.Corruption.ToString(), alone.Mean.Name,
                    Squares(alone).Count(), one, Error(2), Error(3)));
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
