using System.Globalization;
using System.Text;
using UniCardio.Engine.Model;
using UniCardio.Signals.Plotting;

namespace UniCardio.Training.Runs;

/// <summary>A line of a curve: points from left to right, and how it looks.</summary>
internal sealed record CurveLine(string Label, string Colour, string? Dashes, IReadOnlyList<(double X, double Y)> Points)
{
    // More points than pixels tell nothing more.
    private const int MaxPoints = 600;

    /// <summary>Means of neighbouring points, so that no more are left than pixels.</summary>
    public static IReadOnlyList<(double X, double Y)> Thin(IReadOnlyList<(double X, double Y)> points)
    {
        int group = (points.Count + MaxPoints - 1) / MaxPoints;
        return group <= 1 ? points : [.. points.Chunk(group).Select(c => (c.Average(p => p.X), c.Average(p => p.Y)))];
    }

    /// <summary>Lines of a check's figure, a mean over the tasks of each kind and number of conditions. Okabe and Ito's colours tell the
    /// kinds apart, dashes the conditions.</summary>
    public static IReadOnlyList<CurveLine> ByKind(IEnumerable<CheckRow> checks, Func<CheckRow, double> figure)
    {
        return
        [
            .. checks.GroupBy(c => (c.Task.Kind, Conditions: c.Task.Conditions.Count())).OrderBy(g => g.Key).Select(g => new CurveLine(
                $"{g.Key.Kind.ToString().ToLowerInvariant()}, {g.Key.Conditions}",
                g.Key.Kind switch { TaskKind.Translate => "#0072b2", TaskKind.Impute => "#d55e00", _ => "#009e73" },
                g.Key.Conditions switch { 1 => null, 2 => "7 3", _ => "2 3" },
                [.. g.GroupBy(c => c.Updates).OrderBy(u => u.Key).Select(u => ((double)u.Key, u.Average(figure)))])),
        ];
    }

    public string Path(PlotAxis x, PlotAxis y)
    {
        var path = new StringBuilder();
        foreach ((double at, double value) in Points.Where(p => double.IsFinite(p.Y)))
            path.Append(CultureInfo.InvariantCulture, $"{(path.Length == 0 ? 'M' : 'L')}{x.Pixel(at):0.#} {y.Pixel(value):0.#}");
        return path.ToString();
    }
}
