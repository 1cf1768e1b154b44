using System.Globalization;
using System.Xml.Linq;
using UniCardio.Signals.Plotting;
using UniCardio.Signals.Processing;

namespace UniCardio.Signals.Tests.Plotting;

public class SignalPlotTests
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    private static float[] Sine(int n)
    {
        var x = new float[n];
        for (int i = 0; i < n; i++)
            x[i] = (float)Math.Sin(i * 0.05);
        return x;
    }

    private static SignalPlot Plot(params PlotPanel[] panels) => new() { Title = "Title", SampleRate = 125, Panels = panels };

    private static XElement Draw(SignalPlot plot) => XDocument.Parse(plot.ToSvg()).Root!;

    private static string[] Lines(XElement root) =>
        [.. root.Elements(Svg + "path").Where(p => (string?)p.Attribute("fill") == "none").Select(p => (string)p.Attribute("d")!)];

    [Fact]
    public void TextIsEscapedAndForbiddenCharactersAreReplaced()
    {
        var plot = new SignalPlot
        {
            Title = "<script>alert('&\"')</script>\u0001\ud800 \u03b1 \ud83d\ude00",
            SampleRate = 125,
            Panels = [new PlotPanel("a<b", "&", [new PlotTrace(TraceRole.Measured, Sine(100)) { Label = "]]>" }])],
            Remark = "x < y",
        };
        XElement root = Draw(plot);
        Assert.Equal("<script>alert('&\"')</script>\ufffd\ufffd \u03b1 \ud83d\ude00", (string)root.Element(Svg + "title")!);
        Assert.DoesNotContain("<script", plot.ToSvg());
        string[] texts = [.. root.Elements(Svg + "text").Select(t => t.Value)];
        Assert.Contains("a<b (&)", texts);
        Assert.Contains("]]>", texts);
        Assert.Contains("Research software, not a medical device. x < y", texts);
    }

    [Fact]
    public void NothingIsLoadedFromElsewhere()
    {
        string svg = Plot(new PlotPanel("a", "", [new PlotTrace(TraceRole.Measured, Sine(100))])).ToSvg();
        Assert.DoesNotContain("href", svg);
        Assert.DoesNotContain("url(", svg);
        Assert.DoesNotContain("@import", svg);
    }

    [Fact]
    public void MissingSamplesBreakTheLine()
    {
        float[] x = Sine(100);
        x[40] = x[41] = x[70] = float.NaN;
        string line = Assert.Single(Lines(Draw(Plot(new PlotPanel("a", "", [new PlotTrace(TraceRole.Measured, x)])))));
        Assert.Equal(3, line.Count(c => c == 'M'));
        Assert.Equal(97, line.Count(c => c is 'M' or 'L'));
    }

    [Fact]
    public void ASampleOnItsOwnIsDrawn()
    {
        float[] x = [float.NaN, 1, float.NaN];
        Assert.EndsWith("h0", Assert.Single(Lines(Draw(Plot(new PlotPanel("a", "", [new PlotTrace(TraceRole.Measured, x)]))))));
    }

    [Fact]
    public void LongRecordingsAreDecimatedWithoutLosingASpike()
    {
        float[] x = Sine(500_000);
        x[123_457] = 9;
        x[400_001] = float.NaN;
        SignalPlot plot = Plot(new PlotPanel("a", "", [new PlotTrace(TraceRole.Measured, x)]));
        string line = Assert.Single(Lines(Draw(plot)));
        double[] y = [.. line.Split('M', 'L').Skip(1).Select(p => double.Parse(p.Split(' ')[1], CultureInfo.InvariantCulture))];
        Assert.InRange(y.Length, 2000, 2 * 1094);
        // The spike is far the highest point, at the top of the panel's range: all else lies below a fifth of it.
        Assert.Equal(1, y.Count(v => v < y.Max() - 0.5 * (y.Max() - y.Min())));
        Assert.Equal(2, line.Count(c => c == 'M'));
        Assert.True(plot.ToSvg().Length < 60_000);
    }

    [Fact]
    public void ABandIsAClosedPolygonARun()
    {
        float[] x = Sine(60), low = [.. x.Select(v => v - 1)], high = [.. x.Select(v => v + 1)];
        low[20] = float.NaN;
        var trace = new PlotTrace(TraceRole.Generated, x) { Lower = low, Upper = high };
        XElement root = Draw(Plot(new PlotPanel("a", "", [trace])));
        string band = (string)root.Elements(Svg + "path").Single(p => p.Attribute("fill-opacity") is not null).Attribute("d")!;
        Assert.Equal((2, 2), (band.Count(c => c == 'M'), band.Count(c => c == 'Z')));
        Assert.Equal(2 * 59, band.Count(c => c is 'M' or 'L'));
        Assert.Contains("5\u201395% of draws", root.Elements(Svg + "text").Select(t => t.Value));
    }

    [Fact]
    public void TheLegendNamesWhatIsThereOnce()
    {
        var panel = new PlotPanel("a", "mV", [new PlotTrace(TraceRole.Measured, Sine(50)), new PlotTrace(TraceRole.Generated, Sine(50))])
            { Gaps = [new SampleRange(3, 4)] };
        string[] texts = [.. Draw(Plot(panel, panel)).Elements(Svg + "text").Select(t => t.Value)];
        foreach (string label in new[] { "Measured", "Generated", "Missing in the recording" })
            Assert.Equal(1, texts.Count(t => t == label));
        Assert.DoesNotContain("Reference", texts);
        Assert.Equal(2, texts.Count(t => t == "a (mV)"));
    }

    [Fact]
    public void RolesDifferInLineStyleAndNotInColourAlone()
    {
        var panel = new PlotPanel("a", "", [.. Enum.GetValues<TraceRole>().Select(r => new PlotTrace(r, Sine(50)))]);
        var styles = Draw(Plot(panel)).Elements(Svg + "path").Select(p => (string?)p.Attribute("stroke-dasharray")).ToArray();
        Assert.Equal(3, styles.Distinct().Count());
    }

    [Theory]
    [InlineData(1e-7, 5)]
    [InlineData(0.3, 5)]
    [InlineData(4, 10)]
    [InlineData(97.3, 8)]
    [InlineData(900, 11)]
    [InlineData(86400, 11)]
    public void TimeTicksAreFewRoundAndLabelled(double seconds, int wanted)
    {
        var axis = PlotAxis.ForTime(0, seconds, 0, 1000, wanted);
        Assert.InRange(axis.Ticks.Count, 2, wanted + 1);
        Assert.Equal(axis.Ticks.Count, axis.Ticks.Select(axis.Label).Distinct().Count());
        Assert.All(axis.Ticks, t => Assert.InRange(axis.Pixel(t), -1e-6, 1000 + 1e-6));
    }

    [Fact]
    public void ValueTicksHaveTheDecimalsTheyNeed()
    {
        string[] Labels(double from, double to)
        {
            var axis = PlotAxis.ForValues(from, to, 0, 100, 5);
            return [.. axis.Ticks.Select(axis.Label)];
        }
        Assert.Equal(["70", "80", "90", "100", "110", "120", "130"], Labels(70, 130));
        Assert.Equal(["40", "60", "80", "100", "120"], Labels(30, 130.3));
        Assert.Equal(["\u22120.5", "0.0", "0.5", "1.0"], Labels(-0.7, 1.2));
        Assert.Equal(["0.00", "0.01", "0.02", "0.03", "0.04", "0.05"], Labels(0, 0.055));
        Assert.Contains("2e6", Labels(0, 5e6));
        var clock = PlotAxis.ForTime(-60, 4000, 0, 100, 5);
        Assert.Equal("1:06:40", clock.Label(4000));
        Assert.Equal("\u22121:00", clock.Label(-60));
    }

    [Fact]
    public void FlatAndWhollyMissingSignalsCanBeDrawn()
    {
        float[] missing = new float[50];
        Array.Fill(missing, float.NaN);
        string svg = Plot(new PlotPanel("flat", "", [new PlotTrace(TraceRole.Measured, new float[50])]),
            new PlotPanel("missing", "", [new PlotTrace(TraceRole.Measured, missing)]),
            new PlotPanel("empty", "", [])).ToSvg();
        Assert.DoesNotContain("NaN", svg);
        Assert.DoesNotContain("\u221e", svg);
        XDocument.Parse(svg);
    }

    [Fact]
    public void ASavedPictureReplacesTheOldOneAndLeavesNothingBesideIt()
    {
        string folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            string path = Path.Combine(folder, "a.svg");
            File.WriteAllText(path, "old");
            SignalPlot plot = Plot(new PlotPanel("a", "", [new PlotTrace(TraceRole.Measured, Sine(50))]));
            plot.Save(path);
            Assert.Equal(plot.ToSvg(), File.ReadAllText(path));
            Assert.Equal([path], Directory.GetFiles(folder));
            Assert.Throws<SignalFileException>(() => plot.Save(Path.Combine(folder, "none", "a.svg")));
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    [Fact]
    public void WhatCannotBeDrawnIsRefused()
    {
        var one = new PlotPanel("a", "", [new PlotTrace(TraceRole.Measured, Sine(50))]);
        Assert.Throws<ArgumentException>(() => Plot().ToSvg());
        Assert.Throws<ArgumentException>(() => Plot(new PlotPanel("a", "", [])).ToSvg());
        Assert.Throws<ArgumentException>(() => new SignalPlot { Title = "", SampleRate = 0, Panels = [one] }.ToSvg());
        Assert.Throws<ArgumentException>(() => new SignalPlot { Title = "", SampleRate = 1, Panels = [one], Width = 10 }.ToSvg());
        Assert.Throws<ArgumentException>(() =>
            Plot(new PlotPanel("a", "", [new PlotTrace(TraceRole.Generated, Sine(50)) { Lower = Sine(50) }])).ToSvg());
    }
}
