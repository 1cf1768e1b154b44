using System.Globalization;
using System.Text;

namespace UniCardio.Signals.Plotting;

/// <summary>Turns samples into SVG path data. Missing samples break the line.</summary>
/// <remarks>
/// Where more than two samples fall on a pixel column, the column shows its lowest and highest one in their order of time: no spike is
/// lost, and the path's size depends on the width of the picture alone.
/// </remarks>
internal sealed class TracePath(double left, double pixelsPerSample, PlotAxis values)
{
    public bool Decimates => pixelsPerSample < 0.5;

    public string Line(ReadOnlySpan<float> samples)
    {
        var path = new StringBuilder();
        for (int i = 0; i < samples.Length;)
        {
            if (float.IsNaN(samples[i]))
            {
                i++;
                continue;
            }
            int start = i;
            while (i < samples.Length && !float.IsNaN(samples[i]))
                i++;
            AppendRun(path, samples, start, i);
        }
        return path.ToString();
    }

    /// <summary>Closed polygons between two edges, one for each run in which both are there.</summary>
    public string Band(ReadOnlySpan<float> lower, ReadOnlySpan<float> upper)
    {
        var path = new StringBuilder();
        var bottom = new List<(double X, double Y)>();
        for (int i = 0; i < upper.Length;)
        {
            if (float.IsNaN(lower[i]) || float.IsNaN(upper[i]))
            {
                i++;
                continue;
            }
            bottom.Clear();
            bool first = true;
            while (i < upper.Length && !float.IsNaN(lower[i]) && !float.IsNaN(upper[i]))
            {
                int end = Decimates ? ColumnEnd(i, upper.Length) : i + 1;
                float low = lower[i], high = upper[i];
                double x = X(i);
                for (; i < end && !float.IsNaN(lower[i]) && !float.IsNaN(upper[i]); i++)
                    (low, high) = (Math.Min(low, lower[i]), Math.Max(high, upper[i]));
                AppendPoint(path, first, x, values.Pixel(high));
                bottom.Add((x, values.Pixel(low)));
                first = false;
            }
            for (int k = bottom.Count - 1; k >= 0; k--)
                AppendPoint(path, false, bottom[k].X, bottom[k].Y);
            path.Append('Z');
        }
        return path.ToString();
    }

    private void AppendRun(StringBuilder path, ReadOnlySpan<float> samples, int start, int end)
    {
        bool first = true;
        for (int i = start; i < end;)
        {
            int stop = Decimates ? Math.Min(end, ColumnEnd(i, samples.Length)) : i + 1;
            int low = i, high = i;
            for (int j = i + 1; j < stop; j++)
            {
                low = samples[j] < samples[low] ? j : low;
                high = samples[j] > samples[high] ? j : high;
            }
            AppendPoint(path, first, X(Math.Min(low, high)), values.Pixel(samples[Math.Min(low, high)]));
            if (low != high)
                AppendPoint(path, false, X(Math.Max(low, high)), values.Pixel(samples[Math.Max(low, high)]));
            first = false;
            i = stop;
        }
        // A single sample would draw nothing; a line of no length gets the round caps.
        if (end - start == 1)
            path.Append("h0");
    }

    private int ColumnEnd(int sample, int length)
    {
        double column = Math.Floor(sample * pixelsPerSample) + 1;
        return (int)Math.Clamp(Math.Ceiling(column / pixelsPerSample), sample + 1.0, length);
    }

    private double X(int sample) => left + sample * pixelsPerSample;

    private static void AppendPoint(StringBuilder path, bool first, double x, double y) =>
        path.Append(first ? 'M' : 'L').Append(CultureInfo.InvariantCulture, $"{x:0.#} {y:0.#}");
}
