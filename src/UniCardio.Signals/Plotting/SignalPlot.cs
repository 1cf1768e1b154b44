using UniCardio.Signals.Formats;
using UniCardio.Signals.Processing;

namespace UniCardio.Signals.Plotting;

/// <summary>
/// A picture of signals: one panel a signal, one time axis, written as a self-contained SVG. Colours are those of Okabe and Ito ("Color
/// universal design", 2008), told apart with any colour vision; line styles differ as well, so that a grey print can be read.
/// </summary>
internal sealed class SignalPlot
{
    /// <summary>The sentence below every picture: nobody should take a generated wave for a measurement.</summary>
    public const string Disclaimer = "Research software, not a medical device.";

    private const double Left = 84, Right = 24, PanelGap = 16, Text = 13;
    private const string Ink = "#333333", Grid = "#e4e4e4", Missing = "#7f7f7f";
    private const double MissingOpacity = 0.17, BandOpacity = 0.28;

    /// <summary>Title above the panels.</summary>
    public required string Title { get; init; }

    /// <summary>Samples a second of every trace.</summary>
    public required double SampleRate { get; init; }

    /// <summary>The panels from top to bottom.</summary>
    public required IReadOnlyList<PlotPanel> Panels { get; init; }

    /// <summary>Time of the first sample, in seconds.</summary>
    public double StartSeconds { get; init; }

    /// <summary>What the reader should know beside <see cref="Disclaimer"/>, such as what the model can and cannot do.</summary>
    public string? Remark { get; init; }

    /// <summary>What a shaded stretch means.</summary>
    public string GapLabel { get; init; } = "Missing in the recording";

    /// <summary>Width of the picture in pixels, 300 to 10000.</summary>
    public int Width { get; init; } = 1200;

    /// <summary>Height of a panel in pixels, 60 to 2000.</summary>
    public int PanelHeight { get; init; } = 170;

    /// <summary>Draws the picture.</summary>
    /// <returns>The SVG document.</returns>
    /// <exception cref="ArgumentException">There is nothing to draw, a size or rate is out of range, or a band's edges differ in
    /// length.</exception>
    public string ToSvg()
    {
        using SvgDocument svg = Draw((width, height) => new SvgDocument(width, height, Title));
        return svg.Finish();
    }

    /// <summary>Draws the picture on a canvas.</summary>
    /// <param name="open">Makes the canvas from its width and height in pixels.</param>
    /// <exception cref="ArgumentException">As for <see cref="ToSvg"/>.</exception>
    public T Draw<T>(Func<double, double, T> open)
        where T : IPlotCanvas
    {
        int samples = Validate();
        double plotWidth = Width - Left - Right;
        List<string> notes = WrapText(Remark is null ? Disclaimer : Disclaimer + " " + Remark, Width - Left - Right, 12);
        IReadOnlyList<IReadOnlyList<LegendEntry>> legend = LegendRows(plotWidth);
        double top = 46 + 22 * legend.Count + 6;
        double bottom = top + Panels.Count * (PanelHeight + PanelGap) - PanelGap;
        double height = bottom + 58 + 16 * notes.Count;

        T canvas = open(Width, height);
        canvas.Text(Left, 32, Shorten(Title, plotWidth, 18), size: 18, bold: true);
        DrawLegend(canvas, legend);
        double end = StartSeconds + samples / SampleRate;
        var time = PlotAxis.ForTime(StartSeconds, end, Left, plotWidth, Math.Max(2, (int)(plotWidth / 100)));
        for (int k = 0; k < Panels.Count; k++)
            DrawPanel(canvas, Panels[k], time, samples, top + k * (PanelHeight + PanelGap));
        DrawTimeAxis(canvas, time, bottom);
        for (int k = 0; k < notes.Count; k++)
            canvas.Text(Left, bottom + 62 + 16 * k, notes[k], size: 12, fill: "#666666");
        return canvas;
    }

    /// <summary>Draws the picture into a file, complete or not at all.</summary>
    /// <param name="path">The file, replaced if it exists.</param>
    /// <exception cref="ArgumentException">As for <see cref="ToSvg"/>.</exception>
    /// <exception cref="SignalFileException">The file cannot be written.</exception>
    public void Save(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        string svg = ToSvg();
        byte[] bytes = System.Text.Encoding.UTF8.GetBytes(svg);
        BoundedFile.WriteAtomically([(path, stream => stream.Write(bytes))], overwrite: true);
    }

    private int Validate()
    {
        if (Panels.Count == 0)
            throw new ArgumentException("A picture has at least one panel.");
        if (!double.IsFinite(SampleRate) || SampleRate <= 0 || !double.IsFinite(StartSeconds))
            throw new ArgumentException(
                $"The sample rate ({SampleRate} Hz) must be finite and above 0, the start ({StartSeconds} s) finite.");
        if (Width is < 300 or > 10000 || PanelHeight is < 60 or > 2000)
            throw new ArgumentException(
                $"A picture is 300 to 10000 pixels wide and its panels 60 to 2000 high; got {Width} and {PanelHeight}.");
        int samples = 0;
        foreach (PlotTrace trace in Panels.SelectMany(p => p.Traces))
        {
            if (trace.Lower.Length != trace.Upper.Length)
                throw new ArgumentException(
                    $"A band's edges have {trace.Lower.Length} and {trace.Upper.Length} samples; expected the same number.");
            samples = Math.Max(samples, Math.Max(trace.Samples.Length, trace.Upper.Length));
        }
        return samples > 0 ? samples : throw new ArgumentException("A picture has at least one sample.");
    }

    private void DrawPanel(IPlotCanvas canvas, PlotPanel panel, PlotAxis time, int samples, double top)
    {
        double right = Width - Right, bottom = top + PanelHeight;
        (double low, double high) = panel.Range ?? ValueRange(panel.Traces);
        var values = PlotAxis.ForValues(low, high, bottom, -PanelHeight, Math.Max(2, PanelHeight / 34));
        double pixelsPerSample = (right - Left) / samples;
        foreach (SampleRange gap in panel.Gaps)
        {
            double from = Math.Clamp(Left + (gap.Start - 0.5) * pixelsPerSample, Left, right),
                to = Math.Clamp(Left + (gap.End - 0.5) * pixelsPerSample, Left, right);
            canvas.Rectangle(from, top, Math.Max(0.5, to - from), PanelHeight, Missing, MissingOpacity);
        }
        foreach (double tick in time.Ticks)
            canvas.Line(time.Pixel(tick), top, time.Pixel(tick), bottom, Grid, 1);
        foreach (double tick in values.Ticks)
        {
            canvas.Line(Left, values.Pixel(tick), right, values.Pixel(tick), Grid, 1);
            canvas.Text(Left - 8, values.Pixel(tick) + 4.5, values.Label(tick), "end");
        }
        var path = new TracePath(Left, pixelsPerSample, values);
        foreach (PlotTrace trace in panel.Traces.Where(t => t.Upper.Length > 0))
            canvas.Area(path.Band(trace.Lower.Span, trace.Upper.Span), Style(trace.Role).Colour, BandOpacity);
        // Dashes and thick lines would run together where many samples share a pixel; the reference goes below what it would hide.
        IEnumerable<PlotTrace> order = path.Decimates ? panel.Traces.OrderByDescending(t => t.Role == TraceRole.Reference) : panel.Traces;
        foreach (PlotTrace trace in order)
        {
            (string colour, double width, string? dashes) = Style(trace.Role);
            canvas.Path(path.Line(trace.Samples.Span), colour, path.Decimates ? 1 : width, path.Decimates ? null : dashes);
        }
        canvas.Line(Left, top, Left, bottom, Ink, 1);
        canvas.Line(Left, bottom, right, bottom, Ink, 1);
        canvas.AxisName(22, (top + bottom) / 2, Shorten(panel.AxisLabel, PanelHeight, 14));
    }

    private void DrawTimeAxis(IPlotCanvas canvas, PlotAxis time, double bottom)
    {
        foreach (double tick in time.Ticks)
        {
            canvas.Line(time.Pixel(tick), bottom, time.Pixel(tick), bottom + 5, Ink, 1);
            canvas.Text(time.Pixel(tick), bottom + 19, time.Label(tick), "middle");
        }
        canvas.Text(Left + (Width - Left - Right) / 2, bottom + 39, time.IsClock ? "Time (min:s)" : "Time (s)", "middle", 14, bold: true);
    }

    private static void DrawLegend(IPlotCanvas canvas, IReadOnlyList<IReadOnlyList<LegendEntry>> rows)
    {
        double y = 56;
        foreach (IReadOnlyList<LegendEntry> row in rows)
        {
            double x = Left;
            foreach (LegendEntry entry in row)
            {
                (string colour, double width, string? dashes) = entry.Role is { } role ? Style(role) : (Missing, 0, null);
                if (entry.IsArea)
                    canvas.Rectangle(x, y - 6, 30, 12, colour, entry.Role is null ? MissingOpacity * 1.6 : BandOpacity);
                else
                    canvas.Line(x, y, x + 30, y, colour, width, dashes);
                canvas.Text(x + 37, y + 4.5, entry.Label);
                x += entry.Width;
            }
            y += 22;
        }
    }

    private List<IReadOnlyList<LegendEntry>> LegendRows(double width)
    {
        PlotTrace[] traces = [.. Panels.SelectMany(p => p.Traces)];
        IEnumerable<LegendEntry> entries = traces.Select(t => new LegendEntry(t.Role, false, t.LegendLabel))
            .Concat(traces.Where(t => t.Upper.Length > 0).Select(t => new LegendEntry(t.Role, true, t.BandLabel)));
        if (Panels.Any(p => p.Gaps.Count > 0))
            entries = entries.Append(new LegendEntry(null, true, GapLabel));
        var rows = new List<IReadOnlyList<LegendEntry>>();
        var row = new List<LegendEntry>();
        double x = 0;
        foreach (LegendEntry entry in entries.Distinct())
        {
            if (row.Count > 0 && x + entry.Width > width)
            {
                rows.Add(row);
                (row, x) = ([], 0);
            }
            row.Add(entry);
            x += entry.Width;
        }
        rows.Add(row);
        return rows;
    }

    // Okabe and Ito's blue and vermilion.
    private static (string Colour, double Width, string? Dashes) Style(TraceRole role) => role switch
    {
        TraceRole.Measured => ("#0072b2", 1.3, null),
        TraceRole.Generated => ("#d55e00", 2.2, "9 2"),
        TraceRole.Difference => ("#666666", 1.1, null),
        _ => ("#000000", 1.1, "1.5 2.5"),
    };

    /// <summary>The values that traces take, with a margin: the range of a panel of these.</summary>
    internal static (double Low, double High) ValueRange(IEnumerable<PlotTrace> traces)
    {
        double low = double.PositiveInfinity, high = double.NegativeInfinity;
        foreach (PlotTrace trace in traces)
        {
            foreach (ReadOnlyMemory<float> line in new[] { trace.Samples, trace.Lower, trace.Upper })
            {
                foreach (float x in line.Span)
                {
                    if (x < low)
                        low = x;
                    if (x > high)
                        high = x;
                }
            }
        }
        if (!(low <= high))
            return (-1, 1);
        double margin = high > low ? 0.06 * (high - low) : Math.Max(0.5, 0.01 * Math.Abs(high));
        return (low - margin, high + margin);
    }

    // Sans-serif letters are 0.55 of their size wide on average.
    private static double TextWidth(string text, double size) => 0.55 * size * text.Length;

    private static string Shorten(string text, double width, double size)
    {
        int max = Math.Max(1, (int)(width / (0.55 * size)));
        return text.Length <= max ? text : text[..(max - 1)] + "\u2026";
    }

    private static List<string> WrapText(string text, double width, double size)
    {
        const int MaxLines = 4;
        var lines = new List<string>();
        string line = "";
        foreach (string word in text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > 0 && TextWidth(line + " " + word, size) > width)
            {
                lines.Add(line);
                line = "";
            }
            line = line.Length == 0 ? word : line + " " + word;
        }
        lines.Add(line);
        if (lines.Count > MaxLines)
        {
            lines.RemoveRange(MaxLines, lines.Count - MaxLines);
            lines[^1] += " \u2026";
        }
        return [.. lines.Select(l => Shorten(l, width + 2 * size, size))];
    }

    private sealed record LegendEntry(TraceRole? Role, bool IsArea, string Label)
    {
        public double Width => 37 + TextWidth(Label, Text) + 26;
    }
}
