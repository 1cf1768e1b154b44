using System.Globalization;
using System.Text;
using Spectre.Console;
using UniCardio.Engine.Model;
using UniCardio.Evaluation.Reports;
using UniCardio.Evaluation.Study;
using UniCardio.Signals;
using UniCardio.Signals.Synthesis;

namespace UniCardio.Cli.Output;

/// <summary>Tables of plain text: nothing in a cell is taken for markup.</summary>
internal static class ResultTable
{
    /// <summary>An empty table; a heading that starts with '>' is a column of numbers, set to the right.</summary>
    public static Table Create(params string[] headings)
    {
        var table = new Table { Border = TableBorder.Simple };
        foreach (string heading in headings)
        {
            bool number = heading.StartsWith('>');
            var column = new TableColumn(new Text(number ? heading[1..] : heading));
            table.AddColumn(number ? column.RightAligned() : column);
        }

        return table;
    }

    /// <summary>One blank between columns, for tables that are to fit 80.</summary>
    public static void KeepNarrow(this Table table)
    {
        foreach (TableColumn column in table.Columns)
            column.Padding = new Padding(1, 0, 0, 0);
    }

    /// <summary>Adds a row, every cell in the invariant culture.</summary>
    public static void Add(this Table table, params object?[] cells) =>
        table.AddRow(cells.Select(c => new Text(VisibleText.Escape(Convert.ToString(c, CultureInfo.InvariantCulture) ?? ""))));

    /// <summary>A number in a format of the invariant culture.</summary>
    public static string In(this double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}

/// <summary>The tables of <c>evaluate</c> on the terminal.</summary>
internal static class EvaluationTables
{
    // What fits a terminal; reports hold the rest.
    private const int Columns = 12;

    /// <summary>One line a case: the network beside its best baselines.</summary>
    public static Table Short(EvaluationReport report)
    {
        Table table = ResultTable.Create([.. ShortTable.Headings.Take(Columns)
            .Select(h => h is "case" or "best in window" or "best of all" ? h : $">{h}")]);
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
            table.Add($"{g.Kind.ToString().ToLowerInvariant()} {g.Output.Name()}", g.Corruption, g.Windows, g.One.In("0.000"),
                g.Two?.In("0.000"), g.Three?.In("0.000"),
                g.TwoToOne?.In("0.00"), g.ThreeToOne?.In("0.00"));
        }

        return table;
    }

    /// <summary>A table of a study of a patient's estimators.</summary>
    public static Table Study(StudyTable study)
    {
        Table table = ResultTable.Create([.. study.Headings]);
        foreach (IReadOnlyList<string> row in study.Rows)
            table.Add([.. row]);
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

/// <summary>The truth about synthetic beats as CSV.</summary>
internal static class BeatTable
{
    public static string Of(IEnumerable<SyntheticBeat> beats)
    {
        var text = new StringBuilder("time_s,sample,kind,diastolic_mmHg,diastolic_sample,systolic_mmHg,systolic_sample\n");
        foreach (SyntheticBeat beat in beats)
        {
            text.AppendLine(CultureInfo.InvariantCulture,
                $"{beat.TimeSeconds:0.####},{beat.Sample},{beat.Kind},{beat.Diastolic:0.##},{beat.DiastolicSample},"
                + $"{beat.Systolic:0.##},{beat.SystolicSample}");
        }

        return text.Replace("\r\n", "\n").ToString();
    }
}
