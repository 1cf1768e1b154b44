using System.Globalization;
using System.Net;
using System.Text;
using UniCardio.Engine.Model;
using UniCardio.Signals.Plotting;

namespace UniCardio.Training.Runs;

/// <summary>Draws how a run went: training loss, held-out loss and probe by kind of task and number of conditions, throughput.</summary>
internal static class RunCurve
{
    private const double Width = 1100, Left = 84, Right = 190, Top = 44, PanelHeight = 190, Gap = 34;
    private const string Ink = "#333333", Grid = "#e4e4e4";

    /// <summary>Writes curve.svg and curve.html, each whole or not at all.</summary>
    public static void Write(RunFolder folder, RunRecord record)
    {
        RunHistory history = RunHistory.Read(folder);
        string svg = Draw(history, Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder.Path))));
        RunFolder.WriteWhole(folder.CurveFile + ".svg", svg);
        RunFolder.WriteWhole(folder.CurveFile + ".html", Page(history, record, svg));
    }

    internal static string Draw(RunHistory history, string name)
    {
        CheckRow[] checks = [.. history.Checks.Where(c => c.Weights == "averaged")];
        (string Label, IReadOnlyList<CurveLine> Lines, double? Mark)[] panels =
        [
            ("log10 of training loss",
                [new CurveLine("rows of log.csv", "#000000", null,
                    CurveLine.Thin([.. history.Log.Select(r => ((double)r.Updates, Math.Log10(r.Loss)))]))], null),
            ("log10 of held-out loss", CurveLine.ByKind(checks, c => Math.Log10(c.Loss)), null),
            ("probe at 0.8 T", CurveLine.ByKind(checks, c => Math.Min(1.5, c.HighProbe)), 1),
            ("windows/s",
                [new CurveLine("windows/s", "#0072b2", null,
                    CurveLine.Thin([.. history.Log.Select(r => ((double)r.Updates, r.WindowsPerSecond))])),
                new CurveLine("% of peak", "#d55e00", "7 3",
                    CurveLine.Thin([.. history.Log.Select(r => ((double)r.Updates, r.PeakPercent))]))], null),
        ];
        double height = Top + (panels.Length * (PanelHeight + Gap)) + 40;
        using var svg = new SvgDocument(Width, height, $"Training run {name}");
        svg.Text(Left, 28,
            $"Training run {name}: {(history.Log.Count > 0 ? history.Log[^1].Updates : 0).ToString(CultureInfo.InvariantCulture)} updates",
            size: 18, bold: true);
        double last = Math.Max(1, history.Log.Count > 0 ? history.Log[^1].Updates : 1);
        var x = PlotAxis.ForValues(0, last, Left, Width - Left - Right, 10);
        for (int i = 0; i < panels.Length; i++)
            Panel(svg, panels[i].Label, panels[i].Lines, panels[i].Mark, history.Log, x, Top + (i * (PanelHeight + Gap)));
        svg.Text(Left + ((Width - Left - Right) / 2), height - 30, "updates (dashed: a new phase)", "middle", 14, bold: true);
        svg.Text(Left, height - 8,
            "Probe: error of the clean signal predicted in one call at high noise over that of predicting the mean; 1 = conditions are "
            + "not used. Numbers: conditions.", size: 12, fill: "#666666");
        return svg.Finish();
    }

    private static void Panel(SvgDocument svg, string label, IReadOnlyList<CurveLine> lines, double? mark, IReadOnlyList<LogRow> log,
        PlotAxis x, double top)
    {
        double right = Width - Right, bottom = top + PanelHeight;
        double[] values = [.. lines.SelectMany(l => l.Points).Select(p => p.Y).Concat(mark is double m ? [m] : []).Where(double.IsFinite)];
        (double low, double high) = values.Length == 0 ? (0, 1) : (values.Min(), values.Max());
        double margin = high > low ? 0.05 * (high - low) : 0.5;
        var y = PlotAxis.ForValues(low - margin, high + margin, bottom, -PanelHeight, 5);
        foreach (double tick in x.Ticks)
        {
            svg.Line(x.Pixel(tick), top, x.Pixel(tick), bottom, Grid, 1);
            svg.Text(x.Pixel(tick), bottom + 17, x.Label(tick), "middle");
        }

        foreach (double tick in y.Ticks)
        {
            svg.Line(Left, y.Pixel(tick), right, y.Pixel(tick), Grid, 1);
            svg.Text(Left - 8, y.Pixel(tick) + 4.5, y.Label(tick), "end");
        }

        foreach ((LogRow before, LogRow after) in log.Zip(log.Skip(1)).Where(p => p.First.Phase != p.Second.Phase))
            svg.Line(x.Pixel(before.Updates), top, x.Pixel(before.Updates), bottom, Ink, 1, "5 4");
        if (mark is double at)
            svg.Line(Left, y.Pixel(at), right, y.Pixel(at), Ink, 1, "1.5 2.5");
        for (int i = 0; i < lines.Count; i++)
        {
            svg.Path(lines[i].Path(x, y), lines[i].Colour, 1.6, lines[i].Dashes);
            svg.Line(right + 14, top + 10 + (20 * i), right + 44, top + 10 + (20 * i), lines[i].Colour, 2, lines[i].Dashes);
            svg.Text(right + 50, top + 14.5 + (20 * i), lines[i].Label);
        }

        svg.Line(Left, top, Left, bottom, Ink, 1);
        svg.Line(Left, bottom, right, bottom, Ink, 1);
        svg.AxisName(22, (top + bottom) / 2, label);
    }

    private static string Page(RunHistory history, RunRecord record, string svg)
    {
        var page = new StringBuilder();
        page.Append(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" "
            + "content=\"120\"><title>Training "
            + "run</title>\n<style>body{font-family:Helvetica,Arial,sans-serif;color:#333;max-width:1100px;margin:1em "
            + "auto}td,th{padding:2px 12px;text-align:right}td:first-child,th:first-child{text-align:left}</style></head><body>\n");
        page.Append(svg);
        page.Append(
            "<h2>Last held-out check</h2>\n<table><tr><th>task</th><th>loss</th><th>best so far</th><th>probe at T-1</th><th>probe at "
            + "0.8 T</th></tr>\n");
        foreach (IGrouping<CardioTask, CheckRow> task in history.Checks.Where(c => c.Weights == "averaged").GroupBy(c => c.Task))
        {
            CheckRow last = task.Last();
            page.Append(CultureInfo.InvariantCulture,
                $"<tr><td>{WebUtility.HtmlEncode(task.Key.ToString())}</td><td>{last.Loss:F4}</td><td>{task.Min(c => c.Loss):F4}</td>"
                + $"<td>{last.LastProbe:F3}</td><td>{last.HighProbe:F3}</td></tr>\n");
        }

        page.Append("</table>\n<h2>run.json</h2>\n<pre>").Append(WebUtility.HtmlEncode(record.ToJson())).Append("</pre>\n<p>")
            .Append(SignalPlot.Disclaimer).Append("</p>\n</body></html>\n");
        return page.ToString();
    }
}
