using System.Globalization;
using System.Text;
using UniCardio.Signals.Plotting;

namespace UniCardio.Evaluation.Study;

/// <summary>A study as a picture: error, spread, spectrum and time against network calls a window, a line a sampler.</summary>
internal static class SamplerChart
{
    private const double Width = 1000, Left = 84, Right = 210, Top = 56, PanelHeight = 200, Gap = 40;
    private const string Ink = "#333333", Grid = "#e4e4e4";

    // Okabe and Ito's colours; dashes tell lines apart in grey.
    private static readonly string[] Colours = ["#000000", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00"];

    /// <summary>Draws the picture.</summary>
    public static string Of(IReadOnlyList<SamplerLine> lines, SamplerStudyOptions options)
    {
        (string Label, Func<SamplerLine, double?> Value)[] panels =
        [
            ("RMSE over ddpm's best", l => l.RelativeRmse),
            ("CRPS", l => l.Crps),
            ("spectral distance (dB)", l => l.SpectralDistance),
            ("ms a window, log2", l => l.Milliseconds > 0 ? Math.Log2(l.Milliseconds) : null),
        ];
        double bottom = Top + (panels.Length * PanelHeight) + ((panels.Length - 1) * Gap);
        using var svg = new SvgDocument(Width, bottom + 78, "Quality against network calls");
        svg.Text(Left, 32, "Quality against network calls", size: 18, bold: true);
        double min = lines.Min(l => Math.Log2(l.NetworkCalls)), max = lines.Max(l => Math.Log2(l.NetworkCalls));
        var x = PlotAxis.ForValues(min - 0.2, Math.Max(max, min + 1) + 0.2, Left, Width - Left - Right, 12);
        for (int i = 0; i < panels.Length; i++)
            Panel(svg, panels[i].Label, Series(lines, options, panels[i].Value), x, Top + (i * (PanelHeight + Gap)));
        svg.Text(Left + ((Width - Left - Right) / 2), bottom + 42, "network calls a window", "middle", 14, bold: true);
        svg.Text(Left, bottom + 66,
            $"{SignalPlot.Disclaimer} Means over the cases of the study; solid: most draws that all samplers have, dashed: one draw.",
            size: 12, fill: "#666666");
        return svg.Finish();
    }

    private static List<(string Label, string Colour, string? Dashes, (double X, double Y)[] Points)> Series(
        IReadOnlyList<SamplerLine> lines, SamplerStudyOptions options, Func<SamplerLine, double?> value)
    {
        var series = new List<(string, string, string?, (double, double)[])>();
        (double, double)[] Points(IEnumerable<SamplerLine> of) =>
            [.. of.Where(l => value(l) is not null).OrderBy(l => l.NetworkCalls).Select(l => (Math.Log2(l.NetworkCalls), value(l)!.Value))];
        int usual = options.Draws.Max(), colour = 0;
        foreach (IGrouping<string, SamplerLine> family in lines.GroupBy(l => l.Family))
        {
            foreach (int draws in (int[])[.. ((int[])[usual, 1]).Distinct()])
            {
                (double, double)[] points = Points(family.Where(l => l.Draws == draws));
                if (points.Length > 0)
                    series.Add((string.Create(CultureInfo.InvariantCulture, $"{family.Key}, {draws} draw{(draws == 1 ? "" : "s")}"),
                        Colours[colour % Colours.Length], draws == usual ? null : "6 3", points));
            }

            colour++;
        }

        series.Add(($"{options.Chosen}, 1-{options.ManyDraws.Max()} draws", Colours[colour % Colours.Length], "2 2",
            Points(lines.Where(l => l.Sampler == options.Chosen.ToString()))));
        return series;
    }

    private static void Panel(SvgDocument svg, string label,
        List<(string Label, string Colour, string? Dashes, (double X, double Y)[] Points)> series, PlotAxis x, double top)
    {
        double right = Width - Right, bottom = top + PanelHeight;
        double[] values = [.. series.SelectMany(s => s.Points).Select(p => p.Y)];
        (double low, double high) = values.Length == 0 ? (0, 1) : (values.Min(), values.Max());
        double margin = high > low ? 0.06 * (high - low) : 0.5;
        var y = PlotAxis.ForValues(low - margin, high + margin, bottom, -PanelHeight, 6);
        foreach (double tick in x.Ticks.Where(t => t == Math.Round(t)))
        {
            svg.Line(x.Pixel(tick), top, x.Pixel(tick), bottom, Grid, 1);
            svg.Text(x.Pixel(tick), bottom + 18, Math.Pow(2, tick).ToString("0", CultureInfo.InvariantCulture), "middle");
        }

        foreach (double tick in y.Ticks)
        {
            svg.Line(Left, y.Pixel(tick), right, y.Pixel(tick), Grid, 1);
            svg.Text(Left - 8, y.Pixel(tick) + 4.5, y.Label(tick), "end");
        }

        for (int i = 0; i < series.Count; i++)
        {
            (string name, string colour, string? dashes, (double X, double Y)[] points) = series[i];
            var path = new StringBuilder();
            foreach ((double px, double py) in points)
            {
                path.Append(path.Length == 0 ? 'M' : 'L').Append(CultureInfo.InvariantCulture, $"{x.Pixel(px):0.#} {y.Pixel(py):0.#}");
                svg.Rectangle(x.Pixel(px) - 3, y.Pixel(py) - 3, 6, 6, colour);
            }

            svg.Path(path.ToString(), colour, 1.6, dashes);
            svg.Line(right + 14, top + 10 + (20 * i), right + 44, top + 10 + (20 * i), colour, 2, dashes);
            svg.Text(right + 50, top + 14.5 + (20 * i), name);
        }

        svg.Line(Left, top, Left, bottom, Ink, 1);
        svg.Line(Left, bottom, right, bottom, Ink, 1);
        svg.AxisName(22, (top + bottom) / 2, label);
    }
}
