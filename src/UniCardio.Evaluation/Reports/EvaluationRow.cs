using UniCardio.Engine.Model;
using UniCardio.Evaluation.Measures;
using UniCardio.Pipeline;

namespace UniCardio.Evaluation.Reports;

/// <summary>A line of the table: one method on one case, on one recording or on all.</summary>
internal sealed record EvaluationRow
{
    /// <summary>What stands for all recordings together.</summary>
    public const string AllRecordings = "all";

    /// <summary>The task's text form.</summary>
    public required string Task { get; init; }

    /// <summary>What the task does.</summary>
    public required TaskKind Kind { get; init; }

    /// <summary>What it makes.</summary>
    public required Modality Output { get; init; }

    /// <summary>Number of its conditions.</summary>
    public required int Conditions { get; init; }

    /// <summary>What was done to its target.</summary>
    public required string Corruption { get; init; }

    /// <summary>The recording, or <see cref="AllRecordings"/>.</summary>
    public required string Recording { get; init; }

    /// <summary>Whose it is; the number of subjects where all are together.</summary>
    public required string Subject { get; init; }

    /// <summary>The method.</summary>
    public required string Method { get; init; }

    /// <summary>Whether the network made it.</summary>
    public required bool IsNetwork { get; init; }

    /// <summary>Draws that the result is made of; 0 for a baseline.</summary>
    public required int Draws { get; init; }

    /// <summary>Network calls a window.</summary>
    public required int NetworkCalls { get; init; }

    /// <summary>Sampler or filter settings.</summary>
    public required string Settings { get; init; }

    /// <summary>The measures.</summary>
    public required ScoreSummary Scores { get; init; }

    /// <summary>Whether it looks at the recording beside the window, which the network does not see.</summary>
    public required bool SeesBeyondWindow { get; init; }

    /// <summary>
    /// Whether no baseline of this case and recording has a smaller RMSE. Chosen on these very windows, which favours baselines.
    /// </summary>
    public required bool IsBestBaseline { get; init; }

    /// <summary>Whether no baseline that sees the window alone, as the network does, has a smaller RMSE.</summary>
    public required bool IsBestOfWindow { get; init; }

    /// <summary>For the network: by what share its RMSE is below the best baseline's.</summary>
    public ErrorMargin? Margin { get; init; }

    /// <summary>For the network: by what share its RMSE is below that of the best baseline that sees the window alone.</summary>
    public ErrorMargin? MarginOfWindow { get; init; }

    /// <summary>Coverage that draws of the true distribution would have; null without a band.</summary>
    public double? ExpectedCoverage { get; init; }

    /// <summary>The lines of an evaluation: for each case all recordings together, then one after the other.</summary>
    /// <param name="result">The evaluation.</param>
    public static IReadOnlyList<EvaluationRow> Of(EvaluationResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        var rows = new List<EvaluationRow>();
        foreach (CaseResult one in result.Cases)
        {
            int[] all = [.. Enumerable.Range(0, one.Windows.Count)];
            int subjects = one.Windows.Select(w => w.Recording.Subject).Distinct().Count();
            rows.AddRange(Rows(one, AllRecordings, FormattableString.Invariant($"{subjects} subject{(subjects == 1 ? "" : "s")}"), all,
                result.Options.Seed));
            foreach (IGrouping<Cases.EvaluationRecording, int> recording in all.GroupBy(w => one.Windows[w].Recording))
                rows.AddRange(Rows(one, recording.Key.Name, recording.Key.Subject, [.. recording], result.Options.Seed));
        }

        return rows;
    }

    private static IEnumerable<EvaluationRow> Rows(CaseResult one, string recording, string subject, int[] windows, ulong seed)
    {
        double[] Squares(MethodScores method) => [.. windows.Select(w => method.Scores[w].MeanSquare)];
        MethodScores? best = one.Methods.Where(m => !m.IsNetwork).MinBy(m => Squares(m).Sum());
        MethodScores? alike = one.Methods.Where(m => !m.IsNetwork && !m.SeesBeyondWindow).MinBy(m => Squares(m).Sum());
        ErrorMargin? Margin(MethodScores method, MethodScores? baseline) =>
            method.IsNetwork && baseline is not null ? ErrorMargin.Of(Squares(method), Squares(baseline), seed) : null;
        foreach (MethodScores method in one.Methods)
        {
            WindowScore[] scores = [.. windows.Select(w => method.Scores[w])];
            yield return new EvaluationRow
            {
                Task = one.Task.ToString(),
                Kind = one.Task.Kind,
                Output = one.Task.Output,
                Conditions = one.Task.Conditions.Count(),
                Corruption = one.Corruption.ToString(),
                Recording = recording,
                Subject = subject,
                Method = method.Name,
                IsNetwork = method.IsNetwork,
                Draws = method.Draws,
                NetworkCalls = method.NetworkCalls,
                Settings = method.Settings,
                Scores = ScoreSummary.Of(one.Task.Output, scores),
                SeesBeyondWindow = method.SeesBeyondWindow,
                IsBestBaseline = ReferenceEquals(method, best),
                IsBestOfWindow = ReferenceEquals(method, alike),
                Margin = Margin(method, best),
                MarginOfWindow = Margin(method, alike),
                ExpectedCoverage = method.Draws > 1
                    ? BandCoverage.Expected(method.Draws, WindowDraws.LowQuantile, WindowDraws.HighQuantile) : null,
            };
        }
    }
}
