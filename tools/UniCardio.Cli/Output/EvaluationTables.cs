using Spectre.Console;
using UniCardio.Engine.Model;
using UniCardio.Evaluation.Reports;
using UniCardio.Evaluation.Study;

namespace UniCardio.Cli.Output;

/// <summary>The tables of <c>evaluate</c> on the terminal.</summary>
internal static class EvaluationTables
{
    // What fits a terminal; reports hold the rest.
    private const int Columns = 12;

    /// <summary>One line a case: the network beside its best baselines.</summary>
    public static Table Short(EvaluationReport report)
    {
        Table table = ResultTable.Create([.. ShortTable.Headings.Take(Columns).Select(h => h is "case" or "best in window" or "best of all" ? h : $">{h}")]);
        foreach (IReadOnlyList<string> row in ShortTable.Rows(report, intervals: false))
            table.Add([.. row.Take(Columns)]);
        return table;
    }

    /// <summary>How the error falls as conditions are added.</summary>
    public static Table Gains(EvaluationReport report)
    {
        Table table = ResultTable.Create("restored", "spoiled by", ">windows", ">1 condition", ">2", ">3", ">2 to 1", ">3 to 1");
        foreach (ConditionGain g in report.ConditionGains)
        {
            table.Add($"{g.Kind.ToString().ToLowerInvariant()} {g.Output.Name()}", g.Corruption, g.Windows, g.One.In("0.000"), g.Two?.In("0.000"), g.Three?.In("0.000"),
                g.TwoToOne?.In("0.00"), g.ThreeToOne?.In("0.00"));
        }

        return table;
    }

    /// <summary>Samplers over all cases of a study.</summary>
    public static Table Samplers(SamplerReport report)
    {
        Table table = ResultTable.Create([.. SamplerReport.Headings.Select(h => h == "sampler" ? h : $">{h}")]);
        foreach (IReadOnlyList<string> row in report.Rows())
            table.Add([.. row]);
        return table;
    }
}
